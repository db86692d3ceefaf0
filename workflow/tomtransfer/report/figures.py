"""Figures of how the models choose: cooperation, student against teacher, distance to the teacher, training."""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tomtransfer.measurement.evidence import ROLES, Scenario
from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.measures import Array, best_constant, own_mean
from tomtransfer.report.strips import GAP, GROUPS, MIDDLE, Strip, by_game, draw_groups, draw_strips, is_large
from tomtransfer.report.style import FAINT, INK, MARKS, PAPER, legend, new_figure, percent, say, styled, words

DISTANCES = {
    "base": "Before training",
    "value": "After training",
    "best_constant": "Best constant",
    "own_mean": "Own mean",
    "fair_coin": "Fair coin",
    "ceiling": "Teacher, halved",
}
"""Columns of a score that the distance figure shows, and their titles."""

MOST_POINTS = 500
"""Of a panel; more scenarios than that hide one another."""

DARK = 0.55
"""From this share of the colour scale on, cells are too dark for black letters."""


@dataclass(frozen=True)
class Loss:
    """The training loss of a step, and the loss on held-back examples where it was taken."""

    step: int
    training: float
    held_back: float | None


@styled
def cooperation(findings: Findings) -> Figure:
    """Draw how often each model cooperates, by game and context, with Wilson's intervals where answers were counted."""
    if is_large(findings):
        return _spread_of_cooperation(findings)
    games = list(dict.fromkeys(row.scenario.game for row in findings.rates))
    contexts = {split: _contexts(findings, split) for split in findings.splits}
    heights = [len(names) + 0.6 for names in contexts.values()]
    figure = new_figure(1.5 + 1.5 * max(len(games), 3), 0.9 + 0.38 * sum(heights))
    grid = figure.subplots(len(contexts), len(games), squeeze=False, sharex=True, height_ratios=heights)
    for row, (split, names) in zip(grid, contexts.items(), strict=True):
        for axes, game in zip(row, games, strict=True):
            _cooperation_panel(axes, findings, split, game, names)
            axes.set_title(words(game) if axes in grid[0] else "")
            axes.tick_params(labelleft=axes is row[0])
        row[0].set_ylabel(words(split), fontweight="bold")
    figure.align_ylabels(grid[:, 0])
    figure.supxlabel(f"cooperation, share of {findings.among}", fontsize=8)
    legend(figure, *ROLES, below=False)
    return figure


def _cooperation_panel(axes: Axes, findings: Findings, split: str, game: str, contexts: Sequence[str]) -> None:
    axes.set(xlim=(-0.04, 1.04), ylim=(len(contexts) - 0.5, -0.5), xticks=[0, 0.5, 1], xticklabels=["0", "0.5", "1"])
    axes.set_yticks(range(len(contexts)), [words(context) for context in contexts])
    axes.tick_params(axis="y", length=0)
    axes.hlines(np.arange(1, len(contexts)) - 0.5, 0, 1, color=FAINT, linewidth=0.5, zorder=0)
    axes.axvline(0.5, color=FAINT, linewidth=0.5, zorder=0)
    here = [scenario for scenario in findings.scenarios(split) if scenario.game == game]
    for offset, model in zip((-0.26, 0, 0.26), ROLES, strict=True):
        for scenario in here:
            rate = findings.rate(scenario, model)
            height = contexts.index(scenario.context) + offset
            if rate.low is not None and rate.high is not None:
                axes.hlines(height, rate.low, rate.high, color=MARKS[model].color, linewidth=1.2)
            axes.plot(rate.rate, height, **MARKS[model].look)


def _spread_of_cooperation(findings: Findings) -> Figure:
    """Draw how each model's cooperation is spread over contexts, a line per model and game."""
    games = {split: by_game(findings, split) for split in findings.splits}
    heights = [4 * len(each) for each in games.values()]
    figure = new_figure(7.2, 1 + 0.2 * sum(heights))
    grid = figure.subplots(len(games), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    for axes, (split, scenarios) in zip(grid, games.items(), strict=True):
        strips = []
        for label, here in scenarios.items():
            teacher, base, tuned = (_rates(findings, here, model) for model in ROLES)
            strips += [Strip("", "teacher", teacher), Strip(label, "base", base), Strip("", "tuned", tuned), GAP]
        draw_strips(axes, strips[:-1], 1)
        axes.set_title(f"{words(split)}, {len(_contexts(findings, split)):,} contexts", fontweight="bold")
    figure.supxlabel(f"cooperation, share of {findings.among}: spread over scenarios, mark at the median", fontsize=8)
    legend(figure, *ROLES, below=False)
    return figure


@styled
def teacher_against_student(findings: Findings) -> Figure:
    """Draw the student's cooperation against the teacher's, before and after training, a panel per split."""
    splits = findings.splits
    grouped = max(len(findings.scenarios(split)) for split in splits) > MOST_POINTS
    panels = max(len(splits), 2)
    # A column of the legend is as wide as a panel; fewer columns have more lines.
    columns = min(panels, 3)
    figure = new_figure(2.5 * panels, 3.7 + 0.2 * (3 - columns))
    for axes, split in zip(figure.subplots(1, len(splits), squeeze=False)[0], splits, strict=True):
        teacher, base, tuned = (_rates(findings, findings.scenarios(split), model) for model in ROLES)
        axes.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), aspect="equal", xlabel="teacher's cooperation")
        axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8)
        for floor, level in (("best_constant", best_constant(teacher)[0]), ("own_mean", own_mean(tuned)[0])):
            style = "dashed" if floor == "best_constant" else "dotted"
            axes.axhline(level, color=MARKS[floor].color, linewidth=0.9, linestyle=style, zorder=0)
            axes.plot(1.0, level, clip_on=False, **MARKS[floor].look)
        axes.axhline(0.5, color=MARKS["fair_coin"].color, linewidth=0.5, zorder=0)
        axes.plot(1.0, 0.5, clip_on=False, **MARKS["fair_coin"].look)
        if grouped:
            draw_groups(axes, teacher, base, "base")
            draw_groups(axes, teacher, tuned, "tuned")
            axes.set_xlabel(f"teacher's cooperation\n{GROUPS} groups: median, middle {MIDDLE[1] - MIDDLE[0]} %")
        else:
            axes.vlines(teacher, base, tuned, color=FAINT, linewidth=0.8, zorder=0)
            axes.plot(teacher, base, **MARKS["base"].look)
            axes.plot(teacher, tuned, **MARKS["tuned"].look)
        axes.set_title(f"{words(split)}\n{_gap_in_words(findings, split)}")
    figure.axes[0].set_ylabel("student's cooperation")
    legend(figure, "base", "tuned", "best_constant", "own_mean", "fair_coin", columns=columns)
    return figure


def _gap_in_words(findings: Findings, split: str) -> str:
    row = findings.score("gap_closed", split)
    if row.value is None:
        return fill(f"gap closed {row.note}", 36)
    floors = f"best constant {percent(row.best_constant)}, own mean {percent(row.own_mean)}"
    return f"gap closed {percent(row.value)}\n{floors},\ncoin {percent(row.fair_coin)}, ceiling {percent(row.ceiling)}"


@styled
def distance(findings: Findings) -> Figure:
    """Draw how far from the teacher each scenario is, before and after training, beside floors and ceiling.

    Distances and not gaps closed: a share of a gap that hardly exists is a huge number without meaning, and over a grid
    of single scenarios it would take the eye first.
    """
    if is_large(findings):
        return _spread_of_distances(findings)
    games = list(dict.fromkeys(row.scenario.game for row in findings.rates))
    contexts = {split: _contexts(findings, split) for split in findings.splits}
    heights = [len(names) + 0.5 for names in contexts.values()]
    figure = new_figure(1.9 + len(DISTANCES) * max(0.32 * len(games), 1), 1.8 + 0.25 * sum(heights))
    grid = figure.subplots(len(contexts), len(DISTANCES), squeeze=False, height_ratios=heights)
    cells = {
        (split, column): _distance_grid(findings, split, column, games) for split in contexts for column in DISTANCES
    }
    scale = Normalize(0, max(np.nanmax(values) for values in cells.values()) or 1)
    for row, (split, names) in zip(grid, contexts.items(), strict=True):
        for axes, (column, title) in zip(row, DISTANCES.items(), strict=True):
            values = cells[split, column]
            _heat_map(axes, values, scale)
            mean = f"mean {np.nanmean(values):z.2f}"
            axes.set_title(f"{title}\n{mean}" if axes in grid[0] else mean)
            axes.set_yticks(np.arange(len(names)) + 0.5, [words(name) for name in names])
            axes.set_xticks(np.arange(len(games)) + 0.5, [words(game) for game in games], rotation=90)
            axes.tick_params(length=0, labelleft=axes is row[0], labelbottom=axes in grid[-1])
        row[0].set_ylabel(words(split), fontweight="bold")
    figure.align_ylabels(grid[:, 0])
    return figure


def _distance_grid(findings: Findings, split: str, column: str, games: Sequence[str]) -> Array:
    """Return |cooperation rate - teacher's| of every context (rows) and game (columns); nan where one is missing."""
    contexts = _contexts(findings, split)
    grid = np.full((len(contexts), len(games)), np.nan)
    for _, game, context in findings.scenarios(split):
        # Of a single scenario, the root mean square error is the distance.
        value = getattr(findings.score("root_mean_square_error", split, game, context), column)
        grid[contexts.index(context), games.index(game)] = value
    return grid


def _heat_map(axes: Axes, values: Array, scale: Normalize) -> None:
    """Draw cells light where near and dark where far, each with its number, which also reads without any colour."""
    axes.pcolormesh(values, cmap="cividis_r", norm=scale, edgecolors=PAPER, linewidth=0.6)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if scale(value) > DARK else "black"
            text = f"{value:z.2f}".removeprefix("0")
            axes.text(column + 0.5, row + 0.5, text, color=color, ha="center", va="center", fontsize=6.5)


def _spread_of_distances(findings: Findings) -> Figure:
    """Draw how the distances to the teacher are spread over contexts, a line per game."""
    games = {split: by_game(findings, split) for split in findings.splits}
    heights = [len(each) + 0.5 for each in games.values()]
    figure = new_figure(1.2 + 1.4 * len(DISTANCES), 1 + 0.4 * sum(heights))
    grid = figure.subplots(len(games), len(DISTANCES), squeeze=False, sharex=True, height_ratios=heights)
    strips = {
        (split, column): [
            Strip(label, "tuned" if column == "value" else column, _distances(findings, here, column))
            for label, here in games[split].items()
        ]
        for split in games
        for column in DISTANCES
    }
    reach = max(strip.values.max(initial=0) for panel in strips.values() for strip in panel) or 1
    for row, split in zip(grid, games, strict=True):
        for axes, (column, title) in zip(row, DISTANCES.items(), strict=True):
            draw_strips(axes, strips[split, column], reach)
            mean = f"mean {np.mean(np.concatenate([strip.values for strip in strips[split, column]])):z.2f}"
            axes.set_title(f"{title}\n{mean}" if axes in grid[0] else mean)
            axes.tick_params(labelleft=axes is row[0])
        row[0].set_ylabel(f"{words(split)},\n{len(_contexts(findings, split)):,} contexts", fontweight="bold")
    figure.supxlabel("distance to the teacher: spread over scenarios, mark at the median", fontsize=8)
    return figure


def _distances(findings: Findings, scenarios: Sequence[Scenario], column: str) -> Array:
    return np.array([getattr(findings.score("root_mean_square_error", *each), column) for each in scenarios])


@styled
def training(trainings: Sequence[Sequence[Loss]]) -> Figure:
    """Draw the training loss by step, and the loss on held-back examples where it was taken; a line per training."""
    figure = new_figure(5.2, 3)
    axes = figure.subplots()
    if not any(trainings):
        say(axes, "The training left no log.")
        return figure
    look = MARKS["tuned"].look | {"linestyle": "dashed"}
    for losses in trainings:
        axes.plot([each.step for each in losses], [each.training for each in losses], color=INK, linewidth=0.9)
        held_back = [(each.step, each.held_back) for each in losses if each.held_back is not None]
        axes.plot([step for step, _ in held_back], [loss for _, loss in held_back], **look)
    axes.set(xlabel="step of the optimizer", ylabel="loss", xlim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [Line2D([], [], color=INK, linewidth=0.9, label="training examples, each step")]
    handles.append(Line2D([], [], label="held-back examples, each quarter", **look))
    axes.legend(handles=handles, title=f"{len(trainings)} trainings" if len(trainings) > 1 else None)
    return figure


def _contexts(findings: Findings, split: str) -> list[str]:
    return list(dict.fromkeys(scenario.context for scenario in findings.scenarios(split)))


def _rates(findings: Findings, scenarios: Sequence[Scenario], model: str) -> Array:
    return np.array([findings.rate(scenario, model).rate for scenario in scenarios])
