"""The parts of the distance: orthogonal, found where planted, free of counting noise, and no shares of nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tomtransfer.measurement.components import PARTS, Component, components, squared_distance
from tomtransfer.measurement.framed import Framed
from tomtransfer.measurement.intervals import Array

GAMES, CONTEXTS = 2, 4
SIGNS = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
"""Preference, label, order and label x order in the four frames, as they stand in `frames.designs`."""
PATTERN = np.array([[1, -1, 1, -1], [-1, 1, -1, 1]])
"""Deviations with mean 0 and mean square 1."""


def model(preference: object = 0.0, label: float = 0, order: float = 0, both: float = 0) -> Framed:
    """Return a model with these parts; a preference may differ by game and context, and all by training."""
    parts = np.zeros((4, GAMES, CONTEXTS))
    for row, part in enumerate((preference, label, order, both)):
        parts[row] = part
    log_odds = np.einsum("pf,pgc->fgc", SIGNS, parts)
    return Framed(1 / (1 + np.exp(-log_odds[np.newaxis])))


def together(*models: Framed) -> Framed:
    return Framed(np.concatenate([each.cooperate for each in models]))


def answered(one: Framed, answers: int, generator: np.random.Generator) -> Framed:
    counts = generator.binomial(answers, one.cooperate).astype(float)
    return Framed(counts, np.full(counts.shape, float(answers)))


def by_part(teacher: Framed, base: Framed, tuned: Framed) -> dict[str, Component]:
    return {each.part: each for each in components(teacher, base, tuned)}


def parts_of(student: Framed, teacher: Framed) -> dict[str, float]:
    everything = np.arange(CONTEXTS), np.arange(student.trainings)
    return dict(zip(PARTS, squared_distance(student, teacher)(*everything).tolist(), strict=True))


RATES = arrays(float, (1, 4, GAMES, CONTEXTS), elements=st.floats(0.01, 0.99))


@settings(deadline=None)
@given(RATES, RATES)
def test_parts_add_up_to_the_squared_distance_over_frames(student: Array, teacher: Array) -> None:
    found = parts_of(Framed(student), Framed(teacher))
    difference = np.log(student / (1 - student)) - np.log(teacher / (1 - teacher))
    assert found["all"] == pytest.approx((difference**2).sum(axis=1).mean() / 4)
    assert found["preference"] == pytest.approx(found["level"] + found["pattern"])
    assert found["habit"] == pytest.approx(found["label"] + found["order"] + found["label x order"])
    assert found["all"] == pytest.approx(found["preference"] + found["habit"])
    preference = difference.mean(axis=1)
    assert found["level"] == pytest.approx(preference.mean() ** 2)
    assert found["pattern"] == pytest.approx(preference.var())


@pytest.mark.parametrize(
    ("student", "part", "whole"),
    [
        (model(0.7), "level", "preference"),
        (model(0.7 * PATTERN), "pattern", "preference"),
        (model(label=0.7), "label", "habit"),
        (model(order=0.7), "order", "habit"),
        (model(both=0.7), "label x order", "habit"),
    ],
)
def test_each_planted_part_is_found_where_it_was_planted_and_nowhere_else(
    student: Framed, part: str, whole: str
) -> None:
    expected = dict.fromkeys(PARTS, 0.0) | dict.fromkeys((part, whole, "all"), 0.49)
    assert parts_of(student, model()) == pytest.approx(expected, abs=1e-12)


def test_what_was_closed_worked_by_hand() -> None:
    teacher, base, tuned = model(PATTERN), model(2.0, label=1.0), model(1 + 0.5 * PATTERN, label=1.0)
    found = by_part(teacher, base, tuned)
    # Squared: level 4 then 1, pattern 1 then 1/4, label 1 and still 1.
    assert {part: found[part].before for part in ("level", "pattern", "label", "all")} == pytest.approx(
        {"level": 4, "pattern": 1, "label": 1, "all": 6}
    )
    assert {part: found[part].after for part in ("level", "pattern", "label", "all")} == pytest.approx(
        {"level": 1, "pattern": 0.25, "label": 1, "all": 2.25}
    )
    assert found["level"].share_before == pytest.approx(4 / 6)
    assert found["label"].share_after == pytest.approx(1 / 2.25)
    assert found["pattern"].closed.value == pytest.approx(0.75)
    assert found["level"].closed.value == pytest.approx(0.75)
    assert found["label"].closed.value == pytest.approx(0)
    assert found["all"].closed.value == pytest.approx(1 - 2.25 / 6)
    # Every context is like every other.
    assert (found["pattern"].closed.low, found["pattern"].closed.high) == pytest.approx((0.75, 0.75))
    # A constant at the teacher's level lacks the teacher's pattern, as the base does, and has no habit.
    assert found["pattern"].constant.value == pytest.approx(0)
    assert found["pattern"].beyond.value == pytest.approx(0.75)
    assert found["level"].constant.value == found["label"].constant.value == pytest.approx(1)
    assert found["all"].constant.value == pytest.approx(1 - 1 / 6)


def test_distances_are_averaged_over_trainings_and_not_their_log_odds() -> None:
    teacher, base = model(PATTERN), model(1.0)
    # One training is right about the level, the other as far off as before, but on the other side.
    found = by_part(teacher, base, together(model(PATTERN), model(-1 + PATTERN)))
    assert found["level"].after == pytest.approx(0.5)
    assert found["pattern"].after == pytest.approx(0)
    assert found["level"].covers == "contexts and trainings"


def test_losing_a_wrong_pattern_closes_a_share_that_is_not_beyond_a_constant() -> None:
    found = by_part(model(0.2 * PATTERN), model(-PATTERN), model(0.0))["pattern"]
    assert found.closed.value == pytest.approx(1 - 0.2**2 / 1.2**2)
    assert found.constant.value == pytest.approx(found.closed.value)
    assert found.beyond.value == pytest.approx(0, abs=1e-12)
    assert not found.beyond.positive


def test_noise_of_counted_choices_is_taken_off() -> None:
    generator = np.random.default_rng(0)
    teacher, student = model(0.5 * PATTERN, label=0.3), model(0.8, order=0.4)
    found = [parts_of(answered(student, 60, generator), answered(teacher, 60, generator)) for _ in range(400)]
    expected = parts_of(student, teacher)
    for part in PARTS:
        values = [each[part] for each in found]
        error = np.std(values) / np.sqrt(len(values))
        assert np.mean(values) == pytest.approx(expected[part], abs=4 * error), part
    # Noise left in, the part that is zero would be about 2 x 4 x (4 / 60) / 16.
    assert np.mean([each["label x order"] for each in found]) < 0.005


def test_a_part_within_its_noise_has_no_share_but_a_reason() -> None:
    generator = np.random.default_rng(1)
    teacher, base = answered(model(PATTERN), 50, generator), answered(model(PATTERN, label=1.0), 50, generator)
    found = by_part(teacher, base, answered(model(PATTERN), 50, generator))
    assert found["label"].closed.value == pytest.approx(1, abs=0.2)
    for part in ("order", "label x order", "pattern"):
        assert (found[part].closed.value, found[part].beyond.value, found[part].share_before) == (None, None, None)
        assert "no more than counted answers would by chance (p = 0." in found[part].closed.note
    assert found["label"].share_before == pytest.approx(1, abs=0.2)
    # After training nothing is left but noise.
    assert found["all"].share_after is None


def test_equal_parts_are_taken_for_different_as_seldom_as_the_test_says() -> None:
    generator = np.random.default_rng(2)
    same = model(0.5 * PATTERN)
    refused = np.zeros(len(PARTS))
    for _ in range(200):
        found = components(*(answered(same, 60, generator) for _ in range(3)))
        refused += [each.closed.value is None for each in found]
    assert (refused / 200 > 0.9).all()
    assert (refused / 200 < 1).any()


def test_exact_parts_that_are_equal_or_nearly_so_have_no_share() -> None:
    found = by_part(model(PATTERN), model(PATTERN, label=0.03, order=0.5), model(PATTERN))
    assert found["pattern"].closed.note == "student and teacher do not differ in this part"
    assert found["label"].closed.note == (
        "student and teacher differ in this part by 0.030 in log-odds, too little to take a share of"
    )
    assert found["order"].closed.value == pytest.approx(1)
    assert found["label"].share_before == pytest.approx(0.03**2 / (0.03**2 + 0.5**2))


def test_one_context_has_a_value_without_an_interval() -> None:
    def first(one: Framed) -> Framed:
        return Framed(one.cooperate[..., :1])

    found = by_part(first(model(PATTERN)), first(model(1.0)), first(model(0.5 * PATTERN)))["level"]
    assert found.closed.value == pytest.approx(1)
    assert found.closed.low is None
    assert found.covers == "nothing"
