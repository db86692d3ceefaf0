"""How well models know what they play for: the probability of right answers to questions about the payoffs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.tables import read_table


@dataclass(frozen=True)
class Understanding:
    """A model's answers to the questions about one game, or about all games where `game` is None."""

    model: str
    game: str | None
    questions: int
    accuracy: float
    """The mean probability of the right answer among all answers."""
    known: float
    """The share of questions whose right answer is the likeliest of the candidates."""
    chance: float
    """The accuracy of picking one of the candidates at random."""


def read_questions(tables: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """Return a row per model and question: the probability of the right answer, and whether it is the likeliest."""
    parts = []
    for model, paths in tables.items():
        table = pl.concat([read_table(path) for path in paths])
        right = [_right(row) for row in table.iter_rows(named=True)]
        parts.append(
            table.select("split", "game", "context", "question", "right", "other").with_columns(
                model=pl.lit(model),
                probability=pl.Series([each[0] for each in right], dtype=pl.Float64),
                likeliest=pl.Series([each[1] for each in right], dtype=pl.Boolean),
                candidates=table["candidates"].list.len(),
            )
        )
    return pl.concat(parts)


def _right(row: Mapping[str, Any]) -> tuple[float, bool]:
    probability = row["probabilities"][row["candidates"].index(row["right"])]
    # A model that gives no candidate any mass knows none of them, and neither does one that ties.
    right = row["candidates"].index(row["right"])
    others = [each for number, each in enumerate(row["probabilities"]) if number != right]
    return probability, probability > max(others, default=0.0)


def understandings(questions: pl.DataFrame) -> list[Understanding]:
    """Return how well each model understands each game and, where there are several, all of them."""
    found = []
    for model in questions["model"].unique(maintain_order=True):
        own = questions.filter(pl.col("model") == model)
        games = own["game"].unique(maintain_order=True).to_list()
        for game in [*games, None] if len(games) > 1 else games:
            part = own.filter(pl.col("game") == game) if game else own
            numbers = part.select(
                pl.col("probability").mean(), pl.col("likeliest").mean(), (1 / pl.col("candidates")).mean()
            ).row(0)
            found.append(Understanding(model, game, len(part), *numbers))
    return found
