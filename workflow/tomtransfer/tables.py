"""Tables whose rows know what they were computed from, so that only missing rows are computed."""

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.validation import InputError

SOFTWARE = ("torch", "transformers", "peft", "bitsandbytes", "accelerate")

ROW_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("key", "split", "game", "context", "frame", "question", "prompt"), pl.String),
    **dict.fromkeys(("model", "model_revision", "quantization", "adapter"), pl.String),
    "temperature": pl.Float64,
    "stage_revision": pl.Int64,
}
"""What every row of answers says of itself, so that a table without rows has its columns too."""


ROWS_AT_ONCE = 2048
"""Rows that are computed before they are kept: what a job that is killed loses at most."""


def row_key(**parts: Any) -> str:
    """Return the sha256 of everything that a row's content depends on."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


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


def write_text(text: str, path: Path) -> None:
    """Write `text` to `path`, as a whole or not at all."""
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Any) -> None:
    """Let `write` fill a file beside `path`, then put it in place; a kill leaves what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def with_known_rows(wanted: pl.DataFrame, path: Path, computed: Mapping[str, Any]) -> pl.DataFrame:
    """Return `wanted` rows, which have a `key`, with the `computed` columns of the rows that are known of them.

    They are known from the table in `path`, and from what a job has left beside it that was stopped.

    The computed columns of the other rows are null. The order is that of `wanted`.
    """
    known = [read_table(file) for file in (path, unfinished(path)) if file.exists()]
    known = [table for table in known if {"key", *computed} <= set(table.columns)]
    if not known:
        return wanted.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in computed.items())
    rows = pl.concat([table.select("key", *computed) for table in known], how="vertical_relaxed")
    rows = rows.filter(pl.col("computation").is_not_null()).unique("key", keep="first", maintain_order=True)
    return wanted.join(rows, on="key", how="left", maintain_order="left")


def compute_missing(
    table: pl.DataFrame,
    missing: Sequence[int],
    compute: Callable[[Sequence[int]], Mapping[str, Sequence[Any]]],
    path: Path,
) -> pl.DataFrame:
    """Return `table`, which belongs in `path`, with what `compute` returns for the rows numbered `missing`.

    After every ROWS_AT_ONCE rows they are kept beside `path`, where a job that goes on finds them: Snakemake takes away
    the outputs of a job that is killed, and leaves what it does not know.
    """
    for start in range(0, len(missing), ROWS_AT_ONCE):
        part = missing[start : start + ROWS_AT_ONCE]
        table = fill_missing(table, part, compute(part))
        write_table(table, unfinished(path))
    return table


def unfinished(path: Path) -> Path:
    """Return where the rows of a table are kept until the experiment is done."""
    return path.with_name(f".{path.name}.unfinished")


def forget_finished(results: Path) -> None:
    """Remove the rows that are kept beside tables, for a job that goes on, where the tables have them all."""
    for kept in results.glob(f"*/{unfinished(Path('*'))}"):
        table = kept.with_name(kept.name.removeprefix(".").removesuffix(".unfinished"))
        if table.exists() and set(read_table(kept)["key"]) <= set(read_table(table)["key"]):
            kept.unlink()


def fill_missing(table: pl.DataFrame, missing: Sequence[int], columns: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    """Return `table` with the values of `columns` in the rows numbered `missing`, marked as one computation."""
    values = {**columns, "software": [software()] * len(missing), "computation": [uuid.uuid4().hex] * len(missing)}
    new = pl.DataFrame({"row": list(missing), **values}, schema_overrides={"row": pl.UInt32})
    return table.with_row_index("row").update(new, on="row").drop("row")


def software() -> str:
    """Return the versions of the packages that a model's answers depend on."""
    found = []
    for package in SOFTWARE:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
