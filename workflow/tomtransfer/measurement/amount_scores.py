"""How near the tuned student is to the teacher where the choice is an amount: means, gap closed, distance, interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy.stats import wasserstein_distance

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.clusters import Positions, estimate
from tomtransfer.measurement.evidence import ROLES
from tomtransfer.measurement.intervals import Interval, percentile_interval, with_both_errors
from tomtransfer.measurement.measures import Array, divide, gap_closed, improvement
from tomtransfer.respondents.counting import ANSWER_KINDS, parse_amounts

RATIOS = frozenset({"gap_closed", "improvement"})
"""Measures that are shares of the gap between teacher and base."""

OF_TUNED = ("mean_tuned", "gap_closed", "improvement", "wasserstein_tuned")
"""Measures of the tuned student, which another training would change."""

AMOUNT_DISTANCES = frozenset({"wasserstein_base", "wasserstein_tuned"})
"""Measures of whole distributions."""

FEWEST_VALID = 0.5
"""The share of answers that must be amounts for a share of the gap to be given."""

SMALLEST_GAP = 0.01
"""The smallest gap of which a share is taken, as a share of the most that may be given."""


@dataclass(frozen=True)
class AmountChoice:
    """What a model gives in one scenario: its mass or its answers per amount, from 0 up, and on anything else."""

    split: str
    game: str
    context: str
    model: str
    evidence: Literal["exact", "counted", "mean"]
    """A mean is all that is recorded: its amounts have that mean, and say nothing else."""
    amounts: tuple[float, ...]
    other: float
    kinds: Mapping[str, int]
    """How many drawn answers were of each kind; empty where the evidence is exact."""

    @property
    def distribution(self) -> Array:
        """The share of each amount among the valid answers, shape (amounts,); nan where none is valid."""
        amounts = np.array(self.amounts, dtype=np.float64)
        total = np.full_like(amounts, amounts.sum())
        return divide(amounts, total, total > 0)

    @property
    def mean(self) -> float:
        """The mean amount among the valid answers; nan where none is valid."""
        return float(self.distribution @ np.arange(len(self.amounts)))

    @property
    def bounds(self) -> tuple[float, float]:
        """The mean of all answers if everything else were nothing, and if it were the most that may be given."""
        total, most = sum(self.amounts) + self.other, len(self.amounts) - 1
        given = float(np.array(self.amounts) @ np.arange(len(self.amounts)))
        return given / total, (given + self.other * most) / total


@dataclass(frozen=True)
class AmountMeasure:
    """A measure over scenarios with its interval, which there is for drawn answers only."""

    measure: str
    evidence: str
    value: float | None
    low: float | None
    high: float | None
    note: str
    spread: float | None = None
    """The standard deviation over trainings; None of a single one."""
    by_training: tuple[float, ...] = ()
    """What it is after each training, where it hangs on the training."""


def exact_amounts(model: str, readings: pl.DataFrame) -> list[AmountChoice]:
    """Return a model's exact choices, or recorded means, from its table of readings, a row per scenario."""
    return [
        AmountChoice(*_place(row), model, row.get("evidence", "exact"), tuple(row["probabilities"]), row["other"], {})
        for row in readings.iter_rows(named=True)
    ]


def counted_amounts(model: str, answers: pl.DataFrame, unit: str) -> list[AmountChoice]:
    """Return a model's drawn answers, read and counted, a row per scenario."""
    rows = []
    for _, group in parse_amounts(answers, unit).group_by(["split", "game", "context"], maintain_order=True):
        first = group.row(0, named=True)
        counts = [int((group["label"] == amount).sum()) for amount in first["options"]]
        kinds = {kind: int((group["kind"] == kind).sum()) for kind in ANSWER_KINDS}
        rows.append(
            AmountChoice(*_place(first), model, "counted", tuple(map(float, counts)), len(group) - sum(counts), kinds)
        )
    return rows


def score_amounts(
    choices: Mapping[str, Sequence[AmountChoice]], draws: int, seed: int, confidence: float
) -> list[AmountMeasure]:
    """Return the measures of teacher, base and tuned student over the same scenarios in the same order.

    `choices` are of teacher and base, and after them of the tuned student after each training, by what it is called;
    measures are means over trainings. Gap closed and improvement are those of cooperation rates, of mean amounts
    instead. The Wasserstein-1 distance is what would have to be moved how far to make one distribution the other, in
    units, averaged over scenarios (Villani 2009, Optimal Transport, chapter 6); there is none to a teacher of whom a
    mean is all that is known. Intervals are percentiles of a multinomial bootstrap of drawn answers, and for other
    trainings (`clusters`) where there are several; exact probabilities have no sampling error.
    """
    _refuse_unpaired(choices)
    teacher, base, *tuned = (np.stack([each.distribution for each in model])[np.newaxis] for model in choices.values())
    after = [_measures(teacher, base, each) for each in tuned]
    values = _mean(after)
    intervals = _sampling(choices, draws, seed, confidence)
    no_gap = why_no_share(choices, intervals.pop("gap", None))
    counted = bool(intervals)
    for name in OF_TUNED if len(tuned) > 1 else ():
        trained = _over_trainings(np.array([float(each[name][0]) for each in after]), confidence)
        intervals[name] = (
            with_both_errors(values[name][0], intervals.get(name, trained), trained) if counted else trained
        )
    del values["gap"]
    note = "" if counted or len(tuned) > 1 else "no interval: the probabilities are exact, without sampling error"
    no_distance = ""
    if means := [model for model in choices if any(each.evidence == "mean" for each in choices[model])]:
        no_distance = f"of the {' and the '.join(means)}, means are all that is known"
        note = f"{no_distance}, whose sampling error is in no interval"
    undefined = {**dict.fromkeys(RATIOS, no_gap), **dict.fromkeys(AMOUNT_DISTANCES, no_distance)}
    return [
        _row(name, "counted" if counted else "exact", value, intervals.get(name), note, undefined.get(name, ""), after)
        for name, value in ((name, float(value[0])) for name, value in values.items())
    ]


def _sampling(
    choices: Mapping[str, Sequence[AmountChoice]], draws: int, seed: int, confidence: float
) -> dict[str, Interval]:
    """Return intervals for counted answers drawn anew; none where all is known exactly."""
    if not any(each.evidence == "counted" for model in choices.values() for each in model):
        return {}
    teacher, base, *tuned = (_redraw(model, draws, seed + number) for number, model in enumerate(choices.values()))
    drawn = _mean([_measures(teacher, base, each) for each in tuned])
    return {name: percentile_interval(values, confidence) for name, values in drawn.items()}


def _over_trainings(after: Array, confidence: float) -> Interval:
    """Return the interval of the mean over trainings of a measure."""

    def mean(_: Positions, trainings: Positions) -> Array:
        return np.asarray(after[trainings].mean())

    return estimate(mean, 1, len(after), confidence).interval


def why_no_share(choices: Mapping[str, Sequence[AmountChoice]], interval: Interval | None) -> str:
    """Return why no share of the gap in mean amounts is taken; empty where one can be.

    There is none where most of what teacher or base answered is no amount, where the `interval` of the mean gap between
    counted answers has zero in it, and where the gap is less than one hundredth of what may be given.
    """
    for role in ("teacher", "base"):
        valid = sum(sum(each.amounts) for each in choices[role])
        everything = valid + sum(each.other for each in choices[role])
        share = valid / everything if everything else 0.0
        if 0 < share < FEWEST_VALID:
            return f"of the {role}'s answers {100 * share:z.0f} % are amounts, too few to take a share of its mean"
    if interval and interval.low <= 0 <= interval.high:
        return "teacher and base differ no more than their counted answers would by chance"
    gaps = [abs(base.mean - teacher.mean) for teacher, base in zip(choices["teacher"], choices["base"], strict=True)]
    most = len(choices["teacher"][0].amounts) - 1
    if 0 < np.mean(gaps) < SMALLEST_GAP * most:
        return f"teacher and base differ by {np.mean(gaps):z.2f} of {most} on average, too little to take a share of"
    return ""


def _refuse_unpaired(choices: Mapping[str, Sequence[AmountChoice]]) -> None:
    """Raise InputError naming the scenarios that the models do not share, in one order and with the same amounts."""
    first = [(each.split, each.game, each.context, len(each.amounts)) for each in choices["teacher"]]
    for role, of_role in choices.items():
        own = [(each.split, each.game, each.context, len(each.amounts)) for each in of_role]
        if own != first:
            lacking = (
                [place for place in first if place not in own] or [place for place in own if place not in first] or own
            )
            raise InputError(
                f"{role}: not the scenarios of the teacher: {', '.join('/'.join(place[:3]) for place in lacking)}"
            )


def _row(
    name: str,
    evidence: str,
    value: float,
    interval: Interval | None,
    note: str,
    no_gap: str,
    after: Sequence[Mapping[str, Array]],
) -> AmountMeasure:
    if no_gap:
        return AmountMeasure(name, evidence, None, None, None, f"undefined: {no_gap}")
    if not np.isfinite(value):
        return AmountMeasure(
            name, evidence, None, None, None, "undefined: base equals teacher, or a model gave no valid amount"
        )
    known = interval is not None and bool(np.isfinite(interval).all())
    low, high = (float(interval.low), float(interval.high)) if interval is not None and known else (None, None)
    by_training = tuple(float(each[name][0]) for each in after)
    spread = float(np.std(by_training, ddof=1)) if len(after) > 1 and name in OF_TUNED else None
    return AmountMeasure(name, evidence, value, low, high, note, spread, by_training if name in OF_TUNED else ())


def _mean(measured: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Return the means of measures by name."""
    return {name: np.mean([each[name] for each in measured], axis=0) for name in measured[0]}


def _measures(teacher: Array, base: Array, tuned: Array) -> dict[str, Array]:
    """Return the measures of distributions (draws, scenarios, amounts), each of shape (draws,)."""
    amounts = np.arange(teacher.shape[-1])
    means = [model @ amounts for model in (teacher, base, tuned)]
    return {
        "gap": (means[0] - means[1]).mean(axis=-1),
        **{f"mean_{name}": mean.mean(axis=-1) for name, mean in zip(ROLES, means, strict=True)},
        "gap_closed": gap_closed(*means),
        "improvement": improvement(*means),
        "wasserstein_base": _distance(base, teacher, amounts),
        "wasserstein_tuned": _distance(tuned, teacher, amounts),
    }


def _distance(first: Array, second: Array, amounts: Any) -> Array:
    distances = np.full(first.shape[:-1], np.nan)
    for place in np.ndindex(distances.shape):
        if np.isfinite(first[place]).all() and np.isfinite(second[place]).all():
            distances[place] = wasserstein_distance(amounts, amounts, first[place], second[place])
    return np.asarray(distances.mean(axis=-1))


def _redraw(choices: Sequence[AmountChoice], draws: int, seed: int) -> Array:
    """Return redraws of each scenario's valid answers, (draws, scenarios, amounts); exact ones stay as they are."""
    generator = np.random.default_rng(seed)
    columns = []
    for each in choices:
        if each.evidence != "counted":
            columns.append(np.tile(each.distribution, (draws, 1)))
        else:
            valid = int(sum(each.amounts))
            shares = each.distribution if valid else np.full(len(each.amounts), 1 / len(each.amounts))
            counts = generator.multinomial(valid, shares, size=draws).astype(np.float64)
            columns.append(divide(counts, np.full_like(counts, valid), np.full(counts.shape, valid > 0)))
    return np.stack(columns, axis=1)


def _place(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["split"], row["game"], row["context"]
