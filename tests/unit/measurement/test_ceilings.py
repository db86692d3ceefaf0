"""Ceilings: halvings listed by hand, against halvings that are dealt at random, and where there is none."""

import itertools

import numpy as np
import pytest

from tomtransfer.measurement import measures
from tomtransfer.measurement.ceilings import Ceilings, ceilings
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario


def comparison(cooperate: list[int], answers: list[int], base: list[float], among: str = "valid answers") -> Comparison:
    scenarios = [Scenario("in_sample", "stag_hunt", f"context{place}") for place in range(len(cooperate))]
    counts, asked, rates = (np.asarray(each, dtype=float) for each in (cooperate, answers, base))
    teacher = Evidence.from_counts(scenarios, counts, asked - counts)
    student = Evidence.from_probabilities(scenarios, rates, 1 - rates, 0 * rates)
    return Comparison(teacher, student, student, among=among)  # type: ignore[arg-type]


def test_every_halving_of_four_answers_listed() -> None:
    # Two of four cooperate. Of the six halvings one has 0 and 2, one 2 and 0, four have 1 and 1.
    # Base 0.25: |half - base| is 0.75, 0.25, 0.25 for halves at 1, 0, 0.5; the halves are 1, 1, 0 apart.
    found = ceilings(comparison([2], [4], [0.25]))
    before, after = (0.75 + 0.25 + 4 * 0.25) / 6, (1 + 1) / 6
    assert found.gap_closed == pytest.approx(1 - after / before)
    # The teacher's half at 1: student 0, (0 - 0.25) / 0.75; at 0: student 1, (1 - 0.25) / -0.25; at 0.5: 1.
    assert found.improvement == pytest.approx((-1 / 3 - 3 + 4 * 1) / 6)
    assert found.bridging == pytest.approx((1 - 1 / 0.75 + 1 - 1 / 0.25 + 4 * 1) / 6)


def test_halvings_that_leave_no_gap_are_no_ratio() -> None:
    # Base 0.5: four of six halvings leave no gap; the other two give the halves' distance of 1 over 0.5.
    found = ceilings(comparison([2], [4], [0.5]))
    assert found.bridging == pytest.approx(1 - 1 / 0.5)
    assert found.improvement == pytest.approx(-1)


def dealt(models: Comparison, draws: int) -> tuple[float, float, float]:
    """Return the ceilings by dealing answers into halves at random."""
    generator = np.random.default_rng(0)
    teacher = models.teacher
    sizes = (teacher.answers // 2).astype(int)
    first = generator.hypergeometric(teacher.cooperate.astype(int), teacher.defect.astype(int), sizes, (draws, 3))
    student, known = first / sizes, (teacher.cooperate - first) / (teacher.answers - sizes)
    base = np.broadcast_to(models.rates[1], known.shape)
    before, after = (np.abs(each - known).mean(axis=0).sum() for each in (base, student))
    each = measures.improvement(known, base, student), measures.bridging(known, base, student)
    return float(1 - after / before), float(np.nanmean(each[0])), float(np.nanmean(each[1]))


def test_random_halvings_come_close() -> None:
    models = comparison([9, 30, 71], [40, 61, 80], [0.6, 0.2, 0.35])
    found = ceilings(models)
    assert (found.gap_closed, found.improvement, found.bridging) == pytest.approx(dealt(models, 100_000), abs=0.003)


def test_a_teacher_that_is_known_exactly_is_its_own_half() -> None:
    scenarios = [Scenario("in_sample", "stag_hunt", "team")]
    known, other = (Evidence.from_probabilities(scenarios, [rate], [1 - rate], [0]) for rate in (0.3, 0.6))
    assert ceilings(Comparison(known, other, other)) == Ceilings(1, 1, 1)
    assert np.isnan(ceilings(Comparison(known, known, other)).gap_closed)


@pytest.mark.parametrize("answers", [[1, 4], [4, 1]])
def test_a_single_answer_has_no_halves(answers: list[int]) -> None:
    assert np.isnan(ceilings(comparison([1, 1], answers, [0.2, 0.2])).gap_closed)


def test_several_comparisons_are_one_of_all_their_scenarios() -> None:
    cooperate, answers, base = [9, 30, 71, 12], [40, 61, 80, 20], [0.6, 0.2, 0.35, 0.9]
    parts = [comparison(*(each[some] for each in (cooperate, answers, base))) for some in (slice(2), slice(2, 4))]
    whole = ceilings(comparison(cooperate, answers, base))
    for name, pair in itertools.product(("gap_closed", "improvement", "bridging"), [parts]):
        assert getattr(ceilings(*pair), name) == pytest.approx(getattr(whole, name))
