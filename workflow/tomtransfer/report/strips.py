"""How values are spread: a line per group of them, for grids that are too large to show every scenario."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from tomtransfer.measurement.evidence import Scenario
from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.measures import Array
from tomtransfer.report.style import FAINT, MARKS, MOST_SHOWN, words

BINS = 25
"""Columns of a histogram."""

HEIGHT = 0.8
"""Of the tallest column, where lines are 1 apart."""

GROUPS = 20
"""Groups of equally many scenarios, in the order of the teacher's cooperation."""

MIDDLE = (10, 90)
"""Percentiles between which the middle of a group lies."""


@dataclass(frozen=True)
class Strip:
    """The values of one line, drawn as what `name` stands for in MARKS."""

    label: str
    name: str
    values: Array


GAP = Strip("", "teacher", np.empty(0))
"""A line that is left empty."""


def is_large(findings: Findings) -> bool:
    """Tell whether a split has too many contexts to show each, or there are too many games."""
    scenarios = [scenario for split in findings.splits for scenario in findings.scenarios(split)]
    contexts = Counter(split for split, _ in {(scenario.split, scenario.context) for scenario in scenarios})
    return max(len({scenario.game for scenario in scenarios}), *contexts.values()) > MOST_SHOWN


def by_game(findings: Findings, split: str) -> dict[str, list[Scenario]]:
    """Return the scenarios of every game under its name in words, or all together where games are too many."""
    scenarios = findings.scenarios(split)
    games = list(dict.fromkeys(scenario.game for scenario in scenarios))
    if len(games) > MOST_SHOWN:
        return {f"{len(games):,} games": scenarios}
    return {words(game): [scenario for scenario in scenarios if scenario.game == game] for game in games}


def draw_strips(axes: Axes, strips: Sequence[Strip], reach: float) -> None:
    """Draw a histogram from 0 to `reach` per line, the first on top, with the mark at its median."""
    axes.set(xlim=(-0.04 * reach, 1.04 * reach), ylim=(len(strips) - 0.6, -0.9))
    axes.set_yticks(range(len(strips)), [strip.label for strip in strips])
    axes.tick_params(axis="y", length=0)
    for line, strip in enumerate(strips):
        if not len(strip.values):
            continue
        mark = MARKS[strip.name]
        axes.hlines(line, 0, reach, color=FAINT, linewidth=0.5, zorder=0)
        counts, edges = np.histogram(np.clip(strip.values, 0, reach), BINS, (0, reach))
        tops = line - HEIGHT * counts / counts.max()
        axes.stairs(tops, edges, baseline=line, fill=True, color=mark.color, alpha=0.4, linewidth=0)
        axes.plot(float(np.median(strip.values)), line, **mark.look)


def draw_groups(axes: Axes, across: Array, up: Array, name: str) -> None:
    """Draw the median of every group of points of similar `across`, and from where to where its middle reaches."""
    groups = [group for group in np.array_split(np.argsort(across, kind="stable"), GROUPS) if len(group)]
    places = [float(np.median(across[group])) for group in groups]
    low, high = np.transpose([np.percentile(up[group], MIDDLE) for group in groups])
    axes.vlines(places, low, high, color=MARKS[name].color, linewidth=1.2, alpha=0.6)
    axes.plot(places, [float(np.median(up[group])) for group in groups], **MARKS[name].look)
