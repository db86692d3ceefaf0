"""Heat maps: rates of cooperation over two payoffs, of several models beside each other, and how they differ.

Games that were held out are outlined; where the payoffs cross, families meet, whose regions are named. A cell says what
it is when a pointer rests on it.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.experiment.files import write_text
from tomtransfer.measurement.measures import Array
from tomtransfer.measurement.surfaces import Surface
from tomtransfer.report.style import INK, PAPER, new_figure, save, say, styled, words
from tomtransfer.scenarios.families import SYMBOLS
from tomtransfer.scenarios.numbers import in_digits

MOST_CELLS = 1_000
"""Games of a map that are drawn one by one; more are an image, whose cells say nothing."""

PANELS = {"teacher": "teacher", "base": "student before training", "tuned": "student after training"}
"""The models, and what their maps are called."""

REGIONS = {
    (True, True): "snowdrift",
    (True, False): "prisoner's dilemma",
    (False, True): "harmony",
    (False, False): "stag hunt",
}
"""The four families of a plane of the sucker's payoff and temptation, where reward is more than punishment: whether
temptation is more than the reward, and the sucker's payoff more than punishment."""


@dataclass(frozen=True, eq=False)
class Map:
    """The games of a plane on a grid of two payoffs, from all splits."""

    across: int
    """Which payoff goes along the horizontal axis, in the order of SYMBOLS."""
    up: int
    payoffs: Array
    """(games, 4)."""
    splits: tuple[str, ...]
    """Of each game."""
    rates: Mapping[str, Array]
    """Of each model, over frames and trainings: (games,)."""
    answers: Array
    """Counted answers of the teacher, (games,); nan where its rates are exact."""

    @property
    def places(self) -> Array:
        """Where the games stand, (games, 2)."""
        return self.payoffs[:, [self.across, self.up]]


def map_of(surfaces: Sequence[Surface]) -> Map | None:
    """Return the map of surfaces that share their frames; None where games differ in other than two payoffs.

    Surfaces whose other payoffs are not those of the first, as where all are doubled, are left out.
    """
    varied = [number for number in range(len(SYMBOLS)) if len(np.unique(surfaces[0].payoffs[:, number])) > 1]
    fixed = [number for number in range(len(SYMBOLS)) if number not in varied]
    shown = [each for each in surfaces if (each.payoffs[:, fixed] == surfaces[0].payoffs[0, fixed]).all()]
    payoffs = np.concatenate([each.payoffs for each in shown])
    if len(varied) != 2 or len(np.unique(payoffs, axis=0)) < len(payoffs):  # noqa: PLR2004 - a map has two axes
        return None
    names = list(SYMBOLS.values())
    across = names.index("temptation") if names.index("temptation") in varied else varied[-1]
    [up] = [number for number in varied if number != across]
    rates = {model: np.concatenate([each.mean(model).mean(axis=0) for each in shown]) for model in shown[0].rates}
    splits = tuple(each.split for each in shown for _ in each.games)
    return Map(across, up, payoffs, splits, rates, np.concatenate([each.answers for each in shown]))


@styled
def heat_maps(found: Map | None) -> Figure:
    """Draw a map for every model, and one of what is left of the difference to the teacher after training."""
    if found is None:
        figure = new_figure(6, 1)
        say(figure.subplots(), "No map: these games differ in other than two payoffs.")
        return figure
    models = [model for model in PANELS if model in found.rates]
    compared = "tuned" in found.rates
    figure = new_figure(2.25 * (len(models) + compared) + 0.8, 3.1)
    panels = list(figure.subplots(1, len(models) + compared, squeeze=False, sharex=True, sharey=True)[0])
    shades, span = matplotlib.colormaps["cividis"], Normalize(0, 1)
    for axes, model in zip(panels, models, strict=False):
        _draw(axes, found, model, found.rates[model], (shades, span))
        axes.set_title(PANELS[model])
    figure.colorbar(ScalarMappable(span, shades), ax=panels[: len(models)], label="cooperation", shrink=0.8, pad=0.01)
    if compared:
        difference = found.rates["tuned"] - found.rates["teacher"]
        opposed, reach = matplotlib.colormaps["PuOr"], Normalize(-0.5, 0.5)
        _draw(panels[-1], found, "difference", difference, (opposed, reach))
        panels[-1].set_title("after training less teacher")
        figure.colorbar(ScalarMappable(reach, opposed), ax=panels[-1], label="difference", shrink=0.8, pad=0.02)
    panels[0].set_ylabel(_axis_label(found.up))
    return figure


def _axis_label(payoff: int) -> str:
    letter, name = list(SYMBOLS.items())[payoff]
    return f"{name}, {letter}"


def _draw(axes: Axes, found: Map, panel: str, values: Array, colours: tuple[Colormap, Normalize]) -> None:
    shades, span = colours
    width, height = (_step(found.places[:, axis]) for axis in (0, 1))
    if len(values) > MOST_CELLS:
        _draw_image(axes, found, values, colours)
    else:
        for number, ((across, up), value) in enumerate(zip(found.places, values, strict=True)):
            corner = (across - width / 2, up - height / 2)
            color = shades(span(value))
            # Its own colour round it leaves no seam between cells.
            cell = Rectangle(corner, width, height, facecolor=color, edgecolor=color, linewidth=0.2, clip_on=False)
            cell.set_gid(f"{panel}-{number}")
            axes.add_patch(cell)
    _outline(axes, found, (width, height))
    _name_regions(axes, found)
    low, high = found.places.min(axis=0), found.places.max(axis=0)
    axes.set(xlim=(low[0] - width / 2, high[0] + width / 2), ylim=(low[1] - height / 2, high[1] + height / 2))
    axes.set_xlabel(_axis_label(found.across))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5, integer=True))


def _draw_image(axes: Axes, found: Map, values: Array, colours: tuple[Colormap, Normalize]) -> None:
    shades, span = colours
    across, up = (np.unique(found.places[:, axis]) for axis in (0, 1))
    grid = np.full((len(up), len(across)), np.nan)
    grid[np.searchsorted(up, found.places[:, 1]), np.searchsorted(across, found.places[:, 0])] = values
    axes.pcolormesh(across, up, grid, cmap=shades, norm=span, rasterized=True, shading="nearest")


def _step(values: Array) -> float:
    """Return the smallest distance between two different values."""
    return float(np.diff(np.unique(values)).min())


def _outline(axes: Axes, found: Map, size: tuple[float, float]) -> None:
    """Draw a line round the games that are held out: between each and its neighbours that are not."""
    width, height = size
    held_out = {tuple(place) for place, split in zip(found.places, found.splits, strict=True) if split != TRAINED_SPLIT}
    for across, up in held_out:
        left, right, bottom, top = across - width / 2, across + width / 2, up - height / 2, up + height / 2
        sides = {
            (across - width, up): ((left, left), (bottom, top)),
            (across + width, up): ((right, right), (bottom, top)),
            (across, up - height): ((left, right), (bottom, bottom)),
            (across, up + height): ((left, right), (top, top)),
        }
        for neighbour, line in sides.items():
            if neighbour not in held_out:
                axes.plot(*line, color="#D55E00", linewidth=0.7, solid_capstyle="butt")


def _name_regions(axes: Axes, found: Map) -> None:
    """Draw where temptation is the reward and the sucker's payoff the punishment, and name the families between."""
    names = list(SYMBOLS.values())
    reward, punishment = (np.unique(found.payoffs[:, names.index(name)]) for name in ("reward", "punishment"))
    if (names[found.across], names[found.up]) != ("temptation", "sucker") or reward[0] <= punishment[0]:
        return
    across, up = reward[0], punishment[0]
    axes.axvline(across, color=PAPER, linewidth=0.6, linestyle="dashed")
    axes.axhline(up, color=PAPER, linewidth=0.6, linestyle="dashed")
    low, high = found.places.min(axis=0), found.places.max(axis=0)
    for (tempting, safe), name in REGIONS.items():
        ends = ((across, high[0]) if tempting else (low[0], across), (up, high[1]) if safe else (low[1], up))
        if all(last > first for first, last in ends):
            right, top = ((first + last) / 2 for first, last in ends)
            said = name.replace(" ", "\n")
            text = axes.text(right, top, said, ha="center", va="center", fontsize=6.5, color=INK)
            text.set_bbox({"facecolor": PAPER, "alpha": 0.7, "edgecolor": "none", "pad": 1.2})


def save_map(figure: Figure, found: Map | None, path: Path) -> None:
    """Write a figure of maps as SVG or PDF; the cells of an SVG say what they are when a pointer rests on them."""
    save(figure, path)
    if path.suffix == ".svg" and found is not None:
        said = _said_of(found)
        text = path.read_text(encoding="utf-8")
        titled = re.sub(
            r'<g id="(?:teacher|base|tuned|difference)-(\d+)">',
            lambda cell: f"<g><title>{html.escape(said[int(cell[1])])}</title>",
            text,
        )
        write_text(titled, path)


def _said_of(found: Map) -> list[str]:
    """Return what is said of each game: its payoffs, its split and all rates."""
    said = []
    for number, payoffs in enumerate(found.payoffs):
        points = ", ".join(f"{letter} {in_digits(each)}" for letter, each in zip(SYMBOLS, payoffs, strict=True))
        rates = ", ".join(
            f"{PANELS[model]} {found.rates[model][number]:z.2f}" for model in PANELS if model in found.rates
        )
        counted = f" ({found.answers[number]:z.0f} answers)" if np.isfinite(found.answers[number]) else ""
        said.append(f"{points}; {words(found.splits[number]).lower()}; {rates.replace(',', f'{counted},', 1)}")
    return said
