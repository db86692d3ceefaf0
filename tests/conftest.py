"""Shared by the tests: a copy of what people edit, and experiments read as Snakemake reads them."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from reduced import edited_copy, reduced_project, run_again, run_to_the_end
from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.origins import read_experiment

if "PYTEST_XDIST_WORKER" in os.environ:  # before torch is imported: each worker has one core
    os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).parents[1]
EDITED_BY_PEOPLE = ["config.yaml", "models.yaml", "presets", "scenarios"]


LONGEST = (
    *("test_real_models", "test_every_architecture", "test_every_kind_of_student", "test_one_store"),
    *("test_incremental", "test_never_stale", "test_scale", "test_presets_on_tiny_models", "test_slurm"),
    *("test_smoke", "test_faults", "test_recorded_teacher", "test_module", "test_control", "test_failed_jobs"),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker is left alone with one of them at the end."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(LONGEST)))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder for what is made once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@pytest.fixture(scope="session")
def finished(shared: Path) -> Path:
    """The reduced experiment, run to its end, once for all workers; tests work on copies of it."""
    project, done = shared / "finished", shared / "finished.done"
    with FileLock(shared / "finished.lock"):
        if not done.exists():
            run_to_the_end(reduced_project(project))
            done.touch()
    return project


@pytest.fixture(scope="session")
def reworded(shared: Path, finished: Path) -> Path:
    """The same after an edit of a context's text and one more run, once for all workers."""
    project, done = shared / "reworded", shared / "reworded.done"
    with FileLock(shared / "reworded.lock"):
        if not done.exists():
            run_again(edited_copy(finished, project, ["a context's text"]))
            done.touch()
    return project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with copies of the files that people edit, which is also the working directory."""
    for name in EDITED_BY_PEOPLE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name)
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def read(project: Path) -> Callable[..., Experiment]:
    """Read config.yaml of the project, with presets merged over it and over them what `--config` gives."""

    def read_merged(presets: Sequence[str] = (), **given: Any) -> Experiment:
        files = ["config.yaml", *presets]
        config: dict[str, Any] = {}
        for file in files:
            update_config(config, load_configfile(file))
        update_config(config, given)
        return read_experiment(config, [Path(file) for file in files])

    return read_merged
