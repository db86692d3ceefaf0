"""Runs of the workflow that several tests look at."""

from pathlib import Path

import pytest
from filelock import FileLock

from project import copy_project
from reduced import reduced_project, run_to_the_end


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The reduced experiment, run to its end, once for all workers; tests work on copies of it."""
    folder = tmp_path_factory.getbasetemp()
    shared = (folder if worker_id == "master" else folder.parent) / "finished"
    with FileLock(shared.with_suffix(".lock")):
        if not (shared / "results/report.html").exists():
            run_to_the_end(reduced_project(shared))
    return shared
