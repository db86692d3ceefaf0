"""Drawn answers beside exact choices: how many are invalid, what that could hide, and whether the two agree."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl
from scipy.stats import binomtest, norm

from tomtransfer.measurement.intervals import holm, wilson
from tomtransfer.measurement.measures import ROUNDING
from tomtransfer.respondents.counting import ANSWER_KINDS, kind_column

PLACE = ["split", "game", "context", "frame"]


@dataclass(frozen=True)
class CountedRate:
    """A model's drawn answers in one scenario and frame; its rate is a share of the valid ones, or None.

    `lowest` and `highest` bound the rate of all answers: what it would be if every invalid one were a defection, and if
    every one were cooperation.
    """

    model: str
    split: str
    game: str
    context: str
    frame: str
    answers: int
    kinds: Mapping[str, int]
    invalid: int
    rate: float | None
    low: float | None
    high: float | None
    lowest: float
    highest: float
    exact: float | None
    """The exact rate, among the probabilities of both labels; None where choices were not read exactly."""
    p_value: float | None
    """Of the exact binomial test of the counts against the exact rate, adjusted by Holm over the model's scenarios."""


@dataclass(frozen=True)
class Agreement:
    """How a model's drawn answers agree with its exact choices, over all scenarios in which it has both."""

    model: str
    scenarios: int
    answers: int
    invalid: int
    kinds: Mapping[str, int]
    rate: float
    """Cooperation among the valid answers of all scenarios."""
    expected: float
    """What it would be on average if answers were drawn at the exact rates."""
    p_value: float
    """Of the z-test of the number of cooperative answers against what the exact rates give (a Poisson binomial)."""
    mismatches: int
    """Scenarios whose own test rejects, after Holm's adjustment, that both rates are the same."""


def counted_rates(
    model: str, counts: pl.DataFrame, exact: pl.DataFrame | None, confidence: float = 0.95
) -> list[CountedRate]:
    """Return a row per scenario and frame of counted answers, with the exact choices of the same beside it."""
    if exact is None or not len(exact):
        rates = counts.with_columns(exact=pl.lit(None, dtype=pl.Float64))
    else:
        valid = pl.col("cooperate") + pl.col("defect")
        share = exact.select(*PLACE, exact=pl.col("cooperate") / valid)
        rates = counts.join(share, on=PLACE, how="left", maintain_order="left")
    rows = [_counted_rate(model, row, confidence) for row in rates.iter_rows(named=True)]
    raw = [row.p_value for row in rows if row.p_value is not None]
    adjusted = iter(holm(raw).tolist() if raw else [])
    return [row if row.p_value is None else replace(row, p_value=next(adjusted)) for row in rows]


def _counted_rate(model: str, row: Mapping[str, float], confidence: float) -> CountedRate:
    cooperate, defect, invalid = (int(row[name]) for name in ("cooperate", "defect", "other"))
    valid, answers, exact = cooperate + defect, cooperate + defect + invalid, row["exact"]
    low, high = wilson(cooperate, valid, confidence) if valid else (None, None)
    tested = valid and exact is not None and np.isfinite(exact)
    return CountedRate(
        model=model,
        **{name: str(row[name]) for name in PLACE},
        answers=answers,
        kinds={kind: int(row[kind_column(kind)]) for kind in ANSWER_KINDS},
        invalid=invalid,
        rate=cooperate / valid if valid else None,
        low=None if low is None else float(low),
        high=None if high is None else float(high),
        lowest=cooperate / answers,
        highest=(cooperate + invalid) / answers,
        exact=exact,
        p_value=float(binomtest(cooperate, valid, min(max(exact, 0.0), 1.0)).pvalue) if tested else None,
    )


def agreement(rows: Sequence[CountedRate], confidence: float = 0.95) -> Agreement | None:
    """Return how one model's counted rates agree with its exact ones; None where it has not both."""
    both = [row for row in rows if row.p_value is not None and row.rate is not None and row.exact is not None]
    if not both:
        return None
    valid = np.array([row.answers - row.invalid for row in both])
    exact = np.array([row.exact for row in both], dtype=np.float64)
    cooperate = np.array([row.rate for row in both], dtype=np.float64) * valid
    expected, variance = float((valid * exact).sum()), float((valid * exact * (1 - exact)).sum())
    distance = abs(float(cooperate.sum()) - expected)
    # Without variance every answer is certain, and one that differs is a mismatch beyond doubt.
    p_value = 2 * norm.sf(distance / np.sqrt(variance)) if variance > 0 else float(distance < ROUNDING)
    return Agreement(
        model=both[0].model,
        scenarios=len(both),
        answers=sum(row.answers for row in rows),
        invalid=sum(row.invalid for row in rows),
        kinds={kind: sum(row.kinds[kind] for row in rows) for kind in ANSWER_KINDS},
        rate=float(cooperate.sum() / valid.sum()),
        expected=float(expected / valid.sum()),
        p_value=float(p_value),
        mismatches=sum(row.p_value is not None and row.p_value < 1 - confidence for row in both),
    )


def rates_table(rows: Sequence[CountedRate]) -> pl.DataFrame:
    """Return counted rates as a table, a column per kind of answer."""
    flat = [{**{k: v for k, v in asdict(row).items() if k != "kinds"}, **row.kinds} for row in rows]
    return pl.DataFrame(flat, infer_schema_length=None)
