"""How far the tuned student moved towards the teacher: measures of alignment, their floors and their ceiling.

Measures take cooperation rates with scenarios on the last axis and reduce that axis; any axes before it (bootstrap
draws, groups) are kept, so `rates[..., np.newaxis]` gives a measure of every single scenario. Distributions carry the
outcomes cooperate, defect and other on the first axis: shape (3, ..., scenarios). A measure that is undefined is nan,
never a warning and never a division by zero; `undefined_scenarios` says where base and teacher leave nothing to close.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Array: TypeAlias = NDArray[np.float64]

ROUNDING = 1e-12
"""Rates that differ by less are equal: it is far below one answer in a million and far above float64's rounding."""


def gap_closed(teacher: Array, base: Array, tuned: Array) -> Array:
    """Return 1 - sum|tuned - teacher| / sum|base - teacher|: 1 is indistinguishable, 0 no nearer than before.

    A ratio of sums in place of a mean of ratios (Cochran 1977, Sampling Techniques, chapter 6), so that no scenario in
    which base and teacher nearly agree can dominate. It has no lower bound. (..., scenarios) -> (...); nan where base
    equals teacher in every scenario.
    """
    before = np.abs(base - teacher).sum(axis=-1)
    after = np.abs(tuned - teacher).sum(axis=-1)
    return 1 - divide(after, before, ~undefined_scenarios(teacher, base).all(axis=-1))


def gap_closed_of_frame_averages(teacher: Array, base: Array, tuned: Array) -> Array:
    """Return the gap closed of rates that were averaged over frames first, in which errors of mirrored frames cancel.

    A student at 1.0 in one frame and 0.0 in its mirror counts as 0.5. (..., scenarios) -> (...).
    """
    return gap_closed(teacher, base, tuned)


def improvement(teacher: Array, base: Array, tuned: Array) -> Array:
    """Return the mean over scenarios of (tuned - base) / (teacher - base), which passes 1 on overshooting.

    The measure of Lorè, Ilami and Heydari (2024), arXiv 2408.05241. Scenarios in which base equals teacher are left
    out of the mean (`undefined_scenarios` lists them). (..., scenarios) -> (...); nan where none is left.
    """
    return _mean_of_ratios(tuned - base, teacher - base, undefined_scenarios(teacher, base))


def bridging(teacher: Array, base: Array, tuned: Array) -> Array:
    """Return the mean over scenarios of 1 - |tuned - teacher| / |base - teacher|: overshooting counts against.

    The improvement above with distances in place of signed differences; the two agree up to the teacher's rate.
    Scenarios in which base equals teacher are left out. (..., scenarios) -> (...); nan where none is left.
    """
    undefined = undefined_scenarios(teacher, base)
    return 1 - _mean_of_ratios(np.abs(tuned - teacher), np.abs(base - teacher), undefined)


def advantage(teacher: Array, base: Array, tuned: Array) -> Array:
    """Return the gap closed beyond what the best constant policy closes: above 0 only by telling scenarios apart.

    (..., scenarios) -> (...); nan where base equals teacher in every scenario.
    """
    return gap_closed(teacher, base, tuned) - gap_closed(teacher, base, best_constant(teacher))


def undefined_scenarios(teacher: Array, base: Array) -> NDArray[np.bool_]:
    """Return where base equals teacher, so that no share of the gap exists. (..., scenarios), same shape."""
    return np.abs(base - teacher) <= ROUNDING


def best_constant(teacher: Array) -> Array:
    """Return the floor that knows the teacher but not the scenario: the one rate that minimises sum|rate - teacher|.

    That rate is the teacher's median (Koenker and Bassett 1978, Regression quantiles, Econometrica 46(1)): no policy
    that ignores the scenario closes more of the gap. (..., scenarios), same shape.
    """
    return np.broadcast_to(np.median(teacher, axis=-1, keepdims=True), np.shape(teacher))


def own_mean(tuned: Array) -> Array:
    """Return the floor that keeps the tuned student's level and forgets its scenarios. (..., scenarios), same shape."""
    return np.broadcast_to(tuned.mean(axis=-1, keepdims=True), np.shape(tuned))


def fair_coin(teacher: Array) -> Array:
    """Return the floor that knows nothing: cooperation at 0.5 everywhere. (..., scenarios), same shape."""
    return np.full(np.shape(teacher), 0.5)


def total_variation(first: Array, second: Array) -> Array:
    """Return the total variation distance, half the sum of |difference| over outcomes, averaged over scenarios.

    Levin, Peres and Wilmer (2009), Markov Chains and Mixing Times, proposition 4.2. Distributions
    (3, ..., scenarios) -> (...), from 0 (equal) to 1 (nothing in common).
    """
    distance: Array = 0.5 * np.abs(first - second).sum(axis=0).mean(axis=-1)
    return distance


def jensen_shannon(first: Array, second: Array) -> Array:
    """Return the Jensen-Shannon divergence in bits, averaged over scenarios: the entropy of the mix less the mean one.

    Lin (1991), Divergence measures based on the Shannon entropy, IEEE Trans. Inform. Theory 37(1), with equal weights.
    Distributions (3, ..., scenarios) -> (...), from 0 (equal) to 1 (nothing in common).
    """
    divergence = _entropy((first + second) / 2) - (_entropy(first) + _entropy(second)) / 2
    # Equal distributions may leave a rounding error below zero.
    average: Array = np.maximum(divergence, 0).mean(axis=-1)
    return average


def pearson(teacher: Array, student: Array) -> Array:
    """Return Pearson's product-moment correlation over scenarios.

    (..., scenarios) -> (...); nan with fewer than two scenarios or where either side is constant.
    """
    covariance, teacher_variance, student_variance = _moments(teacher, student)
    varies = ~(_constant(teacher) | _constant(student))
    return np.clip(divide(covariance, np.sqrt(teacher_variance * student_variance), varies), -1, 1)


def spearman(teacher: Array, student: Array) -> Array:
    """Return Spearman's rank correlation over scenarios: Pearson's of the ranks, ties sharing their mean rank.

    (..., scenarios) -> (...); nan with fewer than two scenarios or where either side is constant.
    """
    return pearson(rankdata(teacher, axis=-1), rankdata(student, axis=-1))


def concordance(teacher: Array, student: Array) -> Array:
    """Return Lin's concordance correlation, 2 covariance / (variances + squared difference of means).

    Lin (1989), A concordance correlation coefficient to evaluate reproducibility, Biometrics 45(1), 255-268; moments
    divide by n as there. (..., scenarios) -> (...), -1 to 1; nan where both sides are the same constant.
    """
    covariance, teacher_variance, student_variance = _moments(teacher, student)
    shift = teacher.mean(axis=-1) - student.mean(axis=-1)
    varies = ~(_constant(teacher) & _constant(student)) | (np.abs(shift) > ROUNDING)
    return divide(2 * covariance, teacher_variance + student_variance + shift**2, varies)


def calibration_slope(teacher: Array, student: Array) -> Array:
    """Return the slope of the least-squares line of the teacher on the student: 1 when calibrated.

    Mincer and Zarnowitz (1969), The evaluation of economic forecasts: what came true regressed on what was forecast.
    Below 1 the student's scenarios differ more than the teacher's, above 1 less. (..., scenarios) -> (...); nan where
    the student is constant.
    """
    covariance, _, student_variance = _moments(teacher, student)
    return divide(covariance, student_variance, ~_constant(student))


def root_mean_square_error(teacher: Array, student: Array) -> Array:
    """Return the root of the mean squared difference in cooperation rate. (..., scenarios) -> (...)."""
    error: Array = np.sqrt(((student - teacher) ** 2).mean(axis=-1))
    return error


@dataclass(frozen=True)
class Measure:
    """A measure as tables list it: what it reads, and what to say where it is undefined."""

    function: Callable[..., Array]
    reads: Literal["rates", "distributions"]
    of_one_scenario: bool = True
    """Whether it says anything about a single scenario."""
    against_base: bool = False
    """Whether it relates the tuned student to the base, or either of them to the teacher alone."""
    mean_of_ratios: bool = False
    """Whether it leaves out scenarios in which base equals teacher."""
    by_frame: bool = True
    """Whether it is taken over scenarios and frames; else over scenarios, of rates that are averaged over frames."""
    bounds: tuple[float, float] = (-np.inf, np.inf)
    """The lowest and highest value that it can have, beyond which no interval goes."""
    undefined: str = ""
    """When it is undefined, as a reason to print."""

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.function.__name__

    def __call__(self, teacher: Array, base: Array, tuned: Array) -> Array:
        """Return the measure of rates (..., scenarios) or distributions (3, ..., scenarios), shape (...)."""
        return self.function(teacher, base, tuned) if self.against_base else self.function(teacher, tuned)


NO_GAP = "base equals teacher in every scenario: there is no gap to close"
NO_SPREAD = "it takes two scenarios or more, and rates that differ between them"
BELOW_ONE = (-np.inf, 1.0)
SHARE = (0.0, 1.0)
CORRELATION = (-1.0, 1.0)
MEASURES = (
    Measure(gap_closed, "rates", against_base=True, bounds=BELOW_ONE, undefined=NO_GAP),
    Measure(improvement, "rates", against_base=True, mean_of_ratios=True, undefined=NO_GAP),
    Measure(bridging, "rates", against_base=True, mean_of_ratios=True, bounds=BELOW_ONE, undefined=NO_GAP),
    Measure(total_variation, "distributions", bounds=SHARE),
    Measure(jensen_shannon, "distributions", bounds=SHARE),
    Measure(pearson, "rates", of_one_scenario=False, by_frame=False, bounds=CORRELATION, undefined=NO_SPREAD),
    Measure(spearman, "rates", of_one_scenario=False, by_frame=False, bounds=CORRELATION, undefined=NO_SPREAD),
    Measure(concordance, "rates", of_one_scenario=False, by_frame=False, bounds=CORRELATION, undefined=NO_SPREAD),
    Measure(calibration_slope, "rates", of_one_scenario=False, by_frame=False, undefined=NO_SPREAD),
    Measure(root_mean_square_error, "rates", bounds=SHARE),
)
ADVANTAGE = Measure(advantage, "rates", of_one_scenario=False, against_base=True, undefined=NO_GAP)
OF_FRAME_AVERAGES = Measure(
    gap_closed_of_frame_averages, "rates", against_base=True, by_frame=False, bounds=BELOW_ONE, undefined=NO_GAP
)
"""Beside the gap closed, where scenarios are put in several frames."""


def divide(part: Array, whole: Array, defined: NDArray[np.bool_] | np.bool_) -> Array:
    """Return part / whole, and nan where it is not `defined`, without a warning. The shape is that of `defined`."""
    quotient: Array = np.divide(part, whole, out=np.full(np.shape(defined), np.nan), where=defined)
    return quotient


def _mean_of_ratios(part: Array, whole: Array, undefined: NDArray[np.bool_]) -> Array:
    # A missing rate is never equal to another, so its nan stays in the sum and shows.
    ratios = np.where(undefined, 0, divide(part, whole, ~undefined))
    defined = (~undefined).sum(axis=-1)
    return divide(ratios.sum(axis=-1), defined, defined > 0)


def _moments(teacher: Array, student: Array) -> tuple[Array, Array, Array]:
    """Return the covariance and the two variances over scenarios, each divided by n."""
    teacher_centred = teacher - teacher.mean(axis=-1, keepdims=True)
    student_centred = student - student.mean(axis=-1, keepdims=True)
    return (
        (teacher_centred * student_centred).mean(axis=-1),
        (teacher_centred**2).mean(axis=-1),
        (student_centred**2).mean(axis=-1),
    )


def _constant(rates: Array) -> NDArray[np.bool_]:
    # The variance of equal numbers may be a rounding error above zero; their range is not.
    return np.asarray(np.ptp(rates, axis=-1) <= ROUNDING)


def _entropy(distribution: Array) -> Array:
    # An outcome without mass adds nothing: its limit is that of 1 log 1. A missing one stays missing.
    positive = np.where(distribution <= 0, 1, distribution)
    return np.asarray(-(positive * np.log2(positive)).sum(axis=0))
