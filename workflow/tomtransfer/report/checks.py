"""What tells whether the choices can be trusted: drawn answers beside exact ones, and questions about the payoffs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.tables import read_table
from tomtransfer.measurement.agreement import CountedRate, answers_page, counted_rates, rates_table
from tomtransfer.measurement.understanding import read_questions, understanding_page, understandings
from tomtransfer.respondents.counting import answers_path, count_choices


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
) -> None:
    """Write tables of counted answers, of questions and of accuracies, and a page of both.

    `paths` are answers, questions, understanding and page; `choices` and `comprehension` are the tables of each model.
    """
    rates = [row for model, files in choices.items() for row in model_rates(model, files, confidence)]
    questions = read_questions(comprehension)
    found = understandings(questions)
    write_text(rates_table(rates).write_csv(), paths["answers"])
    write_text(questions.write_csv(), paths["questions"])
    write_text(pl.DataFrame([asdict(each) for each in found]).write_csv(), paths["understanding"])
    page = [
        "Drawn answers beside exact choices:",
        answers_page(rates, confidence),
        "Questions about the payoffs:",
        understanding_page(found),
    ]
    write_text("\n\n".join(page), paths["page"])
