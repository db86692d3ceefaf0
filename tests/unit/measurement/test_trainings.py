"""Several trainings: measures are means over them, their spread is said and stands in intervals; other arms beside."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from habits import FRAMES, planted
from test_assessments import FOUR, LEVEL, STRATEGIC, compared

from tomtransfer.measurement.amount_scores import AmountChoice, AmountMeasure, score_amounts
from tomtransfer.measurement.assessments import Assessment, assess, headline
from tomtransfer.measurement.clusters import Measured
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario
from tomtransfer.measurement.scoring import Score, score
from tomtransfer.measurement.views import Answers, labels_of
from tomtransfer.scenarios.frames import designs

GAMES, CONTEXTS = ("a", "b", "c", "d"), ("k", "l", "m", "n")
SCENARIOS = [Scenario("in_sample", game, context) for game in GAMES for context in CONTEXTS]
GENERATOR = np.random.default_rng(0)
TEACHER, BASE = np.linspace(0.1, 0.7, 16), np.full(16, 0.9)
STUDENTS = [0.5 * (TEACHER + BASE) + shift + 0.02 * GENERATOR.normal(size=16) for shift in (-0.05, 0.0, 0.07)]


def exact(rates) -> Evidence:
    return Evidence.from_probabilities(SCENARIOS, rates, 1 - rates, 0 * rates)


def counted(rates, answers: int = 100) -> Evidence:
    cooperate = np.round(answers * rates)
    return Evidence.from_counts(SCENARIOS, cooperate, answers - cooperate)


def after(students, known=exact) -> Comparison:
    """Return the comparison with students after several trainings."""
    each = [Comparison(known(TEACHER), known(BASE), known(student)) for student in students]
    together = replace(each[0], tuned=known(np.mean(students, axis=0)))
    return replace(together, by_training=tuple(each)) if len(each) > 1 else each[0]


def rows(comparison: Comparison) -> dict[tuple[str, ...], Score]:
    return {(each.level, each.measure, each.game, each.context): each for each in score(comparison, draws=200)}


@pytest.mark.parametrize("known", [exact, counted])
def test_every_measure_is_the_mean_over_trainings_and_its_spread_their_standard_deviation(known) -> None:
    together, alone = rows(after(STUDENTS, known)), [rows(after([student], known)) for student in STUDENTS]
    for place, found in together.items():
        values = [each[place].value for each in alone]
        if found.value is None:
            assert None in values
            continue
        assert found.value == pytest.approx(np.mean(values)), place
        assert found.spread == pytest.approx(np.std(values, ddof=1)), place
        assert found.by_training == pytest.approx(values), place
        if found.own_mean is not None:
            assert found.own_mean == pytest.approx(np.mean([each[place].own_mean for each in alone]))
        same = alone[0][place]
        assert (found.base, found.best_constant) == (pytest.approx(same.base), pytest.approx(same.best_constant))
    assert {each.spread for each in alone[0].values()} == {None}


def test_the_mean_is_of_measures_and_not_the_measure_of_a_mean_student() -> None:
    apart = [TEACHER + 0.2, TEACHER - 0.05]
    found = rows(after(apart))["split", "root_mean_square_error", None, None]
    assert found.value == pytest.approx(0.125)
    assert found.by_training == pytest.approx((0.2, 0.05))


def width(found: Score) -> float:
    assert found.low is not None and found.high is not None
    return found.high - found.low


def test_trainings_that_differ_widen_the_interval_and_trainings_that_agree_do_not_hide_contexts() -> None:
    place = ("split", "gap_closed", None, None)
    one = rows(after(STUDENTS[1:2]))[place]
    same = rows(after([STUDENTS[1]] * 3))[place]
    different = rows(after(STUDENTS))[place]
    assert width(same) == pytest.approx(width(one))
    assert width(different) > 1.5 * width(one)
    assert same.spread == pytest.approx(0, abs=1e-12)


def test_a_single_scenario_known_exactly_has_an_interval_over_trainings() -> None:
    place = ("scenario", "gap_closed", "a", "k")
    assert rows(after(STUDENTS[:1]))[place].note == "no interval: the probabilities are exact, without sampling error"
    found = rows(after(STUDENTS))[place]
    values = np.array(found.by_training, dtype=float)
    half = 4.302653 * values.std(ddof=1) / np.sqrt(3)  # Student's t with two degrees of freedom
    assert (found.low, found.note) == (pytest.approx(values.mean() - half), "")


def test_counted_answers_and_trainings_are_both_in_the_interval_of_a_scenario() -> None:
    place = ("scenario", "gap_closed", "a", "k")
    answers, both = rows(after([STUDENTS[1]] * 3, counted))[place], rows(after(STUDENTS, counted))[place]
    trainings = rows(after(STUDENTS))[place]
    assert width(both) > max(width(answers), width(trainings)) > 0


def tables(parts_by_model) -> dict[str, list[pl.DataFrame]]:
    more = {"other": pl.lit(0.5), "evidence": pl.lit("exact")}
    return {model: [planted(parts).with_columns(**more) for parts in each] for model, each in parts_by_model.items()}


def test_answers_are_compared_after_each_training_and_together() -> None:
    game = ("preference", "game")
    answers = Answers(
        tables(
            {
                "teacher": [{game: 1.0}],
                "base": [{("preference", "overall"): 1.5}],
                "tuned": [{game: 0.8}, {game: 0.6, ("label", "overall"): 0.4}],
                "shuffled": [{}, {("label", "overall"): 0.2}],
            }
        ),
        {"canonical": ["canonical"], "counterbalanced": list(FRAMES)},
        designs(FRAMES),
    )
    assert answers.arms == ["shuffled"]
    for view, comparison in answers.compare():
        assert len(comparison.trainings) == 2
        assert len(comparison.trainings[1].frames) == len(comparison.frames) == len(answers.views[view])
        assert comparison.rates[2] == pytest.approx(np.mean([each.rates[2] for each in comparison.trainings], axis=0))
    effects = {(each.model, each.factor, each.game): each for each in answers.decompose(0.95).effects}
    assert effects["tuned", "label", None].value == pytest.approx(0.2)
    assert effects["tuned", "preference", "a"].value == pytest.approx(0.7)
    assert effects["tuned", "label", None].low is not None
    assert "shuffled" not in {each.model for each in answers.decompose(0.95).effects}
    shuffled = dict(answers.compare("shuffled"))
    [found] = answers.assess("counterbalanced", comparison, 0.95, {"shuffled": shuffled["counterbalanced"]})
    assert found.trainings == 2
    assert found.gap.closed.value is not None
    shuffled_alone = assess(shuffled["counterbalanced"].trainings, "", list(FRAMES), crossed=True)[0].gap.closed.value
    assert found.gap.arms["shuffled"].closed.value == pytest.approx(shuffled_alone)
    assert found.gap.arms["shuffled"].beyond.value == pytest.approx(found.gap.closed.value - shuffled_alone)
    pattern = next(each for each in found.components if each.part == "pattern")
    assert pattern.arms["shuffled"].closed.value == pytest.approx(0, abs=1e-9)


def test_students_are_called_by_arm_and_by_seed_where_there_are_several() -> None:
    assert labels_of({"transfer": ["transfer-1"]}) == {"transfer-1": "tuned"}
    both = {arm: [f"{arm}-{seed}" for seed in (0, 7)] for arm in ("transfer", "shuffled")}
    assert labels_of(both) == {
        "transfer-0": "tuned, seed 0",
        "transfer-7": "tuned, seed 7",
        "shuffled-0": "shuffled, seed 0",
        "shuffled-7": "shuffled, seed 7",
    }


def with_arms(**arms) -> Assessment:
    """Return the assessment of a student that has the teacher's strategy, beside students of other arms."""
    noise = 0.03 * np.random.default_rng(2).normal(size=(3, 4, 12))
    others = {arm: [compared(log_odds + each) for each in noise] for arm, log_odds in arms.items()}
    [found] = assess([compared(STRATEGIC - each) for each in noise], "counterbalanced", FOUR, True, arms=others)
    return found


def test_a_shuffled_student_is_a_floor_and_one_of_choices_alone_is_not() -> None:
    assert with_arms().verdict == "preference"
    assert with_arms(shuffled=LEVEL).verdict == "preference"
    assert with_arms(choices_only=STRATEGIC).verdict == "preference"
    # A student that could not know which scenario is which came as near: what was closed is no strategy.
    found = with_arms(shuffled=STRATEGIC)
    assert found.gap.beyond["best_constant"].positive
    assert "preference" not in found.verdict and "strategy" not in found.sentence
    assert found.verdict == "level shift and habit alone"


def test_other_arms_stand_in_the_headline_with_intervals_of_the_differences() -> None:
    found = with_arms(shuffled=LEVEL, choices_only=STRATEGIC)
    shuffled = found.gap.arms["shuffled"]
    assert found.gap.closed.value is not None
    assert shuffled.closed.value is not None
    assert shuffled.beyond.value == pytest.approx(found.gap.closed.value - shuffled.closed.value)
    assert shuffled.beyond.positive and not found.gap.arms["choices_only"].beyond.positive
    said = headline(found)
    assert said.startswith("in_sample (12 scenarios in 4 frames, 3 trainings): ")
    assert f"a student tuned on the answers of other scenarios closes {100 * shuffled.closed.value:.1f} %" in said
    assert f"and the difference is {100 * shuffled.beyond.value:+.1f} points (95 % interval" in said
    assert "a student tuned on the same choices without reasons closes" in said
    for part in found.components:
        assert set(part.arms) == {"shuffled", "choices_only"}
        assert isinstance(part.arms["shuffled"].closed, Measured)


def amounts(model: str, *shares: float) -> list[AmountChoice]:
    return [AmountChoice("new_game", "donation", "village_well", model, "exact", shares, 0.0, {})]


def test_amounts_are_means_over_trainings_with_their_interval() -> None:
    known = {"teacher": amounts("teacher", 0, 0, 1), "base": amounts("base", 1, 0, 0)}
    tuned = {"tuned, seed 1": amounts("a", 0.5, 0, 0.5), "tuned, seed 2": amounts("b", 0.2, 0, 0.8)}
    found: dict[str, AmountMeasure] = {row.measure: row for row in score_amounts(known | tuned, 50, 0, 0.95)}
    assert found["mean_tuned"].value == pytest.approx(1.3)
    assert found["gap_closed"].value == pytest.approx(0.65)
    assert found["gap_closed"].by_training == pytest.approx((0.5, 0.8))
    assert found["gap_closed"].spread == pytest.approx(0.3 / np.sqrt(2))
    assert found["gap_closed"].low is not None and found["gap_closed"].low < 0.5
    assert (found["mean_teacher"].low, found["mean_teacher"].spread) == (None, None)
