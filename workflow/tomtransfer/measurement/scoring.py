"""The alignment of a comparison at every level: each measure with its interval, its floors and its ceiling."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.evidence import Among, Comparison, Scenario, cooperation_rates
from tomtransfer.measurement.intervals import Outcomes, bootstrap, redraw, split_in_half
from tomtransfer.measurement.measures import (
    ADVANTAGE,
    MEASURES,
    Array,
    Measure,
    best_constant,
    fair_coin,
    own_mean,
    undefined_scenarios,
)

LEVELS = {"split": ("split",), "game": ("split", "game"), "context": ("split", "context"), "scenario": Scenario._fields}
"""The levels of a table, and the labels that scenarios of one row share: games and contexts never mix splits."""

HALVINGS = 200
"""How often the teacher's answers are split in half: the ceiling's Monte Carlo error is then far below its noise."""

SCENARIOS_AT_ONCE = 200
"""Scenarios whose draws are kept at a time when each has an interval of its own, to bound memory."""

COLUMNS = ("value", "low", "high", "base", "best_constant", "own_mean", "fair_coin", "ceiling")
"""The numbers of a score."""


@dataclass(frozen=True)
class Score:
    """One measure of one group of scenarios: a row of the alignment tables. Shares are fractions of 1, None undefined.

    Floors are the same measure of policies that ignore the scenario, one per split: the best constant (the teacher's
    median), the tuned student's own mean, a fair coin. The ceiling is the teacher against itself, split in half.
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
    base: float | None
    """The measure of the student before training."""
    best_constant: float | None
    own_mean: float | None
    fair_coin: float | None
    ceiling: float | None
    left_out: tuple[str, ...]
    """Scenarios that a mean of ratios leaves out because base equals teacher there."""
    note: str
    """Why the value or its interval is None; empty where neither is."""


def score(
    comparison: Comparison,
    draws: int = 2_000,
    seed: int = 0,
    confidence: float = 0.95,
    threads: int = 1,
    levels: Collection[str] = tuple(LEVELS),
    game: str | None = None,
) -> list[Score]:
    """Return a score per level, group of scenarios and measure; intervals from the two-level bootstrap.

    With a `game`, only its own scores are returned; its floors are still those of all games.

    The interval of one scenario covers its redrawn answers alone; that of a split, game or context also which scenarios
    there happen to be. The same seed gives the same numbers on any number of threads, and no group's interval depends
    on the other groups.
    """
    policies = _policies(comparison)
    if game is not None:
        own = np.flatnonzero([scenario.game == game for scenario in comparison.scenarios])
        comparison, policies = comparison.select(own), {name: policy[:, own] for name, policy in policies.items()}
    redrawn = redraw(comparison, draws, seed)

    def score_one(level: str, members: NDArray[np.intp]) -> list[Score]:
        group = _Group(
            level,
            comparison.select(members),
            {name: policy[:, members] for name, policy in policies.items()},
            [outcomes[:, :, members] for outcomes in redrawn],
        )
        return list(_score_group(group, seed, confidence))

    groups = [
        (level, members)
        for level, labels in LEVELS.items()
        if level in levels
        for members in _members(comparison, level, labels)
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


def headline(scores: Sequence[Score], split: str) -> str:
    """Return one sentence on a split's gap closed, claiming transfer only where the numbers carry it.

    They do where two intervals lie above zero: the gap closed (else the student is no nearer than before training) and
    the advantage over the best constant policy (else a shift in level does as well). Raises InputError for a split
    without scores.
    """
    rows = {row.measure: row for row in scores if row.level == "split" and row.split == split}
    if not rows:
        scored = ", ".join(sorted({row.split for row in scores}))
        raise InputError(f"{split}: no scores for this split; there are scores for {scored or 'none'}")
    closed, beyond = rows["gap_closed"], rows["advantage"]
    subject = f"{split} ({_plural(closed.scenarios)})"
    if closed.value is None or closed.best_constant is None or beyond.value is None:
        return f"{subject}: the gap closed is {closed.note}."
    finding = (
        f"{subject}: the tuned student closed {_percent(closed.value)}{_between(closed)} of the gap to the teacher; "
        f"the best policy that ignores the scenario closes {_percent(closed.best_constant)}"
    )
    margin = f"the difference is {_points(beyond.value)} points{_between(beyond)}"
    if beyond.low is None or beyond.high is None:
        return f"{finding}, and {margin}: no transfer of strategy can be claimed without an interval ({beyond.note})."
    if closed.low is None or closed.low <= 0:
        return f"{finding}, and {margin}: the student is not shown to be nearer to the teacher than before training."
    if beyond.low > 0:
        return f"{finding}, and {margin}: the student took over how scenarios differ, beyond a shift in level."
    if beyond.high < 0:
        return f"{finding}, and {margin}: the student does worse than a constant, which is no evidence of transfer."
    return f"{finding}, and {margin}: transfer of strategy cannot be told from a shift in level."


def evaluate(
    measures: Sequence[Measure], among: Among, teacher: Array, base: Array, tuned: Array, per_scenario: bool = False
) -> dict[str, Array]:
    """Return measures of distributions (3, ..., scenarios) by name: (...), or (..., scenarios) of each scenario."""
    distributions = [each[..., np.newaxis] if per_scenario else each for each in (teacher, base, tuned)]
    rates = [cooperation_rates(each, among) for each in distributions]
    return {each.name: each(*(rates if each.reads == "rates" else distributions)) for each in measures}


def _members(comparison: Comparison, level: str, labels: Sequence[str]) -> list[NDArray[np.intp]]:
    if level != "scenario":
        return list(comparison.groups(*labels).values())
    scenarios = len(comparison.scenarios)
    return np.array_split(np.arange(scenarios), -(-scenarios // SCENARIOS_AT_ONCE))


def _policies(comparison: Comparison) -> dict[str, Array]:
    """Return the floors as distributions (3, scenarios): one policy per split, which no scenario of it can change."""
    teacher, _, tuned = comparison.rates
    floors = {name: np.empty(len(comparison.scenarios)) for name in ("best_constant", "own_mean", "fair_coin")}
    for members in comparison.groups("split").values():
        floors["best_constant"][members] = best_constant(teacher[members])
        floors["own_mean"][members] = own_mean(tuned[members])
        floors["fair_coin"][members] = fair_coin(teacher[members])
    return {name: np.stack([rates, 1 - rates, np.zeros_like(rates)]) for name, rates in floors.items()}


def _measures(level: str) -> tuple[Measure, ...]:
    if level == "scenario":
        return tuple(measure for measure in MEASURES if measure.of_one_scenario)
    return (*MEASURES, ADVANTAGE) if level == "split" else MEASURES


@dataclass(frozen=True)
class _Group:
    """Scenarios that are scored together, and everything about them that was worked out for all scenarios at once."""

    level: str
    comparison: Comparison
    policies: Mapping[str, Array]
    redrawn: Sequence[Outcomes]


def _score_group(group: _Group, seed: int, confidence: float) -> Iterator[Score]:
    """Yield the scores of a group as a whole or, at the level of scenarios, of each of its scenarios."""
    comparison, per_scenario = group.comparison, group.level == "scenario"
    measures = _measures(group.level)

    def measure(teacher: Array, base: Array, tuned: Array) -> dict[str, Array]:
        return evaluate(measures, comparison.among, teacher, base, tuned, per_scenario)

    teacher, base, tuned = (evidence.distribution for evidence in comparison.models.values())
    columns = {"value": measure(teacher, base, tuned), "base": measure(teacher, base, base)}
    columns |= {name: measure(teacher, base, policy) for name, policy in group.policies.items()}
    first, second = split_in_half(comparison.teacher, HALVINGS, seed)
    halves = measure(second, np.broadcast_to(base[:, np.newaxis], first.shape), first)
    columns["ceiling"] = {name: values.mean(axis=0) for name, values in halves.items()}
    without = _why_no_interval(comparison, per_scenario)
    if not without:
        intervals = bootstrap(group.redrawn, measure, seed, confidence, resample_scenarios=not per_scenario)
        columns["low"] = {name: interval.low for name, interval in intervals.items()}
        columns["high"] = {name: interval.high for name, interval in intervals.items()}

    same = undefined_scenarios(*comparison.rates[:2])
    rows = [np.array([position]) for position in range(len(same))] if per_scenario else [np.arange(len(same))]
    for position, members in enumerate(rows):
        scenarios = [comparison.scenarios[member] for member in members]
        left_out = [comparison.scenarios[member] for member in members[same[members]]]
        for each in measures:
            numbers = {column: float(np.atleast_1d(values[each.name])[position]) for column, values in columns.items()}
            excluded = left_out if each.mean_of_ratios else []
            yield _row(group.level, scenarios, excluded, each, numbers, confidence, without)


def _row(
    level: str,
    scenarios: Sequence[Scenario],
    left_out: Sequence[Scenario],
    measure: Measure,
    numbers: Mapping[str, float],
    confidence: float,
    without: str,
) -> Score:
    """Return the row of one measure from its numbers by column; `without` says why it has no interval, if so."""
    found = {column: number if np.isfinite(number) else None for column, number in numbers.items()}
    if found["value"] is None:
        found |= {"low": None, "high": None}
        if measure.against_base:
            # Halves of the teacher differ from the base by chance alone: that is no gap to measure a ceiling by.
            found["ceiling"] = None
        note = f"undefined: {measure.undefined}"
    elif without:
        note = f"no interval: {without}"
    else:
        note = "" if found["low"] is not None else "no interval: undefined in more than 5 % of the bootstrap draws"
    return Score(
        level=level,
        split=scenarios[0].split,
        game=scenarios[0].game if "game" in LEVELS[level] else None,
        context=scenarios[0].context if "context" in LEVELS[level] else None,
        measure=measure.name,
        scenarios=len(scenarios),
        left_out=tuple(map(str, left_out)),
        confidence=confidence,
        note=note,
        **{column: found.get(column) for column in COLUMNS},
    )


def _why_no_interval(comparison: Comparison, per_scenario: bool) -> str:
    if per_scenario and all(evidence.kind == "exact" for evidence in comparison.models.values()):
        return "the probabilities are exact, without sampling error"
    if not per_scenario and len(comparison.scenarios) == 1:
        return "a single scenario, with no others to resample"
    return ""


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _between(row: Score) -> str:
    if row.low is None or row.high is None:
        return ""
    return f" ({100 * row.confidence:g} % interval {100 * row.low:.1f} to {100 * row.high:.1f})"


def _plural(scenarios: int) -> str:
    return f"{scenarios} scenario{'' if scenarios == 1 else 's'}"
