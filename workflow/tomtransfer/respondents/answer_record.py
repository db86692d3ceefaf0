"""What is recorded of each scenario: every mistake names file, row and column, and what is allowed."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.recordings import RecordedTable
from tomtransfer.models.registry import Recorded
from tomtransfer.respondents.spreadsheets import TableRow, read_rows, same_value
from tomtransfer.scenarios.families import SYMBOLS
from tomtransfer.scenarios.numbers import in_digits

_ACTIONS = ("cooperate", "defect")
_KINDS: Mapping[str, Collection[str]] = {
    "counts": ("cooperate", "defect"),
    "rates": ("rate", "answers"),
    "means": ("mean",),
    "motivations": ("choice", "motivation"),
}
"""What a table may hold, by the columns that it has."""

_PAYOFFS = tuple(SYMBOLS.values())

_MOST_NAMED = 60
"""Scenarios that an error names one by one."""


class Place(NamedTuple):
    """A scenario in a frame; amounts have no frame, and a record whose table has no splits is of any.

    A record of payoffs alone is of every scenario that has them, whatever it is called.
    """

    split: str
    game: str
    context: str
    frame: str
    payoffs: str = ""

    def __str__(self) -> str:
        """Return the place as errors name it."""
        scenario = "/".join(part for part in self[:3] if part) or self.payoffs
        return f"{scenario} in frame {self.frame}" if self.frame else scenario


@dataclass(frozen=True)
class CountedAnswers:
    """How many answers cooperate, defect and do neither, and the row that says so."""

    where: str
    cooperate: int
    defect: int
    invalid: int

    def plus(self, more: "CountedAnswers") -> "CountedAnswers":
        """Return the answers together with those of another row."""
        counts = (getattr(self, name) + getattr(more, name) for name in ("cooperate", "defect", "invalid"))
        return CountedAnswers(f"{self.where} and {more.where}", *counts)


@dataclass(frozen=True)
class AnswerRecord:
    """What is recorded, by place."""

    choices: dict[Place, CountedAnswers] = field(default_factory=dict)
    means: dict[Place, tuple[str, float]] = field(default_factory=dict)
    """Rows and mean amounts."""
    motivations: dict[tuple[Place, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of each place and choice."""

    def choice(self, place: Place) -> CountedAnswers:
        """Return the counted answers at a place."""
        return self.choices[_recorded_as(place, self.choices)]

    def mean(self, place: Place) -> tuple[str, float]:
        """Return the row and the mean amount at a place."""
        return self.means[_recorded_as(place, self.means)]

    def reasons(self, place: Place, choice: str) -> list[str]:
        """Return the motivations for a choice at a place; none where none are recorded."""
        return [text for each in _spellings(place) for text in self.motivations.get((each, choice), ())]

    def has_reasons(self, place: Place) -> bool:
        """Return whether there are motivations for both choices at a place."""
        return all(self.reasons(place, action) for action in _ACTIONS)

    def require(self, name: str, chosen: Iterable[Place], amounts: Iterable[Place]) -> None:
        """Raise InputError listing the places that have no record, and those that share one with another."""
        missing: list[str] = []
        twice: list[str] = []
        wanted: tuple[tuple[Iterable[Place], Mapping[Place, Any], str], ...] = (
            (chosen, self.choices, "choices"),
            (amounts, self.means, "mean amounts"),
        )
        for places, known, column in wanted:
            users: dict[Place, Place] = {}
            for place in places:
                if not any(each in known for each in _spellings(place)):
                    missing.append(f"{place} ({column})")
                elif (recorded := _recorded_as(place, known)).game and users.setdefault(recorded, place) != place:
                    twice.append(f"{users[recorded]} and {place}")
        if missing:
            raise InputError(
                f"{name}: no record of {len(missing)} scenarios that it is asked about: {_some(missing)}. Add rows for "
                "them, or leave them out of the experiment"
            )
        if twice:
            raise InputError(
                f"{name}: one row would answer in two splits, whose payoffs differ: {_some(twice)}. Add a column split "
                "to the table, or say in `splits` which rows belong to which"
            )


def read_answer_record(source: Recorded, files: Mapping[str, Path]) -> AnswerRecord:
    """Return what the tables of a registry entry hold; `files` are where they stand.

    Raises InputError naming file, row and column.
    """
    record = AnswerRecord()
    for name, table in source.tables.items():
        rows = read_rows(table, files[name])
        columns = set(rows[0].cells) if rows else set()
        kind = _kind_of(files[name], columns)
        for row in rows:
            for place in _places(row, table, source.frames, has_frame=kind != "means"):
                _put(record, kind, row, place, table)
    return record


def _kind_of(path: Path, columns: Collection[str]) -> str:
    kinds = [kind for kind, needed in _KINDS.items() if set(needed) <= set(columns)]
    # A number of answers turns cooperating ones into counts as well.
    if not kinds and {"cooperate", "answers"} <= set(columns):
        kinds = ["shares"]
    if len(kinds) == 1 and ({"game", "context"} <= set(columns) or set(_PAYOFFS) <= set(columns)):
        return kinds[0]
    allowed = "; ".join(f"{', '.join(needed)} ({kind})" for kind, needed in _KINDS.items())
    raise InputError(
        f"{path}: columns: must be game and context, or {', '.join(_PAYOFFS)}, and one of these sets: {allowed} (got "
        f"{', '.join(sorted(columns))})"
    )


def _places(row: TableRow, table: RecordedTable, frames: tuple[str, ...], has_frame: bool) -> Iterator[Place]:
    """Yield every place that a row is a record of: one in each split that it belongs to."""
    of_payoffs = "game" not in row.cells
    game, context = ("", "") if of_payoffs else (_text(row, column) for column in ("game", "context"))
    payoffs = _payoffs_of(row) if of_payoffs else ""
    if table.frame is not None:
        if "frame" in row.cells:
            raise InputError(f"{row.where}: frame: the registry says any, so that the table may have no column frame")
        for frame in frames if has_frame else [""]:
            yield Place("", game, context, frame, payoffs)
        return
    frame = ""
    if has_frame:
        if "frame" not in row.cells and len(frames) > 1:
            raise InputError(f"{row.where}: no column frame, so that `frames` may name one frame alone")
        frame = row.cells.get("frame", frames[0])
        if frame not in frames:
            raise InputError(f"{row.where}: frame: unknown {frame!r}; allowed: {', '.join(frames)}")
    if "split" in row.cells:
        yield Place(_text(row, "split"), game, context, frame, payoffs)
    elif not table.splits:
        yield Place("", game, context, frame, payoffs)
    for split, conditions in table.splits.items():
        if "split" not in row.cells and all(same_value(row.cells[name], value) for name, value in conditions.items()):
            yield Place(split, game, context, frame, payoffs)


def _payoffs_of(row: TableRow) -> str:
    found = {}
    for payoff in _PAYOFFS:
        try:
            found[payoff] = float(row.cells[payoff])
        except ValueError:
            raise InputError(f"{row.where}: {payoff}: must be a number of points (got {row.cells[payoff]!r})") from None
    return in_letters(found)


def in_letters(payoffs: Mapping[str, float]) -> str:
    """Return payoffs as a record names them: `R10 S3 T17 P5`."""
    return " ".join(f"{letter}{in_digits(payoffs[payoff])}" for letter, payoff in SYMBOLS.items())


def _put(record: AnswerRecord, kind: str, row: TableRow, place: Place, table: RecordedTable) -> None:
    """Put what a row says into the record; raises InputError when the place has a record already."""
    if kind == "motivations":
        if row.cells["choice"] not in _ACTIONS:
            raise InputError(f"{row.where}: choice: must be {' or '.join(_ACTIONS)} (got {row.cells['choice']!r})")
        record.motivations[place, row.cells["choice"]].append(_text(row, "motivation"))
        return
    known: dict[Place, Any] = record.means if kind == "means" else record.choices
    if place in known and table.added and kind != "means":
        record.choices[place] = record.choices[place].plus(_counted(row, kind, table.asked))
        return
    if place in known:
        first = known[place][0] if kind == "means" else known[place].where
        raise InputError(f"{row.where}: {place}: recorded already in {first}; each scenario may stand in one row")
    if kind == "means":
        record.means[place] = (row.where, _number(row, "mean", math.inf))
    else:
        record.choices[place] = _counted(row, kind, table.asked)


def _counted(row: TableRow, kind: str, asked: int | None) -> CountedAnswers:
    if kind == "counts":
        cooperate, defect = _count(row, "cooperate"), _count(row, "defect")
    elif kind == "shares":
        cooperate, answers = _count(row, "cooperate"), _count(row, "answers")
        defect = answers - cooperate
        if defect < 0:
            raise InputError(f"{row.where}: cooperate: must be at most the {answers} answers (got {cooperate})")
    else:
        answers = _count(row, "answers")
        cooperate = round(_number(row, "rate", 1) * answers)
        defect = answers - cooperate
    if not cooperate + defect:
        raise InputError(f"{row.where}: no valid answer: at least one must cooperate or defect")
    invalid = _count(row, "invalid") if "invalid" in row.cells else 0
    if asked is not None and cooperate + defect + invalid > asked:
        raise InputError(
            f"{row.where}: {cooperate + defect + invalid} answers, where the registry says that {asked} were asked for"
        )
    return CountedAnswers(row.where, cooperate, defect, invalid if asked is None else asked - cooperate - defect)


def _text(row: TableRow, column: str) -> str:
    if not row.cells[column]:
        raise InputError(f"{row.where}: {column}: empty; it must say something")
    return row.cells[column]


def _number(row: TableRow, column: str, most: float) -> float:
    allowed = "at least 0" if math.isinf(most) else f"between 0 and {most:g}"
    try:
        value = float(row.cells[column])
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and 0 <= value <= most):
        raise InputError(f"{row.where}: {column}: must be a number {allowed} (got {row.cells[column]!r})")
    return value


def _count(row: TableRow, column: str) -> int:
    value = _number(row, column, math.inf)
    if value != int(value):
        raise InputError(f"{row.where}: {column}: must be a whole number of answers (got {row.cells[column]!r})")
    return int(value)


def _spellings(place: Place) -> tuple[Place, ...]:
    """Return what a record of a place may be under: its own split or any, by its names or by its payoffs."""
    named, of_payoffs = place._replace(payoffs=""), place._replace(game="", context="")
    return tuple(each._replace(split=split) for each in (named, of_payoffs) for split in (place.split, ""))


def _recorded_as(place: Place, known: Mapping[Place, Any]) -> Place:
    return next(each for each in _spellings(place) if each in known)


def _some(texts: list[str]) -> str:
    more = len(texts) - _MOST_NAMED
    return ", ".join(texts[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
