"""From answer tables to what is published of an experiment: a scorecard per game and a summary over all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.config import Scoring
from tomtransfer.counted import read_choices
from tomtransfer.evidence import Comparison, Evidence, Scenario, cooperation_rates
from tomtransfer.findings import examine, write_findings
from tomtransfer.rates import differences
from tomtransfer.scoring import Score, score
from tomtransfer.tables import write_table, write_text

MODELS = ("teacher", "base", "tuned")
SUMMARY_COLUMNS = ("value", "low", "high", "best_constant", "own_mean", "fair_coin", "ceiling")


def read_answers(teacher: Sequence[Path], base: Path, tuned: Path, frame: str) -> dict[str, pl.DataFrame]:
    """Return the choices of teacher, base and tuned student in one frame, in the teacher's order of scenarios."""
    scenario = ["split", "game", "context"]
    # Counts of kinds of answers stand beside the choices of those that were counted alone.
    tables = [pl.concat([read_choices(path) for path in teacher]), read_choices(base), read_choices(tuned)]
    chosen = [table.filter(pl.col("frame") == frame) for table in tables]
    order = chosen[0].select(scenario)
    return {
        model: order.join(table, on=scenario, how="inner", maintain_order="left")
        for model, table in zip(MODELS, chosen, strict=True)
    }


def compare(answers: Mapping[str, pl.DataFrame]) -> Comparison:
    """Return the comparison of teacher, base and tuned student over their scenarios."""
    teacher, base, tuned = (_evidence(answers[model]) for model in MODELS)
    return Comparison(teacher, base, tuned)


def _evidence(table: pl.DataFrame) -> Evidence:
    scenarios = [Scenario(*row) for row in table.select("split", "game", "context").iter_rows()]
    known = Evidence.from_probabilities if (table["evidence"] == "exact").all() else Evidence.from_counts
    return known(scenarios, *(table[name].to_numpy() for name in ("cooperate", "defect", "other")))


def write_scorecard(
    answers: Mapping[str, pl.DataFrame], facts: Mapping[str, Any], settings: Scoring, table_path: Path, json_path: Path
) -> None:
    """Write a game's scores as a table, and as JSON with each context's choices and tests and the provenance.

    `facts` say what the game is (its name as `game`); they open the JSON. `answers` are those of all games: the floors
    and the correction for many tests are the experiment's, and so the same here as in its summary.
    """
    game, comparison = facts["game"], compare(answers)
    levels = ["game", "scenario"]
    every = score(comparison, settings.bootstrap_draws, settings.seed, settings.confidence, levels=levels)
    scores = [each for each in every if each.game == game]
    tests = differences(comparison, settings.equivalence_margin, settings.confidence)
    splits = {
        split: {
            "contexts": _contexts(comparison, split, game),
            "measures": {
                each.measure: _measure(each) for each in scores if each.level == "game" and each.split == split
            },
            "differences": [asdict(each) for each in tests if each.scenario[:2] == (split, game)],
        }
        for (split,) in comparison.groups("split")
    }
    write_table(scores_table(scores), table_path)
    own = {model: table.filter(game=game) for model, table in answers.items()}
    card = {**facts, "splits": splits, "settings": settings.model_dump(), "provenance": provenance(own)}
    write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", json_path)


def _contexts(comparison: Comparison, split: str, game: str) -> dict[str, Any]:
    """Return for each context of a split what each model chooses in a game, and its cooperation among valid answers."""
    contexts: dict[str, Any] = {}
    for position in comparison.groups("split", "game")[split, game]:
        contexts[comparison.scenarios[position].context] = {
            model: {
                **dict(zip(("cooperate", "defect", "other"), evidence.distribution[:, position].tolist(), strict=True)),
                "cooperation_rate": float(cooperation_rates(evidence.distribution[:, position], comparison.among)),
            }
            for model, evidence in comparison.models.items()
        }
    return contexts


def _measure(one: Score) -> dict[str, Any]:
    """Return a measure with its interval, floors and ceiling, and the scenarios that it had to leave out."""
    numbers = {name: getattr(one, name) for name in SUMMARY_COLUMNS}
    return {**numbers, "undefined_in": list(one.left_out), "note": one.note}


def provenance(answers: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Return what the answers of each model came from: models, prompts by scenario, settings, software."""
    once = ("model", "model_revision", "quantization", "adapter", "temperature", "question", "frame", "software")
    return {
        model: {
            **{name: table[name].unique(maintain_order=True).to_list() for name in once},
            "prompts": {
                "/".join(row[:3]): row[3] for row in table.select("split", "game", "context", "prompt").iter_rows()
            },
        }
        for model, table in answers.items()
    }


def scores_table(scores: Sequence[Score]) -> pl.DataFrame:
    """Return scores as a table, one row each."""
    overrides = {"left_out": pl.List(pl.String)}
    return pl.DataFrame([asdict(each) for each in scores], schema_overrides=overrides, infer_schema_length=None)


def write_summary(
    answers: Mapping[str, pl.DataFrame], settings: Scoring, csv_path: Path, json_path: Path, text_path: Path
) -> None:
    """Write what the experiment gives as CSV, as JSON with provenance, and as a page of text to be read at the end.

    The JSON holds everything that figures, tables and report are made from (`findings.read_findings`).
    """
    comparison = compare(answers)
    findings = replace(examine(comparison, settings), provenance=provenance(answers))
    grouped = [each for each in findings.scores if each.level != "scenario"]
    write_text(scores_table(grouped).with_columns(pl.col("left_out").list.join(" ")).write_csv(), csv_path)
    write_findings(findings, json_path)
    write_text(summary_page(comparison, grouped, list(findings.headlines.values())), text_path)


def summary_page(comparison: Comparison, scores: Sequence[Score], headlines: Sequence[str]) -> str:
    """Return the summary in Markdown: what each split gives, per game and over all games, floors beside it."""
    sureness = f"{100 * scores[0].confidence:g} % interval"
    lines = [
        f"| split | game | teacher | base | tuned | gap closed | {sureness} | best constant | own mean | coin "
        "| improvement | Pearson r |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows = {(each.split, each.game, each.measure): each for each in scores if each.level in {"split", "game"}}
    groups = {(split, game) for split, game, _ in rows}
    order = list(dict.fromkeys((split, game) for split, game, _ in rows))
    for split, game in sorted(
        groups, key=lambda group: (_first(order, group[0]), group[1] is None, order.index(group))
    ):
        members = comparison.groups("split", "game")[split, game] if game else comparison.groups("split")[split,]
        means = [f"{rates[members].mean():.3f}" for rates in comparison.rates]
        gap, improved = rows[split, game, "gap_closed"], rows[split, game, "improvement"]
        floors = [_percent(floor) for floor in (gap.best_constant, gap.own_mean, gap.fair_coin)]
        interval = f"{_percent(gap.low)} to {_percent(gap.high)}" if gap.low is not None else "-"
        correlation = rows[split, game, "pearson"].value
        last = [_percent(improved.value), "-" if correlation is None else f"{correlation:.2f}"]
        lines.append(
            "| " + " | ".join([split, game or "**all**", *means, _percent(gap.value), interval, *floors, *last]) + " |"
        )
    return "\n".join([*lines, "", *(f"- {headline}" for headline in headlines), ""])


def _first(order: Sequence[tuple[str, str | None]], split: str) -> int:
    return next(place for place, group in enumerate(order) if group[0] == split)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
