"""Rows of answers that know what they depend on: those that the store holds are taken from it, the others computed."""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.progress import each_part
from tomtransfer.experiment.software import model_software
from tomtransfer.experiment.store import Store

ROW_COLUMNS: dict[str, Any] = {
    **dict.fromkeys(("key", "split", "game", "context", "frame", "question", "prompt"), pl.String),
    **dict.fromkeys(("model", "model_revision", "quantization", "adapter"), pl.String),
    "temperature": pl.Float64,
    "stage_revision": pl.Int64,
}
"""What every row of answers says of itself, so that a table without rows has its columns too."""

COMPUTED_COLUMNS = {"software": pl.String, "computation": pl.String, "examination": pl.String}
"""What every computed row says of the computation that it came from, and of the examination of the model that it cites;
rows that were kept before models were examined cite none."""

ROWS_AT_ONCE = 256
"""Rows that are computed before they are kept: what a job that is killed loses at most, about a minute of a small model
on a CPU. A count and not a time, since what is computed together has the same last digits each time."""

ComputeRows = Callable[[Sequence[int]], Mapping[str, Sequence[Any]]]
"""From the numbers of rows to their computed columns, in that order."""

ArrivingRows = Callable[[Sequence[int]], Iterator[tuple[Sequence[int], Mapping[str, Sequence[Any]]]]]
"""From the numbers of rows to numbers among them with their computed columns, as they arrive."""


def complete_rows(
    wanted: pl.DataFrame,
    store: Store,
    stage: str,
    identity: Mapping[str, Any],
    computed: Mapping[str, Any],
    compute: ComputeRows,
    cited: Callable[[], str] = str,
    software: Callable[[], str] = model_software,
    arrive: ArrivingRows | None = None,
) -> tuple[pl.DataFrame, int]:
    """Return `wanted` rows, which have a `key`, with their `computed` columns, and how many of them were computed now.

    Those that are computed cite the examination whose key `cited` gives, and what `software` they are from.

    Rows that the store has of this `stage` and `identity` are taken from it. The others are computed, and kept there
    after every ROWS_AT_ONCE of them: a job that is killed loses the last of these at most. Rows that `arrive` one by
    one instead are kept as they do.
    """
    shelf = store.shelf(f"answers/{stage}", identity["model"], identity)
    columns = {**computed, **COMPUTED_COLUMNS}
    known = known_rows(store, shelf, columns)
    first = wanted.with_row_index("row").unique("key", keep="first", maintain_order=True)
    missing = first.join(known, on="key", how="anti", maintain_order="left")["row"].to_list()
    keys = wanted["key"]
    for part, found in arrive(missing) if arrive and missing else _in_parts(compute, missing):
        mark = {"software": software(), "computation": uuid.uuid4().hex, "examination": cited()}
        values = {**found, **{name: [value] * len(part) for name, value in mark.items()}}
        rows = pl.DataFrame({"key": keys[list(part)], **values}, schema={"key": pl.String, **columns})
        keep_rows(rows, store, shelf)
        known = pl.concat([known, rows])
    return wanted.join(known, on="key", how="left", maintain_order="left"), len(missing)


def _in_parts(
    compute: ComputeRows, missing: Sequence[int]
) -> Iterator[tuple[Sequence[int], Mapping[str, Sequence[Any]]]]:
    parts = [missing[start : start + ROWS_AT_ONCE] for start in range(0, len(missing), ROWS_AT_ONCE)]
    for part in each_part("rows", parts):
        yield part, compute(part)


def known_rows(store: Store, shelf: Path, columns: Mapping[str, Any]) -> pl.DataFrame:
    """Return the rows on a shelf, each key once: `key` and `columns`. What is no table of these is set aside."""
    schema = {"key": pl.String, **columns}
    tables = [pl.DataFrame(schema=schema)]
    for path, content in store.parts(shelf, ".parquet"):
        try:
            table = pl.read_parquet(BytesIO(content))
            if "examination" not in table.columns:
                table = table.with_columns(examination=pl.lit(""))
            tables.append(table.select(*schema).cast(pl.Schema(schema)))
        except pl.exceptions.PolarsError as error:
            store.set_aside(path, f"not a table of answers: {error}")
    return pl.concat(tables).unique("key", keep="first", maintain_order=True)


def keep_rows(rows: pl.DataFrame, store: Store, shelf: Path) -> None:
    """Keep rows on a shelf of the store."""
    buffer = BytesIO()
    rows.write_parquet(buffer)
    # Not by polars to the file, whose error does not say that the disk is full.
    store.put(shelf, buffer.getvalue(), ".parquet")
