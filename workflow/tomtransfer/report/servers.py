"""What answers of a server have cost, and how much of its probabilities it did not show."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.tables import read_table
from tomtransfer.report.typesetting import Column, Table

TABLES_ASKED = {
    "choices": "",
    "motivations": ".motivations",
    "amounts": ".amounts",
    "drawn answers": ".answers",
    "questions about the payoffs": ".comprehension",
}
"""What is asked of a model, and how the names of its tables end."""

CAPTION = (
    "What the answers shown here have cost, as the server counts it, whenever they were asked for; tries that failed "
    "are among the requests. A server shows the likeliest tokens alone: unseen is the most that may be missing from a "
    "probability, on average and in the scenario where it is most, and rate is by how much that may change the share "
    "of cooperation among the labels there."
)


def served_table(answers: Mapping[str, Sequence[Path]]) -> Table:
    """Return what the answers of each model have cost, from its tables of choices; without rows where nothing did."""
    columns = (
        *(Column("model", "model"), Column("answers", "answers"), Column("rows", "rows", "whole")),
        *(Column("requests", "requests", "whole"), Column("prompt_tokens", "tokens of prompts", "whole")),
        *(Column("answer_tokens", "tokens of answers", "whole"), Column("money", "money", "number")),
        *(Column("unseen", "unseen", "number"), Column("most_unseen", "at most", "number")),
        Column("rate", "rate", "number"),
    )
    rows = tuple(
        {"model": model, "answers": part, **row}
        for model, paths in answers.items()
        for part, ending in TABLES_ASKED.items()
        for row in _summed([path.with_suffix(f"{ending}.parquet") for path in paths])
    )
    return Table("served", "What the server was asked, and what it did not show", CAPTION, columns, rows)


def largest_change(table: Table) -> float | None:
    """Return the most by which what is unseen may change a rate of cooperation; None where everything was seen."""
    return max((row["rate"] for row in table.rows if row["rate"] is not None), default=None)


def _summed(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield the sums over tables of a server's answers; nothing of others."""
    tables = [read_table(path) for path in paths if path.exists()]
    tables = [table for table in tables if "requests" in table.columns and len(table)]
    if not tables:
        return
    costs = pl.concat([table.select("requests", "prompt_tokens", "answer_tokens", "money") for table in tables]).sum()
    seen = [table for table in tables if "unseen" in table.columns]
    unseen = pl.concat([table["unseen"] for table in seen]) if seen else None
    labelled = [table for table in seen if "cooperate" in table.columns]
    rates = [
        table.select(pl.col("unseen") / (pl.col("cooperate") + pl.col("defect") + pl.col("unseen"))).to_series()
        for table in labelled
    ]
    yield {
        "rows": sum(map(len, tables)),
        **costs.row(0, named=True),
        "unseen": None if unseen is None else unseen.mean(),
        "most_unseen": None if unseen is None else unseen.max(),
        "rate": pl.concat(rates).fill_nan(None).max() if rates else None,
    }
