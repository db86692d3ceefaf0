"""What a teacher does by itself: means, parts of its log-odds, and drawn answers where exact choices differ."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.tables import write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.play import Play, play_of, read_play, write_play
from tomtransfer.measurement.views import read_lone_answers
from tomtransfer.respondents.counting import answers_path
from tomtransfer.respondents.elicited import ROW_COLUMNS

GAMES, CONTEXTS = ("stag_hunt", "snowdrift"), ("team", "business", "sports")
SIGNS = {"canonical": (1, 1), "swapped": (-1, 1), "reversed": (1, -1), "swapped_and_reversed": (-1, -1)}
"""The signs of label and order effects in each frame."""
VIEWS = {"canonical": ["canonical"], "counterbalanced": list(SIGNS)}
DESIGNS = {"C/D": list(SIGNS)}
PREFERENCE = {"stag_hunt": 0.8, "snowdrift": -0.4}
LABEL, ORDER = 0.5, -0.25


def log_odds(game: str, context: str, frame: str) -> float:
    label, order = SIGNS[frame]
    return PREFERENCE[game] + 0.1 * CONTEXTS.index(context) + label * LABEL + order * ORDER


def rate(game: str, context: str, frame: str) -> float:
    return float(1 / (1 + np.exp(-log_odds(game, context, frame))))


def rows(**changes: object) -> list[dict[str, object]]:
    given = {"split": "in_sample", "question": "answer_only", "temperature": 0.8, "stage_revision": 1, "software": "s"}
    return [
        {**dict.fromkeys(ROW_COLUMNS, "x"), **given, "game": game, "context": context, "frame": frame, **changes}
        for game in GAMES
        for context in CONTEXTS
        for frame in SIGNS
    ]


def written(
    folder: Path, shares: Callable[..., dict[str, object]], drawn: Callable[..., list[str]] | None = None
) -> Path:
    """Write choices of the given shares, and beside them drawn answers in the canonical frame."""
    table = [{**row, **shares(row["game"], row["context"], row["frame"])} for row in rows()]
    path = folder / "teacher.parquet"
    write_table(pl.DataFrame(table), path)
    shown = {"options": ["C", "D"], "phrases": "english", "labelled": True}
    answers = [
        {**row, **shown, "answer": text}
        for row in rows()
        if row["frame"] == "canonical" and drawn
        for text in drawn(row["game"], row["context"])
    ]
    write_table(pl.DataFrame(answers or [{**rows()[0], **shown, "answer": "C"}]).head(len(answers)), answers_path(path))
    return path


def exact(*place: str) -> dict[str, object]:
    return {"cooperate": 0.8 * rate(*place), "defect": 0.8 * (1 - rate(*place)), "other": 0.2}


def play(path: Path) -> Play:
    return play_of(read_lone_answers([path], VIEWS, DESIGNS), Scoring())


def test_means_are_of_rates_among_valid_answers_by_game_and_view(tmp_path):
    found = play(written(tmp_path, exact))
    assert (found.model, found.kinds, found.main_view) == ("x", {"teacher": "exact"}, "counterbalanced")
    for view, frames in {**VIEWS, "swapped": ["swapped"]}.items():
        for games in ([game] for game in GAMES):
            mean = found.mean("in_sample", view, games[0])
            expected = [rate(game, context, frame) for game in games for context in CONTEXTS for frame in frames]
            assert mean is not None
            assert mean.rate == pytest.approx(np.mean(expected))
            assert 0 <= mean.low < mean.rate < mean.high <= 1
            assert (mean.other, mean.contexts) == (pytest.approx(0.2), 3)
    assert len(found.rates) == 2 * 3 * 4
    assert {(each.low, each.answers) for each in found.rates} == {(None, None)}


def test_the_parts_of_its_log_odds_are_those_that_were_put_in(tmp_path):
    found = play(written(tmp_path, exact))
    effects = {(each.factor, each.game): each.value for each in found.bias_effects}
    assert effects["label", None] == pytest.approx(LABEL)
    assert effects["order", None] == pytest.approx(ORDER)
    assert effects["label x order", None] == pytest.approx(0, abs=1e-9)
    assert effects["preference", "stag_hunt"] == pytest.approx(0.8 + 0.1)
    assert sum(each.share or 0 for each in found.bias_shares) == pytest.approx(1)


def test_counted_choices_have_effects_without_shares_and_intervals_of_wilson(tmp_path):
    def counted(*place: str) -> dict[str, object]:
        cooperate = round(2000 * rate(*place))
        return {"cooperate": float(cooperate), "defect": 2000.0 - cooperate, "other": 500.0, "evidence": "counted"}

    found = play(written(tmp_path, counted))
    assert found.kinds == {"teacher": "counted"}
    assert found.bias_shares == ()
    effects = {(each.factor, each.game): each.value for each in found.bias_effects}
    assert effects["label", None] == pytest.approx(LABEL, abs=0.01)
    assert {each.answers for each in found.rates} == {2000}
    assert all(each.low < each.rate < each.high for each in found.rates)
    assert [each.other for each in found.means] == pytest.approx([0.2] * len(found.means))


def test_a_scenario_without_a_valid_answer_has_no_rate_and_is_left_out_of_means(tmp_path):
    def counted(game: str, context: str, frame: str) -> dict[str, object]:
        valid = 0.0 if (game, context) == ("stag_hunt", "team") else 10.0
        return {"cooperate": valid / 2, "defect": valid / 2, "other": 10.0 - valid, "evidence": "counted"}

    found = play(written(tmp_path, counted))
    [unanswered] = {each.rate for each in found.rates if (each.game, each.context) == ("stag_hunt", "team")}
    assert unanswered is None
    mean = found.mean("in_sample", "counterbalanced", "stag_hunt")
    assert mean is not None
    assert (mean.rate, mean.other) == (pytest.approx(0.5), pytest.approx(1 / 3))
    assert found.bias_effects == ()


def test_drawn_answers_that_differ_are_used_and_it_is_said(tmp_path):
    found = play(written(tmp_path, exact, drawn=lambda game, context: ["C"] * 5 + ["D"] * 195))
    mean = found.mean("in_sample", "canonical")
    assert mean is not None
    assert mean.rate == pytest.approx(5 / 200)
    [said] = found.disagreements
    assert said.startswith("Exact and drawn choices of the teacher disagree")
    counterbalanced = found.mean("in_sample", "counterbalanced")
    assert counterbalanced is not None
    assert counterbalanced.rate > 0.3


def test_it_is_read_as_it_was_written_and_a_row_twice_is_refused(tmp_path):
    path = written(tmp_path, exact)
    found = play(path)
    write_play(found, tmp_path / "play.json")
    assert read_play(tmp_path / "play.json") == found
    (tmp_path / "play.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read as a teacher's play"):
        read_play(tmp_path / "play.json")
    table = pl.read_parquet(path)
    write_table(pl.concat([table, table.head(1)]), path)
    with pytest.raises(InputError, match="teacher: given more than once: in_sample/stag_hunt/team in frame canonical"):
        play(path)
