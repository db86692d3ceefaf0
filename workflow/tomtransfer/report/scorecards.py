"""From answer tables to what is published of an experiment: a scorecard per game and a summary over all."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.config import TRAINED_SPLIT, TRANSFER
from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.measurement.assessments import closed_otherwise, experiment_verdict, main_view
from tomtransfer.measurement.evidence import Comparison, cooperation_rates
from tomtransfer.measurement.findings import Findings, examine, look, look_at_arm, write_findings
from tomtransfer.measurement.rates import differences
from tomtransfer.measurement.scoring import COLUMNS, Score, score
from tomtransfer.measurement.views import SCENARIO, Answers
from tomtransfer.report.summary import summary_page

NULLABLE: dict[str, Any] = {
    **dict.fromkeys(("game", "context", "note"), pl.String),
    **dict.fromkeys(COLUMNS, pl.Float64),
}
"""Columns of a table of scores that may hold nothing but nulls."""
SUMMARY_COLUMNS = ("value", "low", "high", "spread", "best_constant", "own_mean", "fair_coin", "ceiling")


def write_scorecard(
    answers: Answers, facts: Mapping[str, Any], settings: Scoring, table_path: Path, json_path: Path
) -> None:
    """Write a game's scores as a table, and as JSON with each context's choices and tests and the provenance.

    `facts` say what the game is (its name as `game`); they open the JSON. `splits` are those of the scored frame,
    `views` those of other frames beside it, and `bias` is how large each model's preferences and habits are there.
    `answers` are those of all games: the floors and the correction for many tests are the experiment's, and so the same
    here as in its summary.
    """
    game, tables, views = facts["game"], [], {}
    for view, comparison in answers.compare():
        drawing = (settings.bootstrap_draws, settings.seed, settings.confidence)
        scores = score(comparison, *drawing, levels=("game", "scenario"), game=game)
        tables.append(scores_table(scores, view))
        views[view] = {"frames": answers.views[view], "splits": _splits(comparison, scores, settings, game)}
    write_table(pl.concat(tables), table_path)
    scored = views.pop(next(iter(answers.views)))
    effects = [asdict(each) for each in answers.decompose(settings.confidence, game).effects if each.game]
    own = {model: pl.concat(tables).filter(game=game) for model, tables in answers.tables.items()}
    card = {**facts, "splits": scored["splits"], "views": views, "bias": effects}
    card["agreement"] = {role: asdict(each) for role, each in answers.agreements.items()}
    card["disagreements"] = answers.disagreements(next(iter(answers.views)))
    card |= {"settings": settings.model_dump(), "provenance": provenance(own)}
    write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", json_path)


def _splits(comparison: Comparison, scores: Sequence[Score], settings: Scoring, game: str) -> dict[str, Any]:
    """Return what is known of a game in each split: choices by context, measures, tests."""
    tests = differences(comparison, settings.equivalence_margin, settings.confidence)
    return {
        split: {
            "contexts": _contexts(comparison, split, game),
            "measures": {
                each.measure: _measure(each) for each in scores if each.level == "game" and each.split == split
            },
            "differences": [asdict(each) for each in tests if each.scenario[:2] == (split, game)],
        }
        for (split,) in comparison.groups("split")
    }


def _contexts(comparison: Comparison, split: str, game: str) -> dict[str, Any]:
    """Return for each context of a split what each model chooses in a game, and its cooperation among valid answers."""
    contexts: dict[str, Any] = {}
    for position in comparison.groups("split", "game").get((split, game), ()):
        contexts[comparison.scenarios[position].context] = {
            model: {
                **dict(zip(("cooperate", "defect", "other"), evidence.distribution[:, position].tolist(), strict=True)),
                "cooperation_rate": float(cooperation_rates(evidence.distribution[:, position], comparison.among)),
            }
            for model, evidence in comparison.models.items()
        }
    return contexts


def _measure(one: Score) -> dict[str, Any]:
    """Return a measure with its interval, spread, floors and ceiling, and the scenarios that it had to leave out."""
    numbers = {name: getattr(one, name) for name in SUMMARY_COLUMNS}
    return {**numbers, "by_training": list(one.by_training), "undefined_in": list(one.left_out), "note": one.note}


def provenance(answers: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Return what the answers of each model came from: models, prompts by scenario and frame, settings, software."""
    settings = ("model", "model_revision", "quantization", "adapter", "temperature", "question", "frame")
    once = (*settings, "software", "examination")
    return {
        model: {
            **{name: table[name].unique(maintain_order=True).to_list() for name in once if name in table.columns},
            "prompts": {"/".join(row[:-1]): row[-1] for row in table.select(*SCENARIO, "frame", "prompt").iter_rows()},
        }
        for model, table in answers.items()
    }


def scores_table(scores: Sequence[Score], view: str) -> pl.DataFrame:
    """Return the scores of a view as a table, one row each."""
    overrides = {"left_out": pl.List(pl.String), "by_training": pl.List(pl.Float64), **NULLABLE}
    rows = [{"view": view, **asdict(each)} for each in scores]
    return pl.DataFrame(rows, schema_overrides=overrides, infer_schema_length=None)


def read_game_scores(paths: Sequence[Path]) -> dict[str, list[Score]]:
    """Return the scores of games and of their scenarios by view, from the tables of `write_scorecard`."""
    found: dict[str, list[Score]] = {}
    for path in paths:
        for row in read_table(path).iter_rows(named=True):
            view = row.pop("view")
            lists = {name: tuple(row[name]) for name in ("left_out", "by_training")}
            found.setdefault(view, []).append(Score(**row | lists))
    return found


def _with_disagreements(findings: Findings, answers: Answers, confidence: float) -> Findings:
    """Return findings whose sentences say where choices disagree, which are measured, and what is not compared.

    Where drawn answers are measured, a sentence also says what exact choices would have given: few answers were drawn,
    and a reader should see how much hangs on them.
    """
    otherwise = _otherwise(answers, confidence)

    def said(headlines: Mapping[str, str], view: str) -> dict[str, str]:
        remarks, exact = answers.disagreements(view), otherwise.get(view, {})
        return {split: " ".join([sentence, *remarks, *exact.get(split, ())]) for split, sentence in headlines.items()}

    main = main_view(answers.views)
    return replace(
        findings,
        verdict=" ".join([findings.verdict, *answers.disagreements(main), *answers.not_compared()]).strip(),
        headlines=said(findings.headlines, findings.frame),
        views=tuple(replace(view, headlines=said(view.headlines, view.name)) for view in findings.views),
    )


def _otherwise(answers: Answers, confidence: float) -> dict[str, dict[str, list[str]]]:
    """Return by view and split what exact choices would have given, of the views in which drawn ones are measured."""
    used = {view: frames for view, frames in answers.views.items() if answers.uses_drawn(view)}
    exact = replace(answers.as_read, views=used)
    return {
        view: {each.split: [closed_otherwise(each)] for each in exact.assess(view, comparison, confidence)}
        for view, comparison in exact.compare()
    }


def write_summary(
    answers: Answers,
    games: Mapping[str, Sequence[Score]],
    settings: Scoring,
    csv_path: Path,
    json_path: Path,
    text_path: Path,
    seeds: Sequence[int] = (),
) -> None:
    """Write what the experiment gives as CSV, as JSON with provenance, and as a page of text to be read at the end.

    `games` are the scores of all games by view, computed here where there are none; `seeds` are those of the trainings.
    The JSON holds everything that figures, tables and report are made from (`findings.read_findings`).
    """
    compared = dict(answers.compare())
    others = {arm: dict(answers.compare(arm)) for arm in answers.arms}
    assessed = {
        view: answers.assess(view, each, settings.confidence, {arm: views[view] for arm, views in others.items()})
        for view, each in compared.items()
    }
    arms = [look_at_arm(arm, view, each, settings) for arm, views in others.items() for view, each in views.items()]
    scored, *beside = compared
    bias = answers.decompose(settings.confidence)
    findings = replace(
        examine(compared[scored], settings, games.get(scored, ()), assessed[scored]),
        provenance=provenance({model: pl.concat(tables) for model, tables in answers.tables.items()}),
        frame=scored,
        views=tuple(
            look(answers.views[name], compared[name], settings, assessed[name], games.get(name, ())) for name in beside
        ),
        verdict=experiment_verdict(assessed, TRAINED_SPLIT),
        assessments=tuple(each for view in assessed.values() for each in view),
        agreements=tuple(answers.agreements.values()),
        bias_shares=bias.shares,
        bias_effects=bias.effects,
        unanswered=answers.unanswered(),
        seeds=tuple(seeds),
        arms=tuple(arms),
    )
    findings = _with_disagreements(findings, answers, settings.confidence)
    scored_alone = [each for each in findings.scores if each.level != "scenario"]
    parts: list[tuple[str, str, Sequence[Score]]] = [
        (TRANSFER, scored, scored_alone),
        *((TRANSFER, view.name, view.scores) for view in findings.views),
    ]
    parts += [(each.arm, each.view, each.scores) for each in findings.arms]
    tables = [scores_table(scores, view).with_columns(arm=pl.lit(arm)) for arm, view, scores in parts]
    write_text(pl.concat(tables).with_columns(_flat("left_out"), _flat("by_training")).write_csv(), csv_path)
    write_findings(findings, json_path)
    write_text(summary_page(findings), text_path)


def _flat(column: str) -> pl.Expr:
    """Return a column of lists as texts, which a CSV file can hold; what is undefined is a dash."""
    return pl.col(column).list.eval(pl.element().cast(pl.String).fill_null("-")).list.join(" ")
