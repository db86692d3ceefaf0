"""Jobs on one machine never share a GPU by accident: real processes claim pretend cards."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.gpus import claimed_gpus, visible_gpus

PACKAGE = Path(__file__).parents[3] / "workflow"
JOB = """
import json, os, sys, time
from tomtransfer.models.gpus import claimed_gpus
with claimed_gpus(int(sys.argv[1])) as mine:
    start = time.monotonic()
    print(json.dumps({"gpus": os.environ["CUDA_VISIBLE_DEVICES"], "start": start}), flush=True)
    time.sleep(float(sys.argv[2]))
print(json.dumps({"end": time.monotonic()}))
"""


@pytest.fixture(autouse=True)
def claims(tmp_path, monkeypatch):
    """Claims of their own for the tests, so that they are in the way of no job that really runs here."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")


def start(gpus: int, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", JOB, str(gpus), str(seconds)], stdout=subprocess.PIPE, text=True)


def outcome(job: subprocess.Popen[str]) -> tuple[list[str], float, float]:
    said = {}
    for line in job.communicate(timeout=60)[0].splitlines():
        said |= json.loads(line)
    return said["gpus"].split(","), said["start"], said["end"]


def test_jobs_that_run_at_once_have_different_gpus_and_none_idles():
    jobs = [outcome(job) for job in [start(1, 0.6) for _ in range(7)]]
    for gpus, begin, end in jobs:
        assert len(gpus) == 1
        others = [
            other for other, start_, end_ in jobs if start_ < end and begin < end_ and (start_, end_) != (begin, end)
        ]
        assert gpus not in others
    assert set(Counter(gpus[0] for gpus, _, _ in jobs)) == {"0", "1", "2"}


def test_a_job_has_all_the_gpus_that_it_asks_for_or_waits_without_keeping_any():
    jobs = [outcome(job) for job in [start(2, 0.6), start(2, 0.6), start(2, 0.6)]]
    assert all(len(set(gpus)) == 2 for gpus, _, _ in jobs)
    first, second, third = sorted(jobs, key=lambda job: job[1])
    assert first[2] <= second[1]
    assert second[2] <= third[1]


def test_a_killed_job_gives_its_gpus_back():
    killed = start(3, 60)
    assert json.loads(killed.stdout.readline())["gpus"] == "0,1,2"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    began = time.monotonic()
    outcome(start(3, 0))
    assert time.monotonic() - began < 20


def test_only_gpus_that_the_scheduler_gave_are_taken(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    with claimed_gpus(1) as mine:
        assert mine == ("5",)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-1c/2")
    with claimed_gpus(1) as mine:
        assert mine == ("MIG-1c/2",)


@pytest.mark.parametrize("none", ["", "-1", "-1,0", "NoDevFiles"])
def test_where_no_gpu_can_be_seen_none_is_claimed(monkeypatch, none):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", none)
    with claimed_gpus(1) as mine:
        assert mine == ()
        assert os.environ["CUDA_VISIBLE_DEVICES"] == none


def test_a_job_that_asks_for_none_sees_none_and_the_environment_is_as_before():
    with claimed_gpus(0) as mine:
        assert mine == ()
        assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0,1,2"


def test_more_gpus_than_there_are_is_a_mistake_and_not_a_wait_for_ever():
    with (
        pytest.raises(InputError, match=r"compute.gpu: 4 GPUs are asked for, but only 3 can be seen here"),
        claimed_gpus(4),
    ):
        pass


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """A driver that knows two cards."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '0, GPU-aa'\necho '1, GPU-bb'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program


def test_without_a_scheduler_the_driver_is_asked(driver, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    with claimed_gpus(1) as first:
        assert first == ("GPU-aa",)
        assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-aa"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_two_jobs_whose_own_card_is_called_0_do_not_wait_for_each_other(driver, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with claimed_gpus(1):
        driver.write_text("#!/bin/sh\necho '0, GPU-bb'\n")  # what a job in another container sees
        assert visible_gpus() == {"0": "GPU-bb"}
        assert outcome(start(1, 0))[0] == ["0"]


def test_a_driver_that_does_not_answer_is_no_driver(driver, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    driver.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'\nexit 9\n")
    with claimed_gpus(1) as mine:
        assert mine == ()
