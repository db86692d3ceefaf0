"""What goes wrong around an experiment: it ends with a clear message, and the next run goes on where it was."""

import os
import shutil
import signal
import subprocess
import sys
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
    run_to_the_end,
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


@pytest.mark.slow
def test_a_full_disk(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["a context's text"])
    folder = project / "results" / "store" / "answers"
    kept = folder.rename(folder.with_name("kept"))
    folder.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=8m", "tmpfs", place=folder):
        shutil.copytree(kept, folder, dirs_exist_ok=True)
        filler = folder / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(8 << 20))
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


@pytest.mark.slow
def test_a_model_that_is_cut_short(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["the student's revision"])
    model = project / "results" / "models" / "random-student"
    with (model / "model.safetensors").open("r+b") as weights:
        weights.truncate(10_000)
    fail(project, "delete results/models/random-student to have it fetched again")
    shutil.rmtree(model)
    run_again(project)


BROKEN = {
    "a table": "teacher/stag_hunt.answers.parquet",
    "an adapter": "student/transfer-1/adapter_model.safetensors",
    "prompts": "prompts/stag_hunt.json",
    "findings": "alignment/summary.json",
    "a figure": "figures/bias.pdf",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_artifact_is_made_again_by_the_next_run(finished, tmp_path, what):
    project = copy_with_results(finished, tmp_path / "damaged")
    artifact = project / "results" / BROKEN[what]
    artifact.write_bytes(artifact.read_bytes()[:1000])
    checked = run_check(project)
    assert checked.returncode != 0
    assert f"{BROKEN[what]}: changed since it was written" in checked.stdout
    run_again(project)
    assert_same_results(project, finished)
    assert computations(project) == computations(finished)
    assert run_check(project).returncode == 0


@pytest.mark.slow
def test_a_broken_part_of_the_store_is_named_and_what_it_held_is_computed_again(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "damaged")
    part = next((project / "results/store/answers/choices").glob("random-student-*/*.parquet"))
    part.write_bytes(part.read_bytes()[:-20])
    assert f"{part.name}: its content is not what its name says" in run_check(project).stdout
    setting("sampling.answers", 3)(project)
    assert "set aside as" in run_to_the_end(project)
    assert run_check(project).returncode == 0
    setting("sampling.answers", 2)(project)
    run_again(project)
    assert_same_results(project, finished)


def run_check(project: Path) -> subprocess.CompletedProcess[str]:
    """Verify all artifacts of a project and its store."""
    return subprocess.run(
        [sys.executable, "-c", "from tomtransfer.command_line import main; main()", "check"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project / "workflow")},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def test_a_job_past_its_time_limit_is_told_to_stop(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "edited")
    setting("training.epochs", 1000)(project)
    process = start(project)
    os.kill(process_of(process, project, "train_student/transfer-1", "epochs"), signal.SIGTERM)
    assert process.wait() != 0
    assert "stopped from outside: cancelled, or past its time limit" in (project / "output.log").read_text()


@pytest.mark.slow
def test_a_job_that_is_still_at_work_after_its_snakemake_was_killed_is_waited_for(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "edited")
    setting("training.epochs", 20)(project)
    first = start(project)
    older = process_of(first, project, "train_student/transfer-1", "epochs")
    with stopped(older):
        first.kill()
        first.wait()
        assert run_snakemake(project, "--unlock").returncode == 0
        second = start(project)
        process_of(second, project, "train_student/transfer-1", WAITS)
    assert second.wait() == 0
    assert "train_student transfer 1: the adapter is in the store" in (project / "output.log").read_text()
    assert plan(project) == {}
