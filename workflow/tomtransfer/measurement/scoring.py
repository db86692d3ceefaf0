"""The alignment of a comparison at every level: each measure with its interval, its floors and its ceiling."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomtransfer.measurement.evidence import Comparison, Scenario
from tomtransfer.measurement.groups import CLUSTERED, LEVELS, Group, distributions, noise_of_the_gap
from tomtransfer.measurement.intervals import redraw
from tomtransfer.measurement.measures import Measure, undefined_scenarios

SCENARIOS_AT_ONCE = 200
"""Scenarios whose draws are kept at a time when each has an interval of its own, to bound memory."""

COLUMNS = ("value", "low", "high", "spread", "base", "best_constant", "own_mean", "fair_coin", "ceiling")
"""The numbers of a score."""


@dataclass(frozen=True)
class Score:
    """One measure of one group of scenarios: a row of the alignment tables. Shares are fractions of 1, None undefined.

    The value is the mean over trainings. Floors are the same measure of policies that ignore the scenario, one per
    split: the best constant (the teacher's median), the tuned student's own mean, a fair coin. The ceiling is the
    teacher against itself, split in half.
    """

    level: str
    split: str
    game: str | None
    context: str | None
    measure: str
    scenarios: int
    value: float | None
    low: float | None
    high: float | None
    confidence: float
    """The confidence of the interval from low to high."""
    spread: float | None
    """The standard deviation over trainings; None of a single one."""
    by_training: tuple[float | None, ...]
    """The measure after each training."""
    base: float | None
    """The measure of the student before training."""
    best_constant: float | None
    own_mean: float | None
    fair_coin: float | None
    ceiling: float | None
    left_out: tuple[str, ...]
    """Scenarios that a mean of ratios leaves out because base equals teacher there."""
    note: str
    """Why the value or its interval is None, and how many ratios of a mean hang on chance; else empty."""


def score(
    comparison: Comparison,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
    threads: int = 1,
    levels: Collection[str] = tuple(LEVELS),
    game: str | None = None,
) -> list[Score]:
    """Return a score per level, group of scenarios and measure.

    With a `game`, only its own scores are returned; its floors are still those of all games.

    The interval of a split or game is for other contexts (`clusters`); that of a single scenario or context is for its
    answers drawn anew, the bootstrap of `draws`. Of several trainings, either is for other trainings too. A share of
    the gap that is within its noise is not given. The same seed gives the same numbers on any number of threads, and no
    group's numbers depend on the other groups.
    """
    averaged = [distributions((each,)) for each in comparison.trainings]
    framed = [distributions(each.frames) for each in comparison.trainings]
    redrawn = redraw(comparison, draws, seed) if set(levels) - CLUSTERED and not comparison.by_frame else []

    def score_one(level: str, members: NDArray[np.intp]) -> list[Score]:
        part = comparison.select(members)
        mean, every = (
            [{name: each[:, members] for name, each in one.items()} for one in after] for after in (averaged, framed)
        )
        group = Group(level, part, mean, every, [outcomes[:, :, members] for outcomes in redrawn])
        return list(_score_group(group, seed, confidence))

    groups = [
        (level, members)
        for level, labels in LEVELS.items()
        if level in levels
        for members in _members(comparison, level, labels, game)
    ]
    # numpy draws and adds up outside the interpreter's lock, so threads are enough.
    with ThreadPoolExecutor(threads) as pool:
        return [row for rows in pool.map(score_one, *zip(*groups, strict=True)) for row in rows]


def in_order(scores: Sequence[Score], comparison: Comparison) -> list[Score]:
    """Return scores of a comparison, wherever each was computed, in the order in which `score` returns all of them."""
    first: dict[tuple[str | None, ...], int] = {}
    for position, scenario in enumerate(comparison.scenarios):
        for level, labels in LEVELS.items():
            group = [getattr(scenario, label) if label in labels else None for label in Scenario._fields]
            first.setdefault((level, *group), position)
    order = list(LEVELS)
    return sorted(scores, key=lambda row: (order.index(row.level), first[row.level, row.split, row.game, row.context]))


def _members(comparison: Comparison, level: str, labels: Sequence[str], game: str | None) -> Iterator[NDArray[np.intp]]:
    wanted = np.array([game in {None, scenario.game} for scenario in comparison.scenarios])
    if level == "scenario":
        own = np.flatnonzero(wanted)
        yield from np.array_split(own, -(-len(own) // SCENARIOS_AT_ONCE))
    else:
        found = (members[wanted[members]] for members in comparison.groups(*labels).values())
        yield from (members for members in found if len(members))


def _score_group(group: Group, seed: int, confidence: float) -> Iterator[Score]:
    """Yield the scores of a group as a whole or, at the level of scenarios, of each of its scenarios."""
    comparison = group.comparison
    columns = {"value": group.measure("tuned"), "base": group.measure("base")}
    columns |= {name: group.measure(name) for name in ("best_constant", "own_mean", "fair_coin")}
    columns["ceiling"] = group.ceilings(seed)
    after = [group.measure("tuned", trainings=np.array([training])) for training in range(group.trainings)]
    if len(after) > 1:
        columns["spread"] = {name: np.std([each[name] for each in after], axis=0, ddof=1) for name in after[0]}
    without = group.why_no_interval
    if not without:
        found = group.intervals(confidence)
        bounds = {each.name: each.bounds for each in group.measures}
        columns["low"] = {name: np.clip(each.low, *bounds[name]) for name, each in found.items()}
        columns["high"] = {name: np.clip(each.high, *bounds[name]) for name, each in found.items()}

    same = np.any([undefined_scenarios(*each.rates[:2]) for each in comparison.frames], axis=0)
    alone = [np.array([position]) for position in range(len(same))]
    for position, members in enumerate(alone if group.per_scenario else [np.arange(len(same))]):
        place = _Place(
            group.level,
            [comparison.scenarios[member] for member in members],
            tuple(str(comparison.scenarios[member]) for member in members[same[members]]),
            confidence,
            without,
            *noise_of_the_gap(comparison, members, confidence),
        )
        for each in group.measures:
            numbers = {column: float(np.atleast_1d(values[each.name])[position]) for column, values in columns.items()}
            yield place.row(each, numbers, [float(np.atleast_1d(one[each.name])[position]) for one in after])


@dataclass(frozen=True)
class _Place:
    """What the rows of all measures of one group share."""

    level: str
    scenarios: Sequence[Scenario]
    left_out: tuple[str, ...]
    confidence: float
    without_interval: str
    no_gap: str
    within_noise: int
    ratios: int

    def row(self, measure: Measure, numbers: Mapping[str, float], after: Sequence[float]) -> Score:
        """Return the row of one measure from its numbers by column and those `after` each training."""
        found: dict[str, float | None] = {column: _finite(number) for column, number in numbers.items()}
        if measure.against_base and self.no_gap:
            # Neither do floors, or halves of the teacher, close anything of a gap that is not there.
            found, note = dict.fromkeys(COLUMNS), f"undefined: {self.no_gap}"
        elif found["value"] is None:
            found |= {"low": None, "high": None, "spread": None}
            note = f"undefined: {measure.undefined}"
        elif self.without_interval:
            note = f"no interval: {self.without_interval}"
        elif found["low"] is None:
            without = "contexts" if self.level in CLUSTERED else "answers"
            note = f"no interval: undefined without some of the {without}{' or trainings' * (len(after) > 1)}"
        else:
            note = ""
        if found["value"] is not None and measure.mean_of_ratios and self.within_noise and self.level != "scenario":
            hanging = f"{self.within_noise} of {self.ratios} ratios have a denominator within its noise"
            note = f"{note}; {hanging}" if note else hanging
        labels = LEVELS[self.level]
        return Score(
            level=self.level,
            split=self.scenarios[0].split,
            game=self.scenarios[0].game if "game" in labels else None,
            context=self.scenarios[0].context if "context" in labels else None,
            measure=measure.name,
            scenarios=len(self.scenarios),
            left_out=self.left_out if measure.mean_of_ratios else (),
            confidence=self.confidence,
            by_training=tuple(None if each is None or found["value"] is None else each for each in map(_finite, after)),
            note=note,
            **{column: found.get(column) for column in COLUMNS},
        )


def _finite(number: float) -> float | None:
    return number if np.isfinite(number) else None
