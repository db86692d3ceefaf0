"""Recorded answers as files: what the registry says of each table, and how it gets into the folder of its teacher."""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlparse
from urllib.request import urlopen

from pydantic import Field, StringConstraints, model_validator

from tomtransfer.experiment.names import Name
from tomtransfer.experiment.validation import FieldError, InputError, Record
from tomtransfer.models.integrity import sha256

logger = logging.getLogger(__name__)

Cell = bool | int | float | str
KnownColumn = Literal[
    "split",
    "game",
    "context",
    "frame",
    "cooperate",
    "defect",
    "invalid",
    "rate",
    "answers",
    "mean",
    "choice",
    "motivation",
    "reward",
    "sucker",
    "temptation",
    "punishment",
]
FileColumn = Annotated[str, StringConstraints(pattern=r"\S")]

SUFFIXES = (".csv", ".parquet")

SILENT_SECONDS = 60
"""How long a server may be silent before a download is given up."""


Steps = Annotated[str, StringConstraints(pattern=r"^-?\d{1,6}\.\.-?\d{1,6}$")]
KnownPayoff = Literal["reward", "sucker", "temptation", "punishment"]


class Matrix(Record):
    """How a file of numbers alone is read, in lines and apart by blanks: a rate of cooperation for two payoffs."""

    down: dict[KnownPayoff, Steps] = Field(min_length=1, max_length=1)
    """The payoff that differs from line to line, from the first to the last, as in `sucker: 20..0`."""
    across: dict[KnownPayoff, Steps] = Field(min_length=1, max_length=1)
    """The payoff that differs along a line, as in `temptation: 0..20`."""


class RecordedTable(Record):
    """A table of recorded answers: a CSV file with a line of column names, a Parquet file, or a matrix of rates."""

    path: Path | None = None
    """The file, `.csv` or `.parquet`; a relative path starts at the folder of the registry file."""
    url: str | None = Field(default=None, pattern=r"^(https|http|file)://\S+$")
    """Where the file is downloaded from, once; its address ends in `.csv` or `.parquet`, unless it is a matrix, and
    `sha256` must be given."""
    sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the file, in 64 hexadecimal digits."""
    columns: dict[KnownColumn, Cell] = Field(default={})
    """What the file calls a column that it calls otherwise, as in `mean: mean_gift`."""
    rows: dict[FileColumn, Cell] = Field(default={})
    """Which rows are meant, by the file's own columns, as in `model: Llama-2-70B`; the others are left out."""
    values: dict[KnownColumn, Cell] = Field(default={})
    """What holds for every row of a file that has no such column, as in `game: donation`."""
    splits: dict[Name, dict[FileColumn, Cell]] = Field(default={})
    """Which rows belong to a split, by the file's own columns, where it has no column `split`, as in
    `doubled_payoffs: {payoff_factor: 2}`."""
    asked: int | None = Field(default=None, ge=1)
    """How often every scenario was asked; answers that are neither cooperation nor defection are then invalid."""
    ignored: tuple[str, ...] = ()
    """Columns of the file that are not used."""
    matrix: Matrix | None = None
    """How the file is read if it has no columns but a rate for every pair of two payoffs."""
    frame: Literal["any"] | None = None
    """`any` where the answers hold in every frame of the respondent, because whoever asked balanced labels and order,
    or because you take them to; the file then has no column `frame`."""
    added: bool = False
    """Add its counts to those that other tables have of the same scenarios, in place of refusing a second record."""

    @model_validator(mode="after")
    def _is_one_file(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise FieldError("path", "give a path or a url, and not both")
        if self.url is not None and self.sha256 is None:
            raise FieldError("sha256", "missing; a url needs the SHA-256 of its file, since what it gives may change")
        if self.matrix is None and self.suffix not in SUFFIXES:
            raise FieldError("path" if self.path else "url", f"must end in {' or '.join(SUFFIXES)}")
        return self

    @property
    def suffix(self) -> str:
        """Return how the name of the file ends."""
        return Path(urlparse(self.url).path if self.url else self.path or "").suffix

    @property
    def origin(self) -> str:
        """Return the path or the address of the file, as errors name it."""
        return self.url or str(self.path)


def kept_tables(tables: Mapping[str, RecordedTable], folder: Path) -> dict[str, Path]:
    """Return where each table stands in the folder of its teacher, by its name."""
    return {name: folder / f"{name}{'.txt' if table.matrix else table.suffix}" for name, table in tables.items()}


def table_hashes(model: str, tables: Mapping[str, RecordedTable]) -> dict[str, str]:
    """Return the SHA-256 of every table: that of a file that is here, and the registered one of a file elsewhere.

    Raises InputError when a file cannot be read, or is not the registered one.
    """
    return {name: table.sha256 or "" if table.url else _own_hash(model, table) for name, table in tables.items()}


def keep_tables(model: str, tables: Mapping[str, RecordedTable], folder: Path) -> None:
    """Copy or download every table into `folder`.

    Raises InputError when one cannot be had, or is not the registered file.
    """
    for name, place in kept_tables(tables, folder).items():
        table = tables[name]
        if table.path:
            _own_hash(model, table)
            shutil.copyfile(table.path, place)
            continue
        logger.info("%s: downloading %s", model, table.origin)
        try:
            with urlopen(table.origin, timeout=SILENT_SECONDS) as answer, place.open("wb") as file:  # noqa: S310
                shutil.copyfileobj(answer, file)
        except OSError as error:
            raise InputError(
                f"{model}: {table.origin}: cannot be downloaded: {error}. Where there is no network, download it "
                "elsewhere and give its path in place of the url in the registry"
            ) from error
        _require_hash(model, table, sha256(place))


def _own_hash(model: str, table: RecordedTable) -> str:
    try:
        found = sha256(Path(str(table.path)))
    except OSError as error:
        raise InputError(f"{model}: {table.origin}: cannot be read: {error.strerror}") from error
    _require_hash(model, table, found)
    return found


def _require_hash(model: str, table: RecordedTable, found: str) -> None:
    if table.sha256 and found != table.sha256:
        raise InputError(
            f"{model}: {table.origin}: not the registered file: expected sha256 {table.sha256}, got {found}"
        )
