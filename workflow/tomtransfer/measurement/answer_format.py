"""The format of answers: how many of them are invalid, and how many fewer training made them."""

from dataclasses import dataclass

import numpy as np

from tomtransfer.measurement.clusters import Measured, Positions, chosen, estimate
from tomtransfer.measurement.framed import Framed
from tomtransfer.measurement.measures import Array


@dataclass(frozen=True)
class Format:
    """The share of the student's answers that are invalid, and by how much training lowered it."""

    before: float
    after: float
    """The mean over trainings."""
    drop: Measured


def format_change(base: Framed, tuned: Framed, confidence: float = 0.95) -> Format:
    """Return how the share of invalid answers changed, from grids of these (`frame_grid` among invalid answers)."""
    before, after = (np.nanmean(each.rates, axis=(-3, -2)) for each in (base, tuned))

    def drop(contexts: Positions, trainings: Positions) -> Array:
        old, new = (chosen(each, contexts, trainings).mean(axis=(-2, -1)) for each in (before, after))
        return np.asarray(old - new)

    found = estimate(drop, tuned.contexts, tuned.trainings, confidence)
    return Format(float(before.mean()), float(after.mean()), found.at())
