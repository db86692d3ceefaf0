"""What a report shows of several trainings and of other arms: each training, the spread, and what lies beyond."""

from pathlib import Path

import polars as pl
import pytest
from habits import FRAMES
from test_habits import answered

from tomtransfer.experiment.sections import Scoring
from tomtransfer.measurement.findings import Findings, read_findings
from tomtransfer.measurement.views import Answers
from tomtransfer.report.forest import gap_closed_figure
from tomtransfer.report.page import remarks
from tomtransfer.report.scorecards import write_summary
from tomtransfer.report.tabulation import make_tables
from tomtransfer.report.typesetting import Table
from tomtransfer.scenarios.frames import designs

GAME, CONTEXT = ("preference", "game"), ("preference", "context")
LABEL, ORDER, LEVEL = ("label", "overall"), ("order", "overall"), ("preference", "overall")


def written(folder: Path, seeds: int, arms: bool) -> Path:
    """Write the summary of students that took over the teacher's preference, beside students that did not."""
    tables = {
        "teacher": [answered({GAME: 1.0, CONTEXT: 0.3, LABEL: 0.3})],
        "base": [answered({LEVEL: 1.5, ORDER: 0.5, CONTEXT: -0.1})],
        "tuned": [answered({GAME: 0.9 + 0.05 * seed, CONTEXT: 0.3, ORDER: 0.2}) for seed in range(seeds)],
    }
    if arms:
        tables["shuffled"] = [answered({LABEL: 0.3, CONTEXT: 0.05 * seed}) for seed in range(seeds)]
    views = {"canonical": ["canonical"], "counterbalanced": list(FRAMES)}
    paths = [folder / f"summary.{kind}" for kind in ("csv", "json", "md")]
    answers = Answers(tables, views, designs(FRAMES))
    write_summary(answers, {}, Scoring(bootstrap_draws=20), *paths, seeds=range(1, seeds + 1))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("several"), seeds=3, arms=True)


@pytest.fixture(scope="module")
def findings(folder: Path) -> Findings:
    return read_findings(folder / "summary.json")


def table(findings: Findings, name: str) -> Table:
    return {each.name: each for each in make_tables(findings)}[name]


def test_each_training_stands_beside_mean_and_spread(findings: Findings) -> None:
    rows = [row for row in table(findings, "trainings").rows if row["measure"] == "gap_closed"]
    assert [row["view"] for row in rows] == ["canonical", "counterbalanced"]
    for row in rows:
        values = [row[f"seed_{seed}"] for seed in (1, 2, 3)]
        assert row["value"] == pytest.approx(sum(values) / 3)
        assert row["low"] < row["value"] < row["high"]
        assert row["spread"] > 0
    assert "spread" in {column.key for column in table(findings, "alignment_by_split").columns}
    assert "added up" in table(findings, "cooperation").caption


def test_arms_stand_beside_the_gap_and_each_of_its_parts(findings: Findings) -> None:
    rows = {(row["view"], row["part"]): row for row in table(findings, "arms").rows}
    assert {view for view, _ in rows} == {"canonical", "counterbalanced"}
    gap, pattern = rows["counterbalanced", "gap"], rows["counterbalanced", "pattern"]
    assert gap["tuned"] == pytest.approx(gap["closed"] + gap["beyond"])
    assert pattern["beyond_low"] > 0
    by_arm = table(findings, "alignment_by_arm")
    assert {row["arm"] for row in by_arm.rows} == {"transfer", "shuffled"}
    assert {row["split"] for row in by_arm.rows} == {"in_sample"}


def test_verdict_and_sentences_speak_of_the_floor_that_was_trained(findings: Findings, folder: Path) -> None:
    assert findings.verdict.startswith("The student took over the teacher's strategy")
    assert "a student tuned on the answers of other scenarios closes" in findings.views[0].headlines["in_sample"]
    page = (folder / "summary.md").read_text()
    assert "Means over 3 trainings, ± their standard deviation." in page
    assert "| shuffled |" in page
    assert " % ± " in page
    assert set(pl.read_csv(folder / "summary.csv")["arm"]) == {"transfer", "shuffled"}
    first = pl.read_csv(folder / "summary.csv").row(0, named=True)
    assert [float(value) for value in first["by_training"].split()] == pytest.approx(findings.scores[0].by_training)


def test_other_arms_are_drawn_below_their_split(findings: Findings) -> None:
    labels = [label.get_text() for label in gap_closed_figure(findings).axes[0].get_yticklabels()]
    assert labels[:2] == ["In sample", "Shuffled (other arm)"]


def test_a_single_training_is_said_to_be_one_and_has_no_spread(tmp_path: Path) -> None:
    alone = read_findings(written(tmp_path, seeds=1, arms=False) / "summary.json")
    assert {"trainings", "arms", "alignment_by_arm"} & {each.name for each in make_tables(alone)} == set()
    assert "spread" not in {column.key for column in table(alone, "alignment_by_split").columns}
    assert any(said.startswith("There is one training: what another seed would have given") for said in remarks(alone))
    assert "±" not in (tmp_path / "summary.md").read_text()
