"""Frames: those of the default experiment, which of them are looked at together, and where held-out ones are played."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from scenarios_of import scenarios
from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.framing import Frame
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.views import Answers, average
from tomtransfer.scenarios.frames import designs, views
from tomtransfer.scenarios.rendering import render_scenario

Read = Callable[..., Experiment]

FRAMES = {
    "canonical": Frame(cooperate="C", defect="D", first="cooperate"),
    "swapped": Frame(cooperate="D", defect="C", first="cooperate"),
    "reversed": Frame(cooperate="C", defect="D", first="defect"),
    "both": Frame(cooperate="D", defect="C", first="defect"),
}


FOUR = ["canonical", "swapped", "reversed", "swapped_and_reversed"]
NEW_LETTERS = ["new_letters", *(f"new_letters_{name}" for name in FOUR[1:])]
TRAINED = {"frames": {name: {"held_out": False} for name in ("swapped", "reversed", "swapped_and_reversed")}}


def test_default_trains_on_the_published_frame_and_asks_all_four(read: Read) -> None:
    experiment = read()
    assert list(experiment.trained_frames) == ["canonical"]
    assert designs(experiment.ordered_frames) == {"C/D": FOUR, "X/Y": NEW_LETTERS}


def test_frames_can_be_counterbalanced_and_letters_of_held_out_ones_are_new(read: Read) -> None:
    experiment = read(**TRAINED)
    assert designs(experiment.ordered_frames) == {"C/D": FOUR, "X/Y": NEW_LETTERS}
    assert list(experiment.trained_frames) == list(designs(experiment.ordered_frames)["C/D"])
    letters = {
        held_out: {
            label
            for frame in experiment.frames.values()
            if frame.held_out == held_out
            for label in (frame.cooperate, frame.defect)
        }
        for held_out in (True, False)
    }
    assert letters == {True: {"X", "Y"}, False: {"C", "D"}}


@pytest.mark.parametrize("changes", [{}, TRAINED])
def test_new_letters_are_played_in_sample_alone_and_the_four_frames_everywhere(
    read: Read, changes: dict[str, Any]
) -> None:
    experiment = read(**changes)
    played = [scenario for scenario in scenarios(experiment) if scenario.game in experiment.games]
    places = dict.fromkeys((scenario.game, scenario.context) for scenario in played)
    prompts = [prompt for place in places for prompt in render_scenario(experiment, *place)]
    counts = Counter((prompt.frame, prompt.split) for prompt in prompts)
    for frame in FOUR:
        assert [counts[frame, split] for split in experiment.splits] == [20, 12, 20, 0]
    for frame in NEW_LETTERS:
        assert [counts[frame, split] for split in experiment.splits] == [20, 0, 0, 0]
    assert len({prompt.sha256 for prompt in prompts}) == len(prompts) == 4 * 52 + 4 * 20


@pytest.mark.parametrize("changes", [{}, TRAINED])
def test_views_are_the_scored_frame_the_four_of_its_labels_and_new_letters(read: Read, changes: dict[str, Any]) -> None:
    views_of = {"canonical": ["canonical"], "counterbalanced": FOUR, "held_out_frames": NEW_LETTERS}
    assert views(read(**changes)) == views_of


def test_without_all_four_frames_those_that_are_trained_on_are_looked_at_together(read: Read) -> None:
    changed = {"swapped": {"cooperate": "A", "defect": "B", "held_out": False}}
    assert views(read(frames=changed))["counterbalanced"] == ["canonical", "swapped"]


def test_only_fully_crossed_pairs_of_labels_make_a_design() -> None:
    assert designs(FRAMES) == {"C/D": ["canonical", "swapped", "reversed", "both"]}
    half = {name: FRAMES[name] for name in ("canonical", "swapped")}
    other = {"x": Frame(cooperate="X", defect="Y"), **FRAMES}
    assert designs(half) == {}
    assert list(designs(other)) == ["C/D"]


def answered(*rows: tuple[str, str, float, float]) -> pl.DataFrame:
    """Choices in one scenario per context: context, frame, cooperate and defect."""
    columns = ["split", "game", "context", "frame", "cooperate", "defect", "other", "evidence"]
    full = [("in_sample", "stag_hunt", context, frame, c, d, 1 - c - d, "exact") for context, frame, c, d in rows]
    return pl.DataFrame(full, schema=columns, orient="row")


def test_rates_are_averaged_over_frames_whatever_mass_a_frame_leaves_on_other() -> None:
    # 0.9 among the valid tenth of one frame, 0.1 among all of the other: neither may count more.
    averaged = average(
        answered(("team", "canonical", 0.09, 0.01), ("team", "swapped", 0.1, 0.9)), ["canonical", "swapped"]
    )
    row = averaged.row(0, named=True)
    assert row["cooperate"] / (row["cooperate"] + row["defect"]) == pytest.approx(0.5)
    assert row["other"] == pytest.approx(0.45)
    assert row["cooperate"] + row["defect"] + row["other"] == pytest.approx(1)


def test_counted_answers_are_added_up_over_frames_and_scored_as_counts() -> None:
    table = answered(("team", "canonical", 3, 5), ("team", "swapped", 0, 4)).with_columns(evidence=pl.lit("counted"))
    table = table.with_columns(other=pl.Series([2.0, 6.0]))
    row = average(table, ["canonical", "swapped"]).row(0, named=True)
    assert (row["cooperate"], row["defect"], row["other"]) == (3, 9, 8)
    answers = Answers({role: [table] for role in ("teacher", "base", "tuned")}, {"both": ["canonical", "swapped"]}, {})
    [(_, comparison)] = answers.compare()
    assert (comparison.teacher.kind, comparison.teacher.answers.tolist()) == ("counted", [20])


def test_scenarios_without_a_valid_answer_are_left_out_and_named() -> None:
    counted = pl.col("evidence").replace("exact", "counted")
    teacher = answered(("team", "canonical", 3, 5), ("business", "canonical", 2, 2)).with_columns(counted, other=0.0)
    student = answered(("team", "canonical", 0, 0), ("business", "canonical", 4, 0)).with_columns(counted, other=4.0)
    answers = Answers({"teacher": [teacher], "base": [student], "tuned": [teacher]}, {"canonical": ["canonical"]}, {})
    [(_, comparison)] = answers.compare()
    assert [each.context for each in comparison.scenarios] == ["business"]
    assert answers.unanswered() == ("in_sample/stag_hunt/team (base)",)
    nobody = Answers({role: [tables[0].head(1)] for role, tables in answers.tables.items()}, answers.views, {})
    with pytest.raises(InputError, match="canonical: in no scenario did teacher, base and tuned student all"):
        list(nobody.compare())


def test_a_single_frame_is_averaged_to_itself() -> None:
    row = average(answered(("team", "canonical", 0.3, 0.5)), ["canonical"]).row(0, named=True)
    assert (row["cooperate"], row["defect"]) == (pytest.approx(0.3), pytest.approx(0.5))


def test_a_scenario_that_one_frame_lacks_is_named_and_not_dropped() -> None:
    table = answered(
        ("team", "canonical", 0.5, 0.5), ("team", "swapped", 0.5, 0.5), ("business", "canonical", 0.5, 0.5)
    )
    answers = Answers(
        {role: [table] for role in ("teacher", "base", "tuned")},
        {"canonical": ["canonical"], "counterbalanced": ["canonical", "swapped"]},
        {},
    )
    with pytest.raises(
        InputError, match=r"teacher: missing scenarios that are played in other frames: .*business in frame swapped"
    ):
        list(answers.compare())
