"""What an edit costs: the jobs that run after it, the rows that are computed again, and nothing that is left stale.

`all_pairs.py` does for every edit and every pair of them what is done for some of them here.
"""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from project import plan
from reduced import (
    EDITS,
    computations,
    copy_with_results,
    edited_copy,
    run_again,
    run_from_scratch,
    setting,
)

SCORED = {"check_answers": 1, "score_amount": 1, "score_game": 2, "summarize": 1, "plot": 1, "tabulate": 1, "report": 1}
TRAINED = {"train_student": 1, "ask_student": 1, **SCORED}
TAUGHT = {"ask_teacher": 2, "assemble_training": 1, **TRAINED}
ANEW = {"check_models": 1, **TAUGHT, "ask_student": 2}
PLANS = {
    "a payoff": {"render_prompts": 1, **ANEW, "ask_teacher": 1},
    "a context's text": {"render_prompts": 2, **ANEW},
    "the prompt template": {"render_prompts": 2, **ANEW},
    "more answers": {"ask_teacher_amount": 1, **TAUGHT, "ask_student": 2},
    "temperature": {"ask_teacher_amount": 1, **TAUGHT, "ask_student": 2},
    "a new context": {"render_prompts": 2, **ANEW},
    "a new game": {
        "check_models": 1,
        "render_prompts": 1,
        **TAUGHT,
        "ask_teacher": 1,
        "ask_student": 2,
        "score_game": 3,
    },
    "a removed game": {"check_models": 1, "assemble_training": 1, **TRAINED, "ask_student": 2, "score_game": 1},
    "LoRA rank": TRAINED,
    "epochs": TRAINED,
    "another seed": TRAINED,
    "one more seed": TRAINED,
    "another arm": {"assemble_training": 1, **TRAINED},
    "figure style": {"plot": 1, "report": 1},
    "a measure": {"score_published": 1, **SCORED},
    "the student's revision": {**TRAINED, "ask_student": 2},
    "the training's revision": TRAINED,
    "the teacher's revision": {"ask_teacher_amount": 1, **TAUGHT},
    "the teacher's content": {"fetch_model": 1, "check_models": 1, "ask_teacher_amount": 1, **TAUGHT},
    "a context's name": {
        "fetch_model": 1,
        "check_models": 1,
        "ask_teacher_amount": 1,
        "render_prompts": 2,
        **TAUGHT,
        "ask_student": 2,
    },
}
"""Jobs that are planned after each edit. One that finds every row it wants computes nothing and loads no model."""


@pytest.fixture(scope="module")
def plans(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    """What is planned after each edit, dry runs being made two at a time."""
    folder = tmp_path_factory.mktemp("edited")
    projects = {name: edited_copy(finished, folder / str(number), [name]) for number, name in enumerate(EDITS)}
    with ThreadPoolExecutor(2) as workers:
        return dict(zip(projects, workers.map(plan, projects.values()), strict=True))


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_plans_these_jobs_and_no_others(plans, name):
    assert plans[name] == +Counter(PLANS[name])


def test_a_check_runs_alone_and_hides_no_other_reason(finished, tmp_path):
    project = copy_with_results(finished, tmp_path / "edited")
    setting("training.lora", {"targets": ["q_proj"]})(project)
    assert plan(project) == +Counter({"check_models": 1, **TRAINED})
    setting("training.held_back_share", 0.4)(project)
    assert plan(project) == +Counter({"check_models": 1, "assemble_training": 1, **TRAINED})
    setting("temperature", 0.9)(project)
    assert plan(project) == +Counter({"ask_teacher_amount": 1, **ANEW})


def remark_in_template(project: Path) -> None:
    template = project / "scenarios/prompts/english/two_actions/user.j2"
    template.write_text(template.read_text() + "{# a remark #}")


def remark_in_gpu_code(project: Path) -> None:
    for name in ("tomtransfer/inference/token_tree.py", "tomtransfer/training/trainer.py", "scripts/ask.py"):
        path = project / "workflow" / name
        path.write_text(path.read_text() + "\n# a remark\n")


def batch_size_and_device(project: Path) -> None:
    setting("compute", {"device": "cpu", "tokens_per_batch": 300, "threads": 2, "gpu": 0})(project)


def touch_everything(project: Path) -> None:
    for path in sorted(project.rglob("*")):
        if path.is_file() and ".snakemake" not in path.parts:
            path.touch()


def clone_afresh(project: Path) -> None:
    """Leave the results as they are, with their times, beside files that were written just now; no records are left."""
    shutil.rmtree(project / ".snakemake")
    for path in sorted(project.rglob("*")):
        if path.is_file() and "results" not in path.parts:
            path.touch()


@pytest.mark.parametrize(
    "edit", [remark_in_template, remark_in_gpu_code, batch_size_and_device, touch_everything, clone_afresh]
)
def test_what_changes_no_result_reruns_no_job(finished, tmp_path, edit):
    project = copy_with_results(finished, tmp_path / "edited")
    edit(project)
    assert plan(project) == {}


def recomputed(before: Path, after: Path) -> Counter[str]:
    """Return how many rows of each table were computed after an edit."""
    known, found = computations(before), computations(after)
    return Counter(table for table, key in found if found[table, key] != known.get((table, key)))


def rows_of(name: str, choices: int, answers: int, comprehension: int = 0, **others: int) -> dict[str, int]:
    """Return numbers of rows by table, as the tables of one game or one student are called."""
    tables = {"": choices, ".answers": answers, ".comprehension": comprehension}
    tables |= {f".{table}": count for table, count in others.items()}
    return {f"{name}{table}.parquet": count for table, count in tables.items() if count}


# Two games in three contexts, two of them in sample; two frames, both trained on. Two answers are drawn in the first
# frame, three motivations for each choice in both. In one context there are six questions about the payoffs of each
# game. The donation game adds an amount, its drawn answers, and four questions.
TUNED = rows_of("student/transfer-1", 12, 14, 16, amounts=1)
ROWS = {
    ("figure style",): {},
    ("more answers",): {
        **rows_of("teacher/prisoners_dilemma", 0, 3),
        **rows_of("teacher/stag_hunt", 0, 3),
        **rows_of("teacher/donation", 0, 1),
        **rows_of("student/base", 0, 7),
        **rows_of("student/transfer-1", 0, 7),
    },
    ("the teacher's revision",): {
        **rows_of("teacher/prisoners_dilemma", 6, 6, 6, motivations=12),
        **rows_of("teacher/stag_hunt", 6, 6, 6, motivations=12),
        **rows_of("teacher/donation", 0, 2, 4, amounts=1),
    },
    ("a context's text",): {
        **rows_of("teacher/prisoners_dilemma", 2, 2, motivations=6),
        **rows_of("teacher/stag_hunt", 2, 2, motivations=6),
        **rows_of("student/base", 4, 4),
        **TUNED,
    },
    ("LoRA rank", "a measure"): TUNED,
    ("a payoff", "a new context"): {
        **rows_of("teacher/prisoners_dilemma", 2, 2),
        **rows_of("teacher/stag_hunt", 8, 8, 6, motivations=12),
        **rows_of("student/base", 10, 10, 6),
        **rows_of("student/transfer-1", 16, 18, 16, amounts=1),
    },
    ("temperature", "a removed game"): {
        **rows_of("teacher/stag_hunt", 6, 6, 6, motivations=12),
        **rows_of("teacher/donation", 0, 2, 4, amounts=1),
        **rows_of("student/base", 6, 8, 10, amounts=1),
        **rows_of("student/transfer-1", 6, 8, 10, amounts=1),
    },
}
"""Rows that are computed again after edits, by table; all others are kept."""

REWORDED = ("a context's text",)
"""The edit after which other tests look at the same run."""

LONG = [
    REWORDED,
    ("the teacher's revision",),
    ("LoRA rank", "a measure"),
    ("a payoff", "a new context"),
    ("temperature", "a removed game"),
]
"""Edits that are left to `make test-slow`."""


FEW = [pytest.param(names, marks=[pytest.mark.slow] if names in LONG else []) for names in ROWS]


@pytest.mark.parametrize("names", FEW, ids=" and ".join)
def test_one_run_computes_these_rows_again_and_no_others(finished, request, tmp_path, names):
    if names == REWORDED:
        edited = request.getfixturevalue("reworded")
    else:
        edited = edited_copy(finished, tmp_path / "edited", names)
        run_again(edited)
    assert recomputed(finished, edited) == ROWS[names]
    if len(names) > 1:
        run_from_scratch(edited, tmp_path / "scratch")
