"""The experiment on its real models, in a reduced setting: two games, two contexts, short motivations."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
import yaml

from project import ROOT, run_snakemake

pytestmark = pytest.mark.slow

REDUCED = {
    # Fetched once for this checkout, here or by `make run`.
    "paths": {"models": str(ROOT / "results" / "models")},
    "games": ["prisoners_dilemma", "stag_hunt"],
    "frames": {"canonical": {}, "swapped": {"cooperate": "D", "defect": "C", "held_out": True}},
    "comprehension": ["village_well"],
    "sampling": {"answers": 3},
    "teacher": {"motivations_per_choice": 2, "motivation_tokens": 12},
    "training": {"epochs": 8, "completions_per_row": 2, "rows_per_step": 1},
    # Beside other tests two threads would wait for each other most of the time.
    "compute": {"threads": 1},
}
CONTEXTS = {"in_sample": ["team", "friend_sharing"], "new_contexts": ["sports"], "doubled_payoffs": ["team"]}


@pytest.fixture(scope="module")
def real(project: Path) -> tuple[Path, str]:
    config = yaml.safe_load((project / "config.yaml").read_text())
    for split, contexts in CONTEXTS.items():
        config["splits"][split]["contexts"] = contexts
    (project / "config.yaml").write_text(
        yaml.safe_dump({**config, **REDUCED, "teacher": {**config["teacher"], **REDUCED["teacher"]}})
    )
    done = run_snakemake(project, "--cores", "all")
    assert done.returncode == 0, done.stdout
    return project, done.stdout


def answers(project: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(project / "results" / f"{name}.parquet")


def test_each_model_is_loaded_once_per_job(real):
    loads = re.findall(r"^[\d:]{8} ([\w -]+): loading (\S+) on cpu in float32, weights (\w+)$", real[1], re.MULTILINE)
    assert sorted(loads) == [
        ("ask_student base", "smollm2-135m-instruct", "nf4"),
        ("ask_student transfer-1", "smollm2-135m-instruct", "nf4"),
        ("ask_teacher prisoners_dilemma", "qwen2.5-coder-0.5b-instruct", "as_stored"),
        ("ask_teacher stag_hunt", "qwen2.5-coder-0.5b-instruct", "as_stored"),
        ("ask_teacher_amount donation", "qwen2.5-coder-0.5b-instruct", "as_stored"),
        ("train_student transfer 1", "smollm2-135m-instruct", "nf4"),
    ]


def test_progress_and_time_left_are_seen(real):
    assert re.search(r"train_student transfer 1: \d+ of \d+ steps, \d+:\d\d elapsed, \d+:\d\d left, loss \d", real[1])


NOT_REACHED = "0.53 in friend_sharing: a label counts only with what follows it, and the letters are swapped"


@pytest.mark.parametrize(
    "frame", ["canonical", pytest.param("swapped", marks=pytest.mark.xfail(reason=NOT_REACHED, strict=True))]
)
def test_the_teacher_answers_with_a_label(real, frame):
    teacher = answers(real[0], "teacher/stag_hunt").filter(frame=frame)
    assert len(teacher) == 4
    assert (teacher["other"] < 0.5).all()


def test_motivations_are_reasons_in_words(real):
    motivations = answers(real[0], "teacher/stag_hunt.motivations")
    assert motivations["motivation"].str.contains(r"[a-z]{3,} [a-z]{2,}").mean() > 0.7
    assert motivations["motivation"].n_unique() > len(motivations) / 2


def test_training_brings_the_student_nearer_to_the_teacher(real):
    project, _ = real
    log = pl.read_csv(project / "results/student/transfer-1/training_log.csv")
    losses = log["evaluation_loss"].drop_nulls()
    assert losses[-1] < losses[0]
    for game in REDUCED["games"]:
        card = json.loads((project / "results/alignment" / f"{game}.json").read_text())
        assert card["splits"]["in_sample"]["measures"]["gap_closed"]["value"] > 0.3
        assert card["provenance"]["teacher"]["model_revision"][0].startswith("1d9614638d18024d")
    assert (answers(project, "student/transfer-1")["other"] < answers(project, "student/base")["other"]).all()


def test_a_second_run_does_nothing(real):
    done = run_snakemake(real[0], "--cores", "all")
    assert "Nothing to be done" in done.stdout
