"""Simulated populations of contexts and trainings, and experiments that are drawn from them.

All is in log-odds of cooperating, split into preference, label, order and label x order over the four frames of a pair
of labels. The teacher's preference differs between games and contexts; the base student cooperates much, likes a letter
and what is named first, and hardly responds to the game; training moves the one towards the other, and gets something
wrong.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomtransfer.measurement.bias import contrasts
from tomtransfer.measurement.framed import Framed

Array = NDArray[np.float64]

GAMES = np.array([1.0, -0.6, 0.3, -0.7])
"""How the teacher's preference differs between games; the base student's does so by a fifth of it."""
TEACHER, BASE = np.array([-0.2, 0.1, 0.0, 0.0]), np.array([1.2, 0.8, 0.5, 0.0])
"""The parts of either's log-odds on average."""
SPREAD = {"teacher": (0.6, 0.2, 0.1, 0.05), "base": (0.4, 0.3, 0.2, 0.1), "error": (0.25, 0.15, 0.1, 0.05)}
"""Standard deviation over contexts of each part of teacher and base student, and of what training gets wrong."""
ALIKE = 0.7
"""Share of that variance which all games of a context have in common, where scenarios are clustered."""
STUDENTS = {"weak": 0.35, "strong": 0.85}
"""How far from base to teacher training moves the log-odds."""
MOVES, SHIFTS, ERRORS = 0.06, (0.15, 0.1, 0.1, 0.03), 0.6
"""Standard deviation over trainings of how far they move, of each part, and of errors, as a multiple of the above."""
CONTEXTS, TRAININGS = 1_500, 60
"""How many there are in a population."""


@dataclass(frozen=True)
class Population:
    """The choices of teacher, base and tuned student, in a population or in experiments drawn from it."""

    teacher: Framed
    base: Framed
    tuned: Framed

    def select(self, some: slice) -> "Population":
        """Return some of the experiments that are on the first axis."""
        models = ((each.cooperate, each.answers) for each in (self.teacher, self.base, self.tuned))
        return Population(*(Framed(k[some], None if n is None else n[some]) for k, n in models))


@dataclass(frozen=True)
class Cell:
    """One kind of experiment."""

    student: str
    clustered: bool
    answers: int | None
    """Answers to each scenario and frame, where choices are counted."""
    contexts: int
    trainings: int


def populate(student: str, clustered: bool, seed: int = 0) -> Population:
    """Return the cooperation rates of a population, with axes (trainings, frames, games, contexts)."""
    generator = np.random.default_rng(seed)
    alike = ALIKE if clustered else 0.0

    def spread(of: str, *trainings: int) -> Array:
        """Return deviations (4 parts, ..., games, contexts), in part the same for all games of a context."""
        common, own = (generator.normal(size=(4, *trainings, games, CONTEXTS)) for games in (1, len(GAMES)))
        size = np.reshape(SPREAD[of], (4, *(1 for _ in trainings), 1, 1))
        return size * (np.sqrt(alike) * common + np.sqrt(1 - alike) * own)

    teacher = TEACHER[:, np.newaxis, np.newaxis] + spread("teacher")
    base = BASE[:, np.newaxis, np.newaxis] + spread("base")
    teacher[0] += GAMES[:, np.newaxis]
    base[0] += GAMES[:, np.newaxis] / 5
    move = STUDENTS[student] + MOVES * generator.normal(size=(TRAININGS, 1, 1))
    shift = np.reshape(SHIFTS, (4, 1, 1, 1)) * generator.normal(size=(4, TRAININGS, 1, 1))
    tuned = (1 - move) * base[:, np.newaxis] + move * teacher[:, np.newaxis] + shift
    tuned += spread("error")[:, np.newaxis] + ERRORS * spread("error", TRAININGS)
    return Population(*(_rates(parts) for parts in (teacher[:, np.newaxis], base[:, np.newaxis], tuned)))


def _rates(parts: Array) -> Framed:
    # The matrix of the contrasts is its own inverse, up to a factor of four.
    return Framed(np.moveaxis(1 / (1 + np.exp(-4 * contrasts(parts))), 0, -3))


def draw(population: Population, cell: Cell, number: int, seed: int) -> tuple[Population, NDArray[np.intp]]:
    """Return `number` experiments, on a first axis, and which trainings each has, (number, trainings)."""
    generator = np.random.default_rng([seed, cell.contexts, cell.trainings])
    contexts = generator.integers(CONTEXTS, size=(number, 1, cell.contexts))
    trainings = generator.integers(TRAININGS, size=(number, cell.trainings, 1))

    def drawn(model: Framed) -> Framed:
        which = trainings if model.trainings > 1 else np.zeros((1, 1, 1), dtype=np.intp)
        rates = np.moveaxis(model.cooperate[which, :, :, contexts], 2, -1)
        if cell.answers is None:
            return Framed(rates)
        return Framed(generator.binomial(cell.answers, rates).astype(float), np.full(rates.shape, float(cell.answers)))

    models = (drawn(model) for model in (population.teacher, population.base, population.tuned))
    return Population(*models), trainings[..., 0]
