"""Large grids: how dry runs grow, and that 10,000 scenarios are answered, scored and shown in little memory.

No model is asked: the teacher is planted, the student's answers are made up beside the teacher's.
"""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from project import copy_project, plan, processor_seconds, run_snakemake, timed_plan
from tomtransfer.report.typesetting import FIRST_ROWS

RESULTS = Path("results")
MEGABYTES_AT_MOST = 2000
JOBS_AT_MOST = 60
# Measured on two idle cores: 1.3 s, 1.4 s and 2.8 s. The bounds leave room for a busy machine.
SECONDS_AT_MOST = {100: 4, 1_000: 15, 10_000: 60}
SECONDS_AT_MOST_TO_SCORE = 300
SECONDS_AT_MOST_TO_SHOW = 120
MEGABYTES_OF_PAGE_AT_MOST = 3


def large_project(folder: Path, games: int, contexts: int) -> Path:
    """Write a project with a grid of games and contexts, half of them trained on, and a teacher that is known."""
    project = copy_project(folder)
    names = [f"game{number}" for number in range(games)], [f"context{number}" for number in range(contexts)]
    scenarios = project / "scenarios"
    game = yaml.safe_load((scenarios / "games/stag_hunt.yaml").read_text())
    context = (scenarios / "contexts/team.yaml").read_text()
    for number, name in enumerate(names[0], start=1):
        payoffs = {"reward": 10 * number, "temptation": 5 * number, "punishment": 3 * number, "sucker": 2 * number}
        (scenarios / f"games/{name}.yaml").write_text(yaml.safe_dump(game | {"payoffs": payoffs}))
    for number, name in enumerate(names[1]):
        (scenarios / f"contexts/{name}.yaml").write_text(context.replace("you: ", f"you: In room {number}, ", 1))
    trained, new = names[1][: contexts // 2], names[1][contexts // 2 :]
    config = yaml.safe_load((project / "config.yaml").read_text())
    config |= {
        "games": names[0],
        "splits": {"in_sample": {"contexts": trained}, "new_contexts": {"contexts": new}},
        "frames": {name: config["frames"][name] for name in ("canonical", "swapped")},
        "choices": "exact",
        "comprehension": [],
        "teacher": {"model": "planted-teacher"},
        "student": {"model": "random-student"},
        "scoring": {"bootstrap_draws": 100},
        "compute": {"gpu": 0},
    }
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    registry = yaml.safe_load((project / "models.yaml").read_text())
    registry["planted-teacher"]["social_weights"] = {name: number / contexts for number, name in enumerate(names[1])}
    (project / "models.yaml").write_text(yaml.safe_dump(registry, sort_keys=False))
    return project


@pytest.mark.parametrize(("games", "contexts"), [(10, 10), (10, 100), (10, 1000)])
def test_planning_takes_no_more_jobs_and_little_more_time_on_a_larger_grid(tmp_path, games, contexts):
    project = large_project(tmp_path, games, contexts)
    jobs, seconds = timed_plan(project)
    print(f"\na dry run of {games * contexts} scenarios took {seconds:.1f} s")
    assert jobs["render_prompts"] == games
    assert sum(jobs.values()) < JOBS_AT_MOST
    assert seconds < SECONDS_AT_MOST[games * contexts]


PLANE = {"kind": "plane", "title": "Large plane"}
REGIONS = {
    "in_sample": {"contexts": ["neutral"]},
    "unseen_games": {"contexts": ["neutral"], "share": 0.2},
    "corner": {"contexts": ["neutral"], "where": "sucker >= 80 and temptation >= 80"},
}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one plane of 10,000 games."""
    project = copy_project(tmp_path_factory.mktemp("plane"))
    payoffs = {"reward": 50, "punishment": 25, "sucker": "0..99", "temptation": "0..99"}
    (project / "scenarios/games/large_plane.yaml").write_text(yaml.safe_dump(PLANE | {"payoffs": payoffs}))
    config = yaml.safe_load((project / "config.yaml").read_text())
    config |= {
        "games": ["large_plane"],
        "splits": REGIONS,
        "frames": {name: config["frames"][name] for name in ("canonical", "swapped")},
        "choices": "exact",
        "comprehension": [],
        "teacher": {"model": "planted-teacher", "question": "answer_only"},
        "student": {"model": "random-student", "question": "answer_only"},
        "compute": {"gpu": 0},
    }
    (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return project


def test_a_plane_of_10_000_games_is_planned_in_few_jobs_and_little_time(plane):
    jobs, seconds = timed_plan(plane)
    print(f"\na dry run of a plane of 10,000 games took {seconds:.1f} s")
    assert jobs["render_prompts"] == jobs["ask_teacher"] == jobs["measure_plane"] == 1
    assert sum(jobs.values()) < JOBS_AT_MOST
    assert seconds < SECONDS_AT_MOST[10_000]


@pytest.mark.slow
def test_a_plane_of_10_000_games_is_answered_and_measured_within_2_gb_and_minutes(plane):
    seconds = run(plane, f"{RESULTS}/training/transfer.parquet")
    rows = pl.read_parquet(plane / RESULTS / "teacher/large_plane.parquet")
    assert len(rows) == 20_000
    make_up_students(plane)
    tables = f"{RESULTS}/tables/games_of_large_plane.csv"
    seconds += run(plane, tables, "--allowed-rules", "measure_plane")
    assert pl.read_csv(plane / tables)["split"].value_counts(sort=True)["split"].to_list() == list(REGIONS)
    print(f"\na plane of 10,000 games: asked and measured in {seconds:.0f} s, {most_memory(plane):.0f} MB at most")
    assert most_memory(plane) < MEGABYTES_AT_MOST
    assert seconds < SECONDS_AT_MOST_TO_SCORE


def run(project: Path, *arguments: str) -> float:
    """Run Snakemake and return how many seconds it took."""
    start = processor_seconds()
    done = run_snakemake(project, "--cores", "all", *arguments)
    assert done.returncode == 0, done.stdout[-5_000:]
    return processor_seconds() - start


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A project of 10,000 scenarios whose prompts are rendered and answered, and how many seconds that took."""
    project = large_project(tmp_path_factory.mktemp("large"), games=4, contexts=2_500)
    return project, run(project, f"{RESULTS}/training/transfer.parquet")


def most_memory(project: Path) -> float:
    """Return the most memory that any job had, in MB."""
    tables = [pl.read_csv(path, separator="\t") for path in (project / RESULTS / "benchmarks").rglob("*.tsv")]
    return max(float(table["max_rss"].cast(pl.Float64, strict=False).max() or 0) for table in tables)


def make_up_students(project: Path) -> None:
    """Write answers of the student, which only half follows the teacher: before training less than after."""
    folder = project / RESULTS / "teacher"
    choices = [path for path in sorted(folder.glob("*.parquet")) if "." not in path.stem]
    teacher = pl.concat([pl.read_parquet(path) for path in choices])
    log_odds = np.log(teacher["cooperate"].to_numpy() / teacher["defect"].to_numpy())
    noise = np.random.default_rng(0).normal(0, 0.3, len(teacher))
    (project / RESULTS / "student").mkdir(exist_ok=True)
    for variant, share in {"base": 0.1, "transfer-1": 0.5}.items():
        rate = 1 / (1 + np.exp(-share * log_odds - noise))
        answers = teacher.with_columns(cooperate=pl.Series(0.9 * rate), defect=pl.Series(0.9 * (1 - rate)), other=0.1)
        answers.write_parquet(project / RESULTS / "student" / f"{variant}.parquet")
        for kind in ("answers", "comprehension"):
            empty = pl.read_parquet(choices[0].with_suffix(f".{kind}.parquet"))
            empty.write_parquet(project / RESULTS / "student" / f"{variant}.{kind}.parquet")


@pytest.fixture(scope="module")
def scored(asked: tuple[Path, float]) -> tuple[Path, float]:
    """The same project with its scores, and how many seconds it took from the prompts to here."""
    project, seconds = asked
    make_up_students(project)
    targets = ["summary.csv", *(f"game{number}.json" for number in range(4))]
    seconds += run(
        project,
        *(f"{RESULTS}/alignment/{target}" for target in targets),
        *("--allowed-rules", "score_game", "summarize", "check_answers"),
    )
    return project, seconds


@pytest.mark.slow
def test_10_000_scenarios_are_rendered_answered_and_scored_within_2_gb_and_minutes(scored):
    large, seconds = scored
    rows = sum(len(pl.read_parquet(path)) for path in (large / RESULTS / "teacher").glob("game?.parquet"))
    assert rows == 20_000
    memory = most_memory(large)
    print(f"\n10,000 scenarios: asked and scored in {seconds:.0f} s, {memory:.0f} MB at most")
    assert memory < MEGABYTES_AT_MOST
    assert seconds < SECONDS_AT_MOST_TO_SCORE


@pytest.mark.slow
def test_10_000_scenarios_are_drawn_and_reported_within_2_gb_and_seconds(scored):
    large, _ = scored
    results = large / RESULTS
    (results / "student/transfer-1").mkdir()
    (results / "student/transfer-1/training_log.csv").write_text("step,loss,evaluation_loss\n1,2.5,2.5\n2,2.0,2.25\n")
    (results / "student/transfer-1/training.json").write_text("{}")
    for variant in ("base", "transfer-1"):
        (results / f"student/{variant}.examined.json").write_text('{"examinations": []}')
    seconds = run(
        large,
        *(f"{RESULTS}/report.html", f"{RESULTS}/tables/cooperation.csv"),
        *("--allowed-rules", "score_published", "plot", "tabulate", "report"),
    )
    memory, page = most_memory(large), (results / "report.html").stat().st_size / 1e6
    print(f"\n10,000 scenarios: shown in {seconds:.0f} s, {memory:.0f} MB at most, on a page of {page:.0f} MB")
    assert len(pl.read_csv(results / "tables/cooperation.csv")) == 10_000
    text = (results / "report.html").read_text()
    for said in (
        "In sample, 1,250 contexts",
        "20 groups: median",
        f"first {FIRST_ROWS} of 10,000 rows",
        "of 20,000 prompts",
    ):
        assert said in text
    assert page < MEGABYTES_OF_PAGE_AT_MOST
    assert memory < MEGABYTES_AT_MOST
    assert seconds < SECONDS_AT_MOST_TO_SHOW


def test_a_finished_grid_is_planned_as_fast_and_one_context_is_rendered_again_game_by_game(asked):
    large, _ = asked
    jobs, seconds = timed_plan(large, f"{RESULTS}/training/transfer.parquet")
    assert jobs == {}
    print(f"\na dry run of 10,000 finished scenarios took {seconds:.1f} s")
    assert seconds < SECONDS_AT_MOST[10_000]
    context = large / "scenarios/contexts/context7.yaml"
    context.write_text(context.read_text().replace("In room 7,", "On floor 7,"))
    jobs = plan(large, f"{RESULTS}/training/transfer.parquet")
    assert jobs == {"render_prompts": 4, "check_models": 1, "ask_teacher": 4, "assemble_training": 1}
