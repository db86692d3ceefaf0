"""The figure of one model's play: a mark per scenario and frame, and how they are spread where there are too many."""

from collections import Counter
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tomtransfer.measurement.play import TEACHER, Play, PlayedRate
from tomtransfer.report.strips import Strip, draw_strips
from tomtransfer.report.style import FAINT, INK, MARKS, MOST_SHOWN, PAPER, new_figure, styled, words

FRAME_COLORS = ("#0072B2", "#D55E00", "#E69F00", "#CC79A7", "#009E73", "#56B4E9")
"""Of Okabe and Ito (2008), for frames beside the first; of more frames, colours and marks come again in other pairs."""

FRAME_MARKS = "o^Dv<>P"


@styled
def play_figure(play: Play) -> Figure:
    """Draw how often the teacher cooperates, by game and context, a mark per frame: the scored frame is a square."""
    games = list(dict.fromkeys(each.game for each in play.rates))
    contexts = {split: _contexts_of(play, split) for split in play.splits}
    if max(len(games), *map(len, contexts.values())) > MOST_SHOWN:
        return _spread_of_play(play, games)
    heights = [max(len(names), 2) + 0.6 for names in contexts.values()]
    figure = new_figure(1.5 + 1.5 * max(len(games), 3), 1.1 + 0.28 * sum(heights))
    grid = figure.subplots(len(contexts), len(games), squeeze=False, sharex=True, height_ratios=heights)
    looks = _looks(play)
    for row, (split, names) in zip(grid, contexts.items(), strict=True):
        for axes, game in zip(row, games, strict=True):
            here = [each for each in play.rates if (each.split, each.game) == (split, game)]
            _panel(axes, here, names, looks)
            axes.set_title(words(game) if axes in grid[0] else "")
            axes.tick_params(labelleft=axes is row[0])
        row[0].set_ylabel(words(split), fontweight="bold")
    figure.align_ylabels(grid[:, 0])
    figure.supxlabel("cooperation, share of valid answers", fontsize=8)
    handles = [Line2D([], [], label=frame.replace("_", " "), **look) for frame, look in looks.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(4, len(handles)))
    return figure


def _panel(axes: Axes, rates: list[PlayedRate], contexts: list[str], looks: dict[str, dict[str, Any]]) -> None:
    axes.set(xlim=(-0.04, 1.04), ylim=(len(contexts) - 0.5, -0.5), xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
    axes.set_yticks(range(len(contexts)), [words(context) for context in contexts])
    axes.tick_params(axis="y", length=0)
    axes.hlines(np.arange(1, len(contexts)) - 0.5, 0, 1, color=FAINT, linewidth=0.5, zorder=0)
    axes.axvline(0.5, color=FAINT, linewidth=0.5, zorder=0)
    places = {frame: 0.3 * (2 * (number + 0.5) / len(looks) - 1) for number, frame in enumerate(looks)}
    for each in rates:
        if each.rate is None:
            continue
        height = contexts.index(each.context) + places[each.frame]
        if each.low is not None and each.high is not None:
            axes.hlines(height, each.low, each.high, color=looks[each.frame]["color"], linewidth=0.8)
        axes.plot(each.rate, height, **looks[each.frame])


def _looks(play: Play) -> dict[str, dict[str, Any]]:
    """Return how each frame is drawn, the scored one first."""
    [scored] = next(iter(play.views.values()))
    others = [frame for frame in dict.fromkeys(each.frame for each in play.rates) if frame != scored]
    found = {scored: {**MARKS[TEACHER].look, "markersize": 4.0}}
    for number, frame in enumerate(others):
        color, marker = FRAME_COLORS[number % len(FRAME_COLORS)], FRAME_MARKS[number % len(FRAME_MARKS)]
        shape = {"marker": marker, "markerfacecolor": PAPER, "markeredgecolor": color, "markersize": 3.5}
        found[frame] = {"color": color, "linestyle": "none", **shape}
    return found


def _spread_of_play(play: Play, games: list[str]) -> Figure:
    """Draw how cooperation is spread over scenarios and frames, a line per game and split."""
    counts = Counter(each.split for each in play.rates)
    shown = games if len(games) <= MOST_SHOWN else []
    figure = new_figure(7.2, 1 + 0.3 * len(counts) * max(len(shown), 2))
    grid = figure.subplots(len(counts), 1, squeeze=False, sharex=True)[:, 0]
    for axes, split in zip(grid, play.splits, strict=True):
        own = [each for each in play.rates if each.split == split and each.rate is not None]
        lines = {words(game): [each.rate for each in own if each.game == game] for game in shown}
        lines = lines or {f"{len(games):,} games": [each.rate for each in own]}
        draw_strips(axes, [Strip(label, TEACHER, np.array(values)) for label, values in lines.items()], 1)
        axes.set_title(f"{words(split)}, {counts[split]:,} scenarios and frames", fontweight="bold", color=INK)
    figure.supxlabel("cooperation, share of valid answers: spread, mark at the median", fontsize=8)
    return figure


def _contexts_of(play: Play, split: str) -> list[str]:
    return list(dict.fromkeys(each.context for each in play.rates if each.split == split))
