"""How models play many games that differ in their payoffs: a rate of cooperation over a plane, and errors between two.

An error is the mean absolute difference of cooperation rates over games, each rate averaged over the frames; beside it
stands the same of single frames. Intervals are for other games and other trainings (`clusters`): here, games are drawn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import binom

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.clusters import Measured, Positions, estimate
from tomtransfer.measurement.measures import Array, best_constant
from tomtransfer.measurement.payoff_floors import PAYOFF_FLOORS
from tomtransfer.respondents.counting import read_choices
from tomtransfer.scenarios.families import SYMBOLS
from tomtransfer.scenarios.questions import read_prompts

STUDENTS = ("tuned", "base")

FEWEST = 3
"""Games of a correlation: two always correlate."""

LEVEL = 1e-9
"""Rates that differ by less are a constant, which correlates with nothing."""


@dataclass(frozen=True, eq=False)
class Surface:
    """The rates at which models cooperate in the games of one split, all in the same frames."""

    split: str
    view: str
    """Which frames they are, by the name of a view."""
    games: tuple[str, ...]
    """The names of the scenarios."""
    payoffs: Array
    """(games, 4), in the order of SYMBOLS."""
    rates: Mapping[str, Array]
    """Of each model: (trainings, games, frames); one training of those that are not trained."""
    answers: Array
    """How many answers of the teacher were counted in each game, (games,); nan where its rates are exact."""

    @property
    def teacher(self) -> Array:
        """The teacher's rates over frames, (games,)."""
        return np.asarray(self.mean("teacher")[0])

    def mean(self, model: str) -> Array:
        """Return a model's rates over frames, (trainings, games)."""
        averaged: Array = np.asarray(self.rates[model].mean(axis=-1))
        return averaged


@dataclass(frozen=True)
class SurfaceError:
    """How far a student, or a policy that stands in for one, is from the teacher over the games of a split."""

    split: str
    view: str
    policy: str
    games: int
    trainings: int
    error: Measured
    """Mean absolute difference of rates that are averaged over frames."""
    by_frame: Measured
    """The same of each frame by itself, averaged."""
    correlation: Measured
    advantage: Measured
    """How much larger the error is than the tuned student's: positive where the student is nearer."""


def read_surfaces(
    game: str,
    prompts: Sequence[Path],
    tables: Mapping[str, Sequence[Path]],
    views: Mapping[str, Sequence[str]],
) -> list[Surface]:
    """Return how models play the plane `game`: a surface for each split and view in which all of them were asked.

    `tables` has the choices of each model, a file for each training. Raises InputError where one lacks a game.
    """
    payoffs = {
        (prompt.split, prompt.context): tuple(prompt.payoffs[name] for name in SYMBOLS.values())
        for prompt in read_prompts(prompts)
        if prompt.game == game
    }
    read = {model: [read_choices(path).filter(game=game) for path in paths] for model, paths in tables.items()}
    found = []
    for view, split in product(_balanced(views), dict.fromkeys(split for split, _ in payoffs)):
        names = tuple(name for of, name in payoffs if of == split)
        by_model = {model: [_rates(table, split, views[view]) for table in each] for model, each in read.items()}
        if any(not len(table) for each in by_model.values() for table in each):
            continue  # a split may leave out frames
        points = np.array([payoffs[split, name] for name in names], dtype=np.float64)
        rates = {
            model: np.stack([_in_order(model, table, names, views[view]) for table in each])
            for model, each in by_model.items()
        }
        found.append(Surface(split, view, names, points, rates, _answers(read["teacher"][0], split, names)))
    return found


def _balanced(views: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the views to look at: those of several frames, in which habits cancel, or the one that there is."""
    return [view for view, frames in views.items() if len(frames) > 1] or list(views)


def _rates(table: pl.DataFrame, split: str, frames: Sequence[str]) -> pl.DataFrame:
    return table.filter(pl.col("split") == split, pl.col("frame").is_in(list(frames))).select(
        "context", "frame", rate=pl.col("cooperate") / (pl.col("cooperate") + pl.col("defect"))
    )


def _in_order(model: str, table: pl.DataFrame, names: Sequence[str], frames: Sequence[str]) -> Array:
    """Return rates (games, frames) in the order of `names` and `frames`; raises InputError where one is missing."""
    known = {(name, frame): rate for name, frame, rate in table.iter_rows()}
    try:
        return np.array([[known[name, frame] for frame in frames] for name in names], dtype=np.float64)
    except KeyError as error:
        name, frame = error.args[0]
        raise InputError(f"{model}: no choice in {name} in frame {frame}, where others have one") from None


def _answers(teacher: pl.DataFrame, split: str, names: Sequence[str]) -> Array:
    counted = teacher.filter(pl.col("split") == split, pl.col("evidence") == "counted")
    known = dict(counted.select("context", pl.col("cooperate") + pl.col("defect")).iter_rows())
    return np.array([known.get(name, np.nan) for name in names], dtype=np.float64)


def surface_errors(surfaces: Sequence[Surface], confidence: float) -> list[SurfaceError]:
    """Return the errors of students and floors on every surface, the tuned student's first.

    Raises InputError where no games are trained on, from which floors could be worked out.
    """
    trained = {surface.view: surface for surface in surfaces if surface.split == TRAINED_SPLIT}
    if not trained:
        raise InputError(f"no game of the plane is in {TRAINED_SPLIT}: there is nothing to learn from")
    first = next(iter(trained.values()))
    return [error for surface in surfaces for error in _errors(surface, trained.get(surface.view, first), confidence)]


def _errors(surface: Surface, trained: Surface, confidence: float) -> Iterator[SurfaceError]:
    students = {name: surface.rates[name] for name in STUDENTS}
    for policy, rates in {**students, **floors(surface, trained)}.items():
        yield _error(surface, policy, rates, confidence)


def floors(surface: Surface, trained: Surface) -> dict[str, Array]:
    """Return what policies without a model do in the games of a surface, as rates (1, games, 1)."""
    constant = best_constant(surface.rates["teacher"].ravel())[0]
    found = {"best_constant": np.full(len(surface.games), constant), "fair_coin": np.full(len(surface.games), 0.5)}
    for name, floor in PAYOFF_FLOORS.items():
        found[name] = floor(trained.payoffs, trained.teacher, surface.payoffs)
    return {name: rates[np.newaxis, :, np.newaxis] for name, rates in found.items()}


def _error(surface: Surface, policy: str, rates: Array, confidence: float) -> SurfaceError:
    teacher, tuned = surface.rates["teacher"], surface.rates["tuned"]

    def statistics(games: Positions, trainings: Positions) -> Array:
        own = rates[:, games] if len(rates) == 1 else rates[trainings][:, games]
        right, student = teacher[:, games], tuned[trainings][:, games]
        error, student_error = (_distance(each.mean(-1), right.mean(-1)) for each in (own, student))
        correlation = mean_correlation(own.mean(axis=-1), right.mean(axis=-1)[0])
        return np.array([error, _distance(own, right), correlation, error - student_error])

    found = estimate(statistics, len(surface.games), max(len(rates), len(tuned)), confidence)
    values = [
        *(found.at(number).within(0, 1) for number in (0, 1)),
        found.at(2).within(-1, 1),
        found.at(3),
    ]
    if policy == "tuned":
        values[3] = Measured(None, None, None, "it is the student itself")
    return SurfaceError(surface.split, surface.view, policy, len(surface.games), len(rates), *values)


def _distance(one: Array, other: Array) -> float:
    return float(np.abs(one - other).mean())


def mean_correlation(rates: Array, teacher: Array) -> float:
    """Return the correlation of rates (trainings, games) with a teacher's (games,), averaged over trainings.

    It is nan for a constant.
    """
    if len(teacher) < FEWEST or teacher.std() < LEVEL or (rates.std(axis=-1) < LEVEL).any():
        return float("nan")
    return float(np.mean([np.corrcoef(each, teacher)[0, 1] for each in rates]))


def noise_of_counts(surface: Surface) -> float | None:
    """Return the error that a perfect student would have, because the teacher's rates are counts of few answers.

    It is the mean absolute deviation of a binomial share (Diaconis and Zabell 1991, Closed form summation for classical
    distributions, Statistical Science 6(3), 284-302) at rates that are drawn in by half an answer of each kind, as a
    count of nought does not mean never. None where the rates are exact.
    """
    answers, rates = surface.answers, surface.teacher
    if not np.isfinite(answers).all():
        return None
    likely = (rates * answers + 0.5) / (answers + 1)
    above = np.floor(answers * likely) + 1
    deviation = 2 * above * (1 - likely) * binom.pmf(above, answers, likely) / answers
    return float(deviation.mean())


def plain_surface(surface: Surface) -> dict[str, Any]:
    """Return a surface as plain values, its rates averaged over frames."""
    return {
        "split": surface.split,
        "view": surface.view,
        "games": list(surface.games),
        "payoffs": surface.payoffs.tolist(),
        "answers": [None if np.isnan(each) else each for each in surface.answers.tolist()],
        "rates": {model: surface.mean(model).tolist() for model in surface.rates},
    }
