"""A report of more than fits on a page: the first of everything, how much there is, and where the rest is."""

from dataclasses import replace

import pytest

from tomtransfer.experiment.sections import Scoring
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario
from tomtransfer.measurement.findings import examine
from tomtransfer.report.page import Page, render_page
from tomtransfer.report.sources import FIRST_SHOWN, asked, first_prompts
from tomtransfer.report.style import MOST_SHOWN
from tomtransfer.report.typesetting import FIRST_ROWS, MOST_NAMES, MOST_ROWS, Column, Table, as_csv, as_latex, listed
from tomtransfer.scenarios.questions import Prompt


def prompt() -> Prompt:
    place = ("in_sample", "stag_hunt", "team", "canonical", "answer_only")
    return Prompt(*place, "C", "D", {"reward": 1.0}, "system", "user", "abc")


@pytest.fixture(scope="module")
def page() -> Page:
    scenarios = [Scenario(split, "stag_hunt", "team") for split in ("in_sample", "new_contexts")]
    models = (Evidence.from_probabilities(scenarios, [rate] * 2, [1 - rate] * 2, [0, 0]) for rate in (0.8, 0.4, 0.6))
    return Page("title", "lead", examine(Comparison(*models), Scoring(bootstrap_draws=50)), [], [], [])


def test_a_long_table_is_shown_in_part_and_says_where_the_rest_is(page: Page) -> None:
    rows = tuple({"key": f"row {number}"} for number in range(MOST_ROWS + 1))
    table = Table("long", "Long", "caption", (Column("key", "key"),), rows)
    rendered = render_page(replace(page, tables=[table]))
    assert f"row {FIRST_ROWS - 1}<" in rendered
    assert f"row {FIRST_ROWS}<" not in rendered
    assert 'first 150 of 501 rows; all are in <a href="tables/long.csv">tables/long.csv</a>' in rendered
    assert "(501 rows)" in rendered
    assert 'in <a href="elsewhere.csv">' in render_page(replace(page, tables=[replace(table, file="elsewhere.csv")]))
    whole = render_page(replace(page, tables=[replace(table, rows=rows[:-1])]))
    assert f"row {MOST_ROWS - 1}<" in whole
    assert "Here are" not in whole


def test_the_first_contexts_of_each_split_have_their_prompts_shown(page: Page) -> None:
    every = [
        replace(prompt(), split=split, context=f"context{number}")
        for split in ("in_sample", "new_contexts")
        for number in range(MOST_SHOWN + 1)
    ]
    shown = first_prompts(every)
    assert shown == [each for each in every if int(each.context.removeprefix("context")) < FIRST_SHOWN]
    few = [each for each in every if each.context != f"context{MOST_SHOWN}"]
    assert first_prompts(few) == few
    some = replace(page, asked=asked(shown, [], 1), prompts=len(every))
    assert "Here are 20 of 62 prompts" in render_page(some)
    assert "Every prompt, and a sample" in render_page(replace(some, prompts=20))
    known = [{"title": f"Game {number}", "holds": [f"Fact {number}."]} for number in range(MOST_SHOWN + 1)]
    shortened, whole = (render_page(replace(page, games=known[:number])) for number in (MOST_SHOWN + 1, MOST_SHOWN))
    assert "Here are 30 of 31 games" in shortened
    assert f"Fact {MOST_SHOWN}." not in shortened
    assert "of 30 games" not in whole
    assert f"Fact {MOST_SHOWN - 1}." in whole
    games = [replace(prompt(), game=f"game{number}") for number in range(MOST_SHOWN + 1)]
    assert first_prompts(games) == games[:-1]


def test_a_long_list_is_cut_where_it_is_printed_and_whole_in_the_file() -> None:
    names = [f"name{number}" for number in range(MOST_NAMES + 2)]
    assert listed(names[:2]) == "name0, name1"
    assert listed(names).endswith(f"name{MOST_NAMES - 1} and 2 more")
    table = Table("names", "", "", (Column("key", "key", "list"),), ({"key": " ".join(names)},))
    assert "and 2 more" in as_latex(table)
    assert names[-1] in as_csv(table)
