"""Tables of recorded answers, read as rows: from CSV, Parquet, or a matrix of rates over two payoffs."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.recordings import KnownColumn, Matrix, RecordedTable

KNOWN = get_args(KnownColumn)


@dataclass(frozen=True)
class TableRow:
    """A row of a table: its cells by column, and where it stands, as errors name it."""

    where: str
    cells: Mapping[str, str]


def read_rows(table: RecordedTable, path: Path) -> list[TableRow]:
    """Return the rows of a table that are meant, by known columns; the file's own columns stand under their names.

    Raises InputError when the file cannot be read, lacks a column or has one that is not known.
    """
    if table.matrix is not None:
        header, rows = read_matrix(table.matrix, path)
    else:
        header, rows = _read_csv(path) if path.suffix == ".csv" else _read_parquet(path)
    own_names = {str(own): known for known, own in table.columns.items()}
    conditions = [*table.rows, *(column for split in table.splits.values() for column in split)]
    used = {*own_names, *conditions, *table.ignored}
    if absent := [column for column in dict.fromkeys([*own_names, *conditions]) if column not in header]:
        raise InputError(f"{path}: no column {', '.join(absent)}, which the registry names; it has {', '.join(header)}")
    free = [column for column in KNOWN if column not in table.columns]
    if strange := [column for column in header if column not in used and column not in free]:
        raise InputError(
            f"{path}: unknown column {', '.join(strange)}; allowed: {', '.join(free)}. Say in `columns` what it is, "
            "or name it in `ignored`"
        )
    given: dict[str, str] = {column: str(value) for column, value in table.values.items()}
    found = []
    for where, cells in rows:
        if all(same_value(cells[column], value) for column, value in table.rows.items()):
            read = {column: text for column, text in cells.items() if column not in table.ignored}
            named: dict[str, str] = {known: cells[own] for own, known in own_names.items()}
            found.append(TableRow(f"{path}: {where}", {**read, **named, **given}))
    if not found:
        chosen = ", ".join(f"{column}: {value}" for column, value in table.rows.items())
        raise InputError(f"{path}: no rows{f' with {chosen}' if chosen else ''}")
    return found


def _read_csv(path: Path) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [line for line in csv.reader(file, strict=True) if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as csv: {error}") from error
    header = [column.strip() for column in lines[0]] if lines else []
    if len(set(header)) < len(header):
        raise InputError(f"{path}: row 1: a column stands there twice: {', '.join(header)}")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(header):
            raise InputError(f"{path}: row {number}: has {len(line)} cells where there are {len(header)} columns")
        rows.append((f"row {number}", dict(zip(header, map(str.strip, line), strict=True))))
    return header, rows


def read_matrix(matrix: Matrix, path: Path) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    """Return the cells of a matrix of rates as rows: two payoffs and a rate; raises InputError naming line and cell."""
    [(down, lines)], [(across, columns)] = matrix.down.items(), matrix.across.items()
    try:
        read = [line.split() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a matrix: {error}") from error
    below, along = _steps(lines), _steps(columns)
    if len(read) != len(below):
        raise InputError(f"{path}: has {len(read)} lines where {down} {lines} makes {len(below)}")
    rows = []
    for number, (points, cells) in enumerate(zip(below, read, strict=True), start=1):
        if len(cells) != len(along):
            raise InputError(
                f"{path}: line {number}: has {len(cells)} numbers where {across} {columns} makes {len(along)}"
            )
        rows += [
            (f"line {number}, number {place}", {down: str(points), across: str(other), "rate": cell})
            for place, (other, cell) in enumerate(zip(along, cells, strict=True), start=1)
        ]
    return [down, across, "rate"], rows


def _steps(text: str) -> list[int]:
    """Return the whole numbers of a range, up or down."""
    first, last = map(int, text.split(".."))
    step = 1 if first <= last else -1
    return list(range(first, last + step, step))


def _read_parquet(path: Path) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
    from tomtransfer.experiment.tables import read_table

    table = read_table(path)
    cells = ({name: "" if each is None else str(each) for name, each in row.items()} for row in table.to_dicts())
    return table.columns, [(f"row {number}", each) for number, each in enumerate(cells, start=1)]


def same_value(text: str, value: Any) -> bool:
    """Return whether a cell holds a value of the registry, be it as a number or as a text."""
    if isinstance(value, bool):
        return text.lower() == str(value).lower()
    try:
        return float(text) == float(value)
    except ValueError:
        return text == str(value)
