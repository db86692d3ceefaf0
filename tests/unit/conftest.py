"""A tiny model with random weights, as the registry makes it."""

from pathlib import Path

import pytest

from tomtransfer.models.fetching import fetch
from tomtransfer.models.registry import Random


@pytest.fixture(scope="session")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("models") / "random"
    fetch("random", Random(source="random", hidden_size=32, layers=2, heads=4), directory)
    return directory
