"""The experiment on a real Slurm with one pretend GPU: what jobs ask for, and what becomes of those that are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest
import yaml

from slurm_cluster import Cluster, Job, slurm

pytestmark = pytest.mark.slow

SNAKEMAKE = Path(__file__).parents[1] / "snakemake_polling_often.py"
RESULTS = Path("results/smoke")
MODEL_RULES = ("ask_teacher", "train_student", "ask_student")
FEW_SCENARIOS = {
    "games": ["stag_hunt", "snowdrift"],
    "splits": {"in_sample": {"contexts": ["team", "business"]}, "new_contexts": {"contexts": ["sports"]}},
    "comprehension": ["sports"],
}
# Training is long enough to be killed half-way.
ARGUMENTS = [
    *("--workflow-profile", "slurm", "--configfile", "presets/smoke.yaml"),
    *("--config", "compute={gpu: 1, minutes: 7, memory_mb: 1500}", "training={epochs: 30}"),
    *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"),
]
SECONDS_AT_MOST = 400


@dataclass
class Faults:
    """What is done to jobs while they run, each to the first job of its kind: a teacher hangs, a training is killed."""

    cluster: Cluster
    project: Path
    struck: dict[str, str] = field(default_factory=dict)
    """The number of the job that each fault struck."""

    def strike(self) -> None:
        """Do what is to be done to the jobs that run now."""
        for job in self.cluster.jobs():
            if job.state == "RUNNING" and job.rule not in self.struck:
                if job.rule == "ask_teacher" and self.signal(job, signal.SIGSTOP):
                    self.cluster.command("scontrol", "update", f"JobId={job.number}", "EndTime=now+1")
                    self.struck[job.rule] = job.number
                if job.rule == "train_student" and self.has_checkpoint() and self.signal(job, signal.SIGKILL):
                    self.struck[job.rule] = job.number

    def has_checkpoint(self) -> bool:
        """Tell whether training left a checkpoint to go on from."""
        return any(self.project.glob("results/store/unfinished/*/checkpoint-*/trainer_state.json"))

    def signal(self, job: Job, number: int) -> bool:
        """Send a signal to the processes of a job that run one of our scripts; tell whether there were any."""
        with suppress(subprocess.CalledProcessError, ProcessLookupError):
            rows = [row.split() for row in self.cluster.command("scontrol", "listpids", job.number).splitlines()[1:]]
            scripts = [pid for pid in {int(row[0]) for row in rows} if self.runs_script(pid)]
            for pid in scripts:
                os.kill(pid, number)
            return bool(scripts)
        return False

    def runs_script(self, pid: int) -> bool:
        """Tell whether a process runs a script of the workflow, and not the Snakemake around it."""
        with suppress(FileNotFoundError):
            return b".py\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with slurm(tmp_path_factory.mktemp("slurm")) as running:
        yield running


def run(cluster: Cluster, project: Path, meanwhile: Callable[[], None]) -> str:
    """Run Snakemake on the cluster, call `meanwhile` again and again, and return what Snakemake said."""
    said = project / "said.txt"
    with said.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, SNAKEMAKE, *ARGUMENTS],
            cwd=project,
            env=cluster.environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
        )
        end = time.monotonic() + SECONDS_AT_MOST
        while process.poll() is None and time.monotonic() < end:
            meanwhile()
            time.sleep(0.3)
        process.terminate()
    assert process.wait() == 0, said.read_text()
    return said.read_text()


@pytest.fixture(scope="module")
def finished(cluster: Cluster, project: Path) -> tuple[str, Faults]:
    config = project / "config.yaml"
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | FEW_SCENARIOS))
    faults = Faults(cluster, project)
    start = time.monotonic()
    said = run(cluster, project, faults.strike)
    print(f"\nthe reduced smoke preset took {time.monotonic() - start:.0f} s under Slurm, with two jobs killed")
    for job in cluster.jobs():
        print(job)
    return said, faults


def of_rule(cluster: Cluster, *rules: str) -> list[Job]:
    return [job for job in cluster.jobs() if job.rule in rules]


def test_the_experiment_ends_with_its_report(finished, project):
    said, _ = finished
    assert "| in_sample | **all** |" in " ".join(said.split())
    assert (project / RESULTS / "report.html").exists()
    summary = json.loads((project / RESULTS / "alignment" / "summary.json").read_text())
    assert set(summary["headlines"]) == {"in_sample", "new_contexts"}


def test_steps_with_a_model_ask_for_one_gpu_and_the_others_for_none(finished, cluster):
    assert {job.rule for job in cluster.jobs()} == {*MODEL_RULES, "score_game", "summarize"}
    assert {job.gpus for job in of_rule(cluster, *MODEL_RULES)} == {1}
    assert {job.gpus for job in of_rule(cluster, "score_game", "summarize")} == {0}


def test_time_and_memory_are_asked_for_rule_by_rule(finished, cluster):
    _, faults = finished
    undisturbed = [job for job in cluster.jobs() if job.rule not in faults.struck]
    assert {(job.minutes, job.memory_mb) for job in undisturbed if job.rule == "ask_student"} == {(7, 1500)}
    assert {(job.minutes, job.memory_mb) for job in undisturbed if job.rule == "score_game"} == {(10, 1000)}
    assert {job.cores for job in undisturbed} == {1}


def test_a_job_past_its_time_limit_is_tried_again_with_more_time(finished, cluster):
    _, faults = finished
    jobs = of_rule(cluster, "ask_teacher")
    states = {job.number: job.state for job in jobs}
    assert states.pop(faults.struck["ask_teacher"]) == "TIMEOUT"
    assert sorted(states.values()) == ["COMPLETED", "COMPLETED"]
    assert sorted((job.minutes, job.memory_mb) for job in jobs if job.state == "COMPLETED") == [(7, 1500), (14, 3000)]


def test_a_killed_training_is_tried_again_and_goes_on_from_its_checkpoint(finished, cluster, project):
    _, faults = finished
    first, second = of_rule(cluster, "train_student")
    assert (first.number, first.state) == (faults.struck["train_student"], "FAILED")
    assert (second.state, second.minutes) == ("COMPLETED", 14)
    assert "on from checkpoint-" in (project / RESULTS / "logs" / "train_student" / "transfer-1.log").read_text()
    log = pl.read_csv(project / RESULTS / "student" / "transfer-1" / "training_log.csv")
    assert log["step"].to_list() == list(range(1, log["step"].max() + 1))
    assert not [path for path in (project / "results/store/unfinished").iterdir() if path.is_dir()]


def test_the_queue_is_asked_and_no_accounting_database(finished):
    said, _ = finished
    assert "Falling back to 'sacct'" not in said
    assert "Unable to get the status" not in said


def test_a_job_uses_the_gpu_that_slurm_gave_it(finished, project):
    for log in (project / RESULTS / "logs").glob("ask_*/*.log"):
        assert "GPUs of this job: 0\n" in log.read_text()
