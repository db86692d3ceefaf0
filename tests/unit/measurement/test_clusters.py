"""Two-way jackknife intervals: against Student's t, worked by hand, and as properties of any statistic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tomtransfer.measurement.clusters import (
    ONE_CLUSTER,
    UNDEFINED,
    UNDEFINED_WITHOUT_ONE,
    Clustered,
    Measured,
    Positions,
    chosen,
    estimate,
)
from tomtransfer.measurement.intervals import Array


def mean_of(values: Array) -> Clustered:
    """Return the mean of values (..., trainings, contexts) as a statistic."""

    def mean(contexts: Positions, trainings: Positions) -> Array:
        average: Array = chosen(values, contexts, trainings).mean(axis=(-2, -1))
        return average

    return mean


def test_the_mean_of_one_training_has_students_interval() -> None:
    values = np.random.default_rng(0).normal(size=7)
    found = estimate(mean_of(values[np.newaxis]), 7, 1, confidence=0.9)
    assert found.value == pytest.approx(values.mean())
    assert found.interval == pytest.approx(stats.ttest_1samp(values, 0).confidence_interval(0.9))
    assert found.covers == "contexts"


def test_contexts_and_trainings_are_added_up_as_worked_by_hand() -> None:
    # Contexts have means 3 and 5: the variance of their mean is 2/2 = 1. Trainings have 2 and 6: 8/2 = 4. Each has one
    # degree of freedom, and Satterthwaite's are (1 + 4)^2 / (1^2/1 + 4^2/1) = 25/17.
    found = estimate(mean_of(np.array([[1.0, 3.0], [5.0, 7.0]])), 2, 2)
    half = stats.t.ppf(0.975, 25 / 17) * np.sqrt(5)
    assert found.value == 4
    assert found.interval == pytest.approx((4 - half, 4 + half))
    assert found.covers == "contexts and trainings"


def test_degrees_of_freedom_are_at_most_three_times_the_fewer() -> None:
    # Both trainings agree: what varies are 20 contexts, with 19 degrees of freedom, of which 3 x 1 are counted.
    values = np.random.default_rng(1).normal(size=20)
    found = estimate(mean_of(np.stack([values, values])), 20, 2)
    half = stats.t.ppf(0.975, 3) * values.std(ddof=1) / np.sqrt(20)
    assert found.interval.high - found.value == pytest.approx(half)


def test_a_ratio_of_sums_has_nearly_its_linearized_error() -> None:
    generator = np.random.default_rng(2)
    whole = generator.uniform(1, 2, size=100)
    part = whole * generator.normal(0.5, 0.2, size=100)

    def ratio(contexts: Positions, trainings: Positions) -> Array:
        return np.asarray(part[contexts].sum() / whole[contexts].sum())

    found = estimate(ratio, 100, 1)
    residual = part - found.value * whole
    error = residual.std(ddof=1) / np.sqrt(100) / whole.mean()
    assert found.interval.high - found.value == pytest.approx(stats.t.ppf(0.975, 99) * error, rel=0.03)


def test_many_contexts_are_left_out_in_a_hundred_groups() -> None:
    values = np.random.default_rng(5).normal(size=1_000)
    found = estimate(mean_of(values[np.newaxis]), 1_000, 1)
    # Groups of ten, of which each is every hundredth: Student's interval of their means.
    groups = values.reshape(10, 100).mean(axis=0)
    assert found.interval == pytest.approx(stats.ttest_1samp(groups, 0).confidence_interval(0.95))


def test_one_context_and_one_training_have_no_interval_and_say_so() -> None:
    found = estimate(mean_of(np.array([[2.0]])), 1, 1)
    assert found.covers == "nothing"
    measured = found.at()
    assert (measured.value, measured.low, measured.high, measured.note) == (2, None, None, ONE_CLUSTER)
    assert not measured.positive
    assert not measured.negative


def test_one_context_with_several_trainings_has_the_interval_of_trainings() -> None:
    found = estimate(mean_of(np.array([[1.0], [2.0], [4.0]])), 1, 3)
    assert found.covers == "trainings"
    assert found.interval == pytest.approx(stats.ttest_1samp([1, 2, 4], 0).confidence_interval(0.95))


def test_a_statistic_that_is_the_same_everywhere_is_certain() -> None:
    assert estimate(mean_of(np.full((3, 4), 0.25)), 4, 3).interval == pytest.approx((0.25, 0.25))


def test_variances_whose_squares_are_nothing_still_have_an_interval() -> None:
    grid = np.zeros((2, 3))
    grid[1, 2] = 4.5e-155
    assert np.isfinite(estimate(mean_of(grid), 3, 2).interval).all()


def test_undefined_statistics_have_no_number_and_undefined_parts_no_interval() -> None:
    assert estimate(lambda contexts, trainings: np.array(np.nan), 3, 1).at().note == UNDEFINED

    def needs_all(contexts: Positions, trainings: Positions) -> Array:
        return np.array(1.0 if len(contexts) == 3 else np.nan)

    measured = estimate(needs_all, 3, 1).at()
    assert (measured.value, measured.low, measured.note) == (1, None, UNDEFINED_WITHOUT_ONE)
    refused = estimate(mean_of(np.ones((1, 3))), 3, 1).at(without="too little to say")
    assert (refused.value, refused.low, refused.high, refused.note) == (None, None, None, "too little to say")


def test_statistics_of_any_shape_are_estimated_at_once() -> None:
    values = np.random.default_rng(3).normal(size=(2, 5, 3, 4))
    together = estimate(mean_of(values), 4, 3)
    assert together.value.shape == (2, 5)
    for row in range(2):
        for column in range(5):
            alone = estimate(mean_of(values[row, column]), 4, 3)
            assert together.row(row).interval.low[column] == pytest.approx(alone.interval.low)
            assert together.at(row, column).high == pytest.approx(float(alone.interval.high))


def test_a_decreasing_function_turns_the_interval_round() -> None:
    found = estimate(mean_of(np.array([[0.1, 0.2, 0.4]])), 3, 1)
    turned = found.turned(lambda values: 1 - values**3)
    assert turned.value == pytest.approx(1 - found.value**3)
    assert turned.interval == pytest.approx((1 - found.interval.high**3, 1 - found.interval.low**3))


def test_signs_need_an_interval_on_one_side_of_zero() -> None:
    def at(values: list[float]) -> tuple[bool, bool]:
        measured = estimate(mean_of(np.array([values])), len(values), 1).at()
        return measured.positive, measured.negative

    assert at([1.0, 1.1, 0.9]) == (True, False)
    assert at([-1.0, -1.1, -0.9]) == (False, True)
    assert at([1.0, -0.5, 0.4]) == (False, False)


@given(
    st.lists(st.floats(-10, 10), min_size=6, max_size=6),
    st.floats(0.1, 5),
    st.floats(-5, 5),
    st.permutations(range(3)),
    st.permutations(range(2)),
)
def test_units_and_order_do_not_matter(
    values: list[float], scale: float, shift: float, contexts: list[int], trainings: list[int]
) -> None:
    grid = np.reshape(values, (2, 3))
    found = estimate(mean_of(grid), 3, 2)
    other = estimate(mean_of(scale * grid[trainings][:, contexts] + shift), 3, 2)
    for end, changed in zip(found.interval, other.interval, strict=True):
        assert changed == pytest.approx(scale * end + shift, abs=1e-6)


def test_a_single_training_stands_for_all() -> None:
    values = np.arange(4.0)[np.newaxis]
    assert chosen(values, np.array([1, 3]), np.array([0, 2])).tolist() == [[1, 3]]
    assert chosen(np.arange(8.0).reshape(2, 4), np.array([1, 3]), np.array([1])).tolist() == [[5, 7]]


def test_the_interval_of_a_share_ends_at_the_whole():
    assert Measured(0.9, 0.8, 1.3).of_a_whole == Measured(0.9, 0.8, 1.0)
    assert Measured(-2.0, -3.0, 0.5).of_a_whole == Measured(-2.0, -3.0, 0.5)
    assert Measured(None, None, None, "why").of_a_whole == Measured(None, None, None, "why")


@given(st.floats(-3, 3), st.floats(0, 2), st.floats(0, 2), st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (-np.inf, 1.0)]))
def test_an_interval_ends_at_what_can_be_and_holds_its_estimate(value, below, above, reach):
    found = Measured(value, value - below, value + above).within(*reach)
    assert found.low <= found.value <= found.high
    if reach[0] <= value <= reach[1]:
        assert reach[0] <= found.low
        assert found.high <= reach[1]


def test_an_estimate_beyond_the_whole_has_an_interval_that_ends_at_it():
    assert Measured(1.028, 1.022, 1.03).of_a_whole == Measured(1.028, 1.022, 1.028)
