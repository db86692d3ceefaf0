"""The table of docs/models.md: what every architecture came to, made anew.

PYTHONPATH=workflow python tests/table_of_architectures.py OUTCOMES    # a file; what stands in it is not done again
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from architectures import ARCHITECTURES
from beside_plain_passes import Outcome, look_at
from tomtransfer.inference.sharing import Sharing

DOCS = Path(__file__).parents[1] / "docs" / "models.md"
BEGIN, END = "<!-- made by tests/table_of_architectures.py -->", "<!-- end -->"

LONGEST = 180
"""Characters of a reason, at most."""

DRAWING = {
    "branches": "branches of one cache",
    "flat branches": "branches, laid out flat (latent attention)",
    "copies": "a copy each of what is kept",
    "recomputed": "computed anew at each token",
}


def outcomes(place: Path) -> list[Outcome]:
    """Return what every architecture came to, as far as it stands in a file; the rest is found out and added to it."""
    lines = place.read_text().splitlines() if place.exists() else []
    known = {found.architecture: found for found in map(_read, lines)}
    for architecture in ARCHITECTURES:
        if architecture not in known:
            with tempfile.TemporaryDirectory() as folder:
                known[architecture] = look_at(architecture, Path(folder) / "tiny")
            print(architecture, known[architecture].wrong or "", flush=True)
            with place.open("a") as file:
                file.write(json.dumps(asdict(known[architecture])) + "\n")
    return [known[architecture] for architecture in ARCHITECTURES]


def _read(line: str) -> Outcome:
    content = json.loads(line)
    return Outcome(**{**content, "sharing": Sharing(**content["sharing"]) if content["sharing"] else None})


def _row(found: Outcome) -> tuple[str, str]:
    """Return what stands in the first two columns of the row that an architecture belongs to."""
    if found.not_built:
        return ("no tiny model could be built", "–")
    if found.sharing is None:
        return (f"refused: {_refusal(found)}", "–")
    rows = "rows are shared" if found.sharing.rows else "one by one"
    return (f"{rows}, within a window" if found.sharing.longest else rows, DRAWING[found.sharing.drawing])


def _refusal(found: Outcome) -> str:
    """Return in a few words why an architecture cannot be used at all."""
    (said,) = found.aspects.values() if len(found.aspects) == 1 else [list(found.aspects.values())[-1]]
    reasons = ("looks at what comes later", "is no model that writes text", "answers differently each time")
    return next((reason for reason in reasons if reason in said), said.removeprefix("refused: "))


def table(found: list[Outcome]) -> Iterator[str]:
    """Yield the lines of the table, and after it what is refused of architectures that can be used."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in found:
        groups.setdefault(_row(each), []).append(each.architecture)
    built = sum(not each.not_built for each in found)
    yield f"Tiny models with random weights of {built} of the {len(found)} causal language models of transformers."
    yield ""
    yield "| prompts and completions | drawn texts | number | architectures |"
    yield "|---|---|---|---|"
    order = ["rows are shared", "rows are shared, within a window", "one by one"]
    for row, names in sorted(groups.items(), key=lambda item: (_place(order, item[0][0]), -len(item[1]))):
        yield f"| {row[0]} | {row[1]} | {len(names)} | {', '.join(names)} |"
    yield ""
    yield "Refused of models that can be used otherwise, and why no tiny model could be built of others:"
    yield ""
    for each in found:
        for aspect, said in each.aspects.items():
            if each.sharing and said.startswith("refused: "):
                yield f"- {each.architecture}, {aspect}: {_short(said.removeprefix('refused: '))}"
        if each.not_built:
            yield f"- {each.architecture}: {_short(each.not_built)}"


def _short(said: str) -> str:
    """Return the beginning of what was said, in one line."""
    line = " ".join(said.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."


def _place(order: list[str], name: str) -> int:
    return order.index(name) if name in order else len(order)


def main() -> None:
    """Write the table, unless an architecture comes to something wrong."""
    found = outcomes(Path(sys.argv[1]))
    if wrong := {each.architecture: each.wrong for each in found if each.wrong}:
        sys.exit(f"wrong: {json.dumps(wrong, indent=1)}")
    text = DOCS.read_text()
    made = "\n".join([BEGIN, *table(found), END])
    DOCS.write_text(re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: made, text, flags=re.DOTALL))


if __name__ == "__main__":
    main()
