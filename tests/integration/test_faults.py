"""What goes wrong around an experiment: it ends with a clear message, and the next run goes on where it was."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from held_jobs import WAITS, held, process_of, stopped
from kill_loop import Moment, disturb, start

from project import plan, run_snakemake
from reduced import (
    assert_same_results,
    computations,
    copy_with_results,
    edited_copy,
    reduced_project,
    run_again,
    setting,
)


def fail(project: Path, message: str) -> None:
    """Run the experiment and assert that it fails with a message, and with nothing that only a programmer reads."""
    done = run_snakemake(project, "--cores", "all")
    assert done.returncode != 0, done.stdout
    assert message in done.stdout, done.stdout
    assert "Traceback" not in done.stdout, done.stdout


@contextmanager
def mounted(*arguments: str, place: Path) -> Iterator[None]:
    """Have a file system at `place` that is mounted with `arguments`; skip the test where this is not allowed."""
    done = subprocess.run(["mount", *arguments, str(place)], text=True, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a file system here: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_kills_at_any_moment_lose_nothing(finished, tmp_path):
    project = reduced_project(tmp_path / "killed")
    shutil.copytree(finished / "results" / "models", project / "results" / "models")
    moments = [
        Moment(4, 1, "a job"),
        Moment(7, 3, "snakemake"),
        Moment(2, 3, "the process group"),
    ]
    disturb(project, moments)
    assert_same_results(project, finished)


def test_a_second_snakemake_is_turned_away(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["figure style"])
    with held(project, "plot"):
        process = start(project)
        process_of(process, project, "plot", WAITS)
        fail(project, "Directory cannot be locked")
    assert process.wait() == 0
    assert plan(project) == {}


def test_a_full_disk(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["a context's text"])
    folder = project / "results" / "teacher"
    kept = folder.rename(folder.with_name("kept"))
    folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", place=folder):
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        filler = folder / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(1 << 20))
        fail(project, "No space left on device")
        filler.unlink()
        run_again(project)


def test_a_results_folder_that_cannot_be_written(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["figure style"])
    results = project / "results"
    with mounted("--bind", str(results), place=results):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(results)], check=True)
        fail(project, "Write-protected output files")
    run_again(project)


def test_a_model_that_is_cut_short(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["the student's revision"])
    model = project / "results" / "models" / "random-student"
    with (model / "model.safetensors").open("r+b") as weights:
        weights.truncate(10_000)
    fail(project, "delete results/models/random-student to have it fetched again")
    shutil.rmtree(model)
    run_again(project)


def test_a_damaged_table(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "damaged")
    table = project / "results" / "teacher" / "stag_hunt.answers.parquet"
    table.write_bytes(table.read_bytes()[:1000])
    fail(project, "stag_hunt.answers.parquet: cannot be read as a table")
    table.unlink()
    run_again(project)
    assert_same_results(project, finished)
    before, after = computations(finished), computations(project)
    assert {name for name, key in after if after[name, key] != before[name, key]} == {
        "teacher/stag_hunt.answers.parquet"
    }


def test_a_job_past_its_time_limit_is_told_to_stop(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "edited")
    setting("training.epochs", 1000)(project)
    process = start(project)
    os.kill(process_of(process, project, "train_student", "epochs"), signal.SIGTERM)
    assert process.wait() != 0
    assert "stopped from outside: cancelled, or past its time limit" in (project / "output.log").read_text()


@pytest.mark.slow
def test_a_job_that_is_still_at_work_after_its_snakemake_was_killed_is_waited_for(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "edited")
    setting("training.epochs", 20)(project)
    first = start(project)
    older = process_of(first, project, "train_student", "epochs")
    with stopped(older):
        first.kill()
        first.wait()
        assert run_snakemake(project, "--unlock").returncode == 0
        second = start(project)
        process_of(second, project, "train_student", WAITS)
    assert second.wait() == 0
    assert "train_student: the adapter is up to date" in (project / "output.log").read_text()
    assert plan(project) == {}
