"""Evidence: what is accepted, what is refused, and with which words."""

from pathlib import Path

import numpy as np
import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario, read_counts

SNOWDRIFT = Scenario("in_sample", "snowdrift", "team")
STAG_HUNT = Scenario("in_sample", "stag_hunt", "team")
BOTH = [SNOWDRIFT, STAG_HUNT]
HEADER = "split,model,game,context,cooperate,defect\n"


def counted(cooperate: list[float], defect: list[float], other: list[float] | None = None) -> Evidence:
    return Evidence.from_counts(BOTH, cooperate, defect, other)


def counts_file(folder: Path, *rows: str, header: str = HEADER) -> Path:
    path = folder / "counts.csv"
    path.write_text(header + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def all_rows(**changed: str) -> list[str]:
    rows = {model: f"in_sample,{model},snowdrift,team,30,70" for model in ("teacher", "student_base", "student_tuned")}
    return list((rows | changed).values())


def test_counts_and_probabilities_of_the_same_shares_have_the_same_distribution() -> None:
    exact = Evidence.from_probabilities(BOTH, [0.3, 0.6], [0.5, 0.4], [0.2, 0])
    np.testing.assert_allclose(counted([30, 60], [50, 40], [20, 0]).distribution, exact.distribution)


def test_rates_are_among_valid_answers_or_all_as_the_comparison_says() -> None:
    evidence = counted([30, 60], [30, 40], [40, 0])
    valid = Comparison(evidence, evidence, evidence)
    everything = Comparison(evidence, evidence, evidence, among="all answers")
    np.testing.assert_allclose(valid.rates[0], [0.5, 0.6])
    np.testing.assert_allclose(everything.rates[0], [0.3, 0.6])


@pytest.mark.parametrize(
    ("cooperate", "message"),
    [
        ([1, -2], "in_sample/stag_hunt/team: cooperate: a count must not be negative (got -2)"),
        ([1.5, 2], "in_sample/snowdrift/team: cooperate: a count must be whole (got 1.5)"),
        ([1, float("nan")], "in_sample/stag_hunt/team: cooperate: must be a number (got nan)"),
        ([1, float("inf")], "in_sample/stag_hunt/team: cooperate: must be a number (got inf)"),
        ([1, 0], "in_sample/stag_hunt/team: no answers: the counts sum to 0"),
    ],
)
def test_wrong_counts_are_refused_by_name_and_value(cooperate: list[float], message: str) -> None:
    with pytest.raises(InputError) as error:
        counted(cooperate, [1, 0])
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("probabilities", "message"),
    [
        ((1.2, -0.2, 0.0), "in_sample/snowdrift/team: cooperate: a probability must be between 0 and 1 (got 1.2)"),
        ((1.2, -0.2, 0.0), "in_sample/snowdrift/team: defect: a probability must be between 0 and 1 (got -0.2)"),
        ((0.5, 0.4, 0.0), "in_sample/snowdrift/team: probabilities must sum to 1 (got 0.9)"),
        ((0.5, float("nan"), 0.5), "in_sample/snowdrift/team: defect: must be a number (got nan)"),
    ],
)
def test_wrong_probabilities_are_refused_by_name_and_value(
    probabilities: tuple[float, float, float], message: str
) -> None:
    with pytest.raises(InputError) as error:
        Evidence.from_probabilities([SNOWDRIFT], *([each] for each in probabilities))
    assert message in str(error.value)


def test_probabilities_within_single_precision_of_one_are_accepted_and_normalised() -> None:
    evidence = Evidence.from_probabilities([SNOWDRIFT], [0.5000004], [0.5], [0.0])
    assert evidence.distribution.sum() == pytest.approx(1, abs=1e-15)


def test_wrong_shapes_and_scenarios_are_refused() -> None:
    with pytest.raises(InputError, match="no scenarios"):
        Evidence.from_counts([], [], [])
    with pytest.raises(InputError, match="cooperate: expected 2 values, got shape"):
        Evidence.from_counts(BOTH, [1], [1, 2])
    with pytest.raises(InputError, match="in_sample/snowdrift/team: given more than once"):
        Evidence.from_counts([SNOWDRIFT, SNOWDRIFT], [1, 1], [1, 2])
    with pytest.raises(InputError, match="expected numbers"):
        Evidence.from_counts([SNOWDRIFT], ["many"], [1])


def test_models_must_have_been_asked_the_same_in_the_same_order() -> None:
    one = Evidence.from_counts([SNOWDRIFT], [1], [1])
    both = counted([1, 1], [1, 1])
    turned = Evidence.from_counts(BOTH[::-1], [1, 1], [1, 1])
    with pytest.raises(InputError, match="base: missing scenarios that the teacher has: in_sample/stag_hunt/team"):
        Comparison(both, one, both)
    with pytest.raises(InputError, match="tuned: scenarios that the teacher does not have: in_sample/stag_hunt/team"):
        Comparison(one, one, both)
    with pytest.raises(InputError, match="tuned: the scenarios are in another order"):
        Comparison(both, both, turned)


def test_a_scenario_without_a_valid_answer_has_no_rate_and_is_named() -> None:
    silent = counted([1, 0], [1, 0], [0, 5])
    with pytest.raises(InputError, match=r"tuned: no valid answer .*: in_sample/stag_hunt/team"):
        Comparison(counted([1, 1], [1, 1]), counted([1, 1], [1, 1]), silent)
    assert Comparison(silent, silent, silent, among="all answers").rates[0][1] == 0


def test_groups_and_selection_keep_scenarios_and_numbers_together() -> None:
    evidence = counted([1, 2], [3, 4])
    comparison = Comparison(evidence, evidence, evidence)
    groups = comparison.groups("split", "game")
    assert {key: list(members) for key, members in groups.items()} == {
        ("in_sample", "snowdrift"): [0],
        ("in_sample", "stag_hunt"): [1],
    }
    chosen = comparison.select(groups["in_sample", "stag_hunt"])
    assert chosen.scenarios == (STAG_HUNT,)
    assert chosen.rates[0].tolist() == [2 / 6]


def test_a_counts_file_is_read_whatever_the_order_of_its_rows(tmp_path: Path) -> None:
    rows = [row.replace("snowdrift", game) for game in ("snowdrift", "stag_hunt") for row in all_rows()]
    rows[1] = rows[1].replace("30,70", "10,90")
    first = read_counts(counts_file(tmp_path, *rows))
    second = read_counts(counts_file(tmp_path, *rows[:3], *rows[:2:-1]))
    assert first.scenarios == second.scenarios == (SNOWDRIFT, STAG_HUNT)
    assert first.base.cooperate.tolist() == second.base.cooperate.tolist() == [10, 30]


def test_answers_that_a_counts_file_does_not_hold_are_other(tmp_path: Path) -> None:
    comparison = read_counts(counts_file(tmp_path, *all_rows()), asked=120)
    assert comparison.teacher.other.tolist() == [20]
    with pytest.raises(InputError, match=r"teacher: in_sample/snowdrift/team: other: .* negative \(got -50\)"):
        read_counts(counts_file(tmp_path, *all_rows()), asked=50)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            all_rows(teacher="in_sample,oracle,snowdrift,team,1,2"),
            "model: unknown oracle. Allowed: teacher, student_base",
        ),
        (all_rows()[:2], "student_tuned: no rows for this model"),
        (all_rows(teacher="in_sample,teacher,snowdrift,team,many,2"), "cooperate: must be a number (got 'many')"),
        (all_rows(teacher="in_sample,teacher,snowdrift,team,2"), "defect: must be a number (got '')"),
        (
            all_rows(teacher="in_sample,teacher,snowdrift,team,2.5,1"),
            "teacher: in_sample/snowdrift/team: cooperate: a count",
        ),
        (all_rows(teacher="in_sample,teacher,snowdrift,team,0,0"), "teacher: in_sample/snowdrift/team: no answers"),
        ([*all_rows(), all_rows()[0]], "teacher: in_sample/snowdrift/team: given more than once"),
        (
            [*all_rows(), "in_sample,teacher,stag_hunt,team,1,2"],
            "base: missing scenarios that the teacher has: in_sample/stag",
        ),
    ],
)
def test_a_wrong_counts_file_is_refused_by_name(tmp_path: Path, rows: list[str], message: str) -> None:
    path = counts_file(tmp_path, *rows)
    with pytest.raises(InputError) as error:
        read_counts(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)


def test_a_counts_file_that_is_missing_or_lacks_a_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as csv"):
        read_counts(tmp_path / "none.csv")
    with pytest.raises(InputError, match="missing columns: defect"):
        read_counts(counts_file(tmp_path, "a,b,c,d,1", header="split,model,game,context,cooperate\n"))
