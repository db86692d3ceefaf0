"""What tells whether choices can be trusted: drawn answers beside exact ones, and questions about the payoffs.

Worked out once, as CSV and as a page; read again for scorecards and for the tables of the report.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.tables import read_table
from tomtransfer.measurement.agreement import CountedRate, agreement, counted_rates, rates_table
from tomtransfer.measurement.understanding import Understanding, read_questions, understandings
from tomtransfer.report.typesetting import Column, Table, as_markdown
from tomtransfer.respondents.counting import answers_path, count_choices
from tomtransfer.respondents.parsing import INVALID_KINDS

PLACE_COLUMNS = (
    *(Column("model", "model"), Column("split", "split", "name"), Column("game", "game", "name")),
    *(Column("context", "context", "name"), Column("frame", "frame", "name")),
)


@dataclass(frozen=True)
class Checks:
    """The artifacts that say whether choices can be trusted, and the cards of games of amounts."""

    answers: Path
    understanding: Path
    amounts: Sequence[Path]


def check_tables(checks: Checks) -> list[Table]:
    """Return the tables of drawn answers, of understanding and of each game of amounts; without rows where none are."""
    cards = [json.loads(path.read_text(encoding="utf-8")) for path in checks.amounts]
    return [
        understanding_table(_rows(checks.understanding)),
        drawn_answers_table(_rows(checks.answers)),
        *(_amounts(card) for card in cards),
    ]


def game_checks(checks: Checks, game: str) -> dict[str, Any]:
    """Return what a game's scorecard says of trust: each model's accuracy, and its drawn answers by scenario."""
    return {
        "comprehension": {row["model"]: row for row in _rows(checks.understanding) if row["game"] == game},
        "drawn_answers": [row for row in _rows(checks.answers) if row["game"] == game],
    }


def understanding_table(found: Sequence[Mapping[str, Any]]) -> Table:
    """Return how well models know the payoffs, a row per model and game."""
    caption = (
        "Questions about the payoffs, whose answers are known: what an outcome earns, and which outcome is best. Right "
        "is the mean probability of the right answer, readable that of any answer that may be given; accuracy is the "
        "right share among readable answers, and chance the accuracy of picking at random. Known is the share of "
        "questions whose right answer is likelier than every other, by chance what picking at random would have "
        "known. A model near chance does not know what it plays for."
    )
    columns = (
        *(Column("model", "model"), Column("game", "game", "name"), Column("questions", "questions", "whole")),
        *(Column("right", "right", "share"), Column("readable", "readable", "share")),
        *(Column("accuracy", "accuracy", "share"), Column("chance", "chance", "share")),
        *(Column("known", "known", "share"), Column("known_by_chance", "by chance", "share")),
    )
    rows = tuple({**row, "game": row["game"] or "all games"} for row in found)
    return Table("comprehension", "What the models know of the payoffs", caption, columns, rows)


def drawn_answers_table(found: Sequence[Mapping[str, Any]], file: str = "alignment/answers.csv") -> Table:
    """Return drawn answers beside exact choices, a row per model, scenario and frame; all rows are in `file`."""
    caption = (
        "Answers drawn and read by a strict parser, beside the exact rates. Rate is cooperation among the valid "
        "answers; lowest and highest are what it would be among all if every invalid one were a defection, or "
        "cooperation. P is of the exact binomial test of the counts against the exact rate, adjusted by Holm over the "
        "model's scenarios."
    )
    columns = (
        *(*PLACE_COLUMNS, Column("answers", "answers", "whole"), Column("invalid", "invalid", "whole")),
        *(Column("rate", "rate", "number"), Column("low", "from", "number"), Column("high", "to", "number")),
        *(Column("lowest", "lowest", "number"), Column("highest", "highest", "number")),
        *(Column("exact", "exact", "number"), Column("p_value", "p", "p_value")),
        *(Column(kind, kind, "whole") for kind in INVALID_KINDS),
    )
    return Table("drawn_answers", "Drawn answers beside exact choices", caption, columns, tuple(found), file=file)


def _amounts(card: Mapping[str, Any]) -> Table:
    rows = [
        {**row, "choices": evidence, "published": card["published"].get(name.removeprefix("mean_"))}
        for evidence, measures in card["measures"].items()
        for name, row in measures.items()
    ]
    caption = (
        f"How many {card['unit']} of {card['endowment']} are given. Gap closed and improvement are of mean gifts; the "
        "Wasserstein-1 distance to the teacher is how far the distributions lie apart, in the same unit. Published are "
        "the means of another game of this kind (arXiv 2408.05241), with other models and other words."
    )
    columns = (
        *(Column("choices", "choices"), Column("measure", "measure", "name"), Column("value", "value", "number")),
        *(Column("low", "from", "number"), Column("high", "to", "number")),
        *(Column("published", "published", "number"), Column("note", "note")),
    )
    return Table(card["game"], card["title"], caption, columns, tuple(rows))


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a CSV file, numbers as numbers and nothing as None."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: _value(text) for name, text in row.items()} for row in csv.DictReader(file)]


def _value(text: str) -> Any:
    try:
        number = float(text)
    except ValueError:
        return text or None
    return int(number) if number.is_integer() and "." not in text else number


def model_rates(model: str, paths: Sequence[Path], confidence: float) -> list[CountedRate]:
    """Return a model's drawn answers in the games of two actions, counted, beside its choices in `paths`."""
    answers = pl.concat([read_table(answers_path(path)) for path in paths]).filter("labelled")
    if not len(answers):
        return []
    return counted_rates(model, count_choices(answers), pl.concat([read_table(path) for path in paths]), confidence)


def write_checks(
    choices: Mapping[str, Sequence[Path]],
    comprehension: Mapping[str, Sequence[Path]],
    confidence: float,
    paths: Mapping[str, Path],
    reading: str = "",
) -> None:
    """Write tables of counted answers, of questions and of accuracies, and a page of both.

    `paths` are answers, questions, understanding and page; `choices` and `comprehension` are the tables of each model;
    `reading` is what has to be said of how drawn answers are read, if anything.
    """
    rates = [row for model, files in choices.items() for row in model_rates(model, files, confidence)]
    questions = read_questions(comprehension)
    found = understandings(questions)
    write_text(rates_table(rates).write_csv(), paths["answers"])
    write_text(questions.write_csv(), paths["questions"])
    write_text(pl.DataFrame([asdict(each) for each in found]).write_csv(), paths["understanding"])
    page = [
        "Drawn answers beside exact choices:",
        answers_page(rates, confidence) + (f"\n{reading}\n" if rates and reading else ""),
        "Questions about the payoffs:",
        understanding_page(found) + _not_asked(found, list(comprehension)),
    ]
    write_text("\n\n".join(page), paths["page"])


def _not_asked(found: Sequence[Understanding], models: Sequence[str]) -> str:
    """Return a line on the models that were asked no questions while others were: their answers are recorded."""
    without = [model for model in models if model not in {each.model for each in found}]
    return f"\nNot asked, because its answers are recorded: {', '.join(without)}.\n" if found and without else ""


def answers_page(rows: Sequence[CountedRate], confidence: float = 0.95) -> str:
    """Return a page in Markdown: how drawn answers agree with exact choices, model by model, and which were invalid."""
    if not rows:
        return "No answers were drawn.\n"
    headings = ["model", "scenarios", "answers", "invalid", "cooperation drawn", "exact", "p", "mismatches"]
    cells = []
    for model in dict.fromkeys(row.model for row in rows):
        own = [row for row in rows if row.model == model]
        invalid = {kind: sum(row.kinds[kind] for row in own) for kind in INVALID_KINDS}
        said = ", ".join(f"{kind} {count}" for kind, count in invalid.items() if count) or "-"
        answers, wrong = sum(row.answers for row in own), sum(invalid.values())
        cooperate, valid = sum((row.rate or 0) * (row.answers - row.invalid) for row in own), answers - wrong
        found = agreement(own, confidence)
        test = [f"{found.expected:z.3f}", f"{found.p_value:.2g}", str(found.mismatches)] if found else ["-", "-", "-"]
        rate = f"{cooperate / valid:z.3f}" if valid else "-"
        cells.append([model, str(len(own)), str(answers), f"{100 * wrong / answers:z.1f} %", rate, *test, said])
    return as_markdown([*headings, "invalid answers are"], cells) + "\n"


def understanding_page(found: Sequence[Understanding]) -> str:
    """Return a page in Markdown: how often each model is right about each game."""
    if not found:
        return "No questions about the payoffs were asked.\n"
    cells = [
        [each.model, each.game or "**all**", str(each.questions)]
        + [_percent(share) for share in (each.right, each.readable, each.accuracy, each.chance)]
        + [_percent(share) for share in (each.known, each.known_by_chance)]
        for each in found
    ]
    headings = ["model", "game", "questions", "right", "readable", "right of readable", "chance", "known", "by chance"]
    return as_markdown(headings, cells) + "\n"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:z.1f} %"
