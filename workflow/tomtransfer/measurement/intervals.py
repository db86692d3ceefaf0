"""How sure a number is: intervals for rates and differences, tests, and the bootstrap of answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import (
    confint_proportions_2indep,
    proportion_confint,
    proportions_ztest,
    tost_proportions_2indep,
)

from tomtransfer.measurement.evidence import Comparison, Evidence
from tomtransfer.measurement.measures import Array, divide

Outcomes: TypeAlias = NDArray[np.float64] | NDArray[np.int32]
"""Probabilities or counts of cooperate, defect and other."""

Statistics: TypeAlias = Callable[..., Mapping[str, Array]]
"""From the distributions of teacher, base and tuned, each (3, draws, scenarios), to statistics (draws, ...) by name."""

CELLS_AT_ONCE = 200_000
"""Draws times scenarios held at a time: about 50 MB at work, and small enough to stay near the processor's cache."""

ENOUGH_DEFINED = 0.95
"""The share of draws in which a statistic must be defined for their percentiles to stand for it."""


class Interval(NamedTuple):
    """The ends of a confidence interval, arrays of one shape; nan where there is none."""

    low: Array
    high: Array


class ZTest(NamedTuple):
    """A z-test's statistic and its two-sided p-value."""

    statistic: float
    p_value: float


def wilson(successes: ArrayLike, answers: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return Wilson's score interval for proportions, elementwise.

    Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22; method 3 of Newcombe
    (1998), Statistics in Medicine 17, 857-872.
    """
    low, high = proportion_confint(_floats(successes), _floats(answers), alpha=1 - confidence, method="wilson")
    return Interval(_floats(low), _floats(high))


def newcombe(
    first: ArrayLike, first_answers: ArrayLike, second: ArrayLike, second_answers: ArrayLike, confidence: float = 0.95
) -> Interval:
    """Return Newcombe's hybrid score interval for first - second of independent proportions, elementwise.

    Method 10 of Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in
    Medicine 17, 873-890.
    """
    counts = (_floats(each) for each in (first, first_answers, second, second_answers))
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff", alpha=1 - confidence)
    return Interval(_floats(low), _floats(high))


def two_proportion_z_test(first: float, first_answers: float, second: float, second_answers: float) -> ZTest:
    """Return the pooled two-proportion z-test of first = second, two-sided.

    Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, section 3.1. All or none succeeding on
    both sides is no difference: statistic 0, p-value 1.
    """
    if first + second in (0, first_answers + second_answers):
        return ZTest(0.0, 1.0)
    statistic, p_value = proportions_ztest([first, second], [first_answers, second_answers])
    return ZTest(float(statistic), float(p_value))


def equivalence(
    first: ArrayLike, first_answers: ArrayLike, second: ArrayLike, second_answers: ArrayLike, margin: float
) -> Array:
    """Return the p-values of two one-sided tests that |first - second| is below `margin`, elementwise.

    Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15, with Agresti and Caffo's (2000) variance, which is
    above zero even where all or none cooperate. Raises ValueError unless 0 < margin <= 1.
    """
    if not 0 < margin <= 1:
        raise ValueError(f"the equivalence margin must be above 0 and at most 1 (got {margin:g})")
    counts = [_floats(each) for each in (first, first_answers, second, second_answers)]
    # statsmodels also computes ratios of the proportions, which divide by zero and which nobody reads.
    with np.errstate(divide="ignore", invalid="ignore"):
        result = tost_proportions_2indep(*counts, -margin, margin, method="agresti-caffo", compare="diff")
    return np.maximum(_floats(result.results_larger.pvalue), _floats(result.results_smaller.pvalue))


def holm(p_values: ArrayLike) -> Array:
    """Return p-values adjusted for their number: Holm (1979), Scandinavian Journal of Statistics 6, 65-70."""
    return _floats(multipletests(_floats(p_values), method="holm")[1])


def bootstrap(redrawn: Sequence[Outcomes], statistics: Statistics, confidence: float = 0.95) -> dict[str, Interval]:
    """Return percentile intervals of the statistics over redrawn answers, by name: the scenarios stay as they are.

    `redrawn` is what `redraw` returns, each (3, draws, scenarios), and statistics take all of them; they may keep the
    scenarios as a last axis (Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 6.5, the parametric
    bootstrap). Nan where fewer than 95 % of the draws define a statistic.

    Redrawing adds noise to noise, which distances feel in one direction only: an interval leans towards less agreement,
    and may lie below the value of a student that agrees with the teacher better than two samples of it would.
    """
    _, draws, scenarios = redrawn[0].shape
    at_once = max(1, CELLS_AT_ONCE // scenarios)
    chunks: dict[str, list[Array]] = {}
    for start in range(0, draws, at_once):
        taken = [outcomes[:, start : start + at_once] for outcomes in redrawn]
        for name, values in statistics(*(outcomes / outcomes.sum(axis=0) for outcomes in taken)).items():
            chunks.setdefault(name, []).append(values)
    return {name: percentile_interval(np.concatenate(values), confidence) for name, values in chunks.items()}


def with_both_errors(value: Array, one: Interval, other: Interval) -> Interval:
    """Return the interval of a value with the errors of two intervals of it, as if these were independent."""
    low, high = (
        np.hypot(np.maximum(sign * (value - first), 0), np.maximum(sign * (value - second), 0))
        for sign, first, second in ((1, one.low, other.low), (-1, one.high, other.high))
    )
    return Interval(value - low, value + high)


def redraw(comparison: Comparison, draws: int, seed: int) -> list[Outcomes]:
    """Return every scenario's outcomes redrawn, (3, draws, scenarios): teacher, base, the student after each training.

    Counted answers are redrawn multinomially, exact probabilities not at all. What a scenario's redraws are depends on
    its name, its answers and the seed, not on the scenarios around it.
    """
    students = [comparison.teacher, comparison.base, *(each.tuned for each in comparison.trainings)]
    return [_redraw(evidence, draws, (seed, model)) for model, evidence in enumerate(students)]


def _redraw(evidence: Evidence, draws: int, seed: tuple[int, int]) -> Outcomes:
    if evidence.kind == "exact":
        shape = (3, draws, len(evidence.scenarios))
        return np.broadcast_to(evidence.distribution[:, np.newaxis], shape)
    redrawn = np.empty((3, draws, len(evidence.scenarios)), np.int32)
    for position, scenario in enumerate(evidence.scenarios):
        generator = np.random.default_rng([*seed, crc32(str(scenario).encode())])
        answers, shares = int(evidence.answers[position]), evidence.distribution[:, position]
        redrawn[:, :, position] = generator.multinomial(answers, shares, size=draws).T
    return redrawn


def split_in_half(teacher: Evidence, draws: int, seed: int) -> tuple[Array, Array]:
    """Return the teacher's answers dealt into two halves at random: two distributions of shape (3, draws, scenarios).

    The halves are drawn without replacement (hypergeometrically), as split-half reliability is (Spearman 1910, Brown
    1910). Each has half the answers, so they differ somewhat more than two full sets would: the ceiling they give is
    the lower bound of the noise ceiling (Nili et al. 2014, PLoS Computational Biology 10(4)). Exact probabilities have
    no noise, and both halves are the teacher. Nan where a half is empty.
    """
    if teacher.kind == "exact":
        whole = np.repeat(teacher.distribution[:, np.newaxis], draws, axis=1)
        return whole, whole
    generator = np.random.default_rng(seed)
    cooperate, defect, other = (
        np.tile(counts.astype(np.int64), (draws, 1)) for counts in (teacher.cooperate, teacher.defect, teacher.other)
    )
    size = (cooperate + defect + other) // 2
    first_cooperate = generator.hypergeometric(cooperate, defect + other, size)
    first_defect = generator.hypergeometric(defect, other, size - first_cooperate)
    first = np.stack([first_cooperate, first_defect, size - first_cooperate - first_defect])
    second = np.stack([cooperate, defect, other]) - first
    return _shares(first), _shares(second)


def percentile_interval(values: Array, confidence: float) -> Interval:
    """Return the percentiles over the first axis (draws), undefined draws left out: (draws, ...) -> (...).

    Percentiles interpolate linearly. Nan where fewer than 95 % of the draws are defined.
    """
    # Sorting puts nan last, so that the defined draws of every column come first.
    ordered = np.sort(values, axis=0)
    defined = np.isfinite(ordered).sum(axis=0)
    enough = defined >= ENOUGH_DEFINED * len(ordered)

    def percentile(share: float) -> Array:
        position = share * np.maximum(defined - 1, 0)
        below = np.floor(position).astype(np.intp)
        above = np.minimum(below + 1, np.maximum(defined - 1, 0))
        low, high = (np.take_along_axis(ordered, index[np.newaxis], axis=0)[0] for index in (below, above))
        return np.where(enough, low + (position - below) * (high - low), np.nan)

    return Interval(percentile((1 - confidence) / 2), percentile((1 + confidence) / 2))


def _shares(counts: NDArray[np.int64]) -> Array:
    answers = counts.sum(axis=0)
    return divide(_floats(counts), _floats(answers), np.broadcast_to(answers > 0, counts.shape))


def _floats(values: ArrayLike) -> Array:
    return np.asarray(values, dtype=np.float64)
