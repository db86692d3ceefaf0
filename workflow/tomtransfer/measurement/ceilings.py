"""The ceiling of a measure: the teacher against itself, its answers dealt into two halves, worked out and not drawn.

How many answers of a half cooperate is hypergeometric, and the other half has the rest, so that all halvings of a
scenario can be listed with their probabilities. Random halvings come close to that only slowly where a mean of ratios
is concerned: some half of the teacher nearly agrees with the base student, and a few such halvings decide the average.

Each half has half of the answers, so that two halves differ more than two full sets would: the ceiling is the lower
bound of the noise ceiling (Nili et al. 2014, PLoS Computational Biology 10(4)).
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import hypergeom

from tomtransfer.measurement.evidence import Comparison
from tomtransfer.measurement.measures import ROUNDING, Array, undefined_scenarios


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
    cooperate = np.concatenate([each.teacher.cooperate for each in comparisons])
    answers = np.concatenate([each.answers("teacher") for each in comparisons])
    if (answers < 2).any():  # noqa: PLR2004 - a single answer has no halves
        return Ceilings(np.nan, np.nan, np.nan)
    counts = zip(cooperate.astype(int), answers.astype(int), base, strict=True)
    scenarios = np.array([_expected(*each) for each in counts])
    before, after = scenarios[:, :2].sum(axis=0)
    ratios = scenarios[~np.isnan(scenarios[:, 2]), 2:]
    means = ratios.mean(axis=0) if len(ratios) else np.full(2, np.nan)
    return Ceilings(float(1 - after / before) if before > ROUNDING else np.nan, *map(float, means))


def _expected(cooperate: int, answers: int, base: float) -> Array:
    """Return what halvings of one scenario give on average, (4,).

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
    return np.array([chance @ np.abs(gap), chance @ np.abs(left), signed, unsigned])
