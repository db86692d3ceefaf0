"""A teacher alone on a page, in tables and in a figure: what it does is said, and nothing is compared."""

from pathlib import Path

import polars as pl
import pytest

from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.tables import write_table
from tomtransfer.measurement.bias import FACTORS, Effect, Share
from tomtransfer.measurement.play import Play, PlayedMean, PlayedRate
from tomtransfer.report.dots import play_figure
from tomtransfer.report.page import Page, render_page
from tomtransfer.report.portrait import unread_table
from tomtransfer.report.solo import solo_headlines, solo_summary, solo_tables
from tomtransfer.report.style import save
from tomtransfer.report.typesetting import as_csv, as_latex

FRAMES = ("canonical", "swapped")


def made(games: int = 2, contexts: int = 2, rate: float | None = 0.25) -> Play:
    places = [(f"game_{game}", f"context_{context}") for game in range(games) for context in range(contexts)]
    rates = [
        PlayedRate("in_sample", *place, frame, rate, None, None, None, 0.125) for place in places for frame in FRAMES
    ]
    names = [*dict.fromkeys(game for game, _ in places), None]
    means = [
        PlayedMean("in_sample", view, game, rate if game != "game_1" else 0.75, 0.1, 0.4, 0.125, contexts)
        for view in ("canonical", "counterbalanced")
        for game in names
    ]
    place = ("teacher", "in_sample", "C/D")
    return Play(
        model="somebody",
        kinds={"teacher": "exact"},
        settings=Scoring(),
        views={"canonical": ["canonical"], "counterbalanced": list(FRAMES)},
        rates=tuple(rates),
        means=tuple(means),
        bias_shares=tuple(Share(*place, factor, "game", 1.0, 0.25, None, None) for factor in FACTORS),
        bias_effects=tuple(Effect(*place, factor, None, 0.5, None, None) for factor in FACTORS),
        disagreements=(),
    )


def test_headlines_say_how_often_where_and_what_it_varies_with():
    [said] = solo_headlines(made())
    assert said == (
        "in_sample, counterbalanced: it cooperates at 0.25 (0.10 to 0.40), from 0.25 in game_0 to 0.75 in game_1; "
        "12.5 % of its answers are neither choice. What its log-odds vary with (C/D): preference 25.0 %, label 25.0 %, "
        "order 25.0 %, label x order 25.0 %."
    )
    assert solo_headlines(made(games=1, rate=None)) == ["in_sample: no answer was valid."]


def test_the_page_for_the_terminal_has_every_part():
    page = solo_summary(made())
    for part in (
        "somebody alone",
        "| **all** |",
        "No answers were drawn.",
        "No questions about the payoffs were asked.",
    ):
        assert part in " ".join(page.split())


def test_tables_have_their_columns_with_and_without_rows():
    tables = {table.name: table for table in solo_tables(made())}
    assert as_csv(tables["cooperation_by_game"]).startswith("split,view,game,contexts,rate,low,high,other\n")
    assert len(tables["cooperation_by_scenario"].rows) == 8
    assert as_csv(tables["drawn_answers"]).count("\n") == 1
    assert r"\caption{" in as_latex(tables["bias_effects"])


@pytest.mark.parametrize(("games", "contexts"), [(1, 1), (4, 5), (2, 40), (40, 2)])
def test_the_figure_is_drawn_for_few_and_for_many(tmp_path, games, contexts):
    save(play_figure(made(games, contexts)), tmp_path / "play.svg")
    assert "cooperation" in (tmp_path / "play.svg").read_text()


def test_answers_that_cannot_be_read_are_shown_word_for_word_and_cut(tmp_path):
    place = {"split": "in_sample", "game": "stag_hunt", "context": "team", "frame": "canonical"}
    shown = {"question": "answer_only", "options": ["C", "D"], "phrases": "english", "labelled": True}
    texts = ["C", "<b>neither</b> " + "x" * 400, ""]
    write_table(pl.DataFrame([{**place, **shown, "answer": text} for text in texts]), tmp_path / "answers.parquet")
    table = unread_table([tmp_path / "answers.parquet"])
    assert len(table.rows) == 2
    assert max(len(row["answer"]) for row in table.rows) == 300
    page = render_page(Page("t", "l", None, [], [table], ["a remark"], sentences=["it_is said"]))
    assert "&lt;b&gt;neither" in page
    assert "<li>it is said</li>" in page
    assert "measures" not in page.split("</style>")[1].split("<script>")[0]
    write_table(pl.DataFrame([{**place, **shown, "answer": "C"}]).head(0), tmp_path / "none.parquet")
    assert unread_table([Path(tmp_path / "none.parquet")]).rows == ()
