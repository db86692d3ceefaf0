"""Figures of the gap closed, with its interval, its floors and its ceiling; and ours beside the published ones."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.scoring import Score
from tomtransfer.report.style import FAINT, INK, MARKS, MOST_SHOWN, legend, new_figure, percent, styled, words

FLOORS_AND_CEILING = ("best_constant", "own_mean", "fair_coin", "ceiling")

FURTHEST = 4.0
"""Ratios may lie far beyond 100 % on either side; axes end here at the latest, and what lies beyond is marked."""

COMPARED_MEASURES = {
    "gap_closed": "gap closed (ratio of sums)",
    "improvement": "improvement (the paper's mean of ratios)",
}
"""What is compared with the published result."""


@styled
def gap_closed_figure(findings: Findings) -> Figure:
    """Draw the gap closed by split, by other arms and by game within it, with interval, floors and ceiling."""
    rows = []
    for split in findings.splits:
        games = dict.fromkeys(scenario.game for scenario in findings.scenarios(split))
        rows.append((words(split), findings.score("gap_closed", split)))
        rows += [(f"{words(arm)} (other arm)", score) for arm, score in _of_arms(findings, split)]
        if len(games) <= MOST_SHOWN:
            rows += [(words(game), findings.score("gap_closed", split, game)) for game in games]
    figure = new_figure(7.2, 1.3 + 0.24 * len(rows))
    axes = figure.subplots()
    _forest(axes, rows, _reach([score for _, score in rows]))
    for label, (name, _) in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if name in map(words, findings.splits) else "normal")
    axes.set_xlabel("gap closed: 0 % no nearer than before training, 100 % the teacher")
    legend(figure, "tuned", *FLOORS_AND_CEILING, columns=3)
    return figure


def _of_arms(findings: Findings, split: str) -> list[tuple[str, Score]]:
    """Return the gap closed by the students of other arms in a split, in the scored frame."""
    return [
        (each.arm, score)
        for each in findings.arms
        for score in each.scores
        if (each.view, score.level, score.split, score.measure) == (findings.frame, "split", split, "gap_closed")
    ]


@styled
def beside_published(ours: Findings, published: Findings) -> Figure:
    """Draw our result and the published one in the same form: both measures by split, with floors and ceiling."""
    height = max(len(ours.splits), len(published.splits))
    figure = new_figure(8.2, 1.5 + 2 * (0.3 * height + 0.5))
    grid = figure.subplots(2, 2, squeeze=False, sharex="row")
    for row, (measure, title) in zip(grid, COMPARED_MEASURES.items(), strict=True):
        both = [[(words(split), each.score(measure, split)) for split in each.splits] for each in (ours, published)]
        reach = _reach([score for rows in both for _, score in rows])
        for axes, rows, whose in zip(row, both, ("This experiment", "Published"), strict=True):
            _forest(axes, rows, reach)
            axes.set_title(whose if axes in grid[0] else "", fontweight="bold")
            axes.set_xlabel(title)
    legend(figure, "tuned", *FLOORS_AND_CEILING, columns=3)
    return figure


def _reach(scores: Sequence[Score]) -> float:
    """Return how far an axis reaches to either side: to all values, floors and ceilings, within reason."""
    values = [getattr(score, name) for score in scores for name in ("value", *FLOORS_AND_CEILING)]
    return float(np.clip(max((1.02 * abs(value) for value in values if value is not None), default=0), 1, FURTHEST))


def _forest(axes: Axes, rows: Sequence[tuple[str, Score]], reach: float) -> None:
    """Draw a score per row, the first on top: its value with the interval, its floors and its ceiling."""
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [label for label, _ in rows])
    axes.tick_params(axis="y", length=0)
    axes.hlines(np.arange(len(rows)), -reach, reach, color=FAINT, linewidth=0.5, zorder=0)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(-1.04 * reach, 1.04 * reach)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 2.5, 5]))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    for height, (_, score) in enumerate(rows):
        if score.value is None:
            axes.text(0.02 * reach, height, score.note, va="center", fontsize=6.5, style="italic")
            continue
        for name in FLOORS_AND_CEILING:
            _point(axes, height, getattr(score, name), name, reach)
        _interval(axes, height, score, reach)
        _point(axes, height, score.value, "tuned", reach)


def _interval(axes: Axes, height: int, score: Score, reach: float) -> None:
    """Draw an interval, with an arrow where it goes on beyond the axis."""
    if score.low is None or score.high is None:
        return
    color = MARKS["tuned"].color
    low, high = max(score.low, -reach), min(score.high, reach)
    axes.hlines(height, low, high, color=color, linewidth=1.6)
    if low > score.low:
        axes.plot(low, height, marker="<", color=color, markersize=4)
    if high < score.high:
        axes.plot(high, height, marker=">", color=color, markersize=4)


def _point(axes: Axes, height: int, value: float | None, name: str, reach: float) -> None:
    """Draw a mark at a value; beyond the axis, at its end and with the value in figures."""
    if value is None:
        return
    size = {"markersize": 6} if name in {"tuned", "ceiling"} else {}
    place = float(np.clip(value, -reach, reach))
    axes.plot(place, height, zorder=3 if name == "tuned" else 2, **MARKS[name].look | size)
    if place != value:
        side = "left" if value < 0 else "right"
        axes.text(place, height - 0.12, percent(value), fontsize=6.5, color=MARKS[name].color, ha=side, va="bottom")
