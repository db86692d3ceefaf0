"""Intervals of the gap closed by other methods, for benchmarks/coverage.py to compare with the one that was chosen."""

import numpy as np
from scipy.stats import t as student_t

from populations import Array, Population
from tomtransfer.measurement.clusters import chosen, estimate
from tomtransfer.measurement.distances import distances
from tomtransfer.measurement.intervals import Interval

TAILS = (0.025, 0.975)


def methods(drawn: Population, draws: int) -> dict[str, Interval]:
    """Return intervals of the gap closed in every experiment by other methods and by the one that was chosen."""
    before, after = distances(drawn.base, drawn.teacher), distances(drawn.tuned, drawn.teacher)
    contexts, trainings = drawn.tuned.contexts, drawn.tuned.trainings

    def closed(some: Array, others: Array) -> Array:
        return 1 - np.divide(*(chosen(each, some, others).mean(axis=(-2, -1)) for each in (after, before)))

    # Leaving out contexts alone, and trainings alone: the other is kept whole.
    over_contexts = estimate(lambda some, _: closed(some, np.arange(trainings)), contexts, 1)
    over_trainings = estimate(lambda _, others: closed(np.arange(contexts), others), 1, trainings)
    fewest = min(number - 1 for number in (contexts, trainings) if number > 1)
    value, variance = over_contexts.value, np.zeros(len(before))
    for each, number in ((over_contexts, contexts), (over_trainings, trainings)):
        if number > 1:
            half = (each.interval.high - each.interval.low) / 2
            variance += (half / student_t.ppf(TAILS[1], number - 1)) ** 2
    half = student_t.ppf(TAILS[1], fewest) * np.sqrt(variance)
    return bootstraps(before[:, 0], after, np.random.default_rng(3), draws) | {
        "jackknife over contexts, t": over_contexts.interval,
        "jackknife over both, t with the degrees of freedom of the fewer": Interval(value - half, value + half),
        "**jackknife over both, t with Satterthwaite's degrees of freedom** (chosen)": estimate(
            closed, contexts, trainings
        ).interval,
    }


def bootstraps(before: Array, after: Array, generator: np.random.Generator, draws: int) -> dict[str, Interval]:
    """Return bootstrap intervals of the gap closed, from distances (experiments, contexts) before training and
    (experiments, trainings, contexts) after it."""
    trainings, contexts = after.shape[1:]
    mean_after = after.mean(axis=1)
    times = generator.multinomial(contexts, np.full(contexts, 1 / contexts), size=draws).T.astype(float)
    training_times = generator.multinomial(trainings, np.full(trainings, 1 / trainings), size=draws) / trainings
    ratios = (mean_after @ times) / (before @ times)
    pigeonhole = np.einsum("nrb,br->nb", after @ times, training_times) / (before @ times)

    def standard_error(ratio: Array, times: Array) -> Array:
        """Return the linearized error of a ratio of sums: Davison and Hinkley (1997), Bootstrap Methods, eq. 2.25."""
        squares = mean_after**2 @ times - 2 * ratio * ((mean_after * before) @ times) + ratio**2 * (before**2 @ times)
        return np.asarray(np.sqrt(np.maximum(squares, 0)) / (before @ times))

    once = np.ones((contexts, 1))
    ratio = (mean_after @ once) / (before @ once)
    # A draw of one context alone has no error of its own.
    several = (times > 0).sum(axis=0) > 1
    steps = (ratios - ratio)[:, several] / standard_error(ratios[:, several], times[:, several])
    steps = np.quantile(steps, TAILS[::-1], axis=1)
    found = {
        "percentiles of the bootstrap over contexts": np.quantile(ratios, TAILS, axis=1),
        "percentiles of the pigeonhole bootstrap over both": np.quantile(pigeonhole, TAILS, axis=1),
        "bootstrap-t over contexts": ratio[:, 0] - steps * standard_error(ratio, once)[:, 0],
    }
    return {name: Interval(1 - high, 1 - low) for name, (low, high) in found.items()}
