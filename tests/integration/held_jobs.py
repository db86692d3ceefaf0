"""Jobs that wait where a test wants them, so that no test has to be quicker than a job."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kill_loop import jobs_of

WAITS = "waiting until it is done"


@contextmanager
def held(project: Path, job: str) -> Iterator[None]:
    """Have a job wait as for an older self until this is left; it is called by its log, as in ask_teacher/stag_hunt."""
    log = log_of(project, job)
    with log.with_name(f".{log.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Have a process stand still until this is left."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


def process_of(snakemake: subprocess.Popen[bytes], project: Path, job: str, words: str) -> int:
    """Return the process of a job once it has said some words; its log is what it is known by."""
    log = log_of(project, job)
    while snakemake.poll() is None:
        for process in jobs_of(snakemake):
            with suppress(OSError):  # it may end at any moment
                files = {file.readlink() for file in Path(f"/proc/{process}/fd").iterdir()}
                if log in files and words in log.read_text():
                    return process
        time.sleep(0.1)
    raise AssertionError(f"{job} was over before it was seen: {(project / 'output.log').read_text()}")


def log_of(project: Path, job: str) -> Path:
    """Return the log of a job."""
    return (project / "results" / "logs" / f"{job}.log").resolve()
