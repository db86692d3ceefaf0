"""Measures of amounts against numbers worked out by hand, and what is said where there are none."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.amount_scores import AmountChoice, counted_amounts, score_amounts
from tomtransfer.measurement.measures import gap_closed
from tomtransfer.report.amount_cards import write_amount_card

PUBLISHED = Path(__file__).parents[3] / "scenarios" / "published"


def choice(model, amounts, other=0.0, evidence="exact", context="village_well"):
    return AmountChoice("new_game", "donation", context, model, evidence, tuple(amounts), other, {})


def point(amount, scale=1.0):
    return [scale if each == amount else 0.0 for each in range(11)]


def measures(teacher, base, tuned, evidence="exact", draws=200):
    choices = {
        name: [choice(name, amounts, evidence=evidence)]
        for name, amounts in (("teacher", teacher), ("base", base), ("tuned", tuned))
    }
    return {row.measure: row for row in score_amounts(choices, draws, seed=1, confidence=0.95)}


def test_gap_closed_improvement_and_distance_of_certain_gifts():
    found = measures(point(7), point(3), point(6))
    assert (found["mean_teacher"].value, found["mean_base"].value, found["mean_tuned"].value) == (7, 3, 6)
    assert found["gap_closed"].value == found["improvement"].value == pytest.approx(0.75)
    assert (found["wasserstein_base"].value, found["wasserstein_tuned"].value) == (pytest.approx(4), pytest.approx(1))
    assert found["gap_closed"].note == "no interval: the probabilities are exact, without sampling error"


def test_overshooting_counts_for_the_improvement_and_against_the_gap():
    found = measures(point(6), point(4), point(9))
    assert found["improvement"].value == pytest.approx(2.5)
    assert found["gap_closed"].value == pytest.approx(-0.5)


def test_equal_means_are_not_equal_distributions():
    split = [0.5, *[0.0] * 9, 0.5]
    found = measures(point(5), point(0), split)
    assert found["gap_closed"].value == pytest.approx(1)
    assert found["wasserstein_tuned"].value == pytest.approx(5)


def test_the_published_means_give_the_published_improvement():
    means = [np.array([7.00]), np.array([5.49]), np.array([5.92])]
    assert float(gap_closed(*means)) == pytest.approx(0.285, abs=5e-4)

    def mixed(mean):
        return [1 - mean / 10, *[0.0] * 9, mean / 10]

    found = measures(mixed(7.00), mixed(5.49), mixed(5.92))
    assert found["improvement"].value == pytest.approx(0.285, abs=5e-4)


def test_a_share_of_a_gap_that_is_nothing_to_speak_of_is_no_number():
    # 5.00 and 5.05 of 10: half a hundredth of what may be given.
    near = [0.0] * 5 + [0.95, 0.05] + [0.0] * 4
    found = measures(point(5), near, point(7))
    assert found["gap_closed"].value is found["improvement"].value is None
    assert found["gap_closed"].note == (
        "undefined: teacher and base differ by 0.05 of 10 on average, too little to take a share of"
    )
    assert found["mean_base"].value == pytest.approx(5.05)


def test_a_mean_of_few_amounts_is_no_basis_for_a_share():
    # The default once printed -1257 %: of a gap of 0.14 dollars, from 45 and 4 % of the mass.
    choices = {
        "teacher": [choice("teacher", point(7, 0.45), 0.55)],
        "base": [choice("base", point(3, 0.6), 0.4)],
        "tuned": [choice("tuned", point(5))],
    }
    found = {row.measure: row for row in score_amounts(choices, 10, seed=1, confidence=0.95)}
    assert found["gap_closed"].note == (
        "undefined: of the teacher's answers 45 % are amounts, too few to take a share of its mean"
    )


def test_a_gap_within_the_noise_of_counted_answers_is_no_number():
    few, more = [0.0] * 4 + [10.0, 10.0] + [0.0] * 5, [0.0] * 4 + [9.0, 11.0] + [0.0] * 5
    found = measures(few, more, point(7, 20.0), evidence="counted")
    assert found["gap_closed"].note == (
        "undefined: teacher and base differ no more than their counted answers would by chance"
    )
    assert measures(point(7, 20.0), more, few, evidence="counted")["gap_closed"].value is not None


def test_models_that_were_not_asked_the_same_are_named():
    choices = {
        "teacher": [choice("teacher", point(7)), choice("teacher", point(6), context="harbour")],
        "base": [choice("base", point(3))],
        "tuned": [choice("tuned", point(5))],
    }
    with pytest.raises(InputError, match="base: not the scenarios of the teacher: new_game/donation/harbour"):
        score_amounts(choices, 10, seed=1, confidence=0.95)


@pytest.mark.filterwarnings("error")
def test_no_gap_and_no_valid_amount_are_said_and_not_divided_by():
    assert measures(point(5), point(5), point(7))["gap_closed"].value is None
    none = measures(point(5), [0.0] * 11, point(7), evidence="counted")
    assert (none["mean_base"].value, none["wasserstein_base"].value) == (None, None)
    assert none["mean_teacher"].value == 5
    assert "no valid amount" in none["gap_closed"].note


def test_drawn_answers_have_intervals_that_narrow_with_their_number():
    def width(answers):
        found = measures(point(8, answers), [answers / 2, *[0.0] * 9, answers / 2], point(7, answers), "counted", 500)
        gap = found["mean_base"]
        assert gap.low <= gap.value <= gap.high
        return gap.high - gap.low

    assert width(1_000) < width(100) < width(10)


def test_drawn_sentences_are_counted_by_amount_and_kind():
    texts = ["5", "I would give 5 dollars.", "12", "no idea", "10"]
    rows = [
        {"split": "new_game", "game": "donation", "context": "village_well", "question": "answer_first", "answer": text}
        for text in texts
    ]
    options = pl.lit([str(amount) for amount in range(11)])
    answers = pl.DataFrame(rows).with_columns(options=options, phrases=pl.lit("english"))
    (found,) = counted_amounts("base", answers, "dollars")
    assert (found.amounts[5], found.amounts[10], sum(found.amounts), found.other) == (2, 1, 3, 2)
    assert (found.kinds["label"], found.kinds["spelled out"], found.kinds["out of range"]) == (2, 1, 1)
    assert found.mean == pytest.approx(20 / 3)
    assert found.bounds == (pytest.approx(4), pytest.approx(8))


def test_without_a_languages_phrases_amounts_alone_are_read():
    place = {"split": "new_game", "game": "donation", "context": "village_well", "question": "answer_first"}
    texts = ["5", "7 Euro.", "I would give 5 Euro.", "Ich gebe 5 Euro."]
    answers = pl.DataFrame([{**place, "answer": text, "phrases": None} for text in texts])
    answers = answers.with_columns(options=pl.lit([str(amount) for amount in range(11)]))
    (found,) = counted_amounts("base", answers, "Euro")
    assert (found.amounts[5], found.amounts[7], sum(found.amounts), found.other) == (1, 1, 2, 2)


def test_the_card_stands_beside_the_published_means(tmp_path):
    exact = {name: [choice(name, point(amount))] for name, amount in (("teacher", 7), ("base", 3), ("tuned", 6))}
    paths = {"table": tmp_path / "t.parquet", "card": tmp_path / "c.json", "page": tmp_path / "p.md"}
    facts = {"game": "donation", "title": "Donation", "unit": "dollars", "endowment": 10}
    write_amount_card({"exact": exact}, facts, Scoring(bootstrap_draws=10), PUBLISHED, paths)
    card = json.loads(paths["card"].read_text())
    assert card["published"]["improvement"] == pytest.approx(0.2848, abs=1e-4)
    assert card["measures"]["exact"]["gap_closed"]["value"] == pytest.approx(0.75)
    assert "| published | 7.00 | 5.49 | 5.92 |" in " ".join(paths["page"].read_text().split())
    assert set(pl.read_parquet(paths["table"])["measure"]) >= {"gap_closed", "wasserstein_tuned"}


def test_a_recorded_mean_is_compared_as_a_mean_and_never_as_a_distribution(tmp_path):
    choices = {
        "teacher": [choice("teacher", point(7), evidence="mean")],
        "base": [choice("base", point(3))],
        "tuned": [choice("tuned", point(6))],
    }
    found = {row.measure: row for row in score_amounts(choices, 200, seed=1, confidence=0.95)}
    assert (found["mean_teacher"].value, found["gap_closed"].value) == (7, pytest.approx(0.75))
    assert found["gap_closed"].note.endswith("means are all that is known, whose sampling error is in no interval")
    assert found["wasserstein_base"].value is None
    assert found["wasserstein_tuned"].note == "undefined: of the teacher, means are all that is known"
    facts = {"game": "donation", "title": "Donation", "unit": "dollars", "endowment": 10}
    paths = {name: tmp_path / name for name in ("table", "card", "page")}
    write_amount_card({"exact": choices}, facts, Scoring(), PUBLISHED, paths)
    assert "exact: no distance, undefined: of the teacher, means are all that is known." in paths["page"].read_text()
    assert json.loads(paths["card"].read_text())["choices"]["exact"][0]["amounts"] == []
