"""The report and its tables: all that is there, nothing that is executed or fetched, and every poor case said."""

import csv
import io
import re
from collections import Counter
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from jinja2 import UndefinedError

from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario
from tomtransfer.measurement.findings import Findings, examine, read_findings, write_findings
from tomtransfer.measurement.published_counts import read_donation, read_published
from tomtransfer.report.page import PAGE_TEMPLATES, Page, PageFigure, inline, published_page, remarks, render_page
from tomtransfer.report.sources import Asked, Motivation, asked, cut_off, frames_table, read_losses
from tomtransfer.report.style import INK
from tomtransfer.report.tabulation import make_tables
from tomtransfer.report.typesetting import Column, Table, as_csv, as_latex
from tomtransfer.scenarios.questions import Prompt

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "scenarios" / "published"
FEW_DRAWS = Scoring(bootstrap_draws=50)
CANARY = "<script>window.canary = 1</script>&<b>"
SVG = '<?xml version="1.0"?><svg width="10pt" height="5pt" viewBox="0 0 10 5"><metadata>x</metadata>{}</svg>'

FETCHING = {"src", "srcset", "href", "xlink:href", "action", "poster", "data", "background"}
"""Attributes by which a page loads, or leads to, something."""


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def exact(*rates: float, other: float = 0.0) -> Evidence:
    shares = np.array(rates)
    scenarios = [Scenario("in_sample", "stag_hunt", f"context{number}") for number in range(len(rates))]
    return Evidence.from_probabilities(scenarios, shares * (1 - other), (1 - shares) * (1 - other), other + 0 * shares)


def compared(*models: Evidence) -> Findings:
    return examine(Comparison(*models), FEW_DRAWS)


def prompt(text: str = "Which?", sha256: str = "abc") -> Prompt:
    place = ("in_sample", "stag_hunt", "team", "canonical", "answer_only")
    return Prompt(*place, "C", "D", {"reward": 1.0}, f"system {text}", f"user {text}", sha256)


def test_the_page_says_what_holds_of_each_game(page: Page) -> None:
    holds = ["Both cooperate & earn most.", "Taking turns earns less."]
    texts = Elements(render_page(replace(page, games=[{"title": "Stag hunt", "holds": holds}]))).texts
    assert texts[texts.index("Stag hunt") :].index(" ".join(holds)) <= 2
    assert "Games" not in Elements(render_page(page)).texts


@pytest.fixture(scope="module")
def findings() -> Findings:
    return replace(examine(read_published(FOLDER), FEW_DRAWS), donation=read_donation(FOLDER))


@pytest.fixture(scope="module")
def page(findings: Findings, tmp_path_factory: pytest.TempPathFactory) -> Page:
    figure = tmp_path_factory.mktemp("figures") / "cooperation.svg"
    figure.write_text(SVG.format('<g id="a"><use xlink:href="#a"/></g>'))
    return published_page(findings, [FOLDER / "lore2024_counts.csv"], [figure], "9.27.1")


@pytest.fixture(scope="module")
def html(page: Page) -> str:
    return render_page(page)


def test_the_page_has_everything_once(html: str, findings: Findings) -> None:
    elements = Elements(html)
    tags = Counter(tag for tag, _ in elements.tags)
    assert (tags["h1"], tags["script"], tags["style"], tags["svg"]) == (1, 1, 1, 1)
    assert tags["table"] == len(make_tables(findings)) == 10
    ids = [attributes["id"] for _, attributes in elements.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {value for _, attributes in elements.tags if (value := attributes.get("href") or "").startswith("#")}
    assert {target.removeprefix("#") for target in targets} <= set(ids)
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in elements.tags
    assert ("html", {"lang": "en"}) in elements.tags


def test_the_page_says_the_findings(html: str, findings: Findings) -> None:
    text = "\n".join(Elements(html).texts)
    for sentence in findings.headlines.values():
        assert sentence.replace("_", " ") in text
    assert "is 46.26 % in sample, 39.95 % doubled payoffs, 17.90 % new contexts, 28.5 % in the donation game" in text
    for _, game, context in findings.scenarios("new_contexts"):
        assert game.replace("_", " ") in text
        assert context.replace("_", " ") in text
    assert "Koenker" not in text
    assert "Lin's concordance correlation (Lin 1989" in text
    assert re.search(r"sha256 [0-9a-f]{64}", text)


def test_the_page_asks_the_network_for_nothing(html: str) -> None:
    for tag, attributes in Elements(html).tags:
        for name in FETCHING & attributes.keys():
            assert (attributes[name] or "").startswith(("#", "data:")), (tag, name, attributes[name])
    assert not re.search(r"url\((?!#)|@import|fetch\(|XMLHttpRequest|import\(|WebSocket", html)


def test_no_text_of_a_model_or_a_config_is_executed(page: Page) -> None:
    bad = replace(
        page,
        title=CANARY,
        lead=CANARY,
        remarks=[CANARY],
        asked=[Asked(prompt(CANARY), (Motivation("cooperate", CANARY, CANARY, True),))],
        provenance={CANARY: {CANARY: {"nested": [CANARY]}}},
        tables=[Table("name", CANARY, CANARY, (Column("key", CANARY),), ({"key": CANARY},))],
        drawings=[PageFigure("name", CANARY, CANARY, SVG.format(""))],
    )
    rendered = render_page(bad)
    elements = Elements(rendered)
    assert Counter(tag for tag, _ in elements.tags)["script"] == 1
    assert "b" not in {tag for tag, _ in elements.tags}
    assert CANARY not in rendered
    assert rendered.count("&lt;script&gt;window.canary = 1&lt;/script&gt;&amp;&lt;b&gt;") >= 15


def test_a_name_that_a_template_does_not_know_is_an_error(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in PAGE_TEMPLATES.iterdir():
        (tmp_path / path.name).write_text(path.read_text())
    monkeypatch.setattr("tomtransfer.report.page.PAGE_TEMPLATES", tmp_path)
    template = tmp_path / "report.html.j2"
    template.write_text(template.read_text().replace("page.lead", "page.leed"))
    with pytest.raises(UndefinedError, match="leed"):
        render_page(page)


def test_prompts_and_motivations_are_shown_and_cut_off_ones_marked(page: Page) -> None:
    motivations = (Motivation("cooperate", "C", "We gain.", True), Motivation("defect", "D", "I cannot", False))
    elements = Elements(render_page(replace(page, asked=[Asked(prompt(), motivations)])))
    for text in ("system Which?", "user Which?", "sha256 abc", "We gain.", "C: cooperate", "D: defect, cut off"):
        assert text in elements.texts


def test_a_drawing_is_the_same_in_fewer_characters():
    path = "M 63.70 108.90 \nL 70.26 108.00 \nL 0.05 -100.37 \nC 1 2.50 3 4 10.004 20 \nQ 1.0 2 3 4.10 \nz\n"
    shown = inline(PageFigure("one", "", "", f'<svg width="1pt" height="1pt"><path d="{path}"/></svg>'))
    drawn = re.search(r' d="(.*?)"', shown, flags=re.DOTALL)[1]
    assert re.findall(r"[A-Za-z]", drawn) == re.findall(r"[A-Za-z]", path)
    numbers = [[float(each) for each in re.findall(r"-?[\d.]+", text)] for text in (drawn, path)]
    assert numbers[0] == pytest.approx(numbers[1], abs=0.01)
    assert drawn == "M63.7 108.9L70.26 108L0.05 -100.37C1 2.5 3 4 10 20Q1 2 3 4.1z"


def test_figures_share_no_ids_and_take_the_colours_of_the_page() -> None:
    svg = SVG.format(f'<path id="p" style="fill: {INK}" clip-path="url(#p)"/><use xlink:href="#p"/>')
    first, second = (inline(PageFigure(name, "A & B", "", svg)) for name in ("one", "two"))
    assert 'id="one-p"' in first
    assert "url(#one-p)" in first
    assert 'xlink:href="#one-p"' in first
    assert "one-" not in second
    assert first.startswith('<svg role="img" aria-label="A &amp; B" style="width: 10pt" viewBox="0 0 10 5">')
    assert "var(--ink)" in first
    assert "metadata" not in first


def test_definitions_are_for_readers(page: Page) -> None:
    assert len(page.measures) == 12
    for _, definition in page.measures:
        assert definition
        assert not re.search(r"\bnan\b|\.\.\.|->|`|Return", definition)


def test_csv_holds_every_number_in_full(findings: Findings) -> None:
    table = {each.name: each for each in make_tables(findings)}["alignment_by_split"]
    rows = list(csv.DictReader(io.StringIO(as_csv(table))))
    assert len(rows) == 3 * 11
    row = next(row for row in rows if (row["split"], row["measure"]) == ("new_contexts", "gap_closed"))
    score = findings.score("gap_closed", "new_contexts")
    for name in ("value", "low", "high", "base", "best_constant", "own_mean", "fair_coin", "ceiling"):
        assert float(row[name]) == getattr(score, name)


def test_every_scenario_is_in_the_tables_with_floors(findings: Findings) -> None:
    tables = {each.name: each for each in make_tables(findings)}
    wanted = {tuple(each) for split in findings.splits for each in findings.scenarios(split)}
    for name in ("alignment_by_scenario", "cooperation", "differences"):
        assert {(row["split"], row["game"], row["context"]) for row in tables[name].rows} == wanted
    for name, table in tables.items():
        if "alignment" in name or name in {"donation", "differences"}:
            assert {"best_constant", "own_mean", "fair_coin", "ceiling"} <= {column.key for column in table.columns}
            given = [row for row in table.rows if row["measure"] == "gap_closed"]
            assert all(row["fair_coin"] is not None or row["note"].startswith("undefined: base") for row in given)


def test_latex_is_booktabs_and_escaped() -> None:
    columns = (Column("name", "a & b"), Column("value", "50 %", "share"), Column("empty", "empty"))
    rows = ({"name": r"\x_{1}~^#$", "value": -0.5, "empty": None}, {"name": "y", "value": None, "empty": ""})
    written = as_latex(Table("my_table", "Title", "Caption 100 %", columns, rows))
    latex = " ".join(written.split())
    assert r"\textbackslash{}x\_\{1\}\textasciitilde{}\^{}\#\$ & $-$50.00 \% \\" in latex
    assert r"a \& b & 50 \% \\" in latex
    assert r"\caption{Caption 100 \%}\label{tab:my-table}" in latex
    assert r"\begin{tabular}{lr}" in latex
    for command in (r"\toprule", r"\midrule", r"\bottomrule", r"\end{table}"):
        assert latex.count(command) == 1
    assert as_latex(Table("long", "", "", columns, rows * 30)).count(r"\begin{longtable}") == 1


def test_latex_rows_have_as_many_cells_as_columns(findings: Findings) -> None:
    for table in make_tables(findings):
        lines = [line for line in as_latex(table).splitlines() if line.endswith(r"\\") and "caption" not in line]
        assert {len(re.findall(r"(?<!\\)&", line)) for line in lines} == {len(table.shown) - 1}
        assert len(lines) == len(table.rows) + 1


def test_findings_are_read_as_they_were_written(findings: Findings, tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_findings(findings, path)
    assert asdict(read_findings(path)) == asdict(findings)
    path.write_text(path.read_text().replace('"scores"', '"skores"'))
    with pytest.raises(InputError, match=r"(?s)summary.json: cannot be read as findings: .*scores.*Delete it"):
        read_findings(path)


def test_there_are_tests_between_splits_of_counts_alone(findings: Findings) -> None:
    assert len(findings.split_tests) == 3 + 12
    assert compared(exact(0.1, 0.9), exact(0.5, 0.5), exact(0.2, 0.8)).split_tests == ()


def test_what_to_keep_in_mind() -> None:
    said = remarks(compared(exact(0.1, 0.9), exact(0.5, 0.9), exact(0.2, 0.8, other=0.6)))
    assert said[0].startswith("All probabilities are exact.")
    assert "no interval: undefined without some of the contexts" in said[1]
    assert "base equals teacher in in_sample/stag_hunt/context1; improvement and bridging leave out" in said[2]
    assert "(teacher 0 %, base 0 %, tuned 60 %)" in said[3]
    assert len(said) == 4


@pytest.mark.parametrize(
    ("models", "reason"),
    [
        ((exact(0.8), exact(0.4), exact(0.7)), "a single context, with no others to compare it with"),
        ((exact(0.2, 0.8), exact(0.2, 0.8), exact(0.5, 0.6)), "base equals teacher in every scenario"),
    ],
)
def test_poor_evidence_is_reported_with_the_reason(models: tuple[Evidence, ...], reason: str, tmp_path: Path) -> None:
    poor = compared(*models)
    assert any(reason in remark for remark in remarks(poor))
    rendered = render_page(Page("t", "l", poor, [], make_tables(poor), remarks(poor)))
    assert rendered.count(reason) > 3
    for table in make_tables(poor):
        assert as_latex(table)
        assert "nan" not in as_csv(table)
    write_findings(poor, tmp_path / "poor.json")
    assert read_findings(tmp_path / "poor.json") == poor


def test_a_sample_of_motivations_is_the_first_draws_of_each_choice(tmp_path: Path) -> None:
    rows = [
        {"prompt": "abc", "choice": choice, "label": choice[0], "draw": draw, "motivation": f"{choice} {draw}"}
        for choice in ("cooperate", "defect")
        for draw in range(3)
    ]
    path = tmp_path / "motivations.parquet"
    pl.DataFrame(rows).with_columns(finished=pl.col("draw") != 2).write_parquet(path)
    first, second = asked([prompt(), prompt(sha256="unasked")], [path], per_choice=2)
    assert [each.text for each in first.motivations] == ["cooperate 0", "cooperate 1", "defect 0", "defect 1"]
    assert second.motivations == ()
    assert cut_off([path]) == (2, 6)


def test_frames_are_compared_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "choices.parquet"
    place = {"split": "in_sample", "game": "stag_hunt", "context": "team", "other": 0.0}
    rows = [
        {**place, "frame": "canonical", "cooperate": 0.9, "defect": 0.1},
        {**place, "frame": "swapped", "cooperate": 0.1, "defect": 0.9},
    ]
    pl.DataFrame(rows).write_parquet(path)
    found = {row["frame"]: row["cooperation"] for row in frames_table({"teacher": [path]}).rows}
    assert found == {"canonical": 0.9, "swapped": 0.1, "all frames": 0.5}
    pl.DataFrame(rows[:1]).write_parquet(path)
    assert frames_table({"teacher": [path]}).rows == ()


def test_losses_are_read_with_and_without_an_evaluation(tmp_path: Path) -> None:
    path = tmp_path / "training_log.csv"
    path.write_text("step,epoch,loss,evaluation_loss\n1,0.5,2.5,\n2,1.0,2.25,2.75\n")
    assert [(each.step, each.training, each.held_back) for each in read_losses(path)] == [
        (1, 2.5, None),
        (2, 2.25, 2.75),
    ]
    path.write_text("step,loss\n")
    with pytest.raises(InputError, match="missing columns: evaluation_loss"):
        read_losses(path)
