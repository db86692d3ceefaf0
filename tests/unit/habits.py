"""Choices with planted habits: log-odds made of preferences, label and order effects of known size."""

import itertools

import numpy as np
import polars as pl

from tomtransfer.experiment.framing import Frame
from tomtransfer.measurement.bias import FACTORS, WITHIN

FRAMES = {
    "canonical": Frame(cooperate="C", defect="D", first="cooperate"),
    "swapped": Frame(cooperate="D", defect="C", first="cooperate"),
    "reversed": Frame(cooperate="C", defect="D", first="defect"),
    "both": Frame(cooperate="D", defect="C", first="defect"),
}
GAMES, CONTEXTS = ("a", "b", "c", "d"), ("k", "l", "m")


def planted(parts: dict[tuple[str, str], float], split: str = "in_sample") -> pl.DataFrame:
    """Return choices whose log-odds are made of `parts`: a size for each factor and spread, with known mean squares."""
    game = dict(zip(GAMES, (1, 1, -1, -1), strict=True))
    context = dict(zip(CONTEXTS, np.sqrt(1.5) * np.array([1, 0, -1]), strict=True))
    rows = []
    for (name, frame), one, other in itertools.product(FRAMES.items(), GAMES, CONTEXTS):
        label = 1 if frame.cooperate == "C" else -1
        order = 1 if frame.first == "cooperate" else -1
        sign = dict(zip(FACTORS, (1, label, order, label * order), strict=True))
        spread = dict(zip(WITHIN, (1, game[one], context[other], game[one] * context[other]), strict=True))
        log_odds = sum(size * sign[factor] * spread[within] for (factor, within), size in parts.items())
        rate = 1 / (1 + np.exp(-log_odds))
        rows.append((split, one, other, name, 0.5 * rate, 0.5 * (1 - rate)))
    return pl.DataFrame(rows, schema=["split", "game", "context", "frame", "cooperate", "defect"], orient="row")
