"""Tables as people read them: each made once, then written as CSV, as LaTeX, or row by row into the report."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias

from tabulate import LATEX_ESCAPE_RULES, tabulate

from tomtransfer.report.characters import beyond_latin, named

ColumnKind: TypeAlias = Literal["name", "text", "whole", "number", "share", "measure", "p_value", "flag", "list"]

SHARES_OF_THE_GAP = frozenset({"gap_closed", "gap_closed_of_frame_averages", "improvement", "bridging", "advantage"})
"""Measures that are printed as per cent."""

SMALLEST_P_VALUE = 0.001

LONGEST_ON_A_PAGE = 40
"""A LaTeX table with more rows than this goes on over several pages."""

MOST_ROWS, FIRST_ROWS = 500, 150
"""Of a table with more rows than the one, a page that people scroll through shows the other; its file has them all."""

MOST_NAMES = 30
"""Longer lists are cut short where they are printed."""


@dataclass(frozen=True)
class Column:
    """A column: its key in every row, its heading, and how its values are put in words."""

    key: str
    title: str
    kind: ColumnKind = "text"

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers, to be lined up on the right and sorted by size."""
        return self.kind not in {"name", "text", "flag", "list"}


SPLIT, GAME, CONTEXT = (Column(name, name, "name") for name in ("split", "game", "context"))
"""Columns that say where a row belongs."""


@dataclass(frozen=True)
class Table:
    """A table of plain values: rows hold a value, or None, for every column."""

    name: str
    title: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    file: str | None = None
    """Where all rows are, seen from the page, if they are not among the tables that are written beside it."""

    @property
    def whole(self) -> str:
        """Where all rows are, seen from the page."""
        return self.file or f"tables/{self.name}.csv"

    @property
    def on_page(self) -> tuple[Mapping[str, Any], ...]:
        """The rows that a page shows: the first of them."""
        return self.rows if len(self.rows) <= MOST_ROWS else self.rows[:FIRST_ROWS]

    @cached_property
    def shown(self) -> list[Column]:
        """The columns that are printed: those with something in them."""
        return [column for column in self.columns if any(row[column.key] not in {None, ""} for row in self.rows)]

    def cells(self, row: Mapping[str, Any]) -> list[str]:
        """Return a row as it is printed."""
        return [printed(row[column.key], column, row) for column in self.shown]


def printed(value: Any, column: Column, row: Mapping[str, Any]) -> str:
    """Return a value in words; nothing is a dash, and a measure is printed as its name in the row asks for."""
    if value is None:
        return "–"
    kind = column.kind
    if kind == "measure":
        kind = "share" if row["measure"] in SHARES_OF_THE_GAP else "number"
    if kind == "share":
        return f"{100 * value:z.2f} %".replace("-", "−")
    if kind == "number":
        return f"{value:z.3f}".replace("-", "−")
    if kind == "p_value":
        return f"< {SMALLEST_P_VALUE}" if value < SMALLEST_P_VALUE else f"{value:z.3f}"
    if kind == "flag":
        return "yes" if value else "no"
    text = listed(value.split(), " ") if kind == "list" else str(value)
    return text.replace("_", " ") if kind == "name" else text


def listed(names: Sequence[str], separator: str = ", ") -> str:
    """Return names one after the other; of a long list the first, and how many more there are."""
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return separator.join(names[:MOST_NAMES]) + more


def as_csv(table: Table) -> str:
    """Return a table as CSV: keys as headings, full precision, shares as fractions of 1, nothing where none is."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [column.key for column in table.columns], lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(table.rows)
    return text.getvalue()


def as_latex(table: Table) -> str:
    r"""Return a table as LaTeX to `\input`, in the style of booktabs; a long one as a longtable."""
    alignment = ["right" if column.numeric else "left" for column in table.shown]
    headings = [column.title for column in table.shown]
    rows = [table.cells(row) for row in table.rows]
    text = tabulate(rows, headings, "latex_booktabs", colalign=alignment, disable_numparse=True)
    opening, top, heading, middle, *body, bottom, closing = _minus(text).splitlines()
    beyond = beyond_latin([text, table.caption])
    fonts = [f"% needs XeLaTeX or LuaLaTeX and a font with {named(beyond)}"] if beyond else []
    caption = rf"\caption{{{tex(table.caption)}}}\label{{tab:{table.name.replace('_', '-')}}}"
    if len(rows) > LONGEST_ON_A_PAGE:
        lines = [
            "% needs \\usepackage{booktabs,longtable}",
            opening.replace("tabular", "longtable"),
            rf"{caption}\\",
            *[top, heading, middle, r"\endhead"],
            *[*body, bottom, closing.replace("tabular", "longtable")],
        ]
    else:
        lines = ["% needs \\usepackage{booktabs}", r"\begin{table}", r"\centering", caption]
        lines += [opening, top, heading, middle, *body, bottom, closing, r"\end{table}"]
    return "\n".join([*fonts, *lines, ""])


def tex(text: str) -> str:
    """Return text that LaTeX prints as it is."""
    return _minus("".join(LATEX_ESCAPE_RULES.get(character, character) for character in text))


def as_markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return rows of text as a table in Markdown whose columns line up in a terminal, too."""
    return str(tabulate(list(rows), headings, "github", disable_numparse=True))


def _minus(text: str) -> str:
    """Return LaTeX that prints a minus sign where `text` has one."""
    return text.replace("−", "$-$")
