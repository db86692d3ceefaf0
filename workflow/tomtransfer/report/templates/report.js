"use strict";

// Sort a table by the column of a heading; values that are not there stay last either way.
function sortBy(heading) {
  const table = heading.closest("table");
  const place = heading.cellIndex;
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");

  const numeric = heading.classList.contains("number");
  const value = (row) => {
    const cell = row.cells[place];
    return numeric ? cell.dataset.value : cell.textContent.trim();
  };
  const compare = (first, second) => {
    const [one, other] = [value(first), value(second)];
    if (one === "" || other === "") return (one === "") - (other === "");
    const order = numeric ? Number(one) - Number(other) : one.localeCompare(other);
    return ascending ? order : -order;
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
}

// Let a reader choose one measure of a table that lists several for every place.
function offerMeasures(table) {
  const cells = [...table.querySelectorAll("[data-measure]")];
  const names = [...new Set(cells.map((cell) => cell.dataset.measure))];
  if (names.length < 2 || table.id === "table-alignment_by_split") return;
  const select = document.createElement("select");
  for (const name of ["", ...names]) select.add(new Option(name || "all measures", name));
  const show = () => {
    for (const cell of cells) cell.parentElement.hidden = select.value !== "" && cell.dataset.measure !== select.value;
  };
  select.addEventListener("change", show);
  select.value = names[0];
  show();
  const label = document.createElement("label");
  label.append("Measure: ", select);
  table.parentElement.before(label);
}

for (const heading of document.querySelectorAll("thead th")) {
  heading.querySelector("button").addEventListener("click", () => sortBy(heading));
}
for (const table of document.querySelectorAll("table")) offerMeasures(table);
// Paper has no clicks: results are printed whole, prompts as they were left.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("#tables > details")) part.open = true;
});
