"""Of what kind the distance to the teacher is, before and after training: preference, label, order and their interplay.

The log-odds of cooperating in a scenario are, over the four frames of a pair of labels, a preference and effects of
label, order and label by order (`bias.contrasts`). The four are orthogonal, and so are those of a difference between
student and teacher: the sum over frames of its square is four times the sum of the squared parts. The preference is
split once more, over scenarios, into its level (the mean) and its pattern (the deviations from it), which is what a
strategy is: the level is the same whatever the game and the context.

Squares of counted log-odds are too large by their sampling variance, which is taken off: E[d^2] = true d^2 + variance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.stats import chi2

from tomtransfer.measurement.bias import contrasts
from tomtransfer.measurement.clusters import Clustered, Covered, Estimate, Measured, Positions, chosen, estimate
from tomtransfer.measurement.distances import NO_ARMS, SMALLEST_DISTANCE, OtherArm
from tomtransfer.measurement.framed import Framed
from tomtransfer.measurement.measures import ROUNDING, Array, divide

PARTS = ("preference", "level", "pattern", "label", "order", "label x order", "habit", "all")
"""Preference is level and pattern, habit is label, order and label x order, and all is preference and habit."""

SMALLEST_PART = (4 * SMALLEST_DISTANCE) ** 2
"""The smallest squared distance of which a share is taken: that of one percentage point at even odds, where the
log-odds change four times as fast as the rate."""


NO_PART = "student and teacher do not differ in this part"
PART_WITHIN_NOISE = "student and teacher differ in this part no more than counted answers would by chance (p = {:.2g})"
PART_TOO_SMALL = "student and teacher differ in this part by {:z.3f} in log-odds, too little to take a share of"


@dataclass(frozen=True)
class Component:
    """One part of the distance between student and teacher, in squared log-odds per scenario and frame.

    What sampling adds to counted choices is taken off, so that a distance may come out below zero.
    """

    part: str
    in_teacher: float
    """The teacher's own squared log-odds: its distance from a coin, which has neither preferences nor habits."""
    before: float
    after: float
    """The mean over trainings."""
    share_before: float | None
    """Of the distance of all parts; None where that or this part is nothing or within its noise."""
    share_after: float | None
    closed: Measured
    """1 - after / before, a ratio of sums over scenarios."""
    constant: Measured
    """What a student would close that always cooperates at one rate, with the teacher's mean log-odds: a floor that has
    the level and neither pattern nor habits."""
    beyond: Measured
    """What was closed beyond that: above zero only for a student that has the teacher's pattern or habit itself."""
    covers: Covered
    arms: Mapping[str, OtherArm] = field(default_factory=dict)
    """By the name of the arm."""


def components(
    teacher: Framed, base: Framed, tuned: Framed, confidence: float = 0.95, arms: Mapping[str, Framed] = NO_ARMS
) -> tuple[Component, ...]:
    """Return the parts of the distance to the teacher before and after training, in the order of `PARTS`.

    Each model has the axes (trainings, frames, games, contexts), with the frames of a design (`frames.designs`), and
    teacher and base have one training, the students of other `arms` as many as the tuned one. No share is taken of a
    distance that is within its sampling error or nothing to speak of.
    """
    found = component_estimates(teacher, base, tuned, confidence, arms)
    coin = _coin(teacher)
    own, before, after = (squared_distance(each, teacher)(*_everything(tuned)) for each in (coin, base, tuned))
    p_values, p_values_after = _p_values(base, teacher), _p_values(tuned, teacher)
    shares_before, shares_after = _shares(before, p_values, confidence), _shares(after, p_values_after, confidence)
    why_not = [_why_no_share(*each, confidence) for each in zip(before, p_values, strict=True)]
    return tuple(
        Component(
            part=part,
            in_teacher=float(own[row]),
            before=float(before[row]),
            after=float(after[row]),
            share_before=shares_before[row],
            share_after=shares_after[row],
            closed=found["closed"].at(row, without=why_not[row]).of_a_whole,
            constant=found["constant"].at(row, without=why_not[row]),
            beyond=found["beyond"].at(row, without=why_not[row]),
            covers=found["closed"].covers,
            arms={
                arm: OtherArm(
                    found[f"closed {arm}"].at(row, without=why_not[row]).of_a_whole,
                    found[f"beyond {arm}"].at(row, without=why_not[row]),
                )
                for arm in arms
            },
        )
        for row, part in enumerate(PARTS)
    )


def component_estimates(
    teacher: Framed, base: Framed, tuned: Framed, confidence: float = 0.95, arms: Mapping[str, Framed] = NO_ARMS
) -> dict[str, Estimate]:
    """Return what was closed of each part, what a constant closes and what was closed beyond that, each (8, ...).

    Of each other arm as well, before its name: what its students closed, and what was closed beyond that. The interval
    of what was closed is that of the cube root of what remains, which makes a mean of squares nearly normal (Wilson and
    Hilferty 1931, PNAS 17(12), 684-688), brought back.
    """
    statistics = component_statistics(teacher, base, tuned, *arms.values())
    found = estimate(statistics, tuned.contexts, tuned.trainings, confidence)

    def closed(row: int) -> Estimate:
        return found.row(row).turned(lambda root: 1 - root**3)

    estimates = {"closed": closed(0), "constant": found.row(1), "beyond": found.row(2)}
    for number, arm in enumerate(arms):
        estimates |= {f"closed {arm}": closed(3 + 2 * number), f"beyond {arm}": found.row(4 + 2 * number)}
    return estimates


def component_statistics(teacher: Framed, base: Framed, tuned: Framed, *arms: Framed) -> Clustered:
    """Return a function of contexts and trainings that returns what became of each part, (3 + 2 x arms, 8, ...).

    In this order: the cube root of the share of the distance that remains, the share that a constant at the teacher's
    level closes, the share closed by the student beyond it; then for the student of each other arm the cube root of the
    share that it leaves, and the share that the tuned student closed beyond it.
    """
    before, after = squared_distance(base, teacher), squared_distance(tuned, teacher)
    others = [squared_distance(each, teacher) for each in arms]
    even = squared_distance(_coin(teacher), teacher)

    def shares(contexts: Positions, trainings: Positions) -> Array:
        gap, left, constant = (each(contexts, trainings) for each in (before, after, even))
        # A constant at the teacher's level is nowhere off in level, and lacks all else that the teacher has.
        for part in ("preference", "all"):
            constant[PARTS.index(part)] -= constant[PARTS.index("level")]
        constant[PARTS.index("level")] = 0
        remaining, lacking = (divide(each, gap, np.asarray(gap > ROUNDING)) for each in (left, constant))
        by_arms = [divide(each(contexts, trainings), gap, np.asarray(gap > ROUNDING)) for each in others]
        beside = [share for each in by_arms for share in (np.cbrt(each), each - remaining)]
        return np.stack([np.cbrt(remaining), 1 - lacking, lacking - remaining, *beside])

    return shares


def squared_distance(student: Framed, teacher: Framed) -> Clustered:
    """Return a function of contexts and trainings that returns the squared distance by its parts, (8, ...).

    It is the mean over scenarios of the squared parts of student - teacher in log-odds, less their sampling variance,
    and the mean over trainings: of all parts together, the mean over frames and scenarios of the squared difference.
    """
    effects, variance = _effects(student, teacher)
    squares = np.nanmean(effects**2 - variance, axis=-2)
    preference = np.nanmean(effects[0], axis=-2)
    noise = np.nanmean(variance, axis=-2) / np.isfinite(variance).sum(axis=-2)

    def by_part(contexts: Positions, trainings: Positions) -> Array:
        preferred, label, order, both = chosen(squares, contexts, trainings).mean(axis=-1)
        level = chosen(preference, contexts, trainings).mean(axis=-1) ** 2
        level -= chosen(noise, contexts, trainings).mean(axis=-1) / len(contexts)
        habit = label + order + both
        parts = [preferred, level, preferred - level, label, order, both, habit, preferred + habit]
        average: Array = np.stack(parts).mean(axis=-1)
        return average

    return by_part


def _effects(student: Framed, teacher: Framed) -> tuple[Array, Array]:
    """Return the parts of the difference in log-odds, (4, ..., trainings, games, contexts), and their variance.

    A part is a mean over the four frames with signs, so that the variance is the same for all of them.
    """
    effects = contrasts(np.moveaxis(student.log_odds - teacher.log_odds, -3, 0))
    variance = (student.log_odds_variance + teacher.log_odds_variance).sum(axis=-3) / 16
    return effects, variance


def _p_values(student: Framed, teacher: Framed) -> list[float]:
    """Return the p-values, in the order of `PARTS`, of Wald tests that student and teacher differ in a part nowhere.

    Squared parts by their variance add up to chi-squared, and so, split as in Cochran's (1954, Biometrics 10, 101-129)
    test of homogeneity, do their weighted mean and the deviations from it. Of several trainings it is the smallest
    p-value times their number (Bonferroni). Exact choices that differ do so beyond doubt.
    """
    effects, variance = _effects(student, teacher)
    if not np.nan_to_num(variance).any():
        sizes = squared_distance(student, teacher)(*_everything(student))
        return [float(size <= ROUNDING) for size in sizes]
    everywhere = (-2, -1)
    scenarios = int(np.isfinite(variance[0]).sum())
    squares = np.nansum(effects**2 / variance, axis=everywhere)
    level = np.nansum(effects[0] / variance, axis=everywhere) ** 2 / np.nansum(1 / variance, axis=everywhere)
    habit = squares[1:].sum(axis=0)
    tests = [
        (squares[0], scenarios),
        (level, 1),
        (squares[0] - level, scenarios - 1),
        *((each, scenarios) for each in squares[1:]),
        (habit, 3 * scenarios),
        (squares[0] + habit, 4 * scenarios),
    ]
    trainings = len(effects[0])
    return [min(1.0, trainings * float(chi2.sf(each, freedom).min())) if freedom else 1.0 for each, freedom in tests]


def _shares(distances: Array, p_values: Sequence[float], confidence: float) -> list[float | None]:
    """Return each part's share of the distance of all, None where the part or the whole is within its noise."""
    whole = float(distances[-1])
    if _why_no_share(whole, p_values[-1], confidence):
        return [None] * len(PARTS)
    return [
        None if p_value >= 1 - confidence and abs(distance) > ROUNDING else float(distance / whole)
        for distance, p_value in zip(distances, p_values, strict=True)
    ]


def _why_no_share(distance: float, p_value: float, confidence: float) -> str:
    """Return why no share of a squared distance is taken; empty where one is."""
    if p_value >= 1 - confidence:
        return NO_PART if abs(distance) <= ROUNDING else PART_WITHIN_NOISE.format(p_value)
    return PART_TOO_SMALL.format(np.sqrt(max(distance, 0.0))) if distance < SMALLEST_PART else ""


def _coin(model: Framed) -> Framed:
    """Return a model of the same scenarios that cooperates in half of all cases."""
    return Framed(np.full_like(model.cooperate, 0.5))


def _everything(model: Framed) -> tuple[Positions, Positions]:
    return np.arange(model.contexts), np.arange(model.trainings)
