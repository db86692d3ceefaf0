"""Two seeds and three arms, from the teacher's answers to the report: what is computed, and what stands on the page."""

import html
import json
from pathlib import Path

import polars as pl
import pytest

from project import plan
from reduced import computations, copy_with_results, run_again, run_to_the_end, setting

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

ARMS = ["transfer", "shuffled", "choices_only"]
FRAMES = {
    "canonical": {},
    "swapped": {"cooperate": "D", "defect": "C"},
    "reversed": {"first": "defect"},
    "swapped_and_reversed": {"cooperate": "D", "defect": "C", "first": "defect", "held_out": True},
}


@pytest.fixture(scope="module")
def run(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reduced experiment in the four frames of a pair of labels, with two seeds and all arms."""
    project = copy_with_results(finished, tmp_path_factory.mktemp("arms") / "project")
    for key, value in {"frames": FRAMES, "training.seeds": [1, 2], "arms": ARMS}.items():
        setting(key, value)(project)
    run_again(project)
    return project


def adapters(project: Path) -> dict[str, str]:
    """Return the key of each student's adapter."""
    paths = (project / "results/student").glob("*/training.json")
    return {path.parent.name: json.loads(path.read_text())["key"] for path in paths}


def test_each_arm_and_seed_has_an_adapter_of_its_own_and_answers_of_its_own(run):
    names = [f"{arm}-{seed}" for arm in ARMS for seed in (1, 2)]
    keys = adapters(run)
    assert sorted(keys) == sorted(names)
    assert len(set(keys.values())) == len(names)
    assert set(keys.values()) <= {path.name for path in (run / "results/store/adapters").iterdir()}
    worn = [pl.read_parquet(run / f"results/student/{name}.parquet")["adapter"].unique().to_list() for name in names]
    assert len({adapter for [adapter] in worn}) == len(names)
    cards = {arm: (run / f"results/student/{arm}-2/README.md").read_text() for arm in ARMS}
    assert "answered in *other* scenarios" in cards["shuffled"]
    assert "without the reasons" in cards["choices_only"]
    assert all("seed 2" in card for card in cards.values())


def test_examples_of_the_arms_are_those_of_transfer_moved_and_cut(run):
    tables = {arm: pl.read_parquet(run / f"results/training/{arm}.parquet") for arm in ARMS}
    own, moved = tables["transfer"], tables["shuffled"]
    answered = ["frame", "choice", "label", "motivation", "weight", "held_back"]
    assert moved.select(answered).sort(pl.all()).equals(own.select(answered).sort(pl.all()))
    both = moved.join(own, on=["prompt", "choice", "held_back", "motivation"], how="inner")
    assert not len(both.filter(pl.col("key") == pl.col("key_right")))
    assert set(tables["choices_only"]["completion"]) == {"C", "D"}


def test_measures_are_means_over_seeds_and_other_arms_stand_beside(run):
    findings = json.loads((run / "results/alignment/summary.json").read_text())
    assert findings["seeds"] == [1, 2]
    for each in findings["scores"]:
        if each["value"] is not None:
            assert each["value"] == pytest.approx(sum(each["by_training"]) / 2)
    for each in findings["assessments"]:
        assert (each["trainings"], set(each["gap"]["arms"])) == (2, {"shuffled", "choices_only"})
    assert {each["arm"] for each in findings["arms"]} == {"shuffled", "choices_only"}
    assert set(pl.read_csv(run / "results/alignment/summary.csv")["arm"]) == set(ARMS)
    shares = pl.read_csv(run / "results/tables/arms.csv")
    assert set(shares["arm"]) == {"shuffled", "choices_only"}
    assert {"seed_1", "seed_2"} <= set(pl.read_csv(run / "results/tables/trainings.csv").columns)


def test_the_report_shows_seeds_and_arms(run):
    report = html.unescape((run / "results/report.html").read_text())
    for table in ("trainings", "arms", "alignment_by_arm"):
        assert f'id="table-{table}"' in report
    for said in ("Training: tuned, seed 2", "Training: shuffled, seed 1", "a student tuned on the answers of other"):
        assert said in report
    models = set(pl.read_csv(run / "results/alignment/answers.csv")["model"])
    assert models == {"teacher", "base", *(f"{arm}, seed {seed}" for arm in ("tuned", *ARMS[1:]) for seed in (1, 2))}


def test_a_further_seed_trains_and_asks_its_own_students_alone(run, tmp_path):
    project = copy_with_results(run, tmp_path / "project")
    before, adapted = computations(project), adapters(project)
    setting("training.seeds", [1, 2, 3])(project)
    jobs = plan(project)
    assert (jobs["train_student"], jobs["ask_student"]) == (3, 3)
    assert "ask_teacher" not in jobs and "assemble_training" not in jobs
    said = run_to_the_end(project)
    assert said.count(": loading ") == 6
    found = adapters(project)
    assert found.items() >= adapted.items()
    assert set(found) - set(adapted) == {f"{arm}-3" for arm in ARMS}
    after = computations(project)
    assert {table.split(".")[0] for table, _ in after.keys() - before.keys()} == {f"student/{arm}-3" for arm in ARMS}
    assert {row: after[row] for row in before} == before


def test_an_arm_and_a_seed_that_are_left_out_and_taken_back_cost_nothing(run, tmp_path):
    project = copy_with_results(run, tmp_path / "project")
    setting("arms", ["transfer"])(project)
    setting("training.seeds", [2])(project)
    assert ": loading " not in run_to_the_end(project)
    assert "There is one training" in (project / "results/report.html").read_text()
    setting("arms", ARMS)(project)
    setting("training.seeds", [1, 2])(project)
    assert ": loading " not in run_to_the_end(project)
