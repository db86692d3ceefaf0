"""Secrets in the environment stay there: a whole run with canaries leaves none behind, in no file and in no message."""

import os
from pathlib import Path

import pytest
import yaml

from project import run_snakemake

pytestmark = pytest.mark.slow

CANARY = "canary-31415926"
SECRETS = (
    *("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "WANDB_API_KEY"),
    *("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "PIP_PASSWORD", "MY_PASSWORD"),
)
SMOKE = ("--configfile", "presets/smoke.yaml", "--config", "teacher={model: planted-teacher}")


@pytest.fixture(scope="module")
def said(project: Path) -> str:
    """Run a small experiment to its report, verbosely, then once more so that it fails, and return what was said."""
    config = yaml.safe_load((project / "config.yaml").read_text())
    config |= {
        "games": ["stag_hunt"],
        "splits": {"in_sample": {"contexts": ["team", "business"]}},
        "comprehension": [],
    }
    (project / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.MonkeyPatch.context() as patch:
        for name in SECRETS:
            patch.setenv(name, f"{name}-{CANARY}")
        done = run_snakemake(project, "--cores", "all", "--verbose", "--printshellcmds", *SMOKE)
        assert done.returncode == 0, done.stdout
        with (project / "results/models/random-student/model.safetensors").open("r+b") as weights:
            weights.truncate(10_000)
        failed = run_snakemake(
            project, "--cores", "all", "--verbose", "--printshellcmds", *SMOKE, "training={epochs: 2}"
        )
        assert failed.returncode != 0
    return done.stdout + failed.stdout


def test_the_run_was_whole_and_its_failure_was_told(said: str, project: Path) -> None:
    assert (project / "results/smoke/report.html").stat().st_size > 0
    assert "to have it fetched again" in said


def test_no_secret_is_said(said: str) -> None:
    assert CANARY not in said


def test_no_secret_is_in_any_file(said: str, project: Path) -> None:
    files = [file for file in project.rglob("*") if file.is_file()]
    assert [file for file in files if file.suffix == ".log"]
    assert any(".snakemake" in file.parts for file in files)
    assert not [file for file in files if CANARY.encode() in file.read_bytes()]
    assert not [name for name in os.environ if CANARY in os.environ[name]]
