"""Each test of the workflow has a copy of the project to itself."""

from pathlib import Path

import pytest

from project import copy_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copy_project(tmp_path)
