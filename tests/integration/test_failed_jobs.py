"""A job that fails after an edit: the next run makes it again, however it failed, and nothing is left stale."""

import os
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from held_jobs import WAITS, held, process_of
from kill_loop import start
from test_incremental import ROWS, TUNED, recomputed

from project import plan, run_snakemake
from reduced import (
    assert_same_results,
    copy_with_results,
    edited_copy,
    replacing,
    run_again,
    setting,
)

TEACHERS = ("ask_teacher/prisoners_dilemma", "ask_teacher/stag_hunt")


def left(project: Path, planned: dict[str, int]) -> dict[str, int]:
    """Return the planned jobs but for those that Snakemake said were finished."""
    finished = re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", (project / "output.log").read_text())
    return dict(Counter(planned) - Counter(finished))


def strike(project: Path, job: str, number: signal.Signals) -> None:
    """Start the experiment, and send a signal to a job of it."""
    with held(project, job):
        snakemake = start(project)
        os.kill(process_of(snakemake, project, job, WAITS), number)
        assert snakemake.wait() != 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "told to stop"])
def test_a_training_that_failed_is_made_by_the_next_run(finished, tmp_path, number):
    project = edited_copy(finished, tmp_path / "edited", ["LoRA rank"])
    planned = plan(project)
    strike(project, "train_student/transfer-1", number)
    assert plan(project) == planned
    if number == signal.SIGKILL:
        run_again(project)
        assert recomputed(finished, project) == TUNED


@pytest.mark.slow
def test_a_table_that_was_not_updated_is_updated_by_the_next_run(finished, reworded, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["a context's text"])
    planned = plan(project)
    with held(project, TEACHERS[1]):
        with held(project, TEACHERS[0]):
            snakemake = start(project)
            processes = [process_of(snakemake, project, job, WAITS) for job in TEACHERS]
        os.kill(processes[1], signal.SIGKILL)
        assert snakemake.wait() != 0
    assert plan(project) == left(project, planned)
    run_again(project)
    assert recomputed(finished, project) == ROWS[("a context's text",)]
    assert_same_results(project, reworded)


def test_a_file_that_is_gone_is_made_by_the_next_run(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "edited")
    setting("training.held_back_share", 0.4)(project)
    planned = plan(project)
    strike(project, "assemble_training/transfer", signal.SIGKILL)
    assert not (project / "results/training/transfer.parquet").exists()
    assert plan(project) == planned


def test_a_model_that_was_not_fetched_is_fetched_by_the_next_run(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["the teacher's content"])
    planned = plan(project)
    strike(project, "fetch_model/planted-teacher", signal.SIGTERM)
    assert plan(project) == planned


def test_a_job_that_cannot_even_start_is_made_by_the_next_run(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["LoRA rank"])
    planned = plan(project)
    script, line = "workflow/scripts/train_student.py", "from tomtransfer.job import job"
    replacing(script, line, f"import not_installed\n{line}")(project)
    assert run_snakemake(project, "--cores", "all").returncode != 0
    replacing(script, "import not_installed\n", "")(project)
    assert plan(project) == planned


@contextmanager
def both_teachers(project: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start the experiment, hold the teacher in both games, and give Snakemake and the process of the second."""
    with held(project, TEACHERS[0]), held(project, TEACHERS[1]):
        snakemake = start(project)
        yield snakemake, [process_of(snakemake, project, job, WAITS) for job in TEACHERS][1]


def kill_all(snakemake: subprocess.Popen[bytes], project: Path) -> None:
    """Kill Snakemake and its jobs, and take away the lock that it leaves."""
    os.killpg(snakemake.pid, signal.SIGKILL)
    snakemake.wait()
    assert run_snakemake(project, "--unlock").returncode == 0


def test_a_job_that_failed_while_others_went_on_until_all_were_killed(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["a context's text"])
    planned = plan(project)
    with both_teachers(project) as (snakemake, process):
        os.kill(process, signal.SIGKILL)
        while "Error in rule ask_teacher" not in (project / "output.log").read_text():
            time.sleep(0.1)
        time.sleep(1)  # for what Snakemake does after that message
        kill_all(snakemake, project)
    assert plan(project) == left(project, planned)


def test_a_job_that_failed_after_its_snakemake_was_killed(finished, tmp_path):
    project = edited_copy(finished, tmp_path / "edited", ["a context's text"])
    planned = plan(project)
    with both_teachers(project) as (snakemake, process):
        snakemake.kill()
        os.kill(process, signal.SIGTERM)
        kill_all(snakemake, project)
    assert plan(project) == left(project, planned)
