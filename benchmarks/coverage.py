"""How often intervals hold what they should: their coverage in simulated experiments, written as docs/coverage.md.

    PYTHONPATH=workflow python benchmarks/coverage.py            # about five minutes on one core
    PYTHONPATH=workflow python benchmarks/coverage.py --quick    # some seconds: shows that it runs

An experiment draws contexts and trainings from a simulated population (`populations`) and computes an interval with the
functions that the report uses. Its truth is the same statistic of the whole population: over all trainings where the
experiment has several, and of its own where it has one, because one training cannot show how trainings differ.
"""

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import numpy as np

from coverage_page import Coverage, Row, Size, page
from other_intervals import methods
from populations import Array, Cell, Population, draw, populate
from tomtransfer.measurement.clusters import estimate
from tomtransfer.measurement.components import PARTS, component_estimates, component_statistics
from tomtransfer.measurement.distances import FLOORS, gap_statistics
from tomtransfer.measurement.framed import Framed
from tomtransfer.measurement.intervals import Interval

DOCS = Path(__file__).parents[1] / "docs"
QUICK = Size(("strong",), (3, 5), (1, 3), experiments=100, bootstrapped=50, draws=100)

GAP_FIGURES = {"gap closed": 0, "beyond best constant": 1 + len(FLOORS) + FLOORS.index("best_constant")}
PART_FIGURES = {
    "level closed": ("closed", "level"),
    "pattern closed": ("closed", "pattern"),
    "pattern beyond constant": ("beyond", "pattern"),
    "habit closed": ("closed", "habit"),
}
FIGURES = (*GAP_FIGURES, *PART_FIGURES)
"""What is simulated, and where it stands among the statistics of the gap and of the components."""


def simulate(size: Size) -> Coverage:
    """Return the coverage in every cell."""
    found = Coverage({}, {}, {}, {})
    for student, clustered in product(size.students, (True, False)):
        population = populate(student, clustered)
        truth = {one: truths(population, one) for one in (True, False)}
        for answers, contexts, trainings in product(size.answers, size.contexts, size.trainings):
            cell = Cell(student, clustered, answers, contexts, trainings)
            drawn, which = draw(population, cell, size.experiments, seed=1)
            ends = intervals(drawn)
            right = {name: each[which[:, 0] if trainings == 1 else [0]] for name, each in truth[trainings == 1].items()}
            found.figures[cell] = {name: covered(ends[name], right[name]) for name in FIGURES}
            if trainings == 1:
                found.all_trainings[cell] = covered(ends["gap closed"], truth[False]["gap closed"])
            few, closed = drawn.select(slice(size.bootstrapped)), right["gap closed"][: size.bootstrapped]
            found.methods[cell] = {name: covered(each, closed) for name, each in methods(few, size.draws).items()}
            print(cell, {name: round(share, 1) for name, share in found.figures[cell].items()}, flush=True)
        if clustered:
            found.noise.update(with_few_answers(population, truth[False]["gap closed"], student, size))
    return found


def truths(population: Population, one_training: bool) -> dict[str, Array]:
    """Return each figure over the whole population, (1,), or for every training of it, (trainings,)."""
    models = (population.teacher, population.base, population.tuned)
    everywhere, all_trainings = np.arange(population.tuned.contexts), np.arange(population.tuned.trainings)
    groups = all_trainings[:, np.newaxis] if one_training else all_trainings[np.newaxis]
    gap, parts = gap_statistics(*models), component_statistics(*models)
    gaps = np.stack([gap(everywhere, group) for group in groups], axis=-1)
    roots, _, beyond = np.stack([parts(everywhere, group) for group in groups], axis=-1)
    columns = {"closed": 1 - roots**3, "beyond": beyond}
    found = {name: gaps[row] for name, row in GAP_FIGURES.items()}
    return found | {name: columns[kind][PARTS.index(part)] for name, (kind, part) in PART_FIGURES.items()}


def intervals(drawn: Population) -> dict[str, Interval]:
    """Return the interval of each figure in every experiment, as the report computes it."""
    models, contexts, trainings = (drawn.teacher, drawn.base, drawn.tuned), drawn.tuned.contexts, drawn.tuned.trainings
    gaps, parts = estimate(gap_statistics(*models), contexts, trainings), component_estimates(*models)
    found = {name: gaps.row(row).interval for name, row in GAP_FIGURES.items()}
    return found | {name: parts[kind].row(PARTS.index(part)).interval for name, (kind, part) in PART_FIGURES.items()}


def covered(interval: Interval, truth: Array) -> float:
    """Return how many percent of the intervals hold the truth."""
    return 100 * float(np.mean((interval.low <= truth) & (truth <= interval.high)))


def with_few_answers(population: Population, truth: Array, student: str, size: Size) -> dict[Cell, Row]:
    """Return the coverage of the gap closed by number of answers, with noise taken off and left in."""
    rows: dict[Cell, Row] = {}
    for answers, contexts in product(size.fewer_answers, size.contexts[1::2]):
        cell = Cell(student, True, answers, contexts, size.trainings[1])
        drawn, _ = draw(population, cell, size.experiments, seed=2)
        noisy = Population(*(Framed(each.rates) for each in (drawn.teacher, drawn.base, drawn.tuned)))
        rows[cell] = {}
        for name, each in (("taken off", drawn), ("left in", noisy)):
            models = (each.teacher, each.base, each.tuned)
            closed = estimate(gap_statistics(*models), contexts, cell.trainings).row(0)
            bias = 100 * float((closed.value - truth).mean())
            rows[cell] |= {f"{name}: coverage": covered(closed.interval, truth), f"{name}: bias": bias}
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few experiments of few kinds, in some seconds")
    parser.add_argument("--results", type=Path, default=DOCS, help="folder of the page (default: docs)")
    given = parser.parse_args(arguments)
    size = QUICK if given.quick else Size()
    command = "PYTHONPATH=workflow python benchmarks/coverage.py" + " --quick" * given.quick
    given.results.mkdir(parents=True, exist_ok=True)
    (given.results / "coverage.md").write_text(page(simulate(size), size, command), encoding="utf-8")


if __name__ == "__main__":
    main()
