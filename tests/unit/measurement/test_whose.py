"""Whose strategy: a student that copies its teacher, one that copies anybody's, and one that copies nobody."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tomtransfer.command_line import app
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.whose import ANYBODY, NEITHER, OWN, Pupil, difference, read_pupils, whose
from tomtransfer.report.plane_pages import whose_page, whose_table

GAMES = 40
RANDOM = np.random.default_rng(3)
ONE = RANDOM.uniform(0, 1, GAMES)
OTHER = np.clip(ONE + RANDOM.normal(0, 0.25, GAMES), 0, 1)


def close_to(rates: np.ndarray, trainings: int = 3) -> np.ndarray:
    return np.clip(rates + RANDOM.normal(0, 0.05, (trainings, GAMES)), 0, 1)


def test_students_that_copy_their_teachers_have_their_strategies() -> None:
    found = whose([Pupil("one", ONE, close_to(ONE)), Pupil("other", OTHER, close_to(OTHER))])
    assert found.verdicts == {"one": OWN, "other": OWN}
    assert found.games == GAMES
    rows = {(row.who, row.teacher): row for row in found.rows}
    assert rows["teacher of one", "other"].error.value == pytest.approx(np.abs(ONE - OTHER).mean())
    assert rows["teacher of one", "other"].correlation.value == pytest.approx(np.corrcoef(ONE, OTHER)[0, 1])
    assert ("teacher of one", "one") not in rows
    assert rows["best constant", "one"].error.value == pytest.approx(np.abs(ONE - np.median(ONE)).mean())
    assert rows["best constant", "one"].correlation.value is None


def test_students_of_two_teachers_who_learnt_the_same_have_anybodys() -> None:
    both = (ONE + OTHER) / 2
    found = whose([Pupil("one", ONE, close_to(both)), Pupil("other", OTHER, close_to(both))])
    assert found.verdicts == {"one": ANYBODY, "other": ANYBODY}


def test_a_student_of_the_level_alone_has_neither() -> None:
    level = np.full(GAMES, np.median(ONE))
    found = whose([Pupil("one", ONE, close_to(level)), Pupil("other", OTHER, close_to(OTHER))])
    assert found.verdicts == {"one": NEITHER, "other": OWN}
    assert whose([Pupil("one", ONE, close_to(ONE))]).verdicts == {"one": ANYBODY}


def test_one_training_of_three_that_learnt_nothing_leaves_an_interval_of_what_can_be() -> None:
    students = np.stack([ONE, ONE, np.full(GAMES, 0.5) + RANDOM.normal(0, 0.01, GAMES)])
    [of_student] = [row for row in whose([Pupil("one", ONE, students)]).rows if row.who == "one"]
    assert of_student.error.low == 0
    assert of_student.error.value < of_student.error.high <= 1
    assert of_student.correlation.high == 1


def test_a_difference_is_of_errors_over_the_same_games() -> None:
    student = np.stack([ONE, ONE + 0.1])
    found = difference(student, ONE, student, ONE + 0.1, 0.95)
    assert found.value == pytest.approx(0)
    assert difference(ONE[np.newaxis], ONE, ONE[np.newaxis], ONE + 0.2, 0.95).value == pytest.approx(0.2)


def measured(folder: Path, teacher: list[float], tuned: list[list[float]], payoffs: list[list[float]]) -> Path:
    """Write what an experiment leaves behind of a plane, as `measure_plane` writes it."""
    (folder / "alignment").mkdir(parents=True)
    rates = {"teacher": [teacher], "base": [teacher], "tuned": tuned}
    surface = {"split": "unseen_games", "view": "counterbalanced", "payoffs": payoffs, "rates": rates}
    (folder / "alignment" / "plane.plane.json").write_text(json.dumps({"surfaces": [surface]}))
    return folder


def test_folders_are_matched_by_the_payoffs_of_their_games(tmp_path: Path) -> None:
    games = [[10.0, s, 12.0, 5.0] for s in range(4)]
    one = measured(tmp_path / "one", [0.1, 0.2, 0.3, 0.4], [[0, 0.1, 0.2, 0.3], [1, 0.9, 0.8, 0.7]], games)
    other = measured(tmp_path / "other", [0.9, 0.8, 0.7], [[0.5, 0.4, 0.3]], games[:0:-1])
    first, second = read_pupils([one, other], "unseen_games", "counterbalanced")
    assert (first.name, second.name) == ("one", "other")
    assert first.teacher.tolist() == [0.2, 0.3, 0.4] and second.teacher.tolist() == [0.7, 0.8, 0.9]
    assert first.student.tolist() == [[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]]
    assert second.student.tolist() == [[0.3, 0.4, 0.5]]
    for split, folders, message in (
        ("corner", [one], "one: no games of corner in the frames counterbalanced"),
        ("unseen_games", [tmp_path / "none"], "none: no plane was measured there; run its experiment first"),
    ):
        with pytest.raises(InputError, match=message):
            read_pupils(folders, split, "counterbalanced")
    strange = measured(tmp_path / "strange", [0.5], [[0.5]], [[1.0, 2.0, 3.0, 4.0]])
    with pytest.raises(InputError, match="no game of it is in all of"):
        read_pupils([one, strange], "unseen_games", "counterbalanced")


def test_the_command_prints_the_table_and_writes_it(tmp_path: Path) -> None:
    games = [[10.0, s, 12.0, 5.0] for s in range(GAMES)]
    folders = [
        measured(tmp_path / "one", ONE.tolist(), close_to(ONE).tolist(), games),
        measured(tmp_path / "other", OTHER.tolist(), close_to(OTHER).tolist(), games),
    ]
    result = CliRunner().invoke(app, ["whose", *map(str, folders), "--to", str(tmp_path / "whose.csv")])
    assert result.exit_code == 0, result.output
    assert f"over {GAMES} games" in result.output and OWN in result.output
    lines = (tmp_path / "whose.csv").read_text().splitlines()
    assert lines[0].startswith("who,teacher,error,error_low,error_high,correlation")
    assert len(lines) == 1 + 2 * 2 + 2 + 2
    found = whose(read_pupils(folders, "unseen_games", "counterbalanced"))
    assert "| one" in whose_page(found) and len(whose_table(found).rows) == 8
