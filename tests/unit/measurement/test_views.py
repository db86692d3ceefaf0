"""Answers as they are compared: nothing dropped in silence, and drawn answers where exact ones disagree."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from played import write

from tomtransfer.experiment.tables import write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.views import Answers, read_answers

VIEWS = {"canonical": ["canonical"], "counterbalanced": ["canonical", "swapped"]}


def read(folder: Path, **changes: Path) -> Answers:
    paths = {"teacher": write(folder, "teacher", 0.3, 6), "base": write(folder, "base", 0.9, 18)}
    paths |= {"tuned": write(folder, "tuned", 0.5, 10)} | changes
    return read_answers([paths["teacher"]], paths["base"], {"transfer": [paths["tuned"]]}, VIEWS, {})


def test_exact_choices_that_drawn_answers_agree_with_are_what_is_measured(tmp_path: Path) -> None:
    answers = read(tmp_path)
    assert set(answers.agreements) == {"teacher", "base", "tuned"}
    assert answers.disagreements("canonical") == []
    views = dict(answers.compare())
    assert {evidence.kind for evidence in views["canonical"].models.values()} == {"exact"}
    assert len(views["counterbalanced"].by_frame) == 2
    assert views["canonical"].by_frame == ()


def test_drawn_answers_are_measured_where_exact_ones_disagree_and_it_is_said(tmp_path: Path) -> None:
    answers = read(tmp_path, base=write(tmp_path, "other", 0.9, 13))
    views = dict(answers.compare())
    assert {model: each.kind for model, each in views["canonical"].models.items()} == {
        "teacher": "exact",
        "base": "counted",
        "tuned": "exact",
    }
    assert views["canonical"].rates[1] == pytest.approx([13 / 20] * 6)
    [said] = answers.disagreements("canonical")
    assert said.startswith(
        "Exact and drawn choices of the student before training disagree: cooperation 0.900 read exactly and "
        "0.650 drawn"
    )
    assert said.endswith("the drawn answers are measured, with their sampling error.")
    # They were drawn in the scored frame alone: over both frames the exact ones are all there is.
    assert views["counterbalanced"].base.kind == "exact"
    [beside] = answers.disagreements("counterbalanced")
    assert beside.endswith("so that exact choices are measured.")


def test_no_scenario_is_dropped_by_a_join(tmp_path: Path) -> None:
    lacking = r"in_sample/snowdrift/sports in frame swapped"
    with pytest.raises(InputError, match=f"tuned: missing scenarios that the teacher has: {lacking}"):
        read(tmp_path, tuned=write(tmp_path, "short", 0.5, missing=1))
    with pytest.raises(InputError, match=f"teacher: missing scenarios that the base student has: {lacking}"):
        read(tmp_path, teacher=write(tmp_path, "shorter", 0.5, missing=1))
    twice = pl.read_parquet(write(tmp_path, "twice", 0.5))
    write_table(pl.concat([twice, twice.tail(1)]), tmp_path / "twice.parquet")
    with pytest.raises(InputError, match=f"base: given more than once: {lacking}"):
        read(tmp_path, base=tmp_path / "twice.parquet")


def test_shares_of_invalid_answers_are_those_that_were_drawn(tmp_path: Path) -> None:
    answers = read(tmp_path)
    found = {name: answers.assess(name, comparison, 0.95)[0] for name, comparison in answers.compare()}
    assert found["canonical"].format.before == 0
    assert found["counterbalanced"].format.before == pytest.approx(0.1)
    assert np.isfinite(found["canonical"].gap.before)


def test_frames_without_a_record_of_the_teacher_are_not_compared_and_it_is_said(tmp_path: Path) -> None:
    recorded = pl.read_parquet(write(tmp_path, "recorded", 0.3)).filter(frame="canonical")
    counts = {"cooperate": 30.0, "defect": 69.0, "other": 1.0}
    counted = recorded.with_columns(
        evidence=pl.lit("counted"), **{name: pl.lit(value) for name, value in counts.items()}
    )
    write_table(counted, tmp_path / "recorded.parquet")
    base, tuned = write(tmp_path, "base", 0.9), write(tmp_path, "tuned", 0.5)
    answers = read_answers(
        [tmp_path / "recorded.parquet"], base, {"transfer": [tuned]}, {"canonical": ["canonical"]}, {}
    )
    [(name, comparison)] = answers.compare()
    assert (name, comparison.teacher.kind, comparison.base.kind) == ("canonical", "counted", "exact")
    assert comparison.teacher.answers.tolist() == [100] * 6
    assert comparison.rates[0] == pytest.approx([30 / 99] * 6)
    assert len(answers.tables["base"][0]) == 2 * len(answers.tables["teacher"][0]) == 12
    [said] = answers.not_compared()
    assert said.startswith("The teacher has no record in the frames swapped: there the student alone was asked")
    # A frame of a view is to be compared: there, a gap in the record is a mistake.
    with pytest.raises(InputError, match=r"teacher: missing scenarios that the base student has: .* in frame swapped"):
        read_answers([tmp_path / "recorded.parquet"], base, {"transfer": [tuned]}, VIEWS, {})
