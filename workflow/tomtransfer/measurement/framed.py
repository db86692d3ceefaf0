"""One model's choices of a split in a grid of games and contexts, in several frames and after several trainings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.bias import CERTAIN
from tomtransfer.measurement.clusters import Positions
from tomtransfer.measurement.measures import Array, divide

HALDANE = 0.5
"""What is added to cooperating and to defecting answers before log-odds are taken."""


@dataclass(frozen=True, eq=False)
class Framed:
    """Cooperation of one model, with axes (..., trainings, frames, games, contexts).

    A model that is not trained has one training. `cooperate` are counts out of `answers`, or rates where these are
    None: then they are known exactly.
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
    tables: Sequence[pl.DataFrame],
    frames: Sequence[str],
    games: Sequence[str],
    contexts: Sequence[str],
    model: str,
    invalid: bool = False,
) -> Framed:
    """Return a model's choices of one split from a table per training, as a grid of frames, games and contexts.

    Tables have columns game, context, frame, cooperate, defect, other and evidence ("exact" or "counted"). Rates are
    shares of the valid answers or, when `invalid` answers are asked for, the share of these among all. Raises
    InputError naming each scenario that is missing, is there twice or has no answer to take a share of, and for exact
    tables among counted ones.
    """
    kinds = {kind for table in tables for kind in table["evidence"].unique()}
    if len(kinds) > 1:
        raise InputError(f"{model}: exact and counted choices cannot be put together ({len(tables)} trainings)")
    part = pl.col("other") if invalid else pl.col("cooperate")
    whole = pl.sum_horizontal("cooperate", "defect", "other") if invalid else pl.sum_horizontal("cooperate", "defect")
    cells = [(frame, game, context) for frame in frames for game in games for context in contexts]
    found = [_shares(table.select("frame", "game", "context", part=part, whole=whole)) for table in tables]
    if mistakes := [mistake for each in found for mistake in _mistakes(model, cells, each)]:
        raise InputError("\n".join(dict.fromkeys(mistakes)))
    shape = (len(tables), len(frames), len(games), len(contexts))
    values = np.array([[each[cell][0] for cell in cells] for each in found], dtype=np.float64)
    counts, answers = (values[..., column].reshape(shape) for column in (0, 1))
    return Framed(counts / answers) if kinds == {"exact"} else Framed(counts, answers)


_Cell: TypeAlias = tuple[str, str, str]
_Shares: TypeAlias = Mapping[_Cell, Sequence[tuple[float, float]]]
"""The part and the whole in each row of a cell."""


def _shares(rows: pl.DataFrame) -> _Shares:
    found: dict[_Cell, list[tuple[float, float]]] = {}
    for frame, game, context, part, whole in rows.iter_rows():
        found.setdefault((frame, game, context), []).append((part, whole))
    return found


def _mistakes(model: str, wanted: Sequence[_Cell], found: _Shares) -> Iterator[str]:
    for frame, game, context in wanted:
        rows = found.get((frame, game, context), [])
        where = f"{model}: {game}/{context} in frame {frame}"
        if len(rows) != 1:
            yield f"{where}: {'missing' if not rows else 'given more than once'}"
        elif not rows[0][1] > 0:
            yield f"{where}: no valid answer, neither cooperate nor defect"
