"""An edit is seen wherever Snakemake's own records are lost, bypassed or keyed anew; a copy has nothing to do.

What each way plans is looked at here in dry runs. `make test-slow` runs each to its end, and finds the edit in the
prompts, in the student's answers and in the report.
"""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml

from project import ROOT, copy_project, plan, planned_jobs, run_snakemake
from reduced import EDITS, copy_with_results, run_to_the_end, setting

AFTER_A_PAYOFF = {"render_prompts", "ask_teacher", "assemble_training", "train_student", "ask_student", "report"}
EDITED_POINTS = 6
"""What `EDITS["a payoff"]` makes of a payoff that was 5."""

Place = tuple[Path, tuple[str, ...]]
"""Where to run an experiment, and what to say."""


def make_clean(project: Path) -> Place:
    shutil.rmtree(project / ".snakemake")
    return project, ()


def a_fresh_clone_beside_copied_results(project: Path) -> Place:
    clone = copy_project(fresh(project, "clone"))
    shutil.copy(project / "config.yaml", clone / "config.yaml")
    shutil.copytree(project / "results", clone / "results", copy_function=shutil.copyfile)
    return clone, ()


def two_clones_that_share_a_results_folder(project: Path) -> Place:
    clone = copy_project(fresh(project, "clone"))
    shutil.copy(project / "config.yaml", clone / "config.yaml")
    shared = {"results": str(project / "results"), "models": str(project / "results/models")}
    setting("paths", {**shared, "store": str(project / "results/store")})(clone)
    return clone, ()


def the_same_folder_by_its_absolute_path(project: Path) -> Place:
    setting("paths.results", str(project / "results"))(project)
    return project, ()


def a_renamed_folder(project: Path) -> Place:
    (project / "results").rename(project / "renamed")
    names = {name: f"renamed/{name}" for name in ("models", "store")}
    setting("paths", {"results": "renamed", **names})(project)
    return project, ()


def dropped_metadata(project: Path) -> Place:
    shutil.rmtree(project / ".snakemake" / "metadata")
    return project, ("--drop-metadata",)


def cleaned_up_metadata(project: Path) -> Place:
    done = run_snakemake(project, "--cleanup-metadata", *outputs(project))
    assert done.returncode == 0, done.stdout
    return project, ()


def times_alone_as_triggers(project: Path) -> Place:
    return project, ("--rerun-triggers", "mtime")


def all_triggers_of_snakemake(project: Path) -> Place:
    return project, ("--rerun-triggers", "mtime", "params", "input", "software-env", "code")


def without_a_profile(project: Path) -> Place:
    shutil.rmtree(project / "profiles")
    return project, ()


WAYS = (
    make_clean,
    a_fresh_clone_beside_copied_results,
    two_clones_that_share_a_results_folder,
    the_same_folder_by_its_absolute_path,
    a_renamed_folder,
    dropped_metadata,
    cleaned_up_metadata,
    times_alone_as_triggers,
    all_triggers_of_snakemake,
    without_a_profile,
)


def fresh(project: Path, name: str) -> Path:
    folder = project.with_name(name)
    folder.mkdir()
    return folder


def outputs(project: Path) -> list[str]:
    return [str(path.relative_to(project)) for path in (project / "results").glob("[aft]*/*.*") if path.is_file()]


def results_of(place: Path) -> Path:
    config = yaml.safe_load((place / "config.yaml").read_text())
    return place / config.get("paths", {}).get("results", "results")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_edit_is_planned(finished, tmp_path, way):
    place, arguments = way(copy_with_results(finished, tmp_path / "project"))
    if way not in {all_triggers_of_snakemake, without_a_profile}:  # Snakemake's trigger on scripts is on there
        assert plan(place, *arguments) == {}
    EDITS["a payoff"](place)
    assert plan(place, *arguments).keys() >= AFTER_A_PAYOFF


@pytest.fixture(scope="module")
def edited(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiment after the edit and a run that computed all that is new, no record being lost."""
    project = copy_with_results(finished, tmp_path_factory.mktemp("edited") / "project")
    before = pl.read_parquet(project / "results/student/transfer-1.parquet")
    EDITS["a payoff"](project)
    run_to_the_end(project)
    assert_edited(project / "results", before)
    return project


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_edit_is_found_in_prompts_answers_and_report(finished, edited, tmp_path, way):
    project = copy_with_results(finished, tmp_path / "project")
    # Each way has to see that other rows are wanted; they need not be computed ten times.
    shutil.copytree(edited / "results/store", project / "results/store", dirs_exist_ok=True)
    place, arguments = way(project)
    before = pl.read_parquet(results_of(place) / "student" / "transfer-1.parquet")
    EDITS["a payoff"](place)
    done = run_snakemake(place, "--cores", "all", *arguments)
    assert done.returncode == 0, done.stdout
    assert_edited(results_of(place), before)
    assert "older than what it sums up" not in done.stdout


def assert_edited(results: Path, before: pl.DataFrame) -> None:
    """Assert that the edited payoff is in the prompts, and that answers and report are of those prompts."""
    prompts = json.loads((results / "prompts" / "stag_hunt.json").read_text())["prompts"]
    assert {prompt["payoffs"]["temptation"] for prompt in prompts} == {EDITED_POINTS}
    asked = {prompt["sha256"] for prompt in prompts if prompt["question"] == "answer_first"}
    tuned = pl.read_parquet(results / "student" / "transfer-1.parquet").filter(game="stag_hunt")
    assert set(tuned["prompt"]) == asked
    assert not set(tuned["prompt"]) & set(before.filter(game="stag_hunt")["prompt"])
    report = (results / "report.html").read_text()
    assert all(prompt["sha256"] in report for prompt in prompts)
    assert f"you earn {EDITED_POINTS} points" in report


def copied_without_times(project: Path) -> None:
    copied = shutil.copytree(project, project.with_name("copied"), copy_function=shutil.copyfile)
    shutil.rmtree(project)
    Path(copied).rename(project)


def touched_in_reverse(project: Path) -> None:
    files = sorted((path for path in project.rglob("*") if path.is_file()), key=lambda path: path.stat().st_mtime)
    for number, path in enumerate(reversed(files)):
        os.utime(path, (1_700_000_000 + number, 1_700_000_000 + number))


def from_the_future(project: Path) -> None:
    for number, path in enumerate(sorted(project.rglob("*"))):
        os.utime(path, (time.time() + 1e6 - number, time.time() + 1e6 - number))


def a_skewed_clock(project: Path) -> None:
    for path in (project / "results").rglob("*.parquet"):
        os.utime(path, (time.time() + 3600, time.time() + 3600))


TIMES: tuple[Callable[[Path], None], ...] = (copied_without_times, touched_in_reverse, from_the_future, a_skewed_clock)


@pytest.mark.parametrize("records", ["with", "without"])
@pytest.mark.parametrize("change", TIMES, ids=lambda change: change.__name__)
def test_times_alone_mean_nothing(finished, tmp_path, change, records):
    project = copy_with_results(finished, tmp_path / "project")
    if records == "without":
        shutil.rmtree(project / ".snakemake")
    change(project)
    assert plan(project) == {}
    EDITS["a payoff"](project)
    assert plan(project).keys() >= AFTER_A_PAYOFF


def test_an_edit_taken_back_after_a_dry_run_leaves_nothing_to_do(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    game = project / "scenarios/games/stag_hunt.yaml"
    text = game.read_text()
    EDITS["a payoff"](project)
    assert plan(project)
    game.write_text(text)
    assert plan(project) == {}


GONE = {
    "student/transfer-1/adapter_model.safetensors": "train_student",
    "student/transfer-1.parquet": "ask_student",
    "student/checked.json": "check_models",
    "student/base.examined.json": "ask_student",
    "teacher/stag_hunt.motivations.parquet": "ask_teacher",
    "figures/bias.pdf": "plot",
    "tables/cooperation.tex": "tabulate",
    "alignment/stag_hunt.parquet": "score_game",
    "records/render_prompts/stag_hunt.json": "render_prompts",
    "models/random-student/source.json": "fetch_model",
}


@pytest.mark.parametrize("path", GONE)
def test_what_was_deleted_is_made_again(finished, tmp_path, path):
    project = copy_with_results(finished, tmp_path / "project")
    (project / "results" / path).unlink()
    assert GONE[path] in plan(project)


def test_a_check_that_is_made_again_asks_nothing_again(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    (project / "results/records/check_models.json").unlink()
    assert plan(project) == {"check_models": 1, "report": 1}


def test_a_partial_target_does_not_end_with_yesterdays_summary(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    EDITS["a payoff"](project)
    done = run_snakemake(project, "--cores", "all", "results/prompts/stag_hunt.json")
    assert done.returncode == 0, done.stdout
    assert "alignment/summary.md is older than what it sums up" in done.stdout
    assert "gap closed" not in done.stdout


def test_another_folder_says_what_is_missing(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "project")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("config.yaml", "models.yaml", "scenarios", "results"):
        (elsewhere / name).symlink_to(project / name)
    done = run_snakemake(elsewhere, "--dry-run", "-s", str(project / "workflow/Snakefile"))
    assert done.returncode == 0, done.stdout
    assert "profiles/default was not read" in done.stdout
    EDITS["a payoff"](elsewhere)
    done = run_snakemake(elsewhere, "--dry-run", "-s", str(project / "workflow/Snakefile"))
    assert planned_jobs(done.stdout).keys() >= AFTER_A_PAYOFF


def test_no_private_method_of_snakemake_is_overridden():
    for file in [*(ROOT / "workflow/rules").glob("*.smk"), ROOT / "workflow/Snakefile", ROOT / "Snakefile"]:
        text = file.read_text()
        assert "setattr" not in text
        assert "snakemake.jobs" not in text
        assert "snakemake.persistence" not in text
