"""The measures: worked by hand, against second implementations, and as properties of any rates."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from tomtransfer.measurement import measures as alignment
from tomtransfer.measurement.measures import MEASURES, Array, Measure
from tomtransfer.report.definitions import DEFINITIONS

ANSWERS = 300
BY_NAME = {measure.name: measure for measure in MEASURES}
PERFECT = {"total_variation": 0.0, "jensen_shannon": 0.0, "root_mean_square_error": 0.0}


@st.composite
def three_rates(draw: st.DrawFn, smallest: int = 1) -> tuple[Array, Array, Array]:
    """Rates as they come from counts: teacher, base and tuned over up to eight scenarios."""
    scenarios = draw(st.integers(smallest, 8))
    counts = st.lists(st.integers(0, ANSWERS), min_size=scenarios, max_size=scenarios)
    teacher, base, tuned = (np.array(draw(counts)) / ANSWERS for _ in range(3))
    return teacher, base, tuned


def distributions(rates: Array, other: float = 0.0) -> Array:
    return np.stack([rates * (1 - other), (1 - rates) * (1 - other), np.full_like(rates, other)])


def measured(measure: Measure, rates: tuple[Array, Array, Array]) -> Array:
    return measure(*(rates if measure.reads == "rates" else (distributions(each) for each in rates)))


def test_ratios_worked_by_hand() -> None:
    teacher, base, tuned = np.array([0.8, 0.2, 0.5]), np.array([0.4, 0.4, 0.5]), np.array([0.6, 0.1, 0.7])
    assert alignment.gap_closed(teacher, base, tuned) == pytest.approx(1 - 0.5 / 0.6)
    assert alignment.improvement(teacher, base, tuned) == pytest.approx((0.5 + 1.5) / 2)
    assert alignment.bridging(teacher, base, tuned) == pytest.approx((0.5 + 0.5) / 2)
    assert alignment.undefined_scenarios(teacher, base).tolist() == [False, False, True]


def test_distances_worked_by_hand() -> None:
    first, second = np.array([[1.0], [0.0], [0.0]]), np.array([[0.0], [0.5], [0.5]])
    assert alignment.total_variation(first, second) == 1
    assert alignment.jensen_shannon(first, second) == pytest.approx(1)
    # Half of the mass moves from the first outcome to the second: H(3/4, 1/4) - (H(1) + H(1/2, 1/2)) / 2 bits.
    third = np.array([[0.5], [0.5], [0.0]])
    assert alignment.total_variation(first, third) == 0.5
    assert alignment.jensen_shannon(first, third) == pytest.approx(2 - 0.75 * np.log2(3) - 0.5)


def test_concordance_worked_by_hand_and_by_lins_decomposition() -> None:
    # Covariance and variances 2/3, means one apart: 2(2/3) / (2/3 + 2/3 + 1).
    assert alignment.concordance(np.array([1.0, 2, 3]), np.array([2.0, 3, 4])) == pytest.approx(4 / 7)
    generator = np.random.default_rng(1)
    teacher, student = generator.random(12), generator.random(12)
    # Lin (1989): precision (Pearson) times accuracy 2 / (v + 1/v + u^2), v the scale shift and u the location shift.
    scale = teacher.std() / student.std()
    location = (teacher.mean() - student.mean()) / np.sqrt(teacher.std() * student.std())
    accuracy = 2 / (scale + 1 / scale + location**2)
    assert alignment.concordance(teacher, student) == pytest.approx(stats.pearsonr(teacher, student)[0] * accuracy)


def test_agreement_against_second_implementations() -> None:
    generator = np.random.default_rng(2)
    teacher, student = generator.integers(0, 5, 12) / 5, generator.integers(0, 5, 12) / 5
    assert alignment.pearson(teacher, student) == pytest.approx(stats.pearsonr(teacher, student)[0])
    assert alignment.spearman(teacher, student) == pytest.approx(stats.spearmanr(teacher, student)[0])
    assert alignment.calibration_slope(teacher, student) == pytest.approx(stats.linregress(student, teacher).slope)
    first, second = generator.dirichlet([1, 1, 1], 6).T, generator.dirichlet([1, 1, 1], 6).T
    expected = (jensenshannon(first, second, base=2, axis=0) ** 2).mean()
    assert alignment.jensen_shannon(first, second) == pytest.approx(expected)
    # Total variation is the largest difference in the probability of any event (Levin, Peres and Wilmer, section 4.1).
    difference = first - second
    events = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]])
    assert alignment.total_variation(first, second) == pytest.approx((events @ difference).max(axis=0).mean())


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_leading_axes_are_kept_and_scored_one_by_one(measure: Measure) -> None:
    generator = np.random.default_rng(3)
    shape = (3, 4, 6) if measure.reads == "rates" else (3, 3, 4, 6)
    models = generator.random(shape)
    if measure.reads == "distributions":
        models /= models.sum(axis=1, keepdims=True)
    together = measure(*models)
    assert together.shape == (4,)
    for draw in range(4):
        assert together[draw] == pytest.approx(measure(*models[..., draw, :]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_undefined_is_nan_without_a_warning(measure: Measure) -> None:
    same = np.array([0.1, 0.1, 0.1])
    tuned = np.array([0.2, 0.2, 0.2])
    value = measured(measure, (same, same, tuned))
    defined = {"total_variation", "jensen_shannon", "root_mean_square_error", "concordance"}
    assert np.isnan(value) == (measure.name not in defined)
    assert bool(measure.undefined) == (measure.name not in defined - {"concordance"})
    single = np.array([0.25])
    assert np.isnan(measured(measure, (single, single + 0.5, single))) == (not measure.of_one_scenario)


@pytest.mark.filterwarnings("error")
def test_concordance_of_one_and_the_same_constant_is_undefined() -> None:
    same = np.array([0.1, 0.1, 0.1])
    assert np.isnan(alignment.concordance(same, same))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_a_missing_rate_makes_the_measure_missing(measure: Measure) -> None:
    teacher, base, tuned = np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.4, 0.4]), np.array([0.3, np.nan, 0.6])
    assert np.isnan(measured(measure, (teacher, base, tuned)))


@settings(deadline=None, max_examples=100)
@given(three_rates())
def test_a_student_that_is_the_teacher_closes_everything_and_no_other_does(rates: tuple[Array, Array, Array]) -> None:
    teacher, base, tuned = rates
    if np.array_equal(teacher, base):
        return
    assert alignment.gap_closed(teacher, base, teacher) == 1
    assert alignment.improvement(teacher, base, teacher) == pytest.approx(1)
    assert alignment.bridging(teacher, base, teacher) == 1
    assert (alignment.gap_closed(teacher, base, tuned) == 1) == np.array_equal(teacher, tuned)
    for name, value in PERFECT.items():
        assert measured(BY_NAME[name], (teacher, base, teacher)) == value


@settings(deadline=None, max_examples=100)
@given(three_rates())
def test_a_student_that_is_the_base_closes_nothing(rates: tuple[Array, Array, Array]) -> None:
    teacher, base, _ = rates
    if np.array_equal(teacher, base):
        return
    assert alignment.gap_closed(teacher, base, base) == 0
    assert alignment.improvement(teacher, base, base) == 0
    assert alignment.bridging(teacher, base, base) == 0


@settings(deadline=None, max_examples=100)
@given(three_rates(), st.randoms(use_true_random=False))
@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_neither_relabelling_nor_the_order_of_scenarios_matters(
    measure: Measure, rates: tuple[Array, Array, Array], random: Random
) -> None:
    teacher, base, tuned = rates
    value = measured(measure, rates)
    relabelled = measured(measure, (1 - teacher, 1 - base, 1 - tuned))
    order = list(range(len(teacher)))
    random.shuffle(order)
    permuted = measured(measure, (teacher[order], base[order], tuned[order]))
    np.testing.assert_allclose([relabelled, permuted], value, atol=1e-9)


@settings(deadline=None, max_examples=100)
@given(three_rates(), st.floats(0, 1))
def test_bounds_and_symmetry(rates: tuple[Array, Array, Array], other: float) -> None:
    teacher, base, tuned = rates
    first, second = distributions(teacher), distributions(tuned, other)
    assert not alignment.gap_closed(teacher, base, tuned) > 1
    assert not alignment.bridging(teacher, base, tuned) > 1
    for distance in (alignment.total_variation, alignment.jensen_shannon):
        assert -1e-12 <= distance(first, second) <= 1 + 1e-12
        assert distance(first, second) == pytest.approx(distance(second, first), abs=1e-12)
    for correlation in (alignment.pearson, alignment.spearman, alignment.concordance):
        value = correlation(teacher, tuned)
        assert np.isnan(value) or -1 - 1e-12 <= value <= 1 + 1e-12
        np.testing.assert_allclose(correlation(tuned, teacher), value, atol=1e-12)
    assert 0 <= alignment.root_mean_square_error(teacher, tuned) <= 1


@settings(deadline=None, max_examples=100)
@given(three_rates(smallest=2))
def test_concordance_never_exceeds_pearson(rates: tuple[Array, Array, Array]) -> None:
    teacher, _, tuned = rates
    pearson = alignment.pearson(teacher, tuned)
    assert np.isnan(pearson) or abs(alignment.concordance(teacher, tuned)) <= abs(pearson) + 1e-9


@settings(deadline=None, max_examples=100)
@given(three_rates(), st.floats(0, 1))
def test_no_constant_beats_the_best_constant(rates: tuple[Array, Array, Array], constant: float) -> None:
    teacher, base, tuned = rates
    if np.array_equal(teacher, base):
        return
    best = alignment.gap_closed(teacher, base, alignment.best_constant(teacher))
    for floor in (np.full_like(teacher, constant), alignment.own_mean(tuned), alignment.fair_coin(teacher)):
        assert alignment.gap_closed(teacher, base, floor) <= best + 1e-9
        assert alignment.advantage(teacher, base, floor) <= 1e-9


@settings(deadline=None, max_examples=100)
@given(three_rates(smallest=1))
def test_one_scenario_makes_gap_closed_and_bridging_the_same(rates: tuple[Array, Array, Array]) -> None:
    singles = tuple(each[:, np.newaxis] for each in rates)
    np.testing.assert_allclose(alignment.gap_closed(*singles), alignment.bridging(*singles), atol=1e-12)


def test_every_measure_says_its_shape_to_programmers_and_what_it_is_to_readers() -> None:
    assert {measure.name for measure in (*MEASURES, alignment.OF_FRAME_AVERAGES, alignment.ADVANTAGE)} == set(
        DEFINITIONS
    )
    for measure in (*MEASURES, alignment.OF_FRAME_AVERAGES, alignment.ADVANTAGE):
        assert "scenarios) -> (...)" in " ".join(measure.function.__doc__.split())
