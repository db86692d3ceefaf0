"""What was computed once is computed once: over edits taken back, experiments that share a store, and lost results.

And what is computed once more on the same machine comes out the same, to the last bit.
"""

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from project import copy_project, plan, run_snakemake
from reduced import (
    EDITS,
    assert_same_results,
    contents,
    copy_with_results,
    replacing,
    run_again,
    run_to_the_end,
    setting,
)

pytestmark = pytest.mark.slow


def held(project: Path) -> dict[str, bytes]:
    """Return all answers and adapters in the store of a project, by name."""
    store = project / "results/store"
    files = [path for name in ("answers", "adapters") for path in sorted((store / name).rglob("*")) if path.is_file()]
    return {str(path.relative_to(store)): path.read_bytes() for path in files}


def adapters(project: Path) -> set[str]:
    """Return the keys of the adapters in the store of a project."""
    return {path.name for path in (project / "results/store/adapters").iterdir()}


def loaded(said: str) -> list[str]:
    """Return what a run said of loading models and of training."""
    return [line for line in said.splitlines() if ": loading " in line or " steps, " in line]


def test_an_edit_that_is_taken_back_computes_nothing(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    config = (project / "config.yaml").read_text()
    for edit in ("temperature", "a new context", "LoRA rank"):
        EDITS[edit](project)
    there = run_to_the_end(project)
    assert loaded(there)
    after = held(project)
    assert len(adapters(project)) == 2
    (project / "config.yaml").write_text(config)
    back = run_to_the_end(project)
    assert not loaded(back)
    assert held(project) == after
    assert_same_results(project, finished)


def test_a_second_experiment_asks_nothing_that_the_first_has_asked(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    before = held(project)
    setting("paths.results", "results/second")(project)
    said = run_to_the_end(project)
    assert not loaded(said)
    assert held(project) == before
    setting("training.epochs", 2)(project)
    said = run_to_the_end(project)
    new = held(project).keys() - before.keys()
    assert {Path(name).parts[0] for name in new} == {"answers", "adapters"}
    # The tuned student alone is asked: its new adapter is part of what its answers are kept under.
    assert [line for line in loaded(said) if "ask_teacher" in line or "ask_student base" in line] == []
    assert [line for line in loaded(said) if "ask_student transfer-1" in line]


def test_without_results_all_tables_come_back_and_no_model_is_loaded(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    for path in (project / "results").iterdir():
        if path.name not in {"store", "models"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(project / ".snakemake")
    assert not loaded(run_to_the_end(project))
    assert_same_results(project, finished)


@pytest.fixture(scope="module")
def from_scratch(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same experiment, run once more with nothing but its models, and what was said."""
    project = copy_with_results(finished, tmp_path_factory.mktemp("scratch") / "project")
    for path in (project / "results").iterdir():
        if path.name != "models":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return project, run_to_the_end(project)


def test_without_the_store_all_is_computed_again(finished, from_scratch):
    project, said = from_scratch
    assert {line.split()[1].strip(":") for line in loaded(said)} >= {"ask_student", "train_student"}
    # Parts of answers are named by their bytes, which say when they were computed; adapters by what they are made of.
    assert adapters(project) == adapters(finished)
    assert_same_results(project, finished)


def test_two_runs_from_scratch_are_equal_to_the_last_bit(finished, from_scratch):
    first, second = contents(finished), contents(from_scratch[0])
    assert first.keys() == second.keys()
    assert len(first) > 50
    assert [name for name in first if not equal(first[name], second[name])] == []


def equal(one: pl.DataFrame | bytes, other: pl.DataFrame | bytes) -> bool:
    return one.equals(other) if isinstance(one, pl.DataFrame) and isinstance(other, pl.DataFrame) else one == other


def test_an_adapter_with_other_weights_has_its_student_asked_again(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    # As on another machine: the same experiment, and a training that comes to other weights.
    trainer = "workflow/tomtransfer/training/trainer.py"
    replacing(trainer, "learning_rate=settings.learning_rate", "learning_rate=settings.learning_rate * 2")(project)
    shutil.rmtree(project / "results/store/adapters")
    shutil.rmtree(project / "results/student/transfer-1")
    said = run_to_the_end(project)
    assert {line.split()[1].strip(":") for line in loaded(said)} == {"ask_student", "train_student"}
    assert [line for line in loaded(said) if "ask_student base" in line] == []
    tuned, before = (contents(each)["student/transfer-1.parquet"] for each in (project, finished))
    assert not set(tuned["key"]) & set(before["key"])
    run_again(project)


def test_two_clones_at_once_on_one_results_folder_and_one_store(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    shared = {"results": str(tmp_path / "results"), "models": str(project / "results/models")}
    clones = [project, copy_project(_empty(tmp_path / "clone"))]
    shutil.copy(project / "config.yaml", clones[1] / "config.yaml")
    for clone in clones:
        setting("paths", {**shared, "store": str(tmp_path / "store")})(clone)
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    running = [
        subprocess.Popen(command, cwd=clone, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for clone in clones
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    # One waits for the other, and finds everything made; without that it would remove what the other is about to read.
    assert sorted("waiting until it is done" in each for each in said) == [False, True]
    assert sorted("Nothing to be done" in each for each in said) == [False, True]
    for clone in clones:
        done = run_snakemake(clone, "--cores", "2")
        assert done.returncode == 0, done.stdout
    (tmp_path / "whole").mkdir()
    (tmp_path / "results").rename(tmp_path / "whole/results")
    assert_same_results(tmp_path / "whole", finished)


def test_a_dry_run_waits_for_no_other_run(finished):
    with (finished / "results/.run.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert plan(finished) == {}


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder
