"""One model's choices of a split in a grid of games and contexts, in several frames and after several trainings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.bias import CERTAIN
from tomtransfer.measurement.clusters import Positions
from tomtransfer.measurement.evidence import Among, Evidence, denominator
from tomtransfer.measurement.measures import Array, divide

HALDANE = 0.5
"""What is added to cooperating and to defecting answers before log-odds are taken."""


@dataclass(frozen=True, eq=False)
class Framed:
    """Cooperation of one model, with axes (..., trainings, frames, games, contexts).

    A model that is not trained has one training. `cooperate` are counts out of `answers`, or rates where these are
    None: then they are known exactly. It is nan in scenarios that are left out, the same in all frames and trainings.
    """

    cooperate: Array
    answers: Array | None = None

    @property
    def trainings(self) -> int:
        """How many trainings there are."""
        return int(self.cooperate.shape[-4])

    @property
    def contexts(self) -> int:
        """How many contexts there are."""
        return int(self.cooperate.shape[-1])

    @property
    def rates(self) -> Array:
        """Cooperation rates, nan without an answer; the shape of `cooperate`."""
        if self.answers is None:
            return self.cooperate
        return divide(self.cooperate, self.answers, self.answers > 0)

    @property
    def rates_variance(self) -> Array:
        """The sampling variance of the rates, p (1 - p) / (n - 1), unbiased; zero where rates are exact.

        Of a single answer nothing is known but that a rate's variance is at most 1/4, which is taken.
        """
        if self.answers is None:
            return np.zeros(self.cooperate.shape)
        rates = self.rates
        return np.where(self.answers > 1, rates * (1 - rates) / np.maximum(self.answers - 1, 1), 0.25)

    @property
    def log_odds(self) -> Array:
        """The log-odds of cooperating, of k in n answers log (k + 1/2) / (n - k + 1/2).

        A half on either side leaves no bias of order 1/n: Haldane (1956), Annals of Human Genetics 20, 309-311, and
        Anscombe (1956), Biometrika 43, 461-464. It shrinks towards zero, and matters where all answers are alike.
        """
        if self.answers is None:
            rates = np.clip(self.cooperate, CERTAIN, 1 - CERTAIN)
            return np.asarray(np.log(rates) - np.log1p(-rates))
        return np.asarray(np.log(self.cooperate + HALDANE) - np.log(self.answers - self.cooperate + HALDANE))

    @property
    def log_odds_variance(self) -> Array:
        """The sampling variance of the log-odds, 1 / (k + 1/2) + 1 / (n - k + 1/2); zero where rates are exact.

        Gart and Zweifel (1967), Biometrika 54, 181-187. Within 2 % on average where five answers or more are expected
        of either choice; too large where fewer are, up to eight times: noise is then overstated, not understated.
        """
        if self.answers is None:
            return np.zeros(self.cooperate.shape)
        return 1 / (self.cooperate + HALDANE) + 1 / (self.answers - self.cooperate + HALDANE)

    def select(self, contexts: Positions, trainings: Positions) -> "Framed":
        """Return the choices in some contexts and after some trainings; a single training stands for any."""
        of_trainings = np.arange(1) if self.trainings == 1 else trainings

        def selected(values: Array) -> Array:
            return values[..., of_trainings, :, :, :][..., contexts]

        return Framed(selected(self.cooperate), None if self.answers is None else selected(self.answers))


def frame_grid(
    trainings: Sequence[Sequence[Evidence]], among: Among | Literal["invalid answers"] = "valid answers"
) -> Framed:
    """Return a model's choices of one split, after each training and in each frame of it, as a grid.

    Rates are shares of the valid answers or of all; among "invalid answers", the share of these in all. A scenario that
    the evidence does not have is nan. Raises InputError for exact evidence among counted one.
    """
    everything = [evidence for frames in trainings for evidence in frames]
    if len({evidence.kind for evidence in everything}) > 1:
        raise InputError("exact and counted choices of one model cannot be put together")
    games, contexts = (
        list(dict.fromkeys(getattr(scenario, name) for each in everything for scenario in each.scenarios))
        for name in ("game", "context")
    )
    shape = (len(trainings), len(trainings[0]), len(games), len(contexts))
    parts, wholes = np.full((2, *shape), np.nan)
    for (training, frames), frame in ((each, number) for each in enumerate(trainings) for number in range(shape[1])):
        evidence = frames[frame]
        part = evidence.other if among == "invalid answers" else evidence.cooperate
        outcomes = np.stack([evidence.cooperate, evidence.defect, evidence.other])
        whole = denominator(outcomes, "valid answers" if among == "valid answers" else "all answers")
        rows = [games.index(scenario.game) for scenario in evidence.scenarios]
        columns = [contexts.index(scenario.context) for scenario in evidence.scenarios]
        parts[training, frame, rows, columns], wholes[training, frame, rows, columns] = part, whole
    if everything[0].kind == "exact":
        return Framed(divide(parts, wholes, wholes > 0))
    return Framed(np.where(wholes > 0, parts, np.nan), wholes)
