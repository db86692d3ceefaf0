"""What is published of a game of amounts: a scorecard, a table of measures and a page, beside the published means."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.measurement.amount_scores import (
    AMOUNT_DISTANCES,
    AmountChoice,
    AmountMeasure,
    counted_amounts,
    exact_amounts,
    score_amounts,
)
from tomtransfer.measurement.evidence import ROLES
from tomtransfer.measurement.published_counts import read_donation
from tomtransfer.report.typesetting import as_markdown
from tomtransfer.respondents.counting import answers_path

Choices = Mapping[str, Sequence[AmountChoice]]


def read_amounts(tables: Mapping[str, Path], answers: Mapping[str, Path], game: str, unit: str) -> dict[str, Choices]:
    """Return what is known of a game by evidence, exact and counted, each model by model in one order of scenarios.

    `tables` and `answers` are the files of teacher, base and tuned students. Where one model has drawn answers alone,
    these stand among the exact choices of the others; evidence that no model has is left out.
    """
    own = pl.col("game") == game
    exact = {model: exact_amounts(model, read_table(path).filter(own)) for model, path in tables.items()}
    drawn = {model: counted_amounts(model, read_table(path).filter(own), unit) for model, path in answers.items()}
    found: dict[str, Choices] = {}
    if any(exact.values()):
        found["exact"] = {model: exact[model] or drawn[model] for model in tables}
    if all(drawn.values()):
        found["counted"] = drawn
    return found


def write_amount_card(
    known: Mapping[str, Choices],
    facts: Mapping[str, Any],
    settings: Scoring,
    published: Path,
    paths: Mapping[str, Path],
) -> None:
    """Write a game's measures as a table, as JSON and as a page (`paths` table, card, page); `facts` open the JSON."""
    measures = {
        evidence: score_amounts(choices, settings.bootstrap_draws, settings.seed, settings.confidence)
        for evidence, choices in known.items()
    }
    rows = [{"read": evidence, **asdict(row)} for evidence, found in measures.items() for row in found]
    nullable: dict[str, Any] = {"spread": pl.Float64, "by_training": pl.List(pl.Float64)}
    write_table(pl.DataFrame(rows, schema_overrides=nullable, infer_schema_length=None), paths["table"])
    donation = read_donation(published)
    compared = {
        **{model: getattr(donation, model) for model in ROLES},
        "improvement": donation.improvement,
        "gap_closed": donation.gap_closed,
    }
    card = {
        **facts,
        "choices": {evidence: _choices(choices) for evidence, choices in known.items()},
        "measures": {evidence: {row.measure: asdict(row) for row in found} for evidence, found in measures.items()},
        "published": compared,
    }
    write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", paths["card"])
    write_text(amount_page(facts, known, measures, compared), paths["page"])


def _choices(choices: Choices) -> list[dict[str, Any]]:
    """Return what each model gives, in each scenario; of a mean that is all that is known, no amounts."""
    return [
        {
            **asdict(each),
            "amounts": [] if each.evidence == "mean" else list(each.amounts),
            "mean": each.mean if np.isfinite(each.mean) else None,
            "bounds": each.bounds,
        }
        for model in choices
        for each in choices[model]
    ]


def amount_page(
    facts: Mapping[str, Any],
    known: Mapping[str, Choices],
    measures: Mapping[str, Sequence[AmountMeasure]],
    published: Mapping[str, float],
) -> str:
    """Return the page in Markdown: means and measures by kind of evidence, the published ones below."""
    headings = ["choices", "teacher", "base", "tuned", "no amount (teacher, base, tuned)", "gap closed", "improvement"]
    cells = []
    for evidence, found in measures.items():
        by_name = {row.measure: row for row in found}
        means = [_number(by_name[f"mean_{model}"]) for model in ROLES]
        teacher, base, *tuned = known[evidence].values()
        shares = [_invalid(each) for each in (teacher, base, [one for after in tuned for one in after])]
        gaps = [_number(by_name[name], percent=True) for name in ("gap_closed", "improvement")]
        distances = [_number(by_name[f"wasserstein_{model}"]) for model in ("base", "tuned")]
        cells.append([evidence, *means, ", ".join(shares), *gaps, *distances])
    means = [f"{published[model]:z.2f}" for model in ROLES]
    gaps = [f"{100 * published[name]:z.1f} %" for name in ("gap_closed", "improvement")]
    cells.append(["published", *means, "-", *gaps, "-", "-"])
    table = as_markdown([*headings, "Wasserstein-1 to the teacher, base", "tuned"], cells)
    notes = {
        f"{evidence}: no {'distance' if row.measure in AMOUNT_DISTANCES else 'share of the gap'}, {row.note}."
        for evidence, found in measures.items()
        for row in found
        if row.note.startswith("undefined")
    }
    said = "".join(f"\n{note}" for note in sorted(notes))
    return f"{facts['title']}: {facts['unit']} given of {facts['endowment']}\n\n{table}\n{said}"


def _invalid(choices: Sequence[AmountChoice]) -> str:
    if any(each.evidence == "mean" for each in choices):
        return "-"
    other = sum(each.other for each in choices)
    return f"{100 * other / (other + sum(sum(each.amounts) for each in choices)):z.1f} %"


def _number(row: AmountMeasure, percent: bool = False) -> str:
    if row.value is None:
        return "-"
    scale, digits, unit = (100, 1, " %") if percent else (1, 2, "")
    text = f"{scale * row.value:.{digits}f}{unit}"
    if row.low is None or row.high is None:
        return text
    return f"{text} ({scale * row.low:.{digits}f} to {scale * row.high:.{digits}f})"


def amount_tables(teacher: Path, base: Path, tuned: Mapping[str, Path]) -> tuple[dict[str, Path], dict[str, Path]]:
    """Return the tables of amounts of teacher, base and tuned students by name, and the drawn answers of each."""
    tables = {"teacher": teacher, "base": base, **tuned}
    return tables, {
        model: answers_path(path.with_name(path.name.replace(".amounts", ""))) for model, path in tables.items()
    }
