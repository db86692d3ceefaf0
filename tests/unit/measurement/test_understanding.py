"""Understanding: what counts as knowing an answer, worked by hand."""

from pathlib import Path

import polars as pl
import pytest

from tomtransfer.experiment.tables import write_table
from tomtransfer.measurement.understanding import read_questions, understandings


@pytest.mark.parametrize(
    ("probabilities", "known"),
    [
        ([0.5, 0.3, 0.1], True),
        ([0.3, 0.5, 0.1], False),
        ([0.4, 0.4, 0.1], False),  # a tie is no knowledge
        ([0.0, 0.0, 0.0], False),  # and neither is a tie at zero: random models would know most answers
    ],
)
def test_an_answer_is_known_where_it_is_likelier_than_all_others(
    tmp_path: Path, probabilities: list[float], known: bool
) -> None:
    row = {"split": "in_sample", "game": "stag_hunt", "context": "team", "question": "best_own", "right": "C"}
    row |= {"other": 1 - sum(probabilities), "candidates": ["C", "D", "E"], "probabilities": probabilities}
    path = tmp_path / "comprehension.parquet"
    write_table(pl.DataFrame([row]), path)
    [found] = understandings(read_questions({"teacher": [path]}))
    assert (found.accuracy, found.known, found.chance) == (probabilities[0], float(known), pytest.approx(1 / 3))
