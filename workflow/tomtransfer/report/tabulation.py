"""The tables of a report: what findings say about splits, games, contexts, scenarios, tests and invalid answers."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from tomtransfer.measurement.evidence import ROLES
from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.groups import LEVELS
from tomtransfer.measurement.measures import best_constant, fair_coin, own_mean
from tomtransfer.measurement.published_counts import ENDOWMENT, Donation
from tomtransfer.measurement.scoring import Score
from tomtransfer.report.claims import arms_table, components_table, verdicts_table
from tomtransfer.report.habits import bias_effects_table, bias_shares_table, views_table
from tomtransfer.report.typesetting import CONTEXT, GAME, SPLIT, Column, Table

FLOOR_COLUMNS = (
    Column("best_constant", "floor: best constant", "measure"),
    Column("own_mean", "floor: own mean", "measure"),
    Column("fair_coin", "floor: coin", "measure"),
    Column("ceiling", "ceiling", "measure"),
)
MEASURED = (
    Column("measure", "measure", "name"),
    Column("scenarios", "scenarios", "whole"),
    Column("value", "tuned", "measure"),
    Column("low", "from", "measure"),
    Column("high", "to", "measure"),
    Column("spread", "spread", "measure"),
    Column("base", "base", "measure"),
    *FLOOR_COLUMNS,
    Column("left_out", "left out", "list"),
    Column("note", "note"),
)
READING = (
    "From and to are the ends of a {confidence} interval. {trainings}Base is the student before training. Floors are "
    "policies that ignore the scenario: the best constant, the tuned student's own mean, a fair coin. The ceiling is "
    "the teacher against itself, split in half."
)
OVER_TRAININGS = (
    " Of the tuned student it is the mean over trainings, with counted answers of all of them added up: intervals and "
    "tests are for the students of these trainings."
)


def make_tables(findings: Findings) -> list[Table]:
    """Return every table that findings have rows for."""
    tables = [verdicts_table(findings), components_table(findings), arms_table(findings), _by_arm(findings)]
    tables += [_scores(findings, level) for level in LEVELS]
    tables += [_by_training(findings), views_table(findings), bias_shares_table(findings), bias_effects_table(findings)]
    tables += [_rates(findings), _differences(findings), _invalid(findings), _split_tests(findings)]
    if findings.donation:
        tables.append(_donation(findings.donation))
    return [table for table in tables if table.rows]


def _confidence(findings: Findings) -> str:
    return f"{100 * findings.settings.confidence:g} %"


def _scores(findings: Findings, level: str) -> Table:
    """Return the measures of every split, game, context or scenario."""
    places = {"split": (SPLIT,), "game": (SPLIT, GAME), "context": (SPLIT, CONTEXT), "scenario": (SPLIT, GAME, CONTEXT)}
    rows = [vars(each) | {"left_out": " ".join(each.left_out)} for each in findings.scores if each.level == level]
    order = findings.splits
    rows.sort(key=lambda row: order.index(row["split"]))
    title = "Alignment over each split" if level == "split" else f"Alignment by {level}"
    caption = f"{title}. {_reading(findings)}"
    return Table(f"alignment_by_{level}", title, caption, (*places[level], *_measured(findings)), tuple(rows))


def _reading(findings: Findings) -> str:
    """Return how to read a table of measures."""
    several = f"Tuned is the mean over {len(findings.seeds)} trainings, spread their standard deviation. "
    return READING.format(confidence=_confidence(findings), trainings=several if len(findings.seeds) > 1 else "")


def _measured(findings: Findings) -> tuple[Column, ...]:
    """Return the columns of a measure; of a single training there is no spread."""
    return tuple(column for column in MEASURED if column.key != "spread" or len(findings.seeds) > 1)


def _by_arm(findings: Findings) -> Table:
    """Return the measures of every split after each kind of training, in every view."""
    scores = [("transfer", findings.frame, findings.scores)] if findings.arms else []
    scores += [("transfer", view.name, view.scores) for view in findings.views if findings.arms]
    scores += [(each.arm, each.view, each.scores) for each in findings.arms]
    rows = [
        {"arm": arm, "view": view, **vars(each), "left_out": " ".join(each.left_out)}
        for split in findings.splits
        for arm, view, measures in scores
        for each in measures
        if (each.level, each.split) == ("split", split)
    ]
    caption = (
        "Measures over each split of students that were tuned on the teacher's answers (transfer), on its answers to "
        f"other scenarios (shuffled) and on its choices without reasons (choices only). {_reading(findings)}"
    )
    columns = (SPLIT, Column("arm", "arm", "name"), Column("view", "frames", "name"), *_measured(findings))
    return Table("alignment_by_arm", "Alignment by arm", caption, columns, tuple(rows))


def _by_training(findings: Findings) -> Table:
    """Return what each training came to in every split and view: measures, their mean and how they are spread."""
    views = [(findings.frame, findings.scores), *((view.name, view.scores) for view in findings.views)]
    seeds = {f"seed_{seed}": place for place, seed in enumerate(findings.seeds)}
    rows = [
        {"view": view, **vars(each), **{name: each.by_training[place] for name, place in seeds.items()}}
        for split in findings.splits
        for view, measures in views
        for each in measures
        if len(seeds) > 1 and (each.level, each.split) == ("split", split)
    ]
    caption = (
        f"Each measure after each of {len(seeds)} trainings on the same examples, which differ in the adapter's first "
        "weights and the order of the examples; their mean, which is the measure everywhere else, and their standard "
        f"deviation. From and to are the ends of the {_confidence(findings)} interval, in which both other contexts "
        "and other trainings stand."
    )
    columns = (
        *(SPLIT, Column("view", "frames", "name"), Column("measure", "measure", "name")),
        *(Column(name, name.replace("_", " "), "measure") for name in seeds),
        *(Column("value", "mean", "measure"), Column("spread", "spread", "measure")),
        *(Column("low", "from", "measure"), Column("high", "to", "measure"), Column("note", "note")),
    )
    return Table("trainings", "Training by training", caption, columns, tuple(rows))


def _rates(findings: Findings) -> Table:
    """Return every scenario's cooperation rates with their intervals, the mass on other, and the floors' rates."""
    columns = [SPLIT, GAME, CONTEXT]
    for model in ROLES:
        columns += [
            Column(model, model, "number"),
            Column(f"{model}_low", "from", "number"),
            Column(f"{model}_high", "to", "number"),
            Column(f"{model}_other", "other", "number"),
        ]
    columns += [Column(f"{floor.key}_rate", floor.title, "number") for floor in FLOOR_COLUMNS[:3]]
    caption = (
        f"Cooperation as a share of {findings.among}, with Wilson's {_confidence(findings)} interval where answers "
        "were counted (exact probabilities have no sampling error), the share of answers that are neither choice, and "
        "the rate that each floor plays in every scenario of the split."
    )
    caption += OVER_TRAININGS * (len(findings.seeds) > 1)
    return Table("cooperation", "Cooperation by scenario", caption, tuple(columns), tuple(_rate_rows(findings)))


def _rate_rows(findings: Findings) -> Iterator[dict[str, Any]]:
    other = {(each.scenario, each.model): each.other for each in findings.choices}
    for split in findings.splits:
        scenarios = findings.scenarios(split)
        shares = {model: np.array([findings.rate(each, model).rate for each in scenarios]) for model in ROLES}
        floors = {
            "best_constant_rate": float(best_constant(shares["teacher"])[0]),
            "own_mean_rate": float(own_mean(shares["tuned"])[0]),
            "fair_coin_rate": float(fair_coin(shares["teacher"])[0]),
        }
        for scenario in scenarios:
            row: dict[str, Any] = {**scenario._asdict(), **floors}
            for model in ROLES:
                rate = findings.rate(scenario, model)
                row |= {model: rate.rate, f"{model}_low": rate.low, f"{model}_high": rate.high}
                row[f"{model}_other"] = other[scenario, model]
            yield row


def _differences(findings: Findings) -> Table:
    """Return how the tuned student differs from teacher and base in every scenario, with tests."""
    distance = {
        (each.split, each.game, each.context): each
        for each in findings.scores
        if each.level == "scenario" and each.measure == "root_mean_square_error"
    }
    rows = []
    for each in findings.differences:
        # How far the floors and half the teacher's answers are from the teacher: what a difference is to be judged by.
        beside = (
            _floors(distance[each.scenario])
            if each.second == "teacher"
            else dict.fromkeys(c.key for c in FLOOR_COLUMNS)
        )
        rows.append({**vars(each), **each.scenario._asdict(), **beside, "measure": "root_mean_square_error"})
    rows.sort(key=lambda row: (row["second"] != "teacher", findings.splits.index(row["split"])))
    caption = (
        "Differences in cooperation, first less second. Where both were counted: Newcombe's interval, the "
        "two-proportion z-test adjusted by Holm over the scenarios of the split, and the two one-sided tests of "
        f"equivalence within {findings.settings.equivalence_margin:g}, all at {_confidence(findings)}. Exact "
        "probabilities are equivalent when they differ by no more than that. Floors and ceiling: their distance from "
        "the teacher in the scenario."
    )
    caption += OVER_TRAININGS * (len(findings.seeds) > 1)
    columns = (
        *(SPLIT, GAME, CONTEXT),
        *(Column("first", "first"), Column("second", "second"), Column("difference", "difference", "number")),
        *(Column("low", "from", "number"), Column("high", "to", "number"), Column("p_value", "p (Holm)", "p_value")),
        Column("equivalence_p_value", "p (equivalence)", "p_value"),
        Column("equivalent", "equivalent", "flag"),
        *FLOOR_COLUMNS,
    )
    return Table("differences", "Differences by scenario", caption, columns, tuple(rows))


def _floors(score: Score) -> Mapping[str, float | None]:
    return {column.key: getattr(score, column.key) for column in FLOOR_COLUMNS}


def _invalid(findings: Findings) -> Table:
    """Return how much of each model's answers is neither choice."""
    rows = []
    for split in findings.splits:
        for model in ROLES:
            shares = [each for each in findings.choices if (each.model, each.scenario.split) == (model, split)]
            worst = max(shares, key=lambda each: each.other)
            rows.append(
                {
                    "split": split,
                    "model": model,
                    "evidence": "probabilities" if findings.kinds[model] == "exact" else "counted answers",
                    "mean": float(np.mean([each.other for each in shares])),
                    "largest": worst.other,
                    "where": f"{worst.scenario.game}, {worst.scenario.context}" if worst.other else None,
                }
            )
    caption = "Answers that are neither choice: probability mass on anything but the labels, or answers not understood."
    columns = (
        *(SPLIT, Column("model", "model"), Column("evidence", "evidence")),
        *(Column("mean", "mean", "number"), Column("largest", "largest", "number"), Column("where", "in", "name")),
    )
    return Table("invalid_answers", "Invalid answers", caption, columns, tuple(rows))


def _split_tests(findings: Findings) -> Table:
    caption = (
        "Two-proportion z-tests between splits of the tuned student, answers pooled over all scenarios or over "
        "those of a game. Pooling takes the answers of a split for draws from one coin, which they are not: these "
        "p-values are smaller than they should be."
    )
    columns = (
        *(Column("first", "first split", "name"), Column("second", "second split", "name"), GAME),
        *(Column("first_rate", "first rate", "number"), Column("second_rate", "second rate", "number")),
        *(Column("statistic", "z", "number"), Column("p_value", "p", "p_value")),
    )
    rows = tuple(asdict(each) for each in findings.split_tests)
    return Table("split_tests", "Tests between splits", caption, columns, rows)


def _donation(donation: Donation) -> Table:
    """Return the public-goods game: mean gifts, and the same measures with the floors of a single scenario."""
    row = {
        "measure": "gap_closed",
        **asdict(donation),
        "improvement": donation.improvement,
        "gap_closed": donation.gap_closed,
        "best_constant": 1.0,
        "own_mean": donation.gap_closed,
        "fair_coin": replace(donation, tuned=ENDOWMENT / 2).gap_closed,
        "ceiling": None,
    }
    caption = (
        "The public-goods game: mean gifts in dollars out of 10. In a single scenario the best constant gives what the "
        "teacher gives and closes the whole gap, so that strategy and a shift in level look the same; the coin gives "
        "half. Only means are published: there is no interval and no ceiling."
    )
    columns = (
        *(Column(model, model, "number") for model in ROLES),
        *(Column("improvement", "improvement", "share"), Column("gap_closed", "gap closed", "share")),
        *FLOOR_COLUMNS,
    )
    return Table("donation", "The donation game", caption, columns, (row,))
