"""Frames and habits as they are shown: in the summary, its record, the tables and the figure."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from habits import FRAMES, planted

from tomtransfer.experiment.sections import Scoring
from tomtransfer.measurement.findings import Findings, read_findings, write_findings
from tomtransfer.measurement.views import Answers
from tomtransfer.report.effects import bias_figure
from tomtransfer.report.habits import bias_effects_table, bias_shares_table, views_table
from tomtransfer.report.scorecards import write_summary
from tomtransfer.report.tabulation import make_tables
from tomtransfer.scenarios.frames import designs

FEW_DRAWS = Scoring(bootstrap_draws=50)
VIEWS = {"canonical": ["canonical"], "counterbalanced": list(FRAMES)}
ONCE = ("model", "model_revision", "quantization", "adapter", "temperature", "question", "software", "prompt")


def answered(parts: dict[tuple[str, str], float]) -> pl.DataFrame:
    """Choices of a model whose log-odds are made of `parts`, with the columns that provenance is read from."""
    return (
        planted(parts)
        .with_columns(pl.lit(0.0).alias("other") + 0.5, evidence=pl.lit("exact"))
        .with_columns(pl.lit("x").alias(name) for name in ONCE)
    )


def counted(parts: dict[tuple[str, str], float]) -> pl.DataFrame:
    """The same of a model of whose answers 20 were drawn in each scenario and frame."""
    cooperative = (40 * pl.col("cooperate")).round()
    return answered(parts).with_columns(
        cooperate=cooperative, defect=20 - cooperative, other=pl.lit(0.0), evidence=pl.lit("counted")
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A teacher that knows the game and likes the letter C, and a student that took over the game alone."""
    path = tmp_path_factory.mktemp("summary")
    game = {("preference", "game"): 1.0, ("preference", "context"): 0.3}
    tables = {
        "teacher": answered({**game, ("label", "overall"): 1.0}),
        "base": answered({("order", "overall"): 0.5}),
        "tuned": answered(game),
    }
    answers = Answers({role: [table] for role, table in tables.items()}, VIEWS, designs(FRAMES))
    write_summary(answers, {}, FEW_DRAWS, path / "summary.csv", path / "summary.json", path / "summary.md")
    return path


@pytest.fixture(scope="module")
def findings(folder: Path) -> Findings:
    return read_findings(folder / "summary.json")


def test_what_is_written_is_read_back(findings: Findings, tmp_path: Path) -> None:
    write_findings(findings, tmp_path / "again.json")
    assert read_findings(tmp_path / "again.json") == findings
    assert findings.frame == "canonical"
    assert [view.frames for view in findings.views] == [tuple(FRAMES)]
    assert len(findings.bias_shares) == 3 * 16


def test_canonical_and_counterbalanced_stand_side_by_side(folder: Path, findings: Findings) -> None:
    rows = {(row["view"], row["measure"]): row["value"] for row in views_table(findings).rows}
    gaps = {view: rows[view, "gap_closed"] for view in ("canonical", "counterbalanced")}
    # The student lacks the teacher's liking for a letter, which is an error in every frame and cancels over four.
    assert rows["counterbalanced", "gap_closed_of_frame_averages"] > 0.7 > gaps["counterbalanced"]
    assert ("canonical", "gap_closed_of_frame_averages") not in rows
    page = [" ".join(line.split()) for line in (folder / "summary.md").read_text().splitlines()]
    for view, gap in gaps.items():
        [row] = [line for line in page if line.startswith(f"| in_sample | {view} |")]
        assert f"| {100 * gap:.1f} % |" in row
    table = pl.read_csv(folder / "summary.csv").filter(level="split", measure="gap_closed")
    assert dict(table.select("view", "value").iter_rows()) == pytest.approx(gaps)


def test_habits_are_in_page_and_tables(folder: Path, findings: Findings) -> None:
    page = " ".join((folder / "summary.md").read_text().split())
    assert "| in_sample | C/D | base | +0.00 | +0.00 | +0.50 | +0.00 | 0.0 % | 0.0 % | 100.0 % | 0.0 % |" in page
    shares = {(row["model"], row["factor"], row["within"]): row["share"] for row in bias_shares_table(findings).rows}
    assert shares["teacher", "label", "overall"] == pytest.approx(1 / 2.09)
    assert shares["tuned", "preference", "game"] == pytest.approx(1 / 1.09)
    effects = {(row["model"], row["factor"], row["game"]): row["value"] for row in bias_effects_table(findings).rows}
    assert effects["teacher", "label", None] == pytest.approx(1)
    assert effects["tuned", "preference", "d"] == pytest.approx(-1)


def test_the_figure_has_a_bar_for_every_share_and_a_mark_for_every_effect(findings: Findings) -> None:
    shares, effects = bias_figure(findings).axes
    assert len(shares.patches) == sum(bool(each.share) for each in findings.bias_shares)
    assert sum(patch.get_width() for patch in shares.patches) == pytest.approx(3)
    marks = [line for line in effects.lines if len(line.get_xdata()) == 1]
    assert len(marks) == 3 * 4


def test_counted_answers_over_four_frames_have_parts_of_the_distance_and_no_habits(tmp_path: Path) -> None:
    game = {("preference", "game"): 1.0, ("preference", "context"): 0.3}
    parts = {"teacher": game, "base": {("order", "overall"): 0.5}, "tuned": {**game, ("label", "overall"): 0.5}}
    tables = {role: [counted(each)] for role, each in parts.items()}
    answers = Answers(tables, VIEWS, designs(FRAMES))
    write_summary(answers, {}, FEW_DRAWS, *(tmp_path / f"summary.{kind}" for kind in ("csv", "json", "md")))
    found = read_findings(tmp_path / "summary.json")
    assert (found.bias_shares, found.bias_effects) == ((), ())
    named = {table.name for table in make_tables(found)}
    assert named >= {"components", "frames_side_by_side", "alignment_by_split", "invalid_answers"}
    assert not named & {"bias_shares", "bias_effects"}
    assert "read exactly" in bias_figure(found).axes[0].texts[0].get_text()


def test_without_a_design_the_figure_says_so_and_there_are_no_tables(findings: Findings) -> None:
    bare = replace(findings, views=(), bias_shares=(), bias_effects=())
    assert "No pair of labels" in bias_figure(bare).axes[0].texts[0].get_text()
    assert not (views_table(bare).rows or bias_shares_table(bare).rows or bias_effects_table(bare).rows)
