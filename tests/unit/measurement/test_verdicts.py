"""Every verdict on data made for it: students that took over one thing, several or nothing, in splits of their own."""

import numpy as np
import pytest
from habits import CONTEXTS, GAMES

from tomtransfer.measurement.answer_format import format_change
from tomtransfer.measurement.components import components
from tomtransfer.measurement.distances import gap
from tomtransfer.measurement.framed import Framed
from tomtransfer.measurement.intervals import Array
from tomtransfer.measurement.verdicts import (
    CRITERIA,
    NO_HABITS,
    VERDICTS,
    Judgement,
    SplitNumbers,
    criterion_rows,
    judge,
    verdict_rows,
)

SHAPE = (4, len(GAMES), len(CONTEXTS))
LABEL = np.reshape([1, -1, 1, -1], (4, 1, 1))
ORDER = np.reshape([1, 1, -1, -1], (4, 1, 1))
PATTERN = np.array([[1.2, 0.8, 1.0], [-0.9, -1.2, -1.1], [0.5, 0.4, 0.7], [-0.5, -0.6, -0.3]])
"""What the teacher prefers, in log-odds by game and context."""


def noise(seed: int, size: float = 0.1) -> Array:
    return size * np.random.default_rng(seed).normal(size=SHAPE)


TEACHER = np.broadcast_to(PATTERN + 0.3 * LABEL, SHAPE)
BASE = 1.5 + 0.8 * ORDER + noise(0)


def model(log_odds: Array, trainings: int = 1) -> Framed:
    """Return a model with these log-odds after trainings that differ a little."""
    values = np.stack([log_odds + noise(seed, 0.03) for seed in range(1, trainings + 1)])
    return Framed(1 / (1 + np.exp(-values)))


def numbers(
    tuned: Array, teacher: Array = TEACHER, base: Array = BASE, invalid: tuple[float, float] = (0.2, 0.2)
) -> SplitNumbers:
    """Return the numbers of a split in which two trainings made `tuned` of `base`."""
    models = model(teacher), model(base), model(tuned, trainings=2)
    parts = {each.part: each for each in components(*models)}
    before, after = (
        Framed(np.full((trainings, *SHAPE), share)) for trainings, share in zip((1, 2), invalid, strict=True)
    )
    return SplitNumbers(gap(*models), parts, format_change(before, after))


STRATEGIC = 0.1 + 0.9 * PATTERN + 0.4 * ORDER
LEVEL, HABIT = 0.1 + 0.8 * ORDER, 1.5 + 0.25 * LABEL
STILL = BASE + noise(3, 0.02)


def named(judgement: Judgement) -> tuple[str, tuple[str, ...]]:
    return judgement.verdict.name, judgement.also


def test_base_and_teacher_that_choose_alike_leave_nothing_to_close() -> None:
    assert named(judge(numbers(STRATEGIC, base=TEACHER))) == ("no gap to close", ())


def test_a_student_that_moved_away_is_worse() -> None:
    assert named(judge(numbers(BASE + 1.5))) == ("worse than before", ())


def test_fewer_invalid_answers_alone_are_format() -> None:
    found = judge(numbers(STILL, invalid=(0.5, 0.02)))
    assert named(found) == ("format alone", ())
    assert named(judge(numbers(STILL, invalid=(0.5, 0.495)))) == ("neither", ())


def test_a_student_that_cooperates_less_everywhere_shifted_its_level() -> None:
    assert named(judge(numbers(LEVEL + np.zeros(SHAPE)))) == ("level shift alone", ())


def test_a_student_that_changed_its_habits_alone_says_so() -> None:
    assert named(judge(numbers(HABIT + np.zeros(SHAPE)))) == ("habit alone", ())


def test_a_teacher_that_minds_letters_alone_is_no_strategy() -> None:
    letters = np.broadcast_to(1.5 * LABEL, SHAPE)
    base = 0.1 + noise(4)
    found = judge(numbers(1.3 * LABEL + np.zeros(SHAPE), teacher=letters, base=base))
    assert named(found) == ("habit alone", ())
    assert "strategy" not in found.sentence


def test_level_and_habit_without_the_pattern_are_both_named() -> None:
    both = judge(numbers(0.1 + 0.25 * LABEL + np.zeros(SHAPE), invalid=(0.3, 0.1)))
    assert named(both) == ("level shift and habit alone", ("format",))
    assert both.sentence.endswith(" Besides, more of its answers are valid.")


def test_a_student_that_did_not_change_shows_nothing() -> None:
    assert named(judge(numbers(STILL))) == ("neither", ())


def test_preference_is_said_of_one_split_alone() -> None:
    found = judge(numbers(STRATEGIC))
    assert named(found) == ("preference", ("habit", "level"))
    assert found.sentence == (
        "The student took over the teacher's strategy, how its preference differs between scenarios. Besides, its "
        "habits with labels and positions came closer to the teacher's; how much it cooperates on the whole came "
        "closer to the teacher's."
    )


def test_a_teacher_that_minds_letters_and_payoffs_is_found_in_both() -> None:
    teacher = PATTERN + 1.0 * LABEL
    found = judge(numbers(0.9 * teacher, teacher=teacher, base=0.1 + noise(4)))
    assert named(found) == ("preference", ("habit",))
    assert not found.sentence.endswith(NO_HABITS)


def test_a_teacher_that_minds_payoffs_alone_has_no_habits_to_take_over() -> None:
    teacher = np.broadcast_to(PATTERN, SHAPE)
    found = judge(numbers(0.9 * teacher, teacher=teacher))
    assert named(found) == ("preference", ("habit", "level"))
    assert found.sentence.endswith(" came closer to the teacher's." + NO_HABITS)
    alone = judge(numbers(HABIT + np.zeros(SHAPE), teacher=teacher))
    assert alone.sentence == VERDICTS[9].sentence + NO_HABITS
    assert NO_HABITS not in judge(numbers(BASE, teacher=teacher)).sentence


def test_a_coin_has_no_habits_to_take_over() -> None:
    assert (
        NO_HABITS
        in judge(numbers(0.1 * LABEL + np.zeros(SHAPE), teacher=np.zeros(SHAPE), base=ORDER + noise(4))).sentence
    )


@pytest.mark.parametrize(
    ("held_out", "name"),
    [
        ((STRATEGIC, STRATEGIC), "preference that generalises"),
        ((STRATEGIC, LEVEL + np.zeros(SHAPE)), "preference that generalises in part"),
        ((STILL, LEVEL + np.zeros(SHAPE)), "preference in sample alone"),
    ],
)
def test_preference_generalises_where_it_is_shown_in_held_out_splits(held_out: tuple[Array, ...], name: str) -> None:
    elsewhere = {f"split {place}": numbers(each) for place, each in enumerate(held_out)}
    assert judge(numbers(STRATEGIC), elsewhere).verdict.name == name


def test_a_held_out_split_without_a_gap_says_nothing() -> None:
    alike = numbers(STILL, base=TEACHER)
    assert judge(numbers(STRATEGIC), {"alike": alike}).verdict.name == "preference"
    both = {"alike": alike, "other": numbers(STRATEGIC)}
    assert judge(numbers(STRATEGIC), both).verdict.name == "preference that generalises"


def test_what_is_shown_in_held_out_splits_alone_is_no_transfer() -> None:
    assert judge(numbers(STILL), {"other": numbers(STRATEGIC)}).verdict.name == "neither"


def test_a_pattern_that_no_constant_is_worse_than_is_no_strategy() -> None:
    # The base has a pattern of its own, against the teacher's; the student has none.
    found = numbers(np.zeros(SHAPE), base=-PATTERN + noise(5))
    assert found.components["pattern"].closed.positive
    assert "preference" not in judge(found).verdict.name


@pytest.mark.parametrize(("share", "name"), [(0.015, "habit alone"), (0.2, "pattern within the floors")])
def test_a_trace_of_the_pattern_is_not_named_however_sure_it_is(share: float, name: str) -> None:
    """As of a student that answers one half everywhere, but for a trace of what its teacher prefers."""
    teacher, base = np.broadcast_to(PATTERN + 0.6, SHAPE), np.broadcast_to(1.5 * ORDER, SHAPE)
    tuned = np.broadcast_to(share * PATTERN, SHAPE)
    models = [
        Framed(1 / (1 + np.exp(-np.stack([each] * trainings))))
        for each, trainings in zip((teacher, base, tuned), (1, 1, 2), strict=True)
    ]
    parts = {each.part: each for each in components(*models)}
    assert parts["pattern"].closed.positive
    assert parts["pattern"].beyond.positive
    alike = Framed(np.full((1, *SHAPE), 0.2))
    assert judge(SplitNumbers(gap(*models), parts, format_change(alike, alike))).verdict.name == name


def test_a_pattern_that_habits_drown_is_no_strategy() -> None:
    # Right about scenarios and wrong about letters: a constant is nearer in every frame.
    found = numbers(0.9 * PATTERN + 3 * LABEL, base=1.5 + 3 * ORDER + noise(6))
    assert found.components["pattern"].beyond.positive
    assert not found.gap.beyond["best_constant"].positive
    assert judge(found).verdict.name == "pattern within the floors"


def test_without_frames_no_preference_is_claimed() -> None:
    full = numbers(STRATEGIC)
    found = judge(SplitNumbers(full.gap, {}, full.format))
    assert named(found) == ("nearer than the floors", ())
    assert "not shown whether by preferences or by habits" in found.sentence
    level = numbers(LEVEL + np.zeros(SHAPE))
    assert named(judge(SplitNumbers(level.gap, {}, level.format))) == ("nearer", ())


def test_a_single_context_has_no_interval_and_no_claim() -> None:
    def first(log_odds: Array) -> Framed:
        return Framed(1 / (1 + np.exp(-log_odds[np.newaxis, ..., :1])))

    models = first(np.asarray(TEACHER)), first(BASE), first(STRATEGIC)
    parts = {each.part: each for each in components(*models)}
    invalid = Framed(np.full((1, 4, 4, 1), 0.2))
    assert judge(SplitNumbers(gap(*models), parts, format_change(invalid, invalid))).verdict.name == "neither"


def test_the_share_of_invalid_answers_worked_by_hand() -> None:
    # Contexts fall by 0.2 and 0.4 on average.
    before = Framed(np.reshape([0.5, 0.5], (1, 1, 1, 2)))
    after = Framed(np.reshape([[0.2, 0.1], [0.4, 0.1]], (2, 1, 1, 2)))
    found = format_change(before, after)
    assert (found.before, found.after) == (pytest.approx(0.5), pytest.approx(0.2))
    assert found.drop.value == pytest.approx(0.3)
    assert not found.drop.positive


def test_strategy_is_said_of_preference_alone_and_rules_speak_of_criteria() -> None:
    for verdict in VERDICTS:
        assert ("strategy" in verdict.sentence) == verdict.name.startswith("preference")
        assert verdict.names <= set(CRITERIA)
        assert verdict.sentence.endswith(".")
        assert verdict.sentence.count(". ") == 0
    assert [row["verdict"] for row in verdict_rows()] == [verdict.name for verdict in VERDICTS]
    assert [row["is shown"] for row in criterion_rows()] == list(CRITERIA)
    assert len({verdict.name for verdict in VERDICTS}) == len(VERDICTS) == 14
