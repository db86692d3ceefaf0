"""Planes: many symmetric two-player games at once, given by a range for each payoff or by a table of payoffs.

A plane is one file, one prompt file and one job, however many games it has: the unit of work is the plane. Which split
has which of its games is a matter of `shares`, what is asked about them of `plane_prompts`.
"""

import csv
import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import FieldError, InputError, Record, Text, validate
from tomtransfer.scenarios.families import SYMBOLS
from tomtransfer.scenarios.games import LARGEST_POINTS, Payoffs
from tomtransfer.scenarios.numbers import in_digits

PLANE: Literal["plane"] = "plane"
"""The kind of the files here."""

ONE_GAME = r"[RSTP]-?\d+(?:\.\d+)?(?:_[RSTP]-?\d+(?:\.\d+)?)*"
"""What a game of a plane is called in the name of a file, as a pattern: `S3_T17`."""

MOST_GAMES = 100_000
"""Games that a plane has, at most."""

RANGE = re.compile(r"-?\d{1,9}\.\.-?\d{1,9}")


def _known_values(given: Any) -> Any:
    """Return what a payoff may be, if it is a number, a range or a list of numbers."""
    each = given if isinstance(given, list | tuple) else [given]
    numbers = all(
        isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= LARGEST_POINTS for one in each
    )
    if numbers and each:
        return tuple(map(float, each)) if isinstance(given, list | tuple) else float(given)
    if isinstance(given, str) and RANGE.fullmatch(given):
        return given
    raise ValueError(f"must be a number, a range such as 0..20, or a list of numbers, up to {LARGEST_POINTS:.0f}")


Values = Annotated[float | str | tuple[float, ...], BeforeValidator(_known_values)]


class PayoffRanges(Record):
    """What each payoff may be: a number, all whole numbers of a range such as `0..20`, or a list of numbers."""

    reward: Values
    """Both cooperate."""
    sucker: Values
    """You cooperate, your coplayer defects."""
    temptation: Values
    """You defect, your coplayer cooperates."""
    punishment: Values
    """Both defect."""


class PayoffTable(Record):
    """A table of games, a row each: a CSV file with a line of column names, or a Parquet file."""

    path: Path
    """The file, `.csv` or `.parquet`; a relative path starts at the folder of the scenarios."""
    columns: dict[Literal["reward", "sucker", "temptation", "punishment"], str] = Field(default={})
    """What the file calls a payoff that it calls otherwise, as in `reward: R`; other columns are not used."""


class Plane(Record):
    """Symmetric two-player games with two choices that differ in their payoffs."""

    kind: Literal["plane"] = PLANE
    """What the file holds: many games."""
    title: Text
    """What the games are called as people read it."""
    payoffs: PayoffRanges | None = None
    """The payoffs of all games: every combination is one."""
    table: PayoffTable | None = None
    """In place of `payoffs`, a file that has them."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.payoffs is None) == (self.table is None):
            raise FieldError("payoffs", "give payoffs or a table, and not both")
        return self


def load_plane(folder: Path, name: str) -> Plane:
    """Return the plane in `folder/games/name.yaml`; raises InputError naming file and key."""
    path = folder / "games" / f"{name}.yaml"
    return validate(Plane, read_yaml(path), path)


def games_of_plane(folder: Path, name: str) -> dict[str, Payoffs]:
    """Return the payoffs of every game of a plane, by a name made of those that differ: `S3 T17`.

    Raises InputError naming file and key, or row and column.
    """
    plane, path = load_plane(folder, name), folder / "games" / f"{name}.yaml"
    if plane.payoffs is not None:
        values = [_values(path, payoff, getattr(plane.payoffs, payoff)) for payoff in SYMBOLS.values()]
        _refuse_too_many(path, values)
        games = [Payoffs(**dict(zip(SYMBOLS.values(), each, strict=True))) for each in product(*values)]
    else:
        assert plane.table is not None  # noqa: S101 - the record has one of both
        games = _tabled(folder, plane.table)
    varied = [
        (letter, payoff) for letter, payoff in SYMBOLS.items() if len({getattr(each, payoff) for each in games}) > 1
    ]
    named: dict[str, Payoffs] = {}
    for each in games:
        called = " ".join(f"{letter}{in_digits(getattr(each, payoff))}" for letter, payoff in varied) or "all"
        if called in named:
            raise InputError(f"{path}: the game {called} is there twice; each may be there once")
        named[called] = each
    return named


def _values(path: Path, payoff: str, given: float | str | Sequence[float]) -> list[float]:
    if isinstance(given, str):
        first, last = map(int, given.split(".."))
        if first > last:
            raise InputError(
                f"{path}: payoffs.{payoff}: a range goes from the lower number to the higher (got {given!r})"
            )
        if last - first >= MOST_GAMES:
            raise InputError(f"{path}: payoffs.{payoff}: may be {MOST_GAMES:,} numbers at most (got {given!r})")
        return [float(points) for points in range(first, last + 1)]
    return [given] if isinstance(given, float | int) else list(given)


def _refuse_too_many(path: Path, values: Sequence[Sequence[float]]) -> None:
    count = 1
    for each in values:
        count *= len(each)
    if not 1 <= count <= MOST_GAMES:
        raise InputError(f"{path}: payoffs: make {count:,} games; there may be from 1 to {MOST_GAMES:,}")


def _tabled(folder: Path, table: PayoffTable) -> list[Payoffs]:
    path = folder / table.path.expanduser()
    named = {payoff: table.columns.get(payoff, payoff) for payoff in SYMBOLS.values()}  # type: ignore[call-overload]
    rows = _rows(path)
    if rows and (absent := [column for column in named.values() if column not in rows[0]]):
        raise InputError(f"{path}: no column {', '.join(absent)}; it has {', '.join(rows[0])}")
    if not 1 <= len(rows) <= MOST_GAMES:
        raise InputError(f"{path}: has {len(rows):,} games; there may be from 1 to {MOST_GAMES:,}")
    games = []
    for number, row in enumerate(rows, start=2):
        points = {}
        for payoff, column in named.items():
            try:
                points[payoff] = float(row[column])
            except (TypeError, ValueError):
                raise InputError(
                    f"{path}: row {number}: {column}: must be a number of points (got {row[column]!r})"
                ) from None
        games.append(validate(Payoffs, points, f"{path}: row {number}"))
    return games


def _rows(path: Path) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a table; raises InputError when it cannot be read."""
    if path.suffix == ".parquet":
        from tomtransfer.experiment.tables import read_table

        return read_table(path).to_dicts()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, strict=True))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as csv: {error}") from error
