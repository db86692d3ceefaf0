"""Drawn answers beside exact choices: how many are invalid, what that could hide, and whether the two agree."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike
from scipy.stats import binom

from tomtransfer.measurement.intervals import holm, wilson
from tomtransfer.measurement.measures import Array
from tomtransfer.respondents.counting import ANSWER_KINDS, kind_column

PLACE = ["split", "game", "context", "frame"]

AS_LIKELY = 1 + 1e-7
"""Outcomes whose probabilities differ by no more than this factor, which is rounding, are equally likely."""


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
    exact_invalid: float | None
    """The exact probability of anything but a label."""
    p_value: float | None
    """Of the exact binomial test of the counts against the exact rate, adjusted by Holm over the model's scenarios."""
    smallest_p_value: float | None
    """The smallest that any answers could have given, adjusted in the same way: what few answers can show at best."""


@dataclass(frozen=True)
class Agreement:
    """How a model's drawn answers agree with its exact choices, over all scenarios in which it has both."""

    model: str
    asked: int
    """Scenarios and frames in which answers were drawn."""
    scenarios: int
    """Those among them with a valid answer and an exact rate, which are tested."""
    answers: int
    invalid: int
    kinds: Mapping[str, int]
    rate: float
    """Cooperation among the valid answers of all scenarios that are tested."""
    expected: float
    """What it would be on average if answers were drawn at the exact rates."""
    p_value: float
    """Of the exact test of how many answers cooperate, which is Poisson binomial at the exact rates."""
    mismatches: int
    """Scenarios whose own test rejects, after Holm's adjustment, that both rates are the same."""
    testable: int
    """Scenarios in which that test could have rejected, whatever was answered; in the others it says nothing."""
    invalid_expected: float
    """How many answers would be invalid on average if all were drawn at the exact probabilities."""
    invalid_p_value: float
    """Of the exact test of how many are."""
    p_value_of_either: float
    """Of the test over all scenarios and those of each: the smaller, doubled; among models adjusted by Holm."""
    disagree: bool
    """Whether drawn and exact choices differ, over all scenarios or in one."""


def counted_rates(
    model: str, counts: pl.DataFrame, exact: pl.DataFrame | None, confidence: float = 0.95
) -> list[CountedRate]:
    """Return a row per scenario and frame of counted answers, with the exact choices of the same beside it."""
    if exact is None or not len(exact):
        nothing = pl.lit(None, dtype=pl.Float64)
        rates = counts.with_columns(exact=nothing, exact_invalid=nothing)
    else:
        valid = pl.col("cooperate") + pl.col("defect")
        shares = exact.select(*PLACE, exact=pl.col("cooperate") / valid, exact_invalid=1 - valid)
        rates = counts.join(shares, on=PLACE, how="left", maintain_order="left")
    rows = [_counted_rate(model, row, confidence) for row in rates.iter_rows(named=True)]
    tested = [row for row in rows if row.p_value is not None]
    adjusted = {
        name: iter(holm([getattr(row, name) for row in tested]).tolist() if tested else [])
        for name in ("p_value", "smallest_p_value")
    }
    return [
        row if row.p_value is None else replace(row, **{name: next(values) for name, values in adjusted.items()})
        for row in rows
    ]


def _counted_rate(model: str, row: Mapping[str, float], confidence: float) -> CountedRate:
    cooperate, defect, invalid = (int(row[name]) for name in ("cooperate", "defect", "other"))
    valid, answers, exact = cooperate + defect, cooperate + defect + invalid, row["exact"]
    low, high = wilson(cooperate, valid, confidence) if valid else (None, None)
    tested = valid and exact is not None and np.isfinite(exact)
    chances = successes_distribution([valid], [exact]) if tested else None
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
        exact_invalid=row["exact_invalid"],
        p_value=None if chances is None else exact_p_value(cooperate, chances),
        smallest_p_value=None if chances is None else exact_p_value(int(chances.argmin()), chances),
    )


def adjusted_for_trainings(rates: Sequence[Sequence[CountedRate]]) -> list[CountedRate]:
    """Return the counted rates after all trainings of a model, their p-values adjusted by Bonferroni for how many."""

    def adjusted(row: CountedRate) -> CountedRate:
        if row.p_value is None or row.smallest_p_value is None:
            return row
        return replace(
            row,
            p_value=min(1.0, len(rates) * row.p_value),
            smallest_p_value=min(1.0, len(rates) * row.smallest_p_value),
        )

    return [adjusted(row) for rows in rates for row in rows]


def agreement(rows: Sequence[CountedRate], confidence: float = 0.95) -> Agreement | None:
    """Return how one model's counted rates agree with its exact ones; None where it lacks one of them."""
    both = [row for row in rows if row.p_value is not None]
    if not both:
        return None
    valid, exact, rates = (
        _column(both, "answers") - _column(both, "invalid"),
        _column(both, "exact"),
        _column(both, "rate"),
    )
    cooperate = round(float(rates @ valid))
    asked = [row for row in rows if row.exact_invalid is not None]
    answers, other = _column(asked, "answers"), _column(asked, "exact_invalid")
    p_value = exact_p_value(cooperate, successes_distribution(valid, exact))
    adjusted, smallest = _column(both, "p_value"), _column(both, "smallest_p_value")
    either = min(1.0, 2 * min(p_value, float(adjusted.min())))
    return Agreement(
        model=both[0].model,
        asked=len(rows),
        scenarios=len(both),
        answers=sum(row.answers for row in rows),
        invalid=sum(row.invalid for row in rows),
        kinds={kind: sum(row.kinds[kind] for row in rows) for kind in ANSWER_KINDS},
        rate=float(cooperate / valid.sum()),
        expected=float(exact @ valid / valid.sum()),
        p_value=p_value,
        mismatches=int((adjusted < 1 - confidence).sum()),
        testable=int((smallest < 1 - confidence).sum()),
        invalid_expected=float(answers @ other),
        invalid_p_value=exact_p_value(sum(row.invalid for row in asked), successes_distribution(answers, other)),
        p_value_of_either=either,
        disagree=either < 1 - confidence,
    )


def agreements_of(models: Mapping[str, Sequence[CountedRate]], confidence: float = 0.95) -> dict[str, Agreement]:
    """Return how the counted rates of each model agree with its exact ones, by model, where it has both.

    Each model that is tested is one more chance to reject what is true: their p-values are adjusted together, so that
    in an experiment in which all answers are drawn from the exact choices, 5 % at most say otherwise of any model.
    """
    found = {model: each for model, rows in models.items() if (each := agreement(rows, confidence))}
    adjusted = holm([each.p_value_of_either for each in found.values()]).tolist() if found else []
    return {
        model: replace(each, p_value_of_either=p_value, disagree=p_value < 1 - confidence)
        for (model, each), p_value in zip(found.items(), adjusted, strict=True)
    }


def disagreement(found: Agreement, used: bool) -> str:
    """Return a sentence on a model whose drawn answers and exact choices disagree; `used` says which are measured."""
    called = {"teacher": "teacher", "base": "student before training", "tuned": "tuned student"}
    of = called.get(found.model, f"student of the arm {found.model}")
    measured = (
        "the drawn answers are measured, with their sampling error"
        if used
        else "answers were not drawn in these frames, so that exact choices are measured"
    )
    return (
        f"Exact and drawn choices of the {of} disagree: cooperation {found.expected:z.3f} read exactly and "
        f"{found.rate:z.3f} drawn (p = {found.p_value:.1g}; {found.mismatches} of {found.testable} scenarios that "
        f"could show a difference do); {measured}."
    )


def successes_distribution(trials: ArrayLike, rates: ArrayLike) -> Array:
    """Return the probabilities of 0, 1, ... successes in all trials, of which each group has a rate of its own.

    A Poisson binomial distribution (Wang 1993, Statistica Sinica 3, 295-312), as the sum of a binomial per group:
    `scipy.stats.poisson_binom` is the same trial by trial, and takes half a minute for 20,000 of them.
    """
    chances = np.ones(1)
    for number, rate in zip(np.asarray(trials, dtype=np.int64), np.clip(rates, 0, 1), strict=True):
        chances = np.convolve(chances, binom.pmf(np.arange(number + 1), number, rate))
    return chances


def exact_p_value(successes: int, chances: Array) -> float:
    """Return the two-sided p-value of an exact test: the probability of all outcomes that are no likelier.

    `chances` are the probabilities of 0, 1, ... successes; `scipy.stats.binomtest` does the same for one rate.
    """
    return float(min(chances[chances <= AS_LIKELY * chances[successes]].sum(), 1.0))


def _column(rows: Sequence[CountedRate], name: str) -> Array:
    return np.array([getattr(row, name) for row in rows], dtype=np.float64)


def rates_table(rows: Sequence[CountedRate]) -> pl.DataFrame:
    """Return counted rates as a table, a column per kind of answer."""
    flat = [{**{k: v for k, v in asdict(row).items() if k != "kinds"}, **row.kinds} for row in rows]
    return pl.DataFrame(flat, infer_schema_length=None)
