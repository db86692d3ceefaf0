"""The decomposition of choices: it finds what was planted, and nothing else."""

import itertools

import numpy as np
import polars as pl
import pytest
from habits import FRAMES, planted
from scipy import stats

from tomtransfer.measurement.bias import FACTORS, WITHIN, Decomposition, contrasts, decompose, mean_squares
from tomtransfer.scenarios.frames import designs


def decomposed(table: pl.DataFrame) -> Decomposition:
    return decompose([table], "teacher", designs(FRAMES), confidence=0.95)


def sizes(found: Decomposition) -> dict[tuple[str, str], float]:
    return {(each.factor, each.within): each.mean_square for each in found.shares}


@pytest.mark.parametrize("part", list(itertools.product(FACTORS, WITHIN)))
def test_each_planted_part_is_found_where_it_was_planted_and_nowhere_else(part: tuple[str, str]) -> None:
    found = sizes(decomposed(planted({part: 0.7})))
    assert found.pop(part) == pytest.approx(0.49)
    assert list(found.values()) == pytest.approx([0] * 15, abs=1e-12)


def test_shares_are_those_of_the_planted_mean_squares_and_leave_the_level_out() -> None:
    parts = {
        ("preference", "overall"): 2.0,
        ("preference", "game"): 0.3,
        ("label", "overall"): -0.6,
        ("order", "context"): 0.1,
        ("label x order", "game x context"): 0.2,
    }
    found = decomposed(planted(parts))
    shares = {(each.factor, each.within): each.share for each in found.shares}
    whole = 0.09 + 0.36 + 0.01 + 0.04
    assert shares.pop(("preference", "overall")) is None
    assert shares[("label", "overall")] == pytest.approx(0.36 / whole)
    assert shares[("order", "context")] == pytest.approx(0.01 / whole)
    assert sum(share for share in shares.values() if share) == pytest.approx(1)
    effects = {(each.factor, each.game): each.value for each in found.effects}
    assert effects[("preference", None)] == pytest.approx(2)
    assert effects[("preference", "a")] == pytest.approx(2.3)
    assert effects[("preference", "d")] == pytest.approx(1.7)
    assert effects[("label", None)] == pytest.approx(-0.6)
    assert effects[("order", None)] == pytest.approx(0, abs=1e-12)


def test_the_parts_add_up_to_the_variance_of_the_log_odds() -> None:
    log_odds = np.random.default_rng(3).normal(size=(4, 5, 6))
    squares = mean_squares(contrasts(log_odds))
    assert squares.sum() - squares[0, 0] == pytest.approx(log_odds.var())


def test_an_effect_that_is_the_same_in_every_context_is_certain_and_one_that_differs_is_not() -> None:
    effects = decomposed(planted({("label", "overall"): 1.0, ("order", "context"): 1.0})).effects
    label, order = (
        next(each for each in effects if (each.factor, each.game) == (name, None)) for name in ("label", "order")
    )
    assert (label.low, label.high) == (pytest.approx(1), pytest.approx(1))
    assert order.low is not None and order.high is not None
    assert order.low < -0.5
    assert order.high > 0.5


def test_intervals_are_students_over_contexts_with_games_fixed() -> None:
    table = planted({("label", "context"): 0.4, ("label", "game"): 1.0})
    [label] = [each for each in decomposed(table).effects if (each.factor, each.game) == ("label", None)]
    # In contexts k, l and m the label effect is 0.4 times the root of 1.5, 0 and minus that.
    by_context = 0.4 * np.sqrt(1.5) * np.array([1, 0, -1])
    assert (label.low, label.high) == pytest.approx(stats.ttest_1samp(by_context, 0).confidence_interval(0.95))


def test_a_single_context_has_no_interval() -> None:
    found = decomposed(planted({("label", "overall"): 1.0}).filter(context="k"))
    assert {(each.low, each.high) for each in (*found.shares, *found.effects)} == {(None, None)}
    assert sizes(found)[("label", "overall")] == pytest.approx(1)


def test_a_model_that_does_the_same_everywhere_has_no_shares() -> None:
    assert {each.share for each in decomposed(planted({("preference", "overall"): 1.0})).shares} == {None}


def test_certain_choices_have_large_finite_log_odds() -> None:
    found = decomposed(planted({("label", "overall"): 100.0}))
    assert all(np.isfinite(each.value) for each in found.effects)


def test_splits_are_decomposed_apart_and_only_where_every_frame_was_played() -> None:
    complete = planted({("label", "overall"): 1.0})
    lacking = planted({("order", "overall"): 1.0}, split="new_contexts").filter(pl.col("frame") != "both")
    assert {each.split for each in decomposed(pl.concat([complete, lacking])).shares} == {"in_sample"}
