"""Runs of the workflow that several tests look at."""

from pathlib import Path

import pytest

from project import copy_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("project"))
