"""Intervals and tests against published worked examples and second implementations; the bootstrap of answers."""

import numpy as np
import pytest
from scipy import stats

from tomtransfer.measurement import intervals as uncertainty
from tomtransfer.measurement import measures as alignment
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario, cooperation_rates
from tomtransfer.measurement.intervals import Array, bootstrap, percentile_interval, redraw


def scenarios(number: int) -> list[Scenario]:
    return [Scenario("in_sample", f"game{position}", "team") for position in range(number)]


def counted(cooperate: list[int], answers: int, other: int = 0) -> Evidence:
    defect = [answers - other - each for each in cooperate]
    return Evidence.from_counts(scenarios(len(cooperate)), cooperate, defect, [other] * len(cooperate))


def exact(cooperate: list[float]) -> Evidence:
    rates = np.array(cooperate)
    return Evidence.from_probabilities(scenarios(len(rates)), rates, 1 - rates, np.zeros_like(rates))


def error(teacher: Array, base: Array, tuned: Array) -> dict[str, Array]:
    return {"error": alignment.root_mean_square_error(teacher[0], tuned[0])}


def test_wilson_gives_newcombes_table_for_single_proportions() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
    interval = uncertainty.wilson([81, 15, 0, 1], [263, 148, 20, 29])
    np.testing.assert_allclose(interval.low, [0.2553, 0.0624, 0.0000, 0.0061], atol=5e-5)
    np.testing.assert_allclose(interval.high, [0.3662, 0.1605, 0.1611, 0.1718], atol=5e-5)


def test_newcombe_gives_his_table_for_differences() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 873-890, table II, method 10, contrasts (a) to (h).
    first, first_answers = [56, 9, 6, 5, 0, 0, 10, 10], [70, 10, 7, 56, 10, 10, 10, 10]
    second, second_answers = [48, 3, 2, 0, 0, 0, 0, 0], [80, 10, 7, 29, 20, 10, 20, 10]
    interval = uncertainty.newcombe(first, first_answers, second, second_answers)
    low = [0.0524, 0.1705, 0.0582, -0.0381, -0.1611, -0.2775, 0.6791, 0.6075]
    high = [0.3339, 0.8090, 0.8062, 0.1926, 0.2775, 0.2775, 1.0000, 1.0000]
    np.testing.assert_allclose(interval.low, low, atol=6e-5)
    np.testing.assert_allclose(interval.high, high, atol=6e-5)


def test_z_test_is_the_root_of_the_chi_squared_test() -> None:
    test = uncertainty.two_proportion_z_test(56, 70, 48, 80)
    squared = stats.chi2_contingency([[56, 14], [48, 32]], correction=False)
    assert test.statistic == pytest.approx(np.sqrt(squared.statistic))
    assert test.p_value == pytest.approx(squared.pvalue)


@pytest.mark.filterwarnings("error")
def test_z_test_of_all_or_none_on_both_sides_finds_no_difference() -> None:
    assert uncertainty.two_proportion_z_test(0, 300, 0, 250) == (0, 1)
    assert uncertainty.two_proportion_z_test(300, 300, 250, 250) == (0, 1)


def test_holm_steps_down() -> None:
    # Worked: sorted 0.005 x 4, 0.01 x 3, 0.03 x 2, 0.04 x 1, each at least the one before.
    np.testing.assert_allclose(uncertainty.holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


@pytest.mark.filterwarnings("error")
def test_equivalence_against_a_second_implementation() -> None:
    first, second, answers, margin = np.array([150, 160, 0, 30]), np.array([152, 120, 0, 0]), 300, 0.1
    # Agresti and Caffo: one success and one failure more on each side for the variance.
    smoothed = [(counts + 1) / (answers + 2) for counts in (first, second)]
    error = np.sqrt(sum(rate * (1 - rate) / (answers + 2) for rate in smoothed))
    difference = smoothed[0] - smoothed[1]
    expected = np.maximum(stats.norm.sf((difference + margin) / error), stats.norm.cdf((difference - margin) / error))
    found = uncertainty.equivalence(first, [answers] * 4, second, [answers] * 4, margin)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (found < 0.05).tolist() == [True, False, True, False]


@pytest.mark.parametrize("margin", [0, -0.1, 1.5, float("nan")])
def test_a_margin_outside_its_range_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="the equivalence margin must be above 0 and at most 1"):
        uncertainty.equivalence([1], [2], [1], [2], margin)


def test_percentiles_are_numpys_and_leave_undefined_draws_out() -> None:
    values = np.random.default_rng(0).random((1_000, 3))
    values[:20, 1] = np.nan
    values[:100, 2] = np.nan
    interval = percentile_interval(values, 0.9)
    for end, share in zip(interval, (0.05, 0.95), strict=True):
        np.testing.assert_allclose(end[:2], np.nanquantile(values[:, :2], share, axis=0))
        assert np.isnan(end[2])


def test_counted_evidence_of_fixed_scenarios_redraws_binomially() -> None:
    evidence = counted([60, 270], 300)
    comparison = Comparison(evidence, evidence, evidence)

    def rate(teacher: Array, base: Array, tuned: Array) -> dict[str, Array]:
        return {"rate": teacher[0]}

    interval = bootstrap(redraw(comparison, 20_000, seed=0), rate)["rate"]
    for end, share in zip(interval, (0.025, 0.975), strict=True):
        np.testing.assert_allclose(end, stats.binom.ppf(share, 300, [0.2, 0.9]) / 300, atol=1 / 300)


def test_redrawn_answers_are_multinomial() -> None:
    evidence = Evidence.from_counts(scenarios(1), [50], [30], [20])
    redrawn = redraw(Comparison(evidence, evidence, evidence), 40_000, seed=1)[0][:, :, 0]
    shares = np.array([0.5, 0.3, 0.2])
    assert (redrawn.sum(axis=0) == 100).all()
    np.testing.assert_allclose(redrawn.mean(axis=1), 100 * shares, atol=0.2)
    np.testing.assert_allclose(np.cov(redrawn), 100 * (np.diag(shares) - np.outer(shares, shares)), atol=0.6)


def test_models_and_scenarios_are_redrawn_independently_of_each_other_and_of_their_order() -> None:
    evidence = counted([50, 50], 100)
    comparison = Comparison(evidence, evidence, evidence)
    redrawn = redraw(comparison, 4_000, seed=0)
    series = [outcomes[0, :, position] for outcomes in redrawn for position in range(2)]
    np.testing.assert_allclose(np.corrcoef(series), np.eye(6), atol=0.06)
    turned = redraw(comparison.select(np.array([1, 0])), 4_000, seed=0)
    np.testing.assert_array_equal(turned[2][:, :, ::-1], redrawn[2])
    assert (redraw(comparison, 4_000, seed=1)[0] != redrawn[0]).any()


def test_the_seed_decides_and_chunks_do_not_lose_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = counted([60, 100, 200, 270], 300, other=10)
    comparison = Comparison(evidence, counted([10, 20, 30, 40], 300), counted([20, 30, 40, 50], 300))
    sizes = []

    def counting(teacher: Array, base: Array, tuned: Array) -> dict[str, Array]:
        sizes.append(teacher.shape)
        rates = (cooperation_rates(each, "valid answers") for each in (teacher, base, tuned))
        return {"gap_closed": alignment.gap_closed(*rates)}

    redrawn = redraw(comparison, 500, seed=0)
    first = bootstrap(redrawn, counting)
    assert first == bootstrap(redraw(comparison, 500, seed=0), counting)
    assert first != bootstrap(redraw(comparison, 500, seed=1), counting)
    sizes.clear()
    monkeypatch.setattr(uncertainty, "CELLS_AT_ONCE", 600)
    chunked = bootstrap(redrawn, counting)
    assert sizes == [(3, 150, 4), (3, 150, 4), (3, 150, 4), (3, 50, 4)]
    np.testing.assert_allclose(chunked["gap_closed"], first["gap_closed"])


def test_intervals_of_the_same_scenarios_cover_as_often_as_they_say() -> None:
    generator = np.random.default_rng(6)
    rates, covered = generator.beta(2, 2, 40), 0
    for trial in range(200):
        evidence = Evidence.from_counts(scenarios(40), answers := generator.binomial(50, rates), 50 - answers)
        interval = bootstrap(
            redraw(Comparison(evidence, evidence, evidence), 300, seed=trial),
            lambda teacher, base, tuned: {"mean": teacher[0].mean(axis=-1)},
        )["mean"]
        covered += bool(interval.low <= rates.mean() <= interval.high)
    assert 0.90 <= covered / 200 <= 0.99


def test_halves_are_dealt_without_replacement() -> None:
    teacher = Evidence.from_counts(scenarios(3), [60, 7, 2], [40, 0, 1], [21, 0, 0])
    first, second = uncertainty.split_in_half(teacher, draws=2_000, seed=0)
    sizes = np.array([60, 3, 1]), np.array([61, 4, 2])
    together = first * sizes[0] + second * sizes[1]
    counts = np.stack([teacher.cooperate, teacher.defect, teacher.other])
    np.testing.assert_allclose(together, np.repeat(counts[:, np.newaxis], 2_000, axis=1))
    spread = first[0, :, 0].var()
    assert spread == pytest.approx(stats.hypergeom(121, 60, 60).var() / 60**2, rel=0.1)


@pytest.mark.filterwarnings("error")
def test_halves_of_exact_probabilities_are_the_teacher_and_half_of_one_answer_is_missing() -> None:
    first, second = uncertainty.split_in_half(exact([0.2, 0.7]), draws=2, seed=0)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first[0], [[0.2, 0.7]] * 2)
    first, _ = uncertainty.split_in_half(Evidence.from_counts(scenarios(1), [1], [0]), draws=2, seed=0)
    assert np.isnan(first).all()
