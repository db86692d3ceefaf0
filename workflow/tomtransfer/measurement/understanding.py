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
    right: float
    """The mean probability of the right answer, among all answers."""
    readable: float
    """The mean probability of an answer that is one of the candidates, right or wrong."""
    accuracy: float | None
    """The right share among readable answers: `right` divided by `readable`; None where no answer is readable."""
    chance: float
    """The accuracy of picking one of the candidates at random; each question counts as its readable answers do."""
    known: float
    """The share of questions whose right answer is likelier than every other candidate."""
    known_by_chance: float
    """The share that would be known if the likeliest candidate were picked at random."""


def read_questions(tables: Mapping[str, Sequence[Path]]) -> pl.DataFrame:
    """Return a row per model and question.

    Columns `right_mass` and `readable_mass` are the probabilities of the right answer and of any candidate; `known` is
    whether the right one is likelier than every other.
    """
    parts = []
    for model, paths in tables.items():
        table = pl.concat([read_table(path) for path in paths])
        masses = [_masses(row) for row in table.iter_rows(named=True)]
        parts.append(
            table.select("split", "game", "context", "question", "right", "other").with_columns(
                model=pl.lit(model),
                right_mass=pl.Series([each[0] for each in masses], dtype=pl.Float64),
                readable_mass=pl.Series([each[1] for each in masses], dtype=pl.Float64),
                known=pl.Series([each[2] for each in masses], dtype=pl.Boolean),
                candidates=table["candidates"].list.len(),
            )
        )
    return pl.concat(parts)


def _masses(row: Mapping[str, Any]) -> tuple[float, float, bool]:
    """Return the mass of the right candidate, of all, and whether the right one has more than every other.

    What a server answered may be counted: of counts, masses are the shares.
    """
    place, total = row["candidates"].index(row["right"]), sum(row["probabilities"]) + row["other"]
    counted = row.get("evidence", "exact") == "counted"
    masses = [mass / total for mass in row["probabilities"]] if counted else row["probabilities"]
    others = [mass for number, mass in enumerate(masses) if number != place]
    right = masses[place]
    return right, right + sum(others), right > max(others, default=0.0)


def understandings(questions: pl.DataFrame) -> list[Understanding]:
    """Return how well each model understands each game and, where there are several, all of them."""
    found = []
    for model in questions["model"].unique(maintain_order=True):
        own = questions.filter(pl.col("model") == model)
        games = own["game"].unique(maintain_order=True).to_list()
        for game in [*games, None] if len(games) > 1 else games:
            part = own.filter(pl.col("game") == game) if game else own
            found.append(_understanding(model, game, part))
    return found


def _understanding(model: str, game: str | None, questions: pl.DataFrame) -> Understanding:
    right, readable, guessed, known, by_chance = questions.select(
        pl.col("right_mass").mean(),
        pl.col("readable_mass").mean(),
        guessed=(pl.col("readable_mass") / pl.col("candidates")).mean(),
        known=pl.col("known").mean(),
        by_chance=(1 / pl.col("candidates")).mean(),
    ).row(0)
    accuracy, chance = (right / readable, guessed / readable) if readable else (None, by_chance)
    return Understanding(model, game, len(questions), right, readable, accuracy, chance, known, by_chance)
