"""The page docs/coverage.md, from what benchmarks/coverage.py found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

import populations
from populations import Cell

LOWEST, HIGHEST = 92.0, 98.0
"""The coverage of a nominal 95 % interval that is accepted, in percent."""

Row = Mapping[str, float]


@dataclass(frozen=True)
class Size:
    """How much is simulated."""

    students: tuple[str, ...] = tuple(populations.STUDENTS)
    contexts: tuple[int, ...] = (3, 5, 8, 20)
    trainings: tuple[int, ...] = (1, 3, 5)
    answers: tuple[int | None, ...] = (None, 100)
    fewer_answers: tuple[int, ...] = (10, 30, 100, 300)
    experiments: int = 2_000
    bootstrapped: int = 300
    """Experiments in which other methods are tried."""
    draws: int = 500
    """Draws of each bootstrap."""


@dataclass(frozen=True)
class Coverage:
    """Coverage in percent, by cell and by figure or method."""

    figures: dict[Cell, Row]
    methods: dict[Cell, Row]
    all_trainings: dict[Cell, float]
    """Of the gap closed on average over all trainings, by intervals of a single one."""
    noise: dict[Cell, Row]
    """Of the gap closed with the noise of counted answers taken off and left in; with its bias in percentage points."""


TEXT = """# How often the intervals hold what they should

Made by `{command}`; do not edit.

An interval that says 95 % should hold the truth in 95 of 100 experiments. Here are {experiments:,} simulated
experiments of every kind (standard error {error:.1f} points), and in how many percent of them the interval held it. In
each, contexts and trainings are drawn from a population of {population_contexts:,} contexts and {population_trainings}
trainings, with four games and the four frames of a pair of labels. Its truth is the same figure for the whole
population. Intervals are computed with the functions that the report uses: a jackknife that leaves out one context or
one training at a time, with quantiles of Student's t (`measurement/clusters.py`). What the models of a population do
is in `benchmarks/populations.py`. In clustered scenarios {alike:.0%} of the variance between contexts is common to
all games of a context, in independent ones nothing is. Training moves the weak student {weak:.0%} of the way to the
teacher and the strong one {strong:.0%}.

## The intervals of the report

Percent of intervals that hold the truth, for the weak / the strong student. Bold is what lies outside of {lowest:g} to
{highest:g} %: {failures} of {numbers} numbers ({by_figure}).

"""
READING = """
Intervals that are too narrow are those of eight contexts or more and few trainings, in which training varies more than
contexts do: the contexts are known well, and all hangs on three or five trainings. Most are of the shares closed of
level and habit; a few other intervals are a little wider than they need be. What remains of a level is the square of a
deviation that is another in every training, and a few squares say little about the mean of all. These intervals are
then too narrow around shares of a half or more, which does not bring them near to 0, where verdicts look.

## Other methods

Of the gap closed alone, in {bootstrapped} experiments of every kind with {draws} draws of each bootstrap: the lowest
and highest coverage in percent, and how many of {kinds} kinds, of either student, lie outside of {lowest:g} to
{highest:g} %.

"""
ONE_TRAINING = """
With three to eight contexts percentiles are too narrow, as they are known to be for few clusters (Cameron, Gelbach and
Miller 2008, Bootstrap-based improvements for inference with clustered errors, Review of Economics and Statistics 90(3),
414-427). The pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1(2), 386-411) draws trainings as well, and
is too narrow for the same reason. What is computed over contexts alone does not know that another training would give
another result. The degrees of freedom of the fewer of contexts and trainings are safe, and needlessly few.

## One training

One training cannot show how trainings differ. In the first table, the interval of a single training is for that
training, in other contexts. For what such a training does on average it is too narrow, the more so the more contexts
there are. It holds that in {shares}.

## Counted answers

Counted rates are further apart than the rates that they estimate, so that a student seems further from the teacher than
it is. That noise is taken off the distances (`noiseless_distance` in `measurement/distances.py`). How well this works
hangs on the number of answers to each scenario and frame. Here are the coverage of the gap closed and its bias in
percentage points, with {some_trainings} trainings and clustered scenarios, with the noise taken off and left in.

"""
AFTER_NOISE = """
From 10 answers it cannot be told that a close student is close. With 30 or more the intervals hold, and with 100 the
bias is about one point.
"""


def page(found: Coverage, size: Size, command: str) -> str:
    """Return docs/coverage.md."""
    figures = tuple(next(iter(found.figures.values())))
    outside = {name: sum(_outside(row[name]) for row in found.figures.values()) for name in figures}
    filled = {
        "command": command,
        "experiments": size.experiments,
        "error": 100 * np.sqrt(0.95 * 0.05 / size.experiments),
        "population_contexts": populations.CONTEXTS,
        "population_trainings": populations.TRAININGS,
        "alike": populations.ALIKE,
        **populations.STUDENTS,
        "lowest": LOWEST,
        "highest": HIGHEST,
        "failures": sum(outside.values()),
        "numbers": len(figures) * len(found.figures),
        "by_figure": ", ".join(f"{name}: {count}" for name, count in outside.items()),
        "bootstrapped": size.bootstrapped,
        "draws": size.draws,
        "kinds": len(found.figures),
        "shares": ", ".join(
            f"{share} % of the experiments at {number} contexts" for number, share in _all_trainings(found, size)
        ),
        "some_trainings": size.trainings[1],
    }
    return "".join(
        [
            TEXT.format(**filled),
            _table(("choices", "scenarios", "contexts", "trainings", *figures), _figure_rows(found.figures, size)),
            READING.format(**filled),
            _table(("interval", "one training", "several trainings", "outside"), _method_rows(found.methods)),
            ONE_TRAINING.format(**filled),
            _table(("student", "contexts", "answers", *next(iter(found.noise.values()))), _noise_rows(found.noise)),
            AFTER_NOISE,
        ]
    )


def _table(columns: Sequence[str], rows: Iterator[Sequence[object]]) -> str:
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in (columns, ["---"] * len(columns), *rows))


def _figure_rows(figures: Mapping[Cell, Row], size: Size) -> Iterator[Sequence[object]]:
    """Yield a row per kind of experiment, with the coverage for every student."""
    for answers, clustered, contexts, trainings in product(size.answers, (True, False), size.contexts, size.trainings):
        rows = [figures[Cell(student, clustered, answers, contexts, trainings)] for student in size.students]
        kind = ("exact" if answers is None else f"{answers} answers", "clustered" if clustered else "independent")
        yield (*kind, contexts, trainings, *(" / ".join(_marked(row[name]) for row in rows) for name in rows[0]))


def _method_rows(found: Mapping[Cell, Row]) -> Iterator[Sequence[object]]:
    for method in next(iter(found.values())):
        one, several = (
            [row[method] for cell, row in found.items() if (cell.trainings == 1) == single] for single in (True, False)
        )
        ranges = (f"{min(shares):.0f} to {max(shares):.0f}" for shares in (one, several))
        yield method, *ranges, sum(map(_outside, one + several))


def _all_trainings(found: Coverage, size: Size) -> Iterator[tuple[int, str]]:
    for number in size.contexts:
        shares = [share for cell, share in found.all_trainings.items() if cell.contexts == number]
        yield number, f"{min(shares):.0f} to {max(shares):.0f}"


def _noise_rows(found: Mapping[Cell, Row]) -> Iterator[Sequence[object]]:
    for cell, row in found.items():
        cells = (_marked(value) if "coverage" in name else f"{value:+.1f}" for name, value in row.items())
        yield cell.student, cell.contexts, cell.answers, *cells


def _outside(share: float) -> bool:
    return not LOWEST <= share <= HIGHEST


def _marked(share: float) -> str:
    return f"**{share:.1f}**" if _outside(share) else f"{share:.1f}"
