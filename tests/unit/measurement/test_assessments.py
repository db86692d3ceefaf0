"""Assessments: sentences on made-up students, what stands in them, and what an experiment shows elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from tomtransfer.measurement.assessments import Assessment, assess, experiment_verdict, headline, main_view
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario
from tomtransfer.measurement.intervals import Array

FOUR = ("canonical", "swapped", "reversed", "swapped_and_reversed")
SCENARIOS = [Scenario("in_sample", game, context) for game in "abcd" for context in "klm"]
LABEL, ORDER = (np.reshape(signs, (4, 1)) for signs in ([1, -1, 1, -1], [1, 1, -1, -1]))
PATTERN = np.array([1.2, 0.8, 1.0, -0.9, -1.2, -1.1, 0.5, 0.4, 0.7, -0.5, -0.6, -0.3])
TEACHER, BASE = PATTERN + 0.3 * LABEL, 1.5 + 0.8 * ORDER + 0.1 * np.random.default_rng(0).normal(size=(4, 12))
STRATEGIC, LEVEL = 0.1 + 0.9 * PATTERN + 0.4 * ORDER, 0.1 + 0.8 * ORDER + 0 * PATTERN


def evidence(log_odds: Array, split: str = "in_sample", other: float = 0.1) -> Evidence:
    rates = (1 - other) / (1 + np.exp(-log_odds))
    scenarios = [each._replace(split=split) for each in SCENARIOS]
    return Evidence.from_probabilities(scenarios, rates, 1 - other - rates, 0 * rates + other)


def compared(tuned: Array, split: str = "in_sample", other: float = 0.1) -> Comparison:
    by_frame = [
        Comparison(evidence(TEACHER[frame], split), evidence(BASE[frame], split), evidence(tuned[frame], split, other))
        for frame in range(4)
    ]
    # What rates are averaged over frames plays no part here.
    return replace(by_frame[0], by_frame=tuple(by_frame))


def assessed(tuned: Array, split: str = "in_sample", view: str = "counterbalanced", other: float = 0.1) -> Assessment:
    [found] = assess([compared(tuned, split, other)], view, FOUR, crossed=True)
    return found


def test_a_headline_has_the_verdict_and_the_numbers_that_it_stands_on() -> None:
    found = assessed(STRATEGIC)
    assert (found.verdict, found.scenarios, found.contexts, found.trainings) == ("preference", 12, 3, 1)
    sentence = headline(found)
    assert sentence.startswith(
        "in_sample (12 scenarios in 4 frames): The student took over the teacher's strategy, how its preference "
        "differs between scenarios."
    )
    rates = [1 / (1 + np.exp(-each)) for each in (TEACHER, BASE, STRATEGIC)]
    closed = 1 - np.abs(rates[2] - rates[0]).sum() / np.abs(rates[1] - rates[0]).sum()
    constant = 1 - np.abs(np.median(rates[0]) - rates[0]).sum() / np.abs(rates[1] - rates[0]).sum()
    assert f"It closed {100 * closed:.1f} % (95 % interval " in sentence
    assert f"the best policy that ignores the scenario closes {100 * constant:.1f} %" in sentence
    assert f"the difference is {100 * (closed - constant):+.1f} points (95 % interval " in sentence
    assert "of the pattern of preferences, " in sentence
    assert "noise" not in sentence


def test_a_level_alone_is_no_strategy_and_one_frame_does_not_tell_which() -> None:
    assert assessed(LEVEL).verdict == "level shift alone"
    [alone] = assess([compared(STRATEGIC).by_frame[0]], "canonical", FOUR[:1])
    assert (alone.verdict, alone.components) == ("nearer than the floors", ())
    assert "strategy" not in headline(alone)


def test_errors_that_cancel_between_frames_count_and_stand_beside() -> None:
    mirrored = assessed(TEACHER + 2.0 * LABEL)
    averages = mirrored.gap.closed_of_frame_averages.value
    assert averages is not None
    assert mirrored.gap.closed.value is not None
    assert averages > mirrored.gap.closed.value + 0.3


def test_without_a_gap_the_reason_is_said() -> None:
    same = compared(STRATEGIC)
    frames = tuple(replace(each, base=each.teacher) for each in same.by_frame)
    [found] = assess([replace(frames[0], by_frame=frames)], "counterbalanced", FOUR, crossed=True)
    assert found.verdict == "no gap to close"
    assert headline(found).endswith(
        "No share of the gap is given: base equals teacher in every scenario: there is no gap to close."
    )


def test_format_is_that_of_drawn_answers_where_there_are_any() -> None:
    counts = {
        role: [Evidence.from_counts(SCENARIOS, *(np.full(12, float(each)) for each in (5, 5, invalid)))]
        for role, invalid in (("base", 10), ("tuned", 0))
    }
    [found] = assess([compared(STRATEGIC)], "counterbalanced", FOUR, crossed=True, drawn=counts)
    assert (found.format.before, found.format.after) == (pytest.approx(0.5), 0)
    assert (assessed(STRATEGIC, other=0.02).format.before, assessed(STRATEGIC, other=0.02).format.after) == (
        pytest.approx(0.1),
        pytest.approx(0.02),
    )


def test_several_trainings_are_in_the_interval() -> None:
    noise = 0.2 * np.random.default_rng(1).normal(size=(3, 4, 12))
    trainings = [compared(STRATEGIC + each) for each in noise]
    [found] = assess(trainings, "counterbalanced", FOUR, crossed=True)
    assert (found.trainings, found.gap.covers) == (3, "contexts and trainings")
    alone = [assess([each], "counterbalanced", FOUR, crossed=True)[0].gap.closed.value for each in trainings]
    assert found.gap.closed.value == pytest.approx(np.mean([each for each in alone if each is not None]))


def test_an_experiment_says_where_else_preference_is_shown() -> None:
    def experiment(new: Array, letters: Array) -> str:
        return experiment_verdict(
            {
                "canonical": [assessed(LEVEL, view="canonical")],
                "counterbalanced": [assessed(STRATEGIC), assessed(new, "new_contexts")],
                "held_out_frames": [assessed(letters, view="held_out_frames")],
            },
            "in_sample",
        )

    assert "and shows it wherever else it was asked." in experiment(STRATEGIC, STRATEGIC)
    part = experiment(LEVEL, STRATEGIC)
    assert "in some of the other scenarios and frames" in part
    assert part.endswith("Held out, new_contexts: level shift alone; in_sample in held_out_frames: preference.")
    assert "not shown to beyond those that it was trained on" in experiment(LEVEL, LEVEL)


def test_an_experiment_is_judged_counterbalanced_where_it_can_be() -> None:
    assert main_view(["canonical", "counterbalanced", "held_out_frames"]) == "counterbalanced"
    assert main_view(["canonical", "held_out_frames"]) == "canonical"
    alone = {"canonical": [assessed(STRATEGIC, "new_contexts", "canonical")]}
    assert experiment_verdict(alone, "in_sample").startswith("Nothing is said of in_sample")
