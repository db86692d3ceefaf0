"""How every figure looks and is written: colours and marks that survive colour blindness, print and a dark screen."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tomtransfer.experiment.files import write_whole
from tomtransfer.report.characters import named
from tomtransfer.report.fonts import OWN_FONT, lend_fonts

logger = logging.getLogger(__name__)

# It tells of every table of a font that it leaves out of a PDF.
logging.getLogger("fontTools").setLevel(logging.WARNING)

# A report on a dark screen finds these three in the SVG and turns them round. The paper is a shade off white so that it
# is not taken for the white of letters on a dark cell.
INK, PAPER, FAINT = "#1c1c1c", "#fdfdfd", "#c9c9c9"

MOST_SHOWN = 30
"""Contexts of a split, or games, that are shown one by one at most; of more, figures show how they are spread."""

STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "font.family": OWN_FONT,
    "font.size": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 7,
    "ytick.color": INK,
    "ytick.labelsize": 7,
    "pdf.fonttype": 42,  # letters stay letters: searchable, and editable in a drawing program
    "svg.fonttype": "none",
    "svg.hashsalt": "tomtransfer",  # ids that are random otherwise
}

styled = matplotlib.rc_context(STYLE)
"""Decorates whatever draws or writes a figure."""


@dataclass(frozen=True)
class Mark:
    """How one thing is drawn everywhere: a colour of Okabe and Ito (2008), and a shape that does without colour."""

    label: str
    color: str
    marker: str
    filled: bool = True

    @property
    def look(self) -> dict[str, Any]:
        """Return what matplotlib is given."""
        return {
            "color": self.color,
            "marker": self.marker,
            "markerfacecolor": self.color if self.filled else PAPER,
            "markeredgecolor": self.color,
            "markersize": 4.5,
            "linestyle": "none",
        }


MARKS = {
    "teacher": Mark("teacher", INK, "s"),
    "base": Mark("student before training", "#E69F00", "o", filled=False),
    "tuned": Mark("student after training", "#0072B2", "^"),
    "best_constant": Mark("floor: best constant policy", "#D55E00", "D", filled=False),
    "own_mean": Mark("floor: the student's own mean", "#009E73", "v", filled=False),
    "fair_coin": Mark("floor: fair coin", "#56B4E9", "x"),
    "ceiling": Mark("ceiling: teacher against itself", "#CC79A7", "|"),
}
"""The three models, the three floors and the ceiling."""


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of a size in inches, bound to no window and to no global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def legend(figure: Figure, *names: str, below: bool = True, columns: int = 4) -> None:
    """Explain the marks of `names` under a figure, or above it."""
    handles = [Line2D([], [], label=MARKS[name].label, **MARKS[name].look) for name in names]
    figure.legend(
        handles=handles,
        loc="outside lower center" if below else "outside upper center",
        ncols=min(columns, len(handles)),
    )


def say(axes: Axes, text: str) -> None:
    """Write on axes that nothing can be drawn on why that is so."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", wrap=True, transform=axes.transAxes)


def words(name: str) -> str:
    """Return a name of the config, such as `stag_hunt`, as words."""
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def percent(share: float | None, digits: int = 0) -> str:
    """Return a share as per cent, and a dash where there is none."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


@styled
def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG or PDF, by the ending of `path`; the same figure gives the same bytes."""
    if missing := lend_fonts(figure):
        logger.warning("%s: no font of this machine has %s; install one that has", path.name, named(missing))
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    kind = path.suffix.removeprefix(".")
    write_whole(path, lambda partial: figure.savefig(partial, format=kind, metadata=undated.get(kind)))
