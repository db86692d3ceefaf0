"""What models know of the payoffs: three numbers with three names, and the chance of each."""

import polars as pl
import pytest

from tomtransfer.experiment.tables import write_table
from tomtransfer.measurement.understanding import read_questions, understandings


def table(path, *answers):
    """Write a table of readings: of each question the game, the right candidate and the probabilities of all."""
    rows = [
        {
            **dict.fromkeys(("split", "context", "question"), "any"),
            "game": game,
            "right": right,
            "candidates": [str(number) for number in range(len(probabilities))],
            "probabilities": probabilities,
            "other": 1 - sum(probabilities),
        }
        for game, right, probabilities in answers
    ]
    write_table(pl.DataFrame(rows), path)
    return path


def test_right_readable_and_the_right_share_of_readable_answers_are_three_numbers(tmp_path):
    path = table(tmp_path / "a.parquet", ("stag_hunt", "0", [0.3, 0.1]), ("stag_hunt", "1", [0.2, 0.1, 0.1, 0.0]))
    [found] = understandings(read_questions({"student": [path]}))
    # By hand: right (0.3 + 0.1) / 2, readable (0.4 + 0.4) / 2; guessing gets 0.4 / 2 and 0.4 / 4 right.
    assert (found.right, found.readable, found.accuracy) == pytest.approx((0.2, 0.4, 0.5))
    assert found.chance == pytest.approx((0.2 + 0.1) / 0.8)
    assert (found.known, found.known_by_chance) == pytest.approx((0.5, (1 / 2 + 1 / 4) / 2))


def test_chance_is_what_a_model_that_answers_at_random_has(tmp_path):
    path = table(tmp_path / "a.parquet", ("stag_hunt", "0", [0.4, 0.4]), ("stag_hunt", "1", [0.05] * 4))
    [found] = understandings(read_questions({"student": [path]}))
    assert found.accuracy == pytest.approx(found.chance)


@pytest.mark.parametrize("probabilities", [[0.0, 0.0], [0.3, 0.3], [0.2, 0.6]])
def test_an_answer_that_is_not_likelier_than_every_other_is_not_known(tmp_path, probabilities):
    [found] = understandings(read_questions({"student": [table(tmp_path / "a.parquet", ("a", "0", probabilities))]}))
    assert found.known == 0
    assert found.accuracy == (None if not sum(probabilities) else pytest.approx(probabilities[0] / sum(probabilities)))


def test_all_games_stand_below_each(tmp_path):
    path = table(tmp_path / "a.parquet", ("a", "0", [1.0, 0.0]), ("b", "0", [0.0, 1.0]))
    found = understandings(read_questions({"student": [path]}))
    assert [(each.game, each.right) for each in found] == [("a", 1.0), ("b", 0.0), (None, 0.5)]
