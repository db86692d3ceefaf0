"""Tables as Parquet files, read and written whole."""

from io import BytesIO
from pathlib import Path

import polars as pl

from tomtransfer.experiment.files import write_whole
from tomtransfer.experiment.validation import InputError


def read_table(path: Path) -> pl.DataFrame:
    """Return the table in `path`, read whole so that the file may be replaced; raises InputError if it is damaged."""
    try:
        return pl.read_parquet(path, memory_map=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}. Delete it to have it computed again") from error


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write `table` to `path`, as a whole or not at all."""
    buffer = BytesIO()
    table.write_parquet(buffer)
    # Not by polars, whose error does not say that the disk is full.
    write_whole(path, lambda partial: partial.write_bytes(buffer.getvalue()))
