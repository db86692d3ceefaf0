"""Drawn answers beside exact choices: bounds, tests that reject when they should, and nothing dropped."""

import gc

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest, poisson_binom

from tomtransfer.measurement.agreement import (
    agreement,
    agreements_of,
    counted_rates,
    exact_p_value,
    rates_table,
    successes_distribution,
)
from tomtransfer.report.trust import answers_page
from tomtransfer.respondents.counting import count_choices, parse_choices

PLACES = [("in_sample", game, context, "canonical") for game in ("stag_hunt", "snowdrift") for context in "abcde"]


def answers(texts, game="stag_hunt", context="a", question="answer_first", labels=("C", "D"), phrases="english"):
    columns = ("split", "game", "context", "frame", "question", "prompt", "model", "model_revision", "quantization")
    row = dict.fromkeys(columns, "x") | {"adapter": "", "temperature": 0.8, "stage_revision": 1, "software": "s"}
    row |= {"split": "in_sample", "game": game, "context": context, "frame": "canonical", "question": question}
    return pl.DataFrame([{**row, "options": list(labels), "phrases": phrases, "answer": text} for text in texts])


def drawn(rates, number=100, invalid=0, seed=1):
    generator = np.random.default_rng(seed)
    tables = []
    for (_, game, context, _), rate in zip(PLACES, rates, strict=True):
        cooperate = generator.binomial(number - invalid, rate)
        texts = ["C"] * cooperate + ["D"] * (number - invalid - cooperate) + ["maybe"] * invalid
        tables.append(answers(texts, game, context))
    return count_choices(pl.concat(tables))


def exact(rates, other=0.1):
    return pl.DataFrame(
        [
            dict(zip(("split", "game", "context", "frame"), place, strict=True))
            | {"cooperate": (1 - other) * rate, "defect": (1 - other) * (1 - rate)}
            for place, rate in zip(PLACES, rates, strict=True)
        ]
    )


RATES = np.linspace(0.1, 0.9, 10)


def test_every_answer_is_counted_and_invalid_ones_bound_the_rate():
    texts = ["C", "C.", "I choose C", "D", "C or D", "I cannot decide", "", "hm"]
    (row,) = counted_rates("base", count_choices(answers(texts)), None)
    assert (row.answers, row.invalid, row.rate) == (8, 4, pytest.approx(3 / 4))
    assert (row.lowest, row.highest) == (pytest.approx(3 / 8), pytest.approx(7 / 8))
    assert row.low < row.rate < row.high
    counted = {kind: number for kind, number in row.kinds.items() if number}
    assert counted == dict.fromkeys(
        ("label with punctuation", "spelled out", "both labels", "refusal", "empty", "other"), 1
    ) | {"label": 2}
    assert (row.exact, row.p_value) == (None, None)


def test_swapped_labels_are_read_as_the_frame_says():
    parsed = parse_choices(answers(["C", "D"], labels=("D", "C")))
    assert parsed["choice"].to_list() == ["defect", "cooperate"]


def test_without_a_languages_phrases_labels_alone_are_read():
    texts = ["C", "**D**.", "I choose C", "My answer is option D", "I cannot decide", "C oder D", "Ich nehme C"]
    parsed = parse_choices(answers(texts, phrases=None))
    assert parsed["choice"].to_list() == ["cooperate", "defect", None, None, None, None, None]
    assert parsed["kind"].to_list()[2:4] == ["other", "other"]
    assert parse_choices(answers(texts))["choice"].to_list()[2:4] == ["cooperate", "defect"]


def test_only_invalid_answers_have_no_rate_and_stay_in_the_table():
    rows = counted_rates("base", count_choices(answers(["hm", "well"])), exact(RATES).head(1))
    assert (rows[0].rate, rows[0].low, rows[0].p_value) == (None, None, None)
    assert (rows[0].lowest, rows[0].highest) == (0, 1)
    assert agreement(rows) is None
    assert "| base | 1 | 2 | 100.0 % | - |" in " ".join(answers_page(rows).split())


def test_draws_from_the_exact_rates_agree():
    rows = counted_rates("teacher", drawn(RATES), exact(RATES))
    found = agreement(rows)
    assert (found.scenarios, found.answers, found.mismatches) == (10, 1000, 0)
    assert found.p_value > 0.05
    assert found.expected == pytest.approx(RATES.mean())


def test_draws_from_other_rates_do_not():
    found = agreement(counted_rates("teacher", drawn(RATES), exact(RATES[::-1])))
    assert found.mismatches >= 8
    shifted = agreement(counted_rates("teacher", drawn(np.clip(RATES + 0.1, 0, 1)), exact(RATES)))
    assert shifted.p_value < 0.001


@pytest.fixture
def few_objects():
    """Hide what other tests left in memory from the garbage collection that statsmodels runs at every adjustment."""
    gc.freeze()
    yield
    gc.unfreeze()


def test_the_overall_test_rejects_as_often_as_it_says(few_objects):
    template, known, generator = drawn(RATES, number=30), exact(RATES), np.random.default_rng(1)
    p_values = []
    for _ in range(200):
        cooperate = generator.binomial(30, RATES).astype(float)
        counts = template.with_columns(cooperate=pl.Series(cooperate), defect=pl.Series(30 - cooperate))
        p_values.append(agreement(counted_rates("m", counts, known)).p_value)
    assert 0.01 < np.mean(np.array(p_values) < 0.05) < 0.1


def test_a_certain_choice_that_is_not_drawn_is_a_mismatch():
    (row,) = counted_rates("m", count_choices(answers(["D", "D", "C"])), exact([1.0, *RATES[1:]]).head(1))
    assert row.p_value == 0
    assert agreement([row]).p_value == 0


def test_the_table_has_a_column_for_every_kind():
    table = rates_table(counted_rates("m", drawn(RATES, invalid=5), exact(RATES)))
    assert table["other"].to_list() == [5] * 10
    assert table["invalid"].to_list() == [5] * 10
    assert rates_table([]).write_csv().strip() == ""


def test_the_exact_test_is_that_of_a_poisson_binomial_variable():
    trials, rates = [3, 2, 1], [0.2, 0.7, 0.95]
    found = successes_distribution(trials, rates)
    single = poisson_binom(np.repeat(rates, trials))
    assert found == pytest.approx(single.pmf(np.arange(7)))
    assert exact_p_value(5, found) == pytest.approx(
        sum(chance for chance in single.pmf(np.arange(7)) if chance <= single.pmf(5) * (1 + 1e-7))
    )


def test_one_scenario_is_tested_as_scipy_does():
    (row,) = counted_rates("m", drawn(RATES, number=40).head(1), exact(RATES).head(1))
    assert row.p_value == pytest.approx(binomtest(round(row.rate * 40), 40, row.exact).pvalue)


def test_how_many_scenarios_could_have_rejected_at_all_is_said():
    # Of one answer at 0.02, cooperation has p = 0.02; at 0.5 both answers have p = 1. Holm doubles the smallest.
    counts = count_choices(pl.concat([answers(["D"], *PLACES[0][1:3]), answers(["D"], *PLACES[1][1:3])]))
    known = exact([0.02, 0.5, *RATES[2:]]).head(2)
    rows = counted_rates("m", counts, known)
    assert [row.smallest_p_value for row in rows] == pytest.approx([0.04, 1])
    found = agreement(rows)
    assert (found.scenarios, found.testable, found.mismatches) == (2, 1, 0)


def test_scenarios_without_a_valid_answer_are_asked_and_not_tested():
    counts = count_choices(pl.concat([answers(["hm"], *PLACES[0][1:3]), answers(["D"] * 30, *PLACES[1][1:3])]))
    found = agreement(counted_rates("m", counts, exact([0.9, 0.1, *RATES[2:]])))
    assert (found.asked, found.scenarios) == (2, 1)


def test_the_mass_of_invalid_answers_is_compared_as_well():
    alike = agreement(counted_rates("m", drawn(RATES, invalid=20), exact(RATES, other=0.2)))
    assert alike.invalid_expected == pytest.approx(200)
    assert alike.invalid_p_value == pytest.approx(1)
    # The default teacher before: 18 % exact, 52 % drawn.
    found = agreement(counted_rates("m", drawn(RATES, invalid=52), exact(RATES, other=0.18)))
    assert found.invalid == 520
    assert found.invalid_expected == pytest.approx(180)
    assert found.invalid_p_value < 1e-9
    assert not found.disagree


def test_drawn_and_exact_choices_disagree_over_all_scenarios_or_in_one():
    assert not agreement(counted_rates("m", drawn(RATES), exact(RATES))).disagree
    assert agreement(counted_rates("m", drawn(np.clip(RATES - 0.1, 0, 1)), exact(RATES))).disagree
    one = RATES.copy()
    one[4] = 0.95
    assert agreement(counted_rates("m", drawn(one), exact(RATES))).disagree


def test_the_more_models_are_tested_the_more_it_takes_to_say_that_one_disagrees():
    def rows(cooperate):
        (row,) = counted_rates(
            "m", count_choices(answers(["C"] * cooperate + ["D"] * (20 - cooperate))), exact([0.5] * 10)
        )
        return [row]

    # 15 of 20 at 0.5: p = 0.041 (scipy's binomtest), once over all and once in the scenario. 16 of 20: p = 0.0118.
    assert agreement(rows(16)).p_value == pytest.approx(binomtest(16, 20).pvalue)
    assert not agreement(rows(15)).disagree
    alone = agreements_of({"base": rows(16)})["base"]
    assert alone.p_value_of_either == pytest.approx(2 * binomtest(16, 20).pvalue)
    assert alone.disagree
    among = agreements_of({"teacher": rows(10), "base": rows(16), "tuned": rows(11)})
    assert among["base"].p_value_of_either == pytest.approx(6 * binomtest(16, 20).pvalue)
    assert [each.disagree for each in among.values()] == [False, False, False]
    far = agreements_of({"teacher": rows(10), "base": rows(19), "tuned": rows(11), "shuffled": []})
    assert {model: each.disagree for model, each in far.items()} == {"teacher": False, "base": True, "tuned": False}


def test_experiments_without_any_disagreement_have_one_said_of_them_in_5_of_100_at_most(few_objects):
    generator, said, alone = np.random.default_rng(1), 0, 0
    chosen, counts = exact(RATES), drawn(RATES, number=20)
    for _ in range(400):
        models = {}
        for name in ("teacher", "base", "tuned"):
            cooperate = pl.Series(generator.binomial(20, RATES))
            models[name] = counted_rates(name, counts.with_columns(cooperate=cooperate, defect=20 - cooperate), chosen)
        said += any(each.disagree for each in agreements_of(models).values())
        alone += any(agreement(rows).disagree for rows in models.values())
    assert binomtest(said, 400, 0.05, "greater").pvalue > 0.01
    # Each model by itself at 5 % would be three chances.
    assert binomtest(alone, 400, 0.05, "greater").pvalue < 0.01, alone
