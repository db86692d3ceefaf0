"""The figure of what moves each model's choices: preferences that differ with the game, or a liking for a letter."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from tomtransfer.measurement.bias import FACTORS, WITHIN, Effect, Share
from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.play import Play
from tomtransfer.report.style import FAINT, INK, MARKS, PAPER, new_figure, say, styled, words

COLORS = dict(zip(FACTORS, ("#0072B2", "#D55E00", "#E69F00", "#CC79A7"), strict=True))
"""Of Okabe and Ito (2008), as everywhere."""

HATCHES = dict(zip(WITHIN, ("", "//", "..", "xx"), strict=True))
"""How a part is spread reads without colour."""


@styled
def bias_figure(findings: Findings | Play) -> Figure:
    """Draw for each model what its log-odds vary with (left), and how large preferences and habits are (right)."""
    places = list(dict.fromkeys((each.split, each.labels) for each in findings.bias_shares))
    figure = new_figure(8.2, 1.1 + 1.5 * max(len(places), 1))
    if not places:
        say(
            figure.subplots(),
            "No pair of labels was played in all four frames by a model whose choices were read exactly.",
        )
        return figure
    models = list(findings.kinds)
    for row, place in zip(figure.subplots(len(places), 2, squeeze=False, sharex="col"), places, strict=True):
        shares = [each for each in findings.bias_shares if (each.split, each.labels) == place]
        effects = [each for each in findings.bias_effects if (each.split, each.labels) == place and each.game is None]
        for axes in row:
            axes.set_ylim(len(models) - 0.5, -0.5)
            axes.set_yticks(range(len(models)), [MARKS[model].label for model in models])
            axes.tick_params(axis="y", length=0)
        row[1].tick_params(labelleft=False)
        _draw_shares(row[0], shares, models)
        _draw_effects(row[1], effects, models)
        row[0].set_title(f"{words(place[0])}, labels {place[1]}")
    row[0].set_xlabel("share of the variance of the log-odds of cooperating")
    row[1].set_xlabel("mean effect, in log-odds")
    handles = [Patch(color=color, label=factor) for factor, color in COLORS.items()]
    handles += [Patch(facecolor=PAPER, edgecolor=INK, hatch=2 * hatch, label=name) for name, hatch in HATCHES.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=4)
    return figure


def _draw_shares(axes: Axes, shares: Sequence[Share], models: Sequence[str]) -> None:
    """Draw a bar per model, of all parts of the variance one after the other."""
    axes.set_xlim(0, 1)
    for height, model in enumerate(models):
        left = 0.0
        for each in shares:
            if each.model == model and each.share:
                bar = axes.barh(height, each.share, left=left, height=0.6, color=COLORS[each.factor], linewidth=0.4)
                bar[0].set(edgecolor=PAPER, hatch=HATCHES[each.within])
                left += each.share


def _draw_effects(axes: Axes, effects: Sequence[Effect], models: Sequence[str]) -> None:
    """Draw the mean of each part with its interval, below one another for each model."""
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=0)
    for each in effects:
        height = models.index(each.model) + 0.16 * (FACTORS.index(each.factor) - 1.5)
        if each.low is not None and each.high is not None:
            axes.hlines(height, each.low, each.high, color=COLORS[each.factor], linewidth=1.4)
        axes.plot(
            each.value, height, marker="os^D"[FACTORS.index(each.factor)], color=COLORS[each.factor], markersize=4
        )
