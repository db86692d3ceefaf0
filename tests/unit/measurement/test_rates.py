"""Rates with intervals, differences between models and tests between splits."""

import numpy as np
import pytest
from scipy import stats

from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario
from tomtransfer.measurement.rates import differences, rates, split_tests

SCENARIOS = [Scenario(split, game, "team") for split in ("in_sample", "new_contexts") for game in ("snowdrift", "stag")]


def counted(*cooperate: int) -> Evidence:
    return Evidence.from_counts(SCENARIOS, cooperate, [90 - each for each in cooperate], [10] * 4)


def exact(*cooperate: float) -> Evidence:
    return Evidence.from_probabilities(SCENARIOS, cooperate, [0.9 - each for each in cooperate], [0.1] * 4)


COUNTED = Comparison(counted(45, 80, 0, 45), counted(10, 10, 10, 10), counted(44, 30, 0, 90))
EXACT = Comparison(exact(0.45, 0.8, 0, 0.45), exact(0.1, 0.1, 0.1, 0.1), exact(0.44, 0.3, 0, 0.9))


def test_rates_of_counts_have_wilson_intervals_among_what_the_comparison_says() -> None:
    rows = rates(COUNTED)
    assert [row.model for row in rows] == ["teacher"] * 4 + ["base"] * 4 + ["tuned"] * 4
    assert (rows[0].rate, rows[0].answers) == (0.5, 90)
    expected = stats.binomtest(45, 90).proportion_ci(method="wilson")
    assert (rows[0].low, rows[0].high) == pytest.approx((expected.low, expected.high))
    everything = rates(Comparison(COUNTED.teacher, COUNTED.base, COUNTED.tuned, among="all answers"))
    assert (everything[0].rate, everything[0].answers) == (0.45, 100)


def test_exact_rates_are_the_same_without_interval_or_answers() -> None:
    for row, counted_row in zip(rates(EXACT), rates(COUNTED), strict=True):
        assert row.rate == pytest.approx(counted_row.rate)
        assert (row.low, row.high, row.answers) == (None, None, None)


def test_differences_of_counts_are_tested_within_each_split() -> None:
    rows = differences(COUNTED, margin=0.2)
    assert [(row.first, row.second) for row in rows] == [("tuned", "teacher")] * 4 + [("tuned", "base")] * 4
    near, far, none, all_of_them = rows[:4]
    assert near.difference == pytest.approx(-1 / 90)
    assert near.low is not None
    assert near.high is not None
    assert near.low < near.difference < near.high
    assert (near.equivalent, far.equivalent, none.equivalent, all_of_them.equivalent) == (True, False, True, False)
    raw = stats.chi2_contingency([[30, 60], [80, 10]], correction=False).pvalue
    assert far.p_value == pytest.approx(2 * raw)
    assert none.p_value == 1


def test_differences_of_exact_probabilities_are_facts_not_tests() -> None:
    rows = differences(EXACT, margin=0.2)
    assert [row.equivalent for row in rows[:4]] == [True, False, True, False]
    assert all(row.low is row.high is row.p_value is row.equivalence_p_value is None for row in rows)


def test_exact_against_counted_is_neither_tested_nor_declared_equivalent() -> None:
    rows = differences(Comparison(COUNTED.teacher, EXACT.base, EXACT.tuned), margin=0.2)
    assert {row.equivalent for row in rows if row.second == "teacher"} == {None}
    assert {row.equivalent for row in rows if row.second == "base"} == {True, False}


def test_splits_are_compared_pooled_and_per_game() -> None:
    (test,) = split_tests(COUNTED)
    squared = stats.chi2_contingency([[74, 106], [90, 90]], correction=False)
    assert (test.first, test.second, test.game) == ("in_sample", "new_contexts", None)
    assert (test.first_rate, test.second_rate) == (74 / 180, 0.5)
    assert test.statistic == pytest.approx(-np.sqrt(squared.statistic))
    assert test.p_value == pytest.approx(squared.pvalue)
    assert [each.game for each in split_tests(COUNTED, by_game=True)] == ["snowdrift", "stag"]
    with pytest.raises(ValueError, match="tuned: exact probabilities hold no answers to test"):
        split_tests(EXACT)
