"""Runs of the workflow that several tests look at."""

from pathlib import Path

import pytest

from project import copy_project
from reduced import reduced_project, run_to_the_end


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reduced experiment, run to its end; tests work on copies of it."""
    project = reduced_project(tmp_path_factory.mktemp("finished"))
    run_to_the_end(project)
    return project
