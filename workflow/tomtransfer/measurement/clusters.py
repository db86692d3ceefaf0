"""Intervals for scenarios that come in clusters: contexts are drawn, games and frames are fixed, trainings replicated.

Scenarios of one context are alike, so that the context is what another experiment would draw anew (Miller 2024, Adding
error bars to evals, arXiv 2411.00640, section 2.2), and so is the training when it is repeated with other seeds. Both
stand in an interval: the jackknife leaves out one context at a time, then one training at a time; the two variances are
added, as for clusters in two directions (Cameron, Gelbach and Miller 2011, Robust inference with multiway clustering,
JBES 29(2), 238-249; MacKinnon, Nielsen and Webb 2024, Jackknife inference with two-way clustering, arXiv 2406.08880).
What belongs to a context in one training alone is in both and is not taken off again, so that the variance is never
negative. Quantiles are those of Student's t with Satterthwaite's (1946, Biometrics Bulletin 2(6), 110-114) degrees of
freedom. Sampling error of counted answers needs no place of its own: it makes contexts differ.

The method was chosen by its coverage in simulation, docs/coverage.md: of percentile intervals of three to eight
contexts, the bootstrap's cover far less than they say.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t

from tomtransfer.measurement.intervals import Interval
from tomtransfer.measurement.measures import Array, divide

Positions: TypeAlias = NDArray[np.intp]

Clustered: TypeAlias = Callable[[Positions, Positions], Array]
"""From the positions of some contexts and of some trainings to a statistic of them, of any shape."""

Covered: TypeAlias = Literal["contexts and trainings", "contexts", "trainings", "nothing"]

MOST_LEFT_OUT = 100
"""More contexts or trainings than this are left out in as many groups (Kott 2001, The delete-a-group jackknife, Journal
of Official Statistics 17(4), 521-526)."""

MOST_FREEDOM = 3
"""Satterthwaite's degrees of freedom are estimates, and too many where few trainings agree by chance: three times those
of the fewer clusters is the limit. By 20 contexts and 3 trainings it raises coverage by a point."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A statistic with its interval, arrays of one shape; the interval is nan where there is none."""

    value: Array
    interval: Interval
    covers: Covered
    """Whether the interval is for other contexts, other trainings or both; of a single one, it is for that one."""

    def row(self, number: int) -> "Estimate":
        """Return one of the statistics along the first axis."""
        low, high = self.interval
        return Estimate(self.value[number], Interval(low[number], high[number]), self.covers)

    def turned(self, decreasing: Callable[[Array], Array]) -> "Estimate":
        """Return a decreasing function of the statistic, whose interval has the same coverage."""
        low, high = self.interval
        return Estimate(decreasing(self.value), Interval(decreasing(high), decreasing(low)), self.covers)

    def at(self, *place: int, without: str = "") -> "Measured":
        """Return the statistic at a place of the arrays as numbers to print, or none for the reason `without`."""
        value, low, high = (float(each[place]) for each in (self.value, *self.interval))
        if without or not np.isfinite(value):
            return Measured(None, None, None, without or UNDEFINED)
        if not np.isfinite(low) or not np.isfinite(high):
            return Measured(value, None, None, ONE_CLUSTER if self.covers == "nothing" else UNDEFINED_WITHOUT_ONE)
        return Measured(value, low, high)


UNDEFINED = "undefined: there is nothing to take a share of"
ONE_CLUSTER = "no interval: there is one context and one training"
UNDEFINED_WITHOUT_ONE = "no interval: undefined without one of the contexts or trainings"


@dataclass(frozen=True)
class Measured:
    """A number with the ends of its interval, or why there is none."""

    value: float | None
    low: float | None
    high: float | None
    note: str = ""

    @property
    def of_a_whole(self) -> "Measured":
        """The number as a share of which no more than all can be closed: its interval ends there."""
        return self.within(-math.inf, 1.0)

    def within(self, least: float, most: float) -> "Measured":
        """Return the number with an interval that ends at the `least` and `most` that it can be.

        An estimate may lie beyond, where noise was taken off: the interval then ends there, and holds it.
        """
        if self.value is None or self.low is None or self.high is None:
            return self
        return replace(self, low=max(self.low, min(least, self.value)), high=min(self.high, max(most, self.value)))

    @property
    def positive(self) -> bool:
        """Whether the interval excludes zero from above."""
        return self.low is not None and self.low > 0

    @property
    def negative(self) -> bool:
        """Whether the interval excludes zero from below."""
        return self.high is not None and self.high < 0


def estimate(statistic: Clustered, contexts: int, trainings: int, confidence: float = 0.95) -> Estimate:
    """Return a statistic of all contexts and trainings with its two-way jackknife interval.

    `contexts` and `trainings` are how many there are. A statistic that is undefined (nan) without one of them has no
    interval. The statistic should be smooth: a ratio of sums is, a median is not.
    """
    all_contexts, all_trainings = np.arange(contexts), np.arange(trainings)
    value = np.asarray(statistic(all_contexts, all_trainings), dtype=np.float64)
    by_context = [statistic(kept, all_trainings) for kept in _all_but_some(contexts)]
    by_training = [statistic(all_contexts, kept) for kept in _all_but_some(trainings)]
    variances = [_jackknife_variance(value, left_out) for left_out in (by_context, by_training) if left_out]
    covered = " and ".join(
        name for name, left_out in (("contexts", by_context), ("trainings", by_training)) if left_out
    )
    if not variances:
        nowhere = np.full(value.shape, np.nan)
        return Estimate(value, Interval(nowhere, nowhere), "nothing")
    freedom = _satterthwaite(variances, [len(each) - 1 for each in (by_context, by_training) if each])
    half = student_t.ppf((1 + confidence) / 2, freedom) * np.sqrt(np.sum(variances, axis=0))
    return Estimate(value, Interval(value - half, value + half), covered)  # type: ignore[arg-type]


def chosen(values: Array, contexts: Positions, trainings: Positions) -> Array:
    """Return some contexts and trainings of values (..., trainings, contexts); a single training is that of all."""
    of_trainings = values if values.shape[-2] == 1 else values[..., trainings, :]
    return of_trainings[..., contexts]


def _all_but_some(number: int) -> list[Positions]:
    """Return all positions but one or, where there are many, but those of one group; nothing of a single one."""
    groups = min(number, MOST_LEFT_OUT)
    everything = np.arange(number)
    return [everything[everything % groups != group] for group in range(groups)] if number > 1 else []


def _jackknife_variance(value: Array, left_out: Sequence[Array]) -> Array:
    """Return (k - 1) / k times the sum of squared changes: Efron and Tibshirani (1993), An Introduction to the
    Bootstrap, equation 11.5, around the statistic of all, which is a little more than around the mean."""
    number = len(left_out)
    variance: Array = (number - 1) / number * ((np.stack(left_out) - value) ** 2).sum(axis=0)
    return variance


def _satterthwaite(variances: Sequence[Array], freedoms: Sequence[int]) -> Array:
    """Return the degrees of freedom of a sum of variances, at most `MOST_FREEDOM` times the fewest of its parts.

    Where all variances are zero, any will do.
    """
    total = np.sum(variances, axis=0)
    # Of shares and not of variances, whose squares may be nothing where they are small.
    shares = [divide(each, total, np.asarray(total > 0)) for each in variances]
    parts = np.sum([share**2 / freedom for share, freedom in zip(shares, freedoms, strict=True)], axis=0)
    found = np.where(total > 0, divide(np.ones_like(parts), parts, np.asarray(parts > 0)), min(freedoms))
    return found if len(freedoms) == 1 else np.minimum(found, MOST_FREEDOM * min(freedoms))
