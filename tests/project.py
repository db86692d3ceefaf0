"""A copy of the project to run Snakemake in, and what a run says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PARTS = ("Snakefile", "workflow", "config.yaml", "models.yaml", "scenarios", "profiles", "presets", "envs")

PRICED = """
hosted:
  source: endpoint
  base_url: http://127.0.0.1:9/v1
  model: hosted
  revision: "1"
  prices: {prompt: 1.0, answer: 2.0}
"""
"""An entry of the registry that has prices; nobody answers at its address."""


def copy_project(folder: Path) -> Path:
    """Copy what makes the workflow, and nothing that it made, into `folder`."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / part, folder / part)
    return folder


def run_snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Snakemake in `folder` and return how it ended, with all it said in `stdout`."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def planned_jobs(output: str) -> dict[str, int]:
    """Return how many jobs of each rule a dry run plans, `all` left out."""
    if "Nothing to be done" in output:
        return {}
    table = re.search(r"^job +count\n-+ +-+\n(.*?)^total", output, re.MULTILINE | re.DOTALL)
    assert table, output
    jobs = {name: int(count) for name, count in (line.split() for line in table[1].splitlines())}
    jobs.pop("all", None)
    return jobs


def plan(folder: Path, *arguments: str) -> dict[str, int]:
    """Return how many jobs of each rule would run."""
    done = run_snakemake(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout
    return planned_jobs(done.stdout)


def processor_seconds() -> float:
    """Return the time that processors spent on this process and on those it waited for, whatever else they did."""
    return sum(os.times()[:4])


def timed_plan(folder: Path, *arguments: str) -> tuple[dict[str, int], float]:
    """Return how many jobs of each rule would run, and the seconds of processor that it takes to tell.

    These are the less of two tries, since a processor that is shared works more slowly.
    """
    seconds = []
    for _ in range(2):
        start = processor_seconds()
        jobs = plan(folder, *arguments)
        seconds.append(processor_seconds() - start)
    return jobs, min(seconds)
