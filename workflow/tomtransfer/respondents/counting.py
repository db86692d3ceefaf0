"""Drawn answers, counted: each read by the strict parser, invalid ones counted as other and never dropped."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.tables import read_table
from tomtransfer.respondents.elicited import ROW_COLUMNS
from tomtransfer.respondents.parsing import INVALID_KINDS, VALID_KINDS, Parsed, parse_amount, parse_label
from tomtransfer.scenarios.languages import phrases_in

ANSWER_KINDS = (*VALID_KINDS, *INVALID_KINDS)
"""The kinds of answers, valid ones first."""

CITED = ("software", "examination")
"""What the answers of a scenario and frame were computed by; of those that differ, the first is said."""

OUTCOMES = ("cooperate", "defect")


def answers_path(choices: Path) -> Path:
    """Return where the drawn answers stand beside the exact choices in `choices`."""
    return choices.with_suffix(".answers.parquet")


def read_choices(path: Path) -> pl.DataFrame:
    """Return the choices in `path`, or where none were read exactly, the drawn answers beside it, counted.

    The column `evidence` says which they are: exact or counted. Recorded choices are counted too. Raises InputError for
    a table that is damaged.
    """
    choices = read_table(path)
    if len(choices):
        return choices if "evidence" in choices.columns else choices.with_columns(evidence=pl.lit("exact"))
    return read_drawn(path)


def read_drawn(path: Path) -> pl.DataFrame:
    """Return the drawn answers beside the choices in `path`, counted; no rows where none were drawn."""
    return count_choices(read_table(answers_path(path)).filter("labelled")).with_columns(evidence=pl.lit("counted"))


def parse_choices(answers: pl.DataFrame) -> pl.DataFrame:
    """Return drawn answers with their `kind`, their `label`, `choice` (cooperate, defect or null) and `reasons`."""
    parsed = [
        parse_label(row["answer"], row["options"], row["question"], phrases_in(row["phrases"]))
        for row in answers.iter_rows(named=True)
    ]
    options = answers["options"].to_list()
    choices = [
        OUTCOMES[labels.index(each.choice)] if each.choice in labels else None
        for each, labels in zip(parsed, options, strict=True)
    ]
    return _with_parsed(answers, parsed).with_columns(choice=pl.Series(choices, dtype=pl.String))


def parse_amounts(answers: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return drawn answers with their `kind`, their `label` (the amount as it is written) and `reasons`."""
    parsed = [
        parse_amount(row["answer"], row["options"], unit, row["question"], phrases_in(row["phrases"]))
        for row in answers.iter_rows(named=True)
    ]
    return _with_parsed(answers, parsed)


def count_choices(answers: pl.DataFrame) -> pl.DataFrame:
    """Return a row per scenario and frame with whole counts of cooperate, defect and other, and of every kind."""
    counts: Mapping[str, Any] = {
        **{name: (pl.col("choice") == name).sum() for name in OUTCOMES},
        "other": pl.col("choice").is_null().sum(),
        **{kind_column(kind): (pl.col("kind") == kind).sum() for kind in ANSWER_KINDS},
    }
    identity = [name for name in ROW_COLUMNS if name != "key"]
    cited = pl.col([name for name in CITED if name in answers.columns]).first()
    return (
        parse_choices(answers)
        .group_by(identity, maintain_order=True)
        .agg(
            cited,
            **{name: count.cast(pl.Float64) for name, count in counts.items()},
        )
    )


def kind_column(kind: str) -> str:
    """Return the name of the column that counts the answers of a kind."""
    return f"answers: {kind}"


def _with_parsed(answers: pl.DataFrame, parsed: Sequence[Parsed]) -> pl.DataFrame:
    return answers.with_columns(
        kind=pl.Series([each.kind for each in parsed], dtype=pl.String),
        label=pl.Series([each.choice for each in parsed], dtype=pl.String),
        reasons=pl.Series([each.reasons for each in parsed], dtype=pl.String),
    )
