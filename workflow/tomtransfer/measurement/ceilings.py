"""The ceiling of a measure: the teacher against itself, its answers dealt into two halves, worked out and not drawn.

How many answers of a half cooperate is hypergeometric, and the other half has the rest, so that all halvings of a
scenario can be listed with their probabilities. Random halvings come close to that only slowly where a mean of ratios
is concerned: some half of the teacher nearly agrees with the base student, and a few such halvings decide the average.

Each half has half of the answers, so that two halves differ more than two full sets would: the ceiling is the lower
bound of the noise ceiling (Nili et al. 2014, PLoS Computational Biology 10(4)).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.stats import hypergeom

from tomtransfer.measurement.evidence import Comparison
from tomtransfer.measurement.measures import ROUNDING, Array, divide, undefined_scenarios


@dataclass(frozen=True)
class Ceilings:
    """What one half of the teacher would score as a student of the other half, as fractions of 1; nan where undefined.

    A teacher that is known exactly is its own half and scores 1.
    """

    gap_closed: float
    """The ratio of the expected sums of distances."""
    improvement: float
    """The mean over scenarios of the expected ratio, over the halvings that leave a gap; so is the next."""
    bridging: float


def ceilings(*comparisons: Comparison) -> Ceilings:
    """Return the ceilings of all scenarios of the comparisons; nan where the teacher gave a single answer in some."""
    teacher, base = (np.concatenate([each.rates[model] for each in comparisons]) for model in (0, 1))
    if comparisons[0].teacher.kind == "exact":
        defined = 1.0 if not undefined_scenarios(teacher, base).all() else np.nan
        return Ceilings(defined, defined, defined)
    scenarios = np.concatenate([_halvings(each) for each in comparisons])
    if np.isnan(scenarios[:, :2]).any():
        return Ceilings(np.nan, np.nan, np.nan)
    before, after = scenarios[:, :2].sum(axis=0)
    ratios = scenarios[~np.isnan(scenarios[:, 2]), 2:]
    means = ratios.mean(axis=0) if len(ratios) else np.full(2, np.nan)
    return Ceilings(float(1 - after / before) if before > ROUNDING else np.nan, *map(float, means))


def scenario_ceilings(comparison: Comparison) -> list[Ceilings]:
    """Return the ceilings of every scenario by itself."""
    if comparison.teacher.kind == "exact":
        defined = np.where(undefined_scenarios(*comparison.rates[:2]), np.nan, 1.0)
        return [Ceilings(value, value, value) for value in defined.tolist()]
    rows = _halvings(comparison)
    shares = 1 - divide(rows[:, 1], rows[:, 0], rows[:, 0] > ROUNDING)
    return [Ceilings(*each) for each in zip(shares.tolist(), *rows[:, 2:].T.tolist(), strict=True)]


def _halvings(comparison: Comparison) -> Array:
    """Return what halvings of every scenario of a counted teacher give on average, (scenarios, 4)."""
    answers = comparison.answers("teacher").astype(int)
    counts = zip(comparison.teacher.cooperate.astype(int), answers, comparison.rates[1], strict=True)
    return np.array([_expected(*each) if each[1] > 1 else (np.nan,) * 4 for each in counts])


@lru_cache(maxsize=100_000)
def _expected(cooperate: int, answers: int, base: float) -> tuple[float, ...]:
    """Return what halvings of one scenario give on average, four numbers.

    The distance between base and half, that between the halves, and the two ratios, nan where no half differs from
    the base.
    """
    first_size = answers // 2
    first = np.arange(max(0, cooperate - (answers - first_size)), min(cooperate, first_size) + 1)
    chance = hypergeom.pmf(first, answers, cooperate, first_size)
    student, teacher = first / first_size, (cooperate - first) / (answers - first_size)
    gap, left = teacher - base, student - teacher
    defined = np.abs(gap) > ROUNDING
    some = chance[defined].sum()
    signed, unsigned = np.nan, np.nan
    if some > 0:
        signed = 1 + chance[defined] @ (left[defined] / gap[defined]) / some
        unsigned = 1 - chance[defined] @ np.abs(left[defined] / gap[defined]) / some
    return tuple(map(float, (chance @ np.abs(gap), chance @ np.abs(left), signed, unsigned)))
