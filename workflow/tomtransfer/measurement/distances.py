"""How far a student is from its teacher in cooperation rates, scenario by scenario and frame by frame, and its floors.

A distance is the mean over scenarios and frames of |student - teacher|. The distance of frame averages, in which rates
are averaged over frames first, is smaller: errors cancel in it, so that 1.0 in one frame and 0.0 in its mirror would be
a perfect 0.5. It is computed beside the other and never in its place.

Counted rates are further apart than the rates that they estimate, most of all where these are equal. What sampling adds
is estimated by adding it once more and taken off.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf
from scipy.stats import chi2

from tomtransfer.measurement.clusters import Clustered, Covered, Measured, Positions, chosen, estimate
from tomtransfer.measurement.framed import Framed
from tomtransfer.measurement.measures import NO_GAP, ROUNDING, Array, divide

SMALLEST_DISTANCE = 0.01
"""The smallest distance between base and teacher, in rates, of which a share is taken."""

WITHIN_NOISE = "base and teacher differ no more than their counted answers would by chance (p = {:.2g})"
TOO_SMALL = "base and teacher differ by {:z.2f} percentage points on average, too little to take a share of"

FLOORS = ("best_constant", "own_mean", "fair_coin")
"""Policies that ignore scenario and frame: the teacher's median, the tuned student's mean, one half."""


@dataclass(frozen=True)
class OtherArm:
    """What the students of another arm closed, and what the tuned student closed beyond them, of one distance."""

    closed: Measured
    beyond: Measured


NO_ARMS: Mapping[str, Framed] = MappingProxyType({})


@dataclass(frozen=True)
class Gap:
    """How far base and tuned student are from the teacher, and what share of the distance training closed.

    Distances are in cooperation rates, from 0 to 1.
    """

    before: float
    after: float
    """The mean over trainings."""
    closed: Measured
    """1 - after / before."""
    closed_with_noise: float | None
    """The same with the noise of counted answers left in; None where all is known exactly or there is no gap."""
    floors: Mapping[str, Measured]
    """What each policy that ignores the scenario would close."""
    beyond: Mapping[str, Measured]
    """What the student closed beyond each of them."""
    closed_of_frame_averages: Measured
    """The share of the distance of frame averages that was closed, in which errors of mirrored frames cancel."""
    covers: Covered
    no_gap: str
    """Why there is no gap to close; empty where there is one."""
    arms: Mapping[str, OtherArm] = field(default_factory=dict)
    """By the name of the arm."""


def distances(first: Framed, second: Framed, of_frame_averages: bool = False) -> Array:
    """Return the mean |first - second| over frames and games, shape (..., trainings, contexts).

    What sampling adds to the distance of counted rates is taken off. Scenarios that are left out (nan) do not count.
    """
    difference, variance = first.rates - second.rates, first.rates_variance + second.rates_variance
    if of_frame_averages:
        frames = difference.shape[-3]
        difference = difference.mean(axis=-3, keepdims=True)
        variance = variance.sum(axis=-3, keepdims=True) / frames**2
    average: Array = np.nanmean(noiseless_distance(difference, variance), axis=(-3, -2))
    return average


def noiseless_distance(difference: Array, variance: Array) -> Array:
    """Return |difference| less what sampling error of that variance adds to it: 2 |d| - E|d + error|, elementwise.

    The bootstrap's correction of bias (Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 10.4) with
    a normal error, for which E|d + error| is the mean of the folded normal (Leone, Nelson and Nottingham 1961,
    Technometrics 3(4), 543-550). No estimator of a distance near zero is unbiased (Cai and Low 2011, Annals of
    Statistics 39(2), 1012-1041). This one is on average over distances that are spread evenly about zero, since both
    errors then add the variance; where all true distances are zero, it keeps 58 % of the bias. A single one may be
    negative.
    """
    if not np.nan_to_num(variance).any():
        return np.abs(difference)
    distance, error = np.broadcast_arrays(np.abs(difference), np.sqrt(variance))
    # Beyond 40 standard errors noise adds nothing, and squares might overflow.
    steps = np.minimum(divide(distance, error, error > 0), 40)
    folded = error * np.sqrt(2 / np.pi) * np.exp(-(steps**2) / 2) + distance * erf(steps / np.sqrt(2))
    return np.where(error > 0, 2 * distance - folded, distance)


def gap(
    teacher: Framed, base: Framed, tuned: Framed, confidence: float = 0.95, arms: Mapping[str, Framed] = NO_ARMS
) -> Gap:
    """Return the gap between base and teacher over a split and what training closed of it, with intervals.

    Each model has the axes (trainings, frames, games, contexts), of which teacher and base have one training, and the
    students of other `arms` as many as the tuned one, from the same seeds. What is left out in one model is so in all.
    """
    statistics = gap_statistics(teacher, base, tuned, *arms.values())
    found = estimate(statistics, tuned.contexts, tuned.trainings, confidence)
    without = why_no_gap(teacher, base)
    closed, *rest = (found.at(row, without=without) for row in range(len(found.value)))
    floors, beyond, others = (rest[: len(FLOORS)], rest[len(FLOORS) : 2 * len(FLOORS)], rest[2 * len(FLOORS) + 1 :])
    return Gap(
        before=float(distances(base, teacher).mean()),
        after=float(distances(tuned, teacher).mean()),
        closed=closed.of_a_whole,
        closed_with_noise=None if without else _closed_with_noise(teacher, base, tuned),
        floors=dict(zip(FLOORS, floors, strict=True)),
        beyond=dict(zip(FLOORS, beyond, strict=True)),
        closed_of_frame_averages=rest[2 * len(FLOORS)].of_a_whole,
        covers=found.covers,
        no_gap=without,
        arms={
            arm: OtherArm(own.of_a_whole, beside)
            for arm, own, beside in zip(arms, others[::2], others[1::2], strict=True)
        },
    )


def _closed_with_noise(teacher: Framed, base: Framed, tuned: Framed) -> float | None:
    models = (teacher, base, tuned)
    if all(each.answers is None for each in models):
        return None
    known, before, after = (Framed(each.rates) for each in models)
    return float(1 - distances(after, known).mean() / distances(before, known).mean())


def gap_statistics(teacher: Framed, base: Framed, tuned: Framed, *arms: Framed) -> Clustered:
    """Return a function of contexts and trainings that returns what was closed, (8 + 2 x arms, ...).

    In this order: the share closed by the student, by each of the floors, by the student beyond each of them, and the
    share closed of the distance of frame averages; then for the student of each other arm the share that it closed, and
    that which the tuned student closed beyond it.
    """
    before, after = distances(base, teacher), distances(tuned, teacher)
    others = [distances(each, teacher) for each in arms]
    averaged = [distances(each, teacher, of_frame_averages=True) for each in (base, tuned)]

    def shares_closed(contexts: Positions, trainings: Positions) -> Array:
        def mean(values: Array) -> Array:
            average: Array = chosen(values, contexts, trainings).mean(axis=(-2, -1))
            return average

        known, own = teacher.select(contexts, trainings), tuned.select(contexts, trainings)
        floors = [_share_closed(mean(before), _distance_of_constant(known, each)) for each in _constants(known, own)]
        closed = _share_closed(mean(before), mean(after))
        by_arms = [_share_closed(mean(before), mean(each)) for each in others]
        shares = [closed, *floors, *(closed - floor for floor in floors)]
        shares.append(_share_closed(*(mean(each) for each in averaged)))
        return np.stack([*shares, *(share for each in by_arms for share in (each, closed - each))])

    return shares_closed


def why_no_gap(teacher: Framed, base: Framed, confidence: float = 0.95) -> str:
    """Return why no share of the gap between base and teacher can be taken; empty where one can.

    There is no gap where they are equal, where counted answers do not tell them apart at `confidence`, and where they
    differ by less than one percentage point on average.
    """
    if np.nanmax(np.abs(base.rates - teacher.rates)) <= ROUNDING:
        return NO_GAP
    p_value = equality_p_value(teacher, base)
    if p_value >= 1 - confidence:
        return WITHIN_NOISE.format(p_value)
    distance = float(distances(base, teacher).mean())
    return TOO_SMALL.format(100 * distance) if distance < SMALLEST_DISTANCE else ""


def equality_p_value(first: Framed, second: Framed) -> float:
    """Return the p-value of Pearson's chi-squared test that rates are equal in every scenario and frame.

    Squared z-statistics of two proportions, or of one against a known rate, are added up over scenarios and frames
    (Fleiss, Levin and Paik 2003, Statistical Methods for Rates and Proportions, section 3.1): 0 for exact rates that
    differ anywhere.
    """
    squares = _squared_z(first, second)
    return float(chi2.sf(squares.sum(), np.isfinite(first.rates - second.rates).sum()))


def within_noise(first: Framed, second: Framed, confidence: float = 0.95) -> NDArray[np.bool_]:
    """Return where two models' rates are not told apart at `confidence`, elementwise, by the test of one scenario."""
    return np.asarray(chi2.sf(_squared_z(first, second), 1) >= 1 - confidence)


def _squared_z(first: Framed, second: Framed) -> Array:
    """Return squared z-statistics of first = second, 0 where both are the same or left out."""
    difference, pooled = first.rates - second.rates, _pooled_rates(first, second)
    one_over_answers = sum(0 if each.answers is None else 1 / each.answers for each in (first, second))
    variance = pooled * (1 - pooled) * one_over_answers
    beyond_doubt = (variance <= 0) & (np.abs(difference) > ROUNDING)
    return np.where(beyond_doubt, np.inf, np.nan_to_num(divide(difference**2, variance, variance > 0)))


def _pooled_rates(first: Framed, second: Framed) -> Array:
    """Return the rates under which two models are tested for equality: the known ones, else those of all answers."""
    if first.answers is not None and second.answers is not None:
        return (first.cooperate + second.cooperate) / (first.answers + second.answers)
    return first.rates if first.answers is None else second.rates


def _constants(teacher: Framed, tuned: Framed) -> tuple[Array, Array, Array]:
    """Return the rates of the floors, each with axes (..., trainings, 1, 1, 1), in the order of `FLOORS`."""
    everywhere = (-4, -3, -2, -1)
    best = np.nanmedian(teacher.rates, axis=everywhere, keepdims=True)
    return best, np.nanmean(tuned.rates, axis=everywhere[1:], keepdims=True), np.full_like(best, 0.5)


def _distance_of_constant(teacher: Framed, rate: Array) -> Array:
    """Return how far a policy that always cooperates at one rate (..., trainings, 1, 1, 1) is from the teacher."""
    by_context = np.nanmean(noiseless_distance(rate - teacher.rates, teacher.rates_variance), axis=(-3, -2))
    distance: Array = by_context.mean(axis=(-2, -1))
    return distance


def _share_closed(before: Array, after: Array) -> Array:
    return 1 - divide(after, before, np.asarray(before > ROUNDING))
