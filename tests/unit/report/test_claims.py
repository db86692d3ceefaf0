"""The tables that claims stand on, the page of verdicts, and the sentences in summary and report."""

from pathlib import Path

import pytest
from habits import FRAMES
from played import write as written
from test_habits import answered

from tomtransfer.experiment.sections import Scoring
from tomtransfer.measurement.assessments import _percent, _points
from tomtransfer.measurement.components import PARTS
from tomtransfer.measurement.findings import Findings, read_findings
from tomtransfer.measurement.views import Answers, read_answers
from tomtransfer.report.claims import components_table, verdicts_page, verdicts_table
from tomtransfer.report.page import Page, render_page
from tomtransfer.report.scorecards import write_summary
from tomtransfer.scenarios.frames import designs

ROOT = Path(__file__).parents[3]
VIEWS = {"canonical": ["canonical"], "counterbalanced": list(FRAMES)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher that responds to games, contexts and the letter C; a student that took over all of its preference."""
    path = tmp_path_factory.mktemp("summary")
    game = {("preference", "game"): 1.0, ("preference", "context"): 0.3}
    tables = {
        "teacher": answered({**game, ("label", "overall"): 0.3}),
        "base": answered({("preference", "overall"): 1.5, ("order", "overall"): 0.5, ("preference", "context"): -0.1}),
        "tuned": answered({**game, ("order", "overall"): 0.2}),
    }
    answers = Answers({role: [table] for role, table in tables.items()}, VIEWS, designs(FRAMES))
    scoring = Scoring(bootstrap_draws=20)
    write_summary(answers, {}, scoring, path / "summary.csv", path / "summary.json", path / "summary.md")
    return path


@pytest.fixture(scope="module")
def findings(folder: Path) -> Findings:
    return read_findings(folder / "summary.json")


def test_the_first_sentence_is_the_verdict_on_the_experiment(folder: Path, findings: Findings) -> None:
    assert findings.verdict.startswith("The student took over the teacher's strategy")
    assert (folder / "summary.md").read_text().startswith(findings.verdict.replace("_", " "))
    page = render_page(Page("t", "l", findings, [], [], []))
    first = page.index('<p class="verdict"><strong>The student took over the teacher')
    assert first < page.index('<ul class="headlines">')


def test_every_view_and_split_has_a_verdict_with_its_floors(findings: Findings) -> None:
    rows = {row["view"]: row for row in verdicts_table(findings).rows}
    assert rows["counterbalanced"]["verdict"] == "preference"
    assert rows["canonical"]["verdict"] == "nearer than the floors"
    row = rows["counterbalanced"]
    assert row["gap_closed_low"] < row["gap_closed"] < row["gap_closed_high"]
    assert row["beyond_best_constant"] == pytest.approx(row["gap_closed"] - row["best_constant"])
    assert row["beyond_own_mean"] == pytest.approx(row["gap_closed"] - row["own_mean"])
    assert (row["invalid_before"], row["fewer_invalid"]) == (pytest.approx(0.5), pytest.approx(0))


def test_the_parts_of_the_distance_are_the_planted_ones(folder: Path, findings: Findings) -> None:
    rows = {row["part"]: row for row in components_table(findings).rows}
    assert list(rows) == list(PARTS)
    # Of base and teacher: level 1.5, label 0.3, order 0.5; pattern 1 by game, and by context 0.4, squares 1 + 0.16.
    before = {"level": 1.5**2, "pattern": 1 + 0.4**2, "label": 0.3**2, "order": 0.5**2, "habit": 0.34}
    assert {part: rows[part]["before"] for part in before} == pytest.approx(before)
    assert rows["pattern"]["closed"] == pytest.approx(1)
    assert rows["order"]["closed"] == pytest.approx(1 - 0.04 / 0.25)
    assert rows["pattern"]["share_before"] == pytest.approx(1.16 / sum((2.25, 1.16, 0.34)))
    page = " ".join((folder / "summary.md").read_text().split())
    assert "| pattern | in_sample | counterbalanced | 1.160 | 0.000 |" in page


def test_where_drawn_answers_are_measured_what_exact_ones_would_have_given_stands_beside(tmp_path: Path) -> None:
    # Teacher 0.2, base 0.8, student 0.35 as read: 75 % closed. As drawn the student is at 0.5: 50 %.
    paths = {"teacher": written(tmp_path, "teacher", 0.2, 4), "base": written(tmp_path, "base", 0.8, 16)}
    student = written(tmp_path, "tuned", 0.35, 10)
    answers = read_answers([paths["teacher"]], paths["base"], {"transfer": [student]}, {"canonical": ["canonical"]}, {})
    assert answers.agreements["tuned"].disagree
    write_summary(answers, {}, Scoring(bootstrap_draws=20), *(tmp_path / f"summary.{e}" for e in ("csv", "json", "md")))
    found = read_findings(tmp_path / "summary.json")
    said = found.headlines["in_sample"]
    assert found.score("gap_closed", "in_sample").value == pytest.approx(0.5)
    assert "the drawn answers are measured" in said
    assert "With exact choices it would have closed 75.0 % (95 % interval " in said


def test_differences_of_nought_have_no_minus_in_front() -> None:
    assert _points(-0.0001) == "+0.0"
    assert _points(-0.01) == "-1.0"
    assert _percent(-0.0001) == "0.0 %"


def test_the_page_of_verdicts_is_in_the_docs() -> None:
    assert (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8") == verdicts_page()
