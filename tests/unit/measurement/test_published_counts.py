"""The published figures, from the published counts."""

from pathlib import Path

import numpy as np
import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement import measures as alignment
from tomtransfer.measurement.assessments import assess, headline
from tomtransfer.measurement.evidence import Scenario
from tomtransfer.measurement.published_counts import read_donation, read_published
from tomtransfer.measurement.rates import split_tests
from tomtransfer.measurement.scoring import Score, score

FOLDER = Path(__file__).parents[3] / "scenarios" / "published"


@pytest.fixture(scope="module")
def scores() -> list[Score]:
    return score(read_published(FOLDER), draws=1_000)


def percent(scores: list[Score], split: str, measure: str, column: str = "value", **labels: str) -> float:
    level = "game" if "game" in labels else "context" if "context" in labels else "split"
    wanted = {"level": level, "split": split, "measure": measure} | labels
    (row,) = (row for row in scores if all(getattr(row, label) == value for label, value in wanted.items()))
    return round(100 * getattr(row, column), 2)


@pytest.mark.parametrize(
    ("split", "improvement"), [("in_sample", 46.26), ("new_contexts", 17.90), ("doubled_payoffs", 39.95)]
)
def test_the_papers_improvement(scores: list[Score], split: str, improvement: float) -> None:
    assert percent(scores, split, "improvement") == improvement


def test_the_gap_closed_in_sample_and_its_floors(scores: list[Score]) -> None:
    found = {
        column: percent(scores, "in_sample", "gap_closed", column) for column in ("value", "own_mean", "fair_coin")
    }
    assert {column: round(value, 1) for column, value in found.items()} == {
        "value": 33.1,
        "own_mean": 29.6,
        "fair_coin": 49.0,
    }


def test_per_game_and_context_figures_average_to_the_papers(scores: list[Score]) -> None:
    for label, number in (("game", 4), ("context", 5)):
        rows = [row for row in scores if (row.level, row.split, row.measure) == (label, "in_sample", "improvement")]
        assert len(rows) == number
        values = [row.value for row in rows]
        # Where base and teacher hardly differ in a whole context, its mean is no number but part of the split's.
        if None in values:
            comparison = read_published(FOLDER)
            groups = {
                key[-1]: members for key, members in comparison.groups("split", label).items() if key[0] == "in_sample"
            }
            values = [
                float(alignment.improvement(*(each[groups[getattr(row, label)]] for each in comparison.rates)))
                for row in rows
            ]
            assert all(
                row.note.startswith("undefined: base and teacher differ no more") for row in rows if row.value is None
            )
        assert round(100 * np.mean(values), 2) == 46.26


# new_figs/improvement_table.csv of the authors' repository.
AUTHORS = {
    ("prisoners_dilemma", "international_relations"): 18.64406779661017,
    ("stag_hunt", "business"): 28.289473684210524,
    ("snowdrift", "friend_sharing"): 123.07692307692308,
    ("prisoners_dilemma", "team"): -25.0,
    ("prisoners_delight", "team"): 200.0,
}


def test_single_scenarios_are_those_of_the_authors_table() -> None:
    comparison = read_published(FOLDER)
    ours = dict(
        zip(
            comparison.scenarios,
            alignment.improvement(*(each[:, np.newaxis] for each in comparison.rates)),
            strict=True,
        )
    )
    for scenario, value in AUTHORS.items():
        assert ours[Scenario("in_sample", *scenario)] == pytest.approx(value / 100, abs=1e-12)


def test_a_ratio_whose_denominator_is_within_its_noise_is_no_number(scores: list[Score]) -> None:
    rows = {
        (row.game, row.context): row
        for row in scores
        if (row.level, row.split, row.measure) == ("scenario", "in_sample", "improvement")
    }
    assert len(rows) == 20
    # The base cooperates 162 times of 300 and the teacher 160 times: a ratio of 200 % says nothing.
    within = rows["prisoners_delight", "team"]
    assert (within.value, within.best_constant, within.ceiling) == (None, None, None)
    assert within.note.startswith(
        "undefined: base and teacher differ no more than their counted answers would by chance"
    )
    assert rows["stag_hunt", "business"].value == pytest.approx(AUTHORS["stag_hunt", "business"] / 100)
    [split] = [row for row in scores if (row.level, row.split, row.measure) == ("split", "in_sample", "improvement")]
    counted = sum(row.value is None for row in rows.values())
    assert split.note == f"{counted} of 20 ratios have a denominator within its noise"


def test_no_split_of_the_published_result_shows_transfer_beyond_a_constant(scores: list[Score]) -> None:
    assessed = {each.split: each for each in assess([read_published(FOLDER)], "", [""])}
    for split, closed in (("in_sample", "33.1"), ("new_contexts", "14.7"), ("doubled_payoffs", "18.8")):
        sentence = headline(assessed[split])
        assert "strategy" not in sentence
        assert f"{closed} % with the noise of counted answers left in" in sentence
        assert not assessed[split].gap.beyond["best_constant"].positive
    # Contexts differ: three do not show that the student came nearer in new ones.
    assert {split: each.verdict for split, each in assessed.items()} == {
        "in_sample": "nearer",
        "new_contexts": "neither",
        "doubled_payoffs": "nearer",
    }
    assert "the best policy that ignores the scenario closes 50.6 %" in headline(assessed["in_sample"])
    [row] = [row for row in scores if (row.level, row.split, row.measure) == ("split", "in_sample", "gap_closed")]
    assert (row.low, row.high) == (pytest.approx(0.138, abs=5e-4), pytest.approx(0.523, abs=5e-4))


def test_z_tests_between_the_splits_of_the_tuned_model() -> None:
    tests = {(test.first, test.second): test for test in split_tests(read_published(FOLDER))}
    assert len(tests) == 3
    for test in tests.values():
        sizes = {"in_sample": 6_000, "new_contexts": 3_600, "doubled_payoffs": 6_000}
        first, second = sizes[test.first], sizes[test.second]
        pooled = (test.first_rate * first + test.second_rate * second) / (first + second)
        error = np.sqrt(pooled * (1 - pooled) * (1 / first + 1 / second))
        assert test.statistic == pytest.approx((test.first_rate - test.second_rate) / error)
    assert {pair: round(test.p_value, 4) for pair, test in tests.items()} == {
        ("doubled_payoffs", "in_sample"): 0.3314,
        ("doubled_payoffs", "new_contexts"): 0.0016,
        ("in_sample", "new_contexts"): 0.0206,
    }
    assert len(split_tests(read_published(FOLDER), by_game=True)) == 12


def test_missing_answers_are_other_and_rates_are_shares_of_all() -> None:
    comparison = read_published(FOLDER)
    assert comparison.teacher.other.sum() == 1
    assert comparison.base.other.sum() == 10
    assert comparison.tuned.other.sum() == 0
    assert not alignment.undefined_scenarios(*comparison.rates[:2]).any()


def test_the_donation() -> None:
    donation = read_donation(FOLDER)
    assert (donation.base, donation.tuned, donation.teacher) == (5.49, 5.92, 7.00)
    assert round(100 * donation.improvement, 1) == round(100 * donation.gap_closed, 1) == 28.5


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("teacher,7\nstudent_base,5", "expected one row for each of teacher, student_base, student_tuned"),
        (
            "teacher,7\nstudent_base,5\nstudent_tuned,11",
            "student_tuned: mean_gift: must be between 0 and 10 dollars (got 11)",
        ),
        ("teacher,7\nstudent_base,5\nstudent_tuned,nan", "student_tuned: mean_gift: must be between 0 and 10"),
        ("teacher,7\nstudent_base,5\nstudent_tuned,much", "mean_gift: must be a number (got 'much')"),
    ],
)
def test_wrong_donations_are_refused(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "lore2024_donation.csv").write_text(f"model,mean_gift\n{rows}\n", encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_donation(tmp_path)
    assert message in str(error.value)
