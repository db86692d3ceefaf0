"""Cooperation rates with their intervals, and tests of the differences between models and between splits."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tomtransfer.measurement.evidence import Comparison, Scenario
from tomtransfer.measurement.intervals import equivalence, holm, newcombe, two_proportion_z_test, wilson
from tomtransfer.measurement.measures import ROUNDING, Array

PAIRS = (("tuned", "teacher"), ("tuned", "base"))


@dataclass(frozen=True)
class Rate:
    """A model's cooperation rate in one scenario with its Wilson interval; exact rates have none, and no answers."""

    scenario: Scenario
    model: str
    rate: float
    low: float | None
    high: float | None
    answers: int | None
    """What the rate is a share of: valid answers or all of them, as the comparison says."""


@dataclass(frozen=True)
class Difference:
    """The difference first - second of two models' cooperation rates in one scenario.

    Interval, z-test and equivalence test exist where both models' answers were counted, and are None otherwise.
    """

    scenario: Scenario
    first: str
    second: str
    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    """Of the two-proportion z-test, adjusted by Holm for the scenarios of the split."""
    equivalence_p_value: float | None
    """Of the two one-sided tests that the difference is within the margin."""
    equivalent: bool | None
    """Whether the difference is shown to be within the margin; None where one side is exact and the other counted."""


@dataclass(frozen=True)
class SplitTest:
    """A two-proportion z-test between a model's cooperation in two splits, over scenarios pooled.

    Pooling takes the answers of a split for draws from one coin. They are not, scenarios differ, so these p-values are
    smaller than they should be; they are here because the literature reports them.
    """

    first: str
    second: str
    game: str | None
    """The game that both sides are pooled over; None for all."""
    first_rate: float
    second_rate: float
    statistic: float
    p_value: float


def rates(comparison: Comparison, confidence: float = 0.95) -> list[Rate]:
    """Return the rate of every scenario and model with Wilson's interval (none where the evidence is exact)."""
    rows = []
    for (model, evidence), shares in zip(comparison.models.items(), comparison.rates, strict=True):
        counted = evidence.kind == "counted"
        answers = comparison.answers(model)
        interval = wilson(evidence.cooperate, answers, confidence) if counted else (shares, shares)
        for scenario, share, low, high, number in zip(comparison.scenarios, shares, *interval, answers, strict=True):
            ends = (float(low), float(high), int(number)) if counted else (None, None, None)
            rows.append(Rate(scenario, model, float(share), *ends))
    return rows


def differences(comparison: Comparison, margin: float, confidence: float = 0.95) -> list[Difference]:
    """Return, per scenario, how the tuned student differs from the teacher and from the base.

    Newcombe's interval, the z-test adjusted by Holm over the scenarios of a split, and whether the rates are equivalent
    within `margin` (a difference in rates) at 1 - confidence. Raises ValueError for a margin outside (0, 1].
    """
    return [row for first, second in PAIRS for row in _differences(comparison, first, second, margin, confidence)]


def split_tests(comparison: Comparison, model: str = "tuned", by_game: bool = False) -> list[SplitTest]:
    """Return z-tests between every two splits of a model's counted answers, pooled over all scenarios or per game.

    Games that only one of the two splits has are left out. Raises ValueError for exact evidence, which has no answers
    to pool.
    """
    evidence = comparison.models[model]
    if evidence.kind == "exact":
        raise ValueError(f"{model}: exact probabilities hold no answers to test")
    answers = comparison.answers(model)
    labels = ("split", "game") if by_game else ("split",)
    pooled = {
        group: (float(evidence.cooperate[members].sum()), float(answers[members].sum()))
        for group, members in comparison.groups(*labels).items()
    }
    tests = []
    for (first, (cooperate, asked)), (second, (other_cooperate, other_asked)) in combinations(pooled.items(), 2):
        if first[0] != second[0] and first[1:] == second[1:]:
            test = two_proportion_z_test(cooperate, asked, other_cooperate, other_asked)
            game = first[1] if by_game else None
            shares = (cooperate / asked, other_cooperate / other_asked)
            tests.append(SplitTest(first[0], second[0], game, *shares, test.statistic, test.p_value))
    return tests


def _differences(
    comparison: Comparison, first: str, second: str, margin: float, confidence: float
) -> Iterator[Difference]:
    shares = dict(zip(comparison.models, comparison.rates, strict=True))
    difference = shares[first] - shares[second]
    kinds = {comparison.models[model].kind for model in (first, second)}
    if kinds != {"counted"}:
        for scenario, value in zip(comparison.scenarios, difference, strict=True):
            equivalent = bool(abs(value) <= margin + ROUNDING) if kinds == {"exact"} else None
            yield Difference(scenario, first, second, float(value), None, None, None, None, equivalent)
        return
    counts = _counts(comparison, first) + _counts(comparison, second)
    low, high = newcombe(*counts, confidence=confidence)
    raw = np.array([two_proportion_z_test(*each).p_value for each in zip(*counts, strict=True)])
    adjusted = np.empty_like(raw)
    for members in comparison.groups("split").values():
        adjusted[members] = holm(raw[members])
    within = equivalence(*counts, margin=margin)
    columns = (values.tolist() for values in (difference, low, high, adjusted, within))
    for scenario, value, bottom, top, p_value, p_within in zip(comparison.scenarios, *columns, strict=True):
        yield Difference(scenario, first, second, value, bottom, top, p_value, p_within, p_within < 1 - confidence)


def _counts(comparison: Comparison, model: str) -> tuple[Array, Array]:
    return comparison.models[model].cooperate, comparison.answers(model)
