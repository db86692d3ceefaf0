"""Choices that are known from drawn answers alone go through the whole workflow."""

import json
from pathlib import Path

import polars as pl
import pytest

from project import run_snakemake
from reduced import reduced_project, run_to_the_end, setting

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reasoned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished experiment whose teacher gives its reasons first; the student is asked as ever."""
    project = reduced_project(tmp_path_factory.mktemp("reasoned") / "project")
    setting("teacher.question", "reason_first")(project)
    setting("sampling.answers", 6)(project)
    run_to_the_end(project)
    return project


def test_what_the_student_is_trained_on_keeps_the_teachers_order(reasoned):
    examples = pl.read_parquet(reasoned / "results/training/transfer.parquet")
    answers = pl.concat([pl.read_parquet(path) for path in (reasoned / "results/teacher").glob("*.answers.parquet")])
    assert examples["completion"].str.contains("\n[CD]$").all()
    assert set(examples["completion"]) <= set(answers["answer"])
    assert len(examples) > 0


def test_counts_stand_beside_exact_choices_and_are_called_so(reasoned):
    summary = json.loads((reasoned / "results/alignment/summary.json").read_text())
    assert summary["kinds"] == {"teacher": "counted", "base": "exact", "tuned": "exact"}
    assert {effect["model"] for effect in summary["bias_effects"]} <= {"base", "tuned"}
    card = json.loads((reasoned / "results/alignment/donation.json").read_text())
    assert {each["model"]: each["evidence"] for each in card["choices"]["exact"]}["teacher"] == "counted"
    assert (reasoned / "results/report.html").stat().st_size > 100_000


def test_a_student_that_gives_no_valid_answer_is_told_in_one_line_and_its_answers_are_kept(reasoned):
    setting("choices", "sampled")(reasoned)
    done = run_snakemake(reasoned, "--cores", "all")
    assert done.returncode != 0
    assert "in no scenario did teacher, base and tuned student all give a valid answer" in done.stdout
    assert "Traceback" not in done.stdout
    assert len(pl.read_parquet(reasoned / "results/student/base.answers.parquet")) > 0
