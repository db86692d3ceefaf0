"""Scores at every level: what stands beside a number, and when there is none."""

import numpy as np
import pytest

from project import processor_seconds
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario
from tomtransfer.measurement.measures import Array
from tomtransfer.measurement.scoring import COLUMNS, Score, score

GAMES = ("prisoners_dilemma", "snowdrift", "stag_hunt", "prisoners_delight")
CONTEXTS = ("business", "team", "environment", "friend_sharing", "international_relations")
SCENARIOS = [Scenario("in_sample", game, context) for game in GAMES for context in CONTEXTS]
TEACHER = np.linspace(0.05, 0.95, 20).round(2)
BASE = TEACHER[::-1].copy()


def exact(rates: Array, scenarios: list[Scenario] = SCENARIOS) -> Evidence:
    return Evidence.from_probabilities(scenarios, rates, 1 - rates, np.zeros_like(rates))


def counted(rates: Array, scenarios: list[Scenario] = SCENARIOS, answers: int = 300) -> Evidence:
    cooperate = np.round(rates * answers)
    return Evidence.from_counts(scenarios, cooperate, answers - cooperate)


def row(scores: list[Score], measure: str, level: str = "split") -> Score:
    return next(each for each in scores if (each.measure, each.level) == (measure, level))


def test_every_level_and_group_is_there_once() -> None:
    scores = score(Comparison(counted(TEACHER), counted(BASE), counted((TEACHER + BASE) / 2)), draws=50)
    keys = [(each.level, each.split, each.game, each.context, each.measure) for each in scores]
    assert len(keys) == len(set(keys))
    numbers = {
        level: len({key[:4] for key in keys if key[0] == level}) for level in ("split", "game", "context", "scenario")
    }
    assert numbers == {"split": 1, "game": 4, "context": 5, "scenario": 20}
    assert {each.scenarios for each in scores if each.level == "game"} == {5}


def test_levels_can_be_scored_alone() -> None:
    comparison = Comparison(counted(TEACHER), counted(BASE), counted((TEACHER + BASE) / 2))
    everything = score(comparison, draws=50)
    assert score(comparison, draws=50, levels=["game"]) == [each for each in everything if each.level == "game"]


def test_exact_probabilities_and_counts_of_the_same_rates_score_the_same() -> None:
    tuned = (TEACHER + BASE) / 2
    one = score(Comparison(exact(TEACHER), exact(BASE), exact(tuned)), draws=50)
    other = score(Comparison(counted(TEACHER), counted(BASE), counted(tuned)), draws=50)
    for first, second in zip(one, other, strict=True):
        if second.note.startswith("undefined: base and teacher differ no more than their counted answers would"):
            continue
        for column in set(COLUMNS) - {"low", "high", "ceiling"}:
            assert getattr(first, column) == pytest.approx(getattr(second, column), abs=1e-9), (first.measure, column)


def test_what_stands_beside_a_gap_closed() -> None:
    tuned = 0.75 * TEACHER + 0.25 * BASE
    comparison = Comparison(exact(TEACHER), exact(BASE), exact(tuned))
    gap = row(score(comparison, draws=200), "gap_closed")
    assert (gap.value, gap.base, gap.ceiling) == (pytest.approx(0.75), 0, 1)
    # Every constant rate from median to median is half way between these two, which mirror each other.
    assert gap.best_constant == pytest.approx(gap.own_mean) == pytest.approx(gap.fair_coin) == pytest.approx(0.5)
    assert (gap.low, gap.high, gap.note) == (pytest.approx(0.75), pytest.approx(0.75), "")


def test_sampling_the_teacher_lowers_the_ceiling() -> None:
    def ceiling(answers: int) -> float:
        models = (counted(rates, answers=answers) for rates in (TEACHER, BASE, TEACHER))
        value = row(score(Comparison(*models), draws=10), "gap_closed").ceiling
        assert value is not None
        return value

    assert ceiling(20) < ceiling(300) < ceiling(30_000) < 1
    assert ceiling(30_000) > 0.98


def test_floors_are_policies_of_the_split_at_every_level() -> None:
    tuned = (TEACHER + BASE) / 2
    scores = score(Comparison(exact(TEACHER), exact(BASE), exact(tuned)), draws=10)
    first = row(scores, "root_mean_square_error", "scenario")
    assert first.best_constant == pytest.approx(abs(np.median(TEACHER) - TEACHER[0]))
    assert first.own_mean == pytest.approx(abs(tuned.mean() - TEACHER[0]))
    assert first.fair_coin == pytest.approx(abs(0.5 - TEACHER[0]))


@pytest.mark.filterwarnings("error")
def test_base_equal_to_teacher_everywhere_is_said_and_not_divided_by() -> None:
    for kind in (exact, counted):
        scores = score(Comparison(kind(TEACHER), kind(TEACHER), kind(BASE)), draws=50)
        for measure in ("gap_closed", "improvement", "bridging", "advantage"):
            found = row(scores, measure)
            assert all(getattr(found, column) is None for column in COLUMNS)
            assert found.note == "undefined: base equals teacher in every scenario: there is no gap to close"
        assert row(scores, "total_variation").value is not None


def test_scenarios_that_a_mean_of_ratios_leaves_out_are_listed() -> None:
    base = BASE.copy()
    base[:2] = TEACHER[:2]
    scores = score(Comparison(counted(TEACHER), counted(base), counted(TEACHER)), draws=50)
    left_out = ("in_sample/prisoners_dilemma/business", "in_sample/prisoners_dilemma/team")
    assert row(scores, "improvement").left_out == row(scores, "bridging").left_out == left_out
    assert row(scores, "gap_closed").left_out == row(scores, "pearson").left_out == ()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", [exact, counted])
def test_a_single_scenario_has_a_value_and_no_interval(kind: type) -> None:
    models = (kind(np.array([rate]), SCENARIOS[:1]) for rate in (0.8, 0.4, 0.7))
    scores = score(Comparison(*models), draws=50)
    gap = row(scores, "gap_closed")
    assert (gap.value, gap.low, gap.high) == (pytest.approx(0.75), None, None)
    assert gap.note == "no interval: a single context, with no others to compare it with"
    assert row(scores, "pearson").value is None
    assert row(scores, "pearson").note.startswith("undefined: it takes two scenarios")


def test_the_interval_of_one_scenario_is_that_of_its_answers() -> None:
    counts = score(Comparison(counted(TEACHER), counted(BASE), counted((TEACHER + BASE) / 2)), draws=200)
    gap = row(counts, "gap_closed", "scenario")
    assert gap.low is not None
    assert gap.value is not None
    assert gap.high is not None
    assert gap.low < gap.value < gap.high
    exactly = score(Comparison(exact(TEACHER), exact(BASE), exact((TEACHER + BASE) / 2)), draws=200)
    assert (
        row(exactly, "gap_closed", "scenario").note
        == "no interval: the probabilities are exact, without sampling error"
    )


def test_a_groups_numbers_depend_on_neither_threads_nor_other_splits() -> None:
    models = [counted(rates) for rates in (TEACHER, BASE, (TEACHER + BASE) / 2)]
    alone = score(Comparison(*models), draws=100, seed=3)
    assert alone == score(Comparison(*models), draws=100, seed=3, threads=2)
    renamed = [scenario._replace(split="new_contexts") for scenario in SCENARIOS]
    more = [
        Evidence.from_counts(SCENARIOS + renamed, np.tile(each.cooperate, 2), np.tile(each.defect, 2))
        for each in models
    ]
    together = score(Comparison(*more), draws=100, seed=3)
    groups = [each for each in together if each.split == "in_sample" and each.level != "scenario"]
    assert groups == [each for each in alone if each.level != "scenario"]


def test_a_thousand_scenarios_are_scored_in_under_ten_seconds() -> None:
    generator = np.random.default_rng(0)
    scenarios = [
        Scenario("in_sample", f"game{game}", f"context{context}") for game in range(20) for context in range(50)
    ]
    models = [
        Evidence.from_counts(scenarios, *generator.multinomial(300, shares).T)
        for shares in generator.dirichlet([1, 1, 0.3], (3, 1_000))
    ]
    started = processor_seconds()
    scores = score(Comparison(*models), draws=2_000, threads=2)
    assert processor_seconds() - started < 10
    assert len({each.measure for each in scores}) == 11
