"""What reading the payoffs alone predicts of a teacher: floors that a student of many games has to beat.

Each is fitted on the games that are trained on, and predicts the others. A student that is nearer to its teacher than a
regression on the payoffs, or than the games next to it, has learnt more than these say.
"""

from collections.abc import Callable, Mapping
from itertools import combinations
from types import MappingProxyType

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray

from tomtransfer.measurement.measures import Array
from tomtransfer.scenarios.families import SYMBOLS

NEIGHBOURS = 4
"""Trained games whose mean is the prediction of `nearest_games`."""

GAMES_AT_ONCE = 256
"""Games whose neighbours are looked for at a time."""

RIDGE = 1e-4
"""Of the logits: keeps coefficients finite where a border separates cooperation from defection in every game."""

BORDERS = tuple(combinations(SYMBOLS.values(), 2))
"""Pairs of payoffs whose order tells families apart."""

Floor = Callable[[Array, Array, Array], Array]
"""From the payoffs (games, 4) and the teacher's rates of trained games, and other payoffs, to rates of the others."""


def logit(payoffs: Array, rates: Array, others: Array) -> Array:
    """Return the rates of a logit on the payoffs that vary and on the products of two of them.

    It is fitted to shares (Papke and Wooldridge 1996, Econometric methods for fractional response variables, Journal of
    Applied Econometrics 11(6), 619-632).
    """
    return _fitted(_products(payoffs, payoffs), rates, _products(payoffs, others))


def logit_with_borders(payoffs: Array, rates: Array, others: Array) -> Array:
    """Return the rates of a logit that also knows which payoff is the larger of each pair: the families' borders."""
    known, asked = (
        np.hstack([_products(payoffs, each), _varying(_orders(payoffs), _orders(each))]) for each in (payoffs, others)
    )
    return _fitted(known, rates, asked)


def nearest_games(payoffs: Array, rates: Array, others: Array) -> Array:
    """Return the mean rate of the trained games with the nearest payoffs, all that are as near as the fourth.

    A game is not its own neighbour.
    """
    # A block at a time: the distances of ten thousand games to each other would fill gigabytes.
    blocks = np.array_split(others, -(-len(others) // GAMES_AT_ONCE))
    return np.concatenate([_mean_of_nearest(payoffs, rates, block) for block in blocks])


def _mean_of_nearest(payoffs: Array, rates: Array, others: Array) -> Array:
    distances = ((others[:, np.newaxis] - payoffs) ** 2).sum(axis=-1).astype(np.float64)
    distances[distances == 0] = np.inf
    reach = np.sort(distances, axis=-1)[:, min(NEIGHBOURS, len(payoffs)) - 1]
    near = distances <= reach[:, np.newaxis]
    mean: Array = (near * rates).sum(axis=-1) / near.sum(axis=-1)
    return mean


PAYOFF_FLOORS: Mapping[str, Floor] = MappingProxyType(
    {"logit": logit, "logit_with_borders": logit_with_borders, "nearest_games": nearest_games}
)
"""Floors that read the payoffs, by name."""


def _fitted(known: Array, rates: Array, asked: Array) -> Array:
    centre, spread = known.mean(axis=0), known.std(axis=0)
    scaled, others = (
        sm.add_constant((each - centre) / np.where(spread > 0, spread, 1), has_constant="add")
        for each in (known, asked)
    )
    penalty = np.full(scaled.shape[1], RIDGE)
    penalty[0] = 0.0
    model = sm.GLM(rates, scaled, family=sm.families.Binomial())
    found = model.fit_regularized(alpha=penalty, L1_wt=0.0)
    predicted: Array = sm.families.Binomial().link.inverse(others @ found.params)
    return predicted


def _products(payoffs: Array, of: Array) -> Array:
    """Return the payoffs that vary over `payoffs`, and the products of two of them, of the games `of`."""
    varied = of[:, payoffs.std(axis=0) > 0]
    pairs = [varied[:, one] * varied[:, other] for one, other in combinations(range(varied.shape[1]), 2)]
    return np.column_stack([varied, *pairs])


def _orders(payoffs: Array) -> Array:
    """Return for each pair of payoffs whether the first is larger (1), smaller (0) or equal (a half)."""
    names = list(SYMBOLS.values())
    places: NDArray[np.intp] = np.array([[names.index(one), names.index(other)] for one, other in BORDERS])
    return (np.sign(payoffs[:, places[:, 0]] - payoffs[:, places[:, 1]]) + 1) / 2


def _varying(known: Array, of: Array) -> Array:
    """Return the columns of `of` that differ between the rows of `known`."""
    columns: Array = of[:, known.std(axis=0) > 0]
    return columns
