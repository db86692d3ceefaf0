"""Preference or habit: what moves a model's choices apart from the game, as shown by frames that swap labels and order.

For two labels there are four frames: either label may mean cooperation, and either choice may be named first. Over them
the log-odds of cooperating in a scenario are exactly

    preference + label effect x (+1 or -1) + order effect x (+1 or -1) + label-by-order effect x (+1 or -1)

a two-level factorial design in every game and context (Box, Hunter and Hunter 2005, Statistics for Experimenters,
chapter 5). A model that knows the game has preferences alone. Each of the four parts is then split over games and
contexts as in a two-way analysis of variance (Scheffé 1959, The Analysis of Variance, chapter 4). All is orthogonal, so
mean squares add up to the variance of the log-odds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tomtransfer.measurement.clusters import Clustered, Positions, estimate
from tomtransfer.measurement.measures import Array

FACTORS = ("preference", "label", "order", "label x order")
"""The parts of the log-odds in a scenario."""

WITHIN = ("overall", "game", "context", "game x context")
"""How a part is spread: the same everywhere, by game, by context, and what only a game in a context has."""

CERTAIN = 1e-12
"""Rates are kept this far from 0 and 1, so that the log-odds of a certain choice are large and not infinite."""


@dataclass(frozen=True)
class Share:
    """What one part of a model's log-odds contributes to their variance over the frames and scenarios of a split."""

    model: str
    split: str
    labels: str
    """The labels of the four frames, that of cooperation in the first of them in front."""
    factor: str
    within: str
    mean_square: float
    """Mean square of the part, in squared log-odds."""
    share: float | None
    """Of the variance. None for the overall preference, which is a level and no variation, and without any variance."""
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Effect:
    """A part of the log-odds of cooperating, in nats, averaged over contexts.

    A label effect above zero is a liking for the label that is named first in `labels`, an order effect above zero for
    what is named first in a prompt. Twice an effect is what swapping changes.
    """

    model: str
    split: str
    labels: str
    factor: str
    game: str | None
    """None for all games."""
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Decomposition:
    """The shares and effects of a model in the scenarios of a split."""

    shares: tuple[Share, ...]
    effects: tuple[Effect, ...]


def contrasts(log_odds: Array) -> Array:
    """Return preference, label, order and label-by-order effects of log-odds (4 frames, ...): the same shape.

    The frames are those of a design (`frames.designs`). The label effect is of the first label, the order effect of
    what is named first.
    """
    signs = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 4
    effects: Array = np.tensordot(signs, log_odds, axes=1)
    return effects


def mean_squares(effects: Array) -> Array:
    """Return the mean squares of effects (..., games, contexts): (..., 4), in the order of `WITHIN`.

    They add up to the mean of the squared effects.
    """
    overall = effects.mean(axis=(-2, -1), keepdims=True)
    game = effects.mean(axis=-1, keepdims=True) - overall
    context = effects.mean(axis=-2, keepdims=True) - overall
    both = effects - overall - game - context
    return np.stack([(part**2).mean(axis=(-2, -1)) for part in (overall, game, context, both)], axis=-1)


def variance_shares(effects: Array) -> Array:
    """Return what share of the variance each mean square of effects (4, ..., games, contexts) is: (4, ..., 4).

    The overall preference counts as nan, being a level. All are nan where nothing varies.
    """
    squares = mean_squares(effects)
    squares[0, ..., 0] = np.nan
    total = np.nansum(squares, axis=(0, -1))
    whole = np.where(total > CERTAIN, total, np.nan)[np.newaxis, ..., np.newaxis]
    shares: Array = squares / whole
    return shares


def decompose(
    tables: Sequence[pl.DataFrame], model: str, designs: Mapping[str, Sequence[str]], confidence: float
) -> Decomposition:
    """Return the decomposition of a model's choices in every split and for every fully crossed pair of labels.

    `tables`, one after each training, have columns split, game, context, frame, cooperate and defect; `designs` is what
    `frames.designs` returns. Splits that are not played in all four frames are left out. What is found is the mean over
    trainings. Intervals are for other contexts, the games being fixed by design, and other trainings (`clusters`); a
    single context and training has none.
    """
    shares: list[Share] = []
    effects: list[Effect] = []
    for labels, crossed in designs.items():
        for split in tables[0]["split"].unique(maintain_order=True):
            grids = [_grid(table.filter(split=split), crossed) for table in tables]
            games, known = grids[0][0], [log_odds for _, log_odds in grids if log_odds is not None]
            if not known:
                continue
            place = (model, split, labels)
            found = contrasts(np.stack(known, axis=1))
            shares += _shares(place, found, confidence)
            effects += mean_effects(place, games, found, confidence)
    return Decomposition(tuple(shares), tuple(effects))


def _grid(table: pl.DataFrame, crossed: Sequence[str]) -> tuple[list[str], Array | None]:
    """Return the games and the log-odds of cooperating (4 frames, games, contexts), or None where cells are missing."""
    games, contexts = (table[name].unique(maintain_order=True).to_list() for name in ("game", "context"))
    rates = {
        (frame, game, context): cooperate / (cooperate + defect)
        for frame, game, context, cooperate, defect in table.select(
            "frame", "game", "context", "cooperate", "defect"
        ).iter_rows()
    }
    cells = [(frame, game, context) for frame in crossed for game in games for context in contexts]
    if not cells or any(cell not in rates for cell in cells):
        return games, None
    rate = np.clip([rates[cell] for cell in cells], CERTAIN, 1 - CERTAIN)
    return games, np.log(rate / (1 - rate)).reshape(len(crossed), len(games), len(contexts))


def _shares(place: tuple[str, str, str], found: Array, confidence: float) -> Iterator[Share]:
    """Yield the shares of effects (4, trainings, games, contexts)."""
    squares = mean_squares(found).mean(axis=1)

    def of_both(contexts: Positions, trainings: Positions) -> Array:
        average: Array = variance_shares(found[:, trainings][..., contexts]).mean(axis=1)
        return average

    shares = estimate(of_both, found.shape[-1], found.shape[1], confidence)
    for row, factor in enumerate(FACTORS):
        for column, within in enumerate(WITHIN):
            share = shares.at(row, column)
            low, high = (None if end is None else min(max(end, 0.0), 1.0) for end in (share.low, share.high))
            yield Share(*place, factor, within, float(squares[row, column]), share.value, low, high)


def mean_effects(
    place: tuple[str, str, str], games: Sequence[str], found: Array, confidence: float
) -> Iterator[Effect]:
    """Yield the mean of each part of the log-odds (4, trainings, games, contexts), over all games and in each.

    `place` is model, split and labels.
    """
    parts: dict[str | None, Array] = {None: found}
    parts |= {game: found[:, :, number : number + 1] for number, game in enumerate(games)}
    sizes = (found.shape[-1], found.shape[1])
    means = {game: estimate(_mean_over(part), *sizes, confidence) for game, part in parts.items()}
    for row, factor in enumerate(FACTORS):
        for game, mean in means.items():
            effect = mean.at(row)
            yield Effect(*place, factor, game, float(mean.value[row]), effect.low, effect.high)


def _mean_over(effects: Array) -> Clustered:
    """Return a function of contexts and trainings that returns the mean over them of effects: (4,).

    Effects are (4, trainings, games, contexts).
    """

    def mean(contexts: Positions, trainings: Positions) -> Array:
        average: Array = effects[:, trainings][..., contexts].mean(axis=(-3, -2, -1))
        return average

    return mean
