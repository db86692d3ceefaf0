"""Choices in a grid: rates and log-odds with their variances, against the binomial distribution; grids."""

import numpy as np
import pytest
from scipy.stats import binom

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.evidence import Evidence, Scenario
from tomtransfer.measurement.framed import Framed, frame_grid
from tomtransfer.measurement.intervals import Array


def counted(cooperate: list[int], answers: int) -> Framed:
    counts = np.array(cooperate, dtype=float)
    return Framed(counts, np.full(counts.shape, float(answers)))


def test_counts_worked_by_hand() -> None:
    model = counted([3, 0, 10], 10)
    assert model.rates.tolist() == [0.3, 0, 1]
    assert model.rates_variance == pytest.approx([0.3 * 0.7 / 9, 0, 0])
    assert model.log_odds == pytest.approx([np.log(3.5 / 7.5), np.log(0.5 / 10.5), np.log(10.5 / 0.5)])
    assert model.log_odds_variance == pytest.approx([1 / 3.5 + 1 / 7.5, 1 / 0.5 + 1 / 10.5, 1 / 0.5 + 1 / 10.5])


def test_exact_rates_have_no_variance_and_certain_ones_large_finite_log_odds() -> None:
    model = Framed(np.array([0.2, 0.0, 1.0]))
    assert model.rates_variance.tolist() == model.log_odds_variance.tolist() == [0, 0, 0]
    assert model.log_odds[0] == pytest.approx(np.log(0.25))
    assert model.log_odds[1] == pytest.approx(-model.log_odds[2], rel=1e-4)
    assert model.log_odds[2] > 20


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("answers", [2, 10, 100])
def test_the_variance_of_rates_is_unbiased(rate: float, answers: int) -> None:
    counts = list(range(answers + 1))
    expected = binom.pmf(counts, answers, rate) @ counted(counts, answers).rates_variance
    assert expected == pytest.approx(rate * (1 - rate) / answers)


def test_a_single_answer_has_the_largest_variance_and_none_has_no_rate() -> None:
    model = Framed(np.array([1.0, 0.0]), np.array([1.0, 0.0]))
    assert model.rates_variance[0] == 0.25
    assert np.isnan(model.rates[1])


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5, 0.9])
def test_log_odds_of_a_hundred_answers_and_their_variance_are_nearly_unbiased(rate: float) -> None:
    counts = list(range(101))
    model, chances = counted(counts, 100), binom.pmf(counts, 100, rate)
    mean = chances @ model.log_odds
    assert mean == pytest.approx(np.log(rate / (1 - rate)), abs=0.003)
    assert chances @ model.log_odds_variance == pytest.approx(chances @ (model.log_odds - mean) ** 2, rel=0.02)


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("answers", [10, 30])
def test_the_variance_of_log_odds_of_few_answers_is_hardly_understated(rate: float, answers: int) -> None:
    counts = list(range(answers + 1))
    model, chances = counted(counts, answers), binom.pmf(counts, answers, rate)
    mean = chances @ model.log_odds
    assert chances @ model.log_odds_variance > 0.99 * (chances @ (model.log_odds - mean) ** 2)


def test_some_contexts_and_trainings_are_selected_and_a_single_training_stands_for_any() -> None:
    grid = np.arange(24.0).reshape(3, 1, 2, 4)
    some = Framed(grid, grid + 1).select(np.array([0, 3]), np.array([2]))
    assert some.cooperate.tolist() == [[[[16, 19], [20, 23]]]]
    assert some.answers is not None
    assert some.answers.tolist() == [[[[17, 20], [21, 24]]]]
    single = Framed(grid[:1]).select(np.array([1]), np.array([2]))
    assert single.cooperate.tolist() == [[[[1], [5]]]]
    assert (single.trainings, single.contexts) == (1, 1)


SCENARIOS = [Scenario("in_sample", game, context) for game in ("a", "b") for context in ("k", "l", "m")]
RATES = np.arange(1, 7) / 10


def evidence(rates: Array = RATES, kind: str = "exact", other: float = 0.5) -> Evidence:
    if kind == "exact":
        return Evidence.from_probabilities(SCENARIOS, (1 - other) * rates, (1 - other) * (1 - rates), 0 * rates + other)
    return Evidence.from_counts(SCENARIOS, 10 * rates, 10 - 10 * rates, 0 * rates + 10)


def test_a_grid_has_a_place_for_every_training_frame_game_and_context() -> None:
    trainings = [[evidence(RATES / divisor) for divisor in (1, 2, 4)], [evidence(RATES / 8)] * 3]
    model = frame_grid(trainings)
    assert model.cooperate.shape == (2, 3, 2, 3)
    assert model.answers is None
    assert model.rates[0, 2].ravel() == pytest.approx(RATES / 4)
    assert model.rates[1, 0].ravel() == pytest.approx(RATES / 8)
    turned = evidence().select(np.arange(6)[::-1])
    assert frame_grid([[turned]]).rates[0, 0, ::-1, ::-1].ravel() == pytest.approx(RATES)


def test_counted_choices_are_shares_of_valid_answers_or_of_all_or_invalid_ones_of_all() -> None:
    counts = [[evidence(np.full(6, 0.3), "counted")]]
    assert np.unique(frame_grid(counts).rates) == pytest.approx([0.3])
    assert np.unique(frame_grid(counts, "all answers").rates) == pytest.approx([0.15])
    invalid = frame_grid(counts, "invalid answers")
    assert np.unique(invalid.rates) == pytest.approx([0.5])
    assert invalid.answers is not None
    assert np.unique(invalid.answers) == [20]


def test_a_scenario_that_is_left_out_is_nan() -> None:
    model = frame_grid([[evidence(RATES, "counted").select(np.array([0, 1, 2, 4, 5]))]])
    assert np.isnan(model.rates[0, 0]).tolist() == [[False] * 3, [True, False, False]]
    assert np.isnan(model.log_odds_variance).sum() == 1


def test_exact_and_counted_choices_of_a_model_are_not_mixed() -> None:
    with pytest.raises(InputError, match="exact and counted choices of one model cannot be put together"):
        frame_grid([[evidence()], [evidence(RATES, "counted")]])
