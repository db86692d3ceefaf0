"""Tables whose rows know what they were computed from, so that only missing rows are computed."""

import hashlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
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
    """Return `wanted` rows, which have a `key`, with the `computed` columns of the rows that `path` has of them.

    The computed columns of the other rows are null. The order is that of `wanted`.
    """
    if path.exists():
        known = read_table(path)
        if {"key", *computed} <= set(known.columns):
            return wanted.join(
                known.select("key", *computed).unique("key"), on="key", how="left", maintain_order="left"
            )
    return wanted.with_columns(pl.lit(None, dtype=dtype).alias(name) for name, dtype in computed.items())


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
