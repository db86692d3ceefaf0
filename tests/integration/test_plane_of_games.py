"""A plane of games goes through the whole workflow, and an edit of a game or of a region reaches what depends on it."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from project import plan, run_snakemake
from reduced import computations, reduced_project, run_again, run_to_the_end, setting

pytestmark = pytest.mark.slow

LETTERS = ["A", "B", "E", "F"]
FRAMES = {
    "canonical": {"cooperate": "X", "defect": "Y", "labels": LETTERS},
    "swapped": {"cooperate": "Y", "defect": "X", "labels": LETTERS},
    "new_letters": {"cooperate": "C", "defect": "D", "held_out": True},
}
SPLITS = {
    "in_sample": {"contexts": ["neutral"], "frames": ["canonical", "swapped"]},
    "unseen_games": {"contexts": ["neutral"], "share": 0.3, "frames": list(FRAMES)},
    "corner": {"contexts": ["neutral"], "where": "sucker > 2 and temptation > 11"},
}
ONE = "mine.S3_T12"
POINTS = [(sucker, temptation) for sucker in range(4) for temptation in range(9, 14)]


def write_games(project: Path, points: list[tuple[float, float]]) -> None:
    rows = "".join(f"10,{sucker:g},{temptation:g},5\n" for sucker, temptation in points)
    (project / "scenarios/games/mine.csv").write_text(f"reward,sucker,temptation,punishment\n{rows}")


Asked = dict[tuple[str, str], str]


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment on twenty games of a table, of a planted teacher and a random student, asked about one game."""
    project = reduced_project(tmp_path_factory.mktemp("plane") / "project")
    content = yaml.safe_load((project / "config.yaml").read_text())
    content |= {"games": ["mine"], "splits": SPLITS, "frames": FRAMES, "choices": "exact", "comprehension": []}
    (project / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    game = {"kind": "plane", "title": "Mine", "table": {"path": "games/mine.csv"}}
    (project / "scenarios/games/mine.yaml").write_text(yaml.safe_dump(game))
    write_games(project, POINTS)
    one = (f"results/teacher/{ONE}.parquet", f"results/student/base.{ONE}.parquet")
    done = run_snakemake(project, "--cores", "all", *one)
    assert done.returncode == 0, done.stdout
    return project


@pytest.fixture(scope="module")
def asked_of_one(begun: Path) -> Asked:
    """The computations by which the one game was answered."""
    return computations(begun)


@pytest.fixture(scope="module")
def played(begun: Path, asked_of_one: Asked) -> Path:
    """The same experiment, finished."""
    assert asked_of_one
    run_to_the_end(begun)
    return begun


def games_by_split(project: Path) -> dict[str, set[str]]:
    table = pl.read_csv(project / "results/tables/games_of_mine.csv")
    return {split: set(table.filter(split=split)["game"]) for split in table["split"].unique()}


def test_every_game_is_asked_measured_and_shown(played: Path) -> None:
    games = games_by_split(played)
    assert set(games) == set(SPLITS)
    assert sum(map(len, games.values())) == len(POINTS)
    assert games["corner"] == {"neutral S3 T12", "neutral S3 T13"}
    teacher = pl.read_parquet(played / "results/teacher/mine.parquet")
    unseen = len(games["unseen_games"])
    assert len(teacher) == 2 * len(POINTS) + unseen
    measured = json.loads((played / "results/alignment/mine.plane.json").read_text())
    assert [each["split"] for each in measured["surfaces"]] == list(SPLITS)
    errors = {(row["split"], row["policy"]): row["error"] for row in measured["errors"]}
    assert errors["unseen_games", "logit"] < errors["unseen_games", "fair_coin"]
    report = (played / "results/report.html").read_text()
    assert measured["sentences"][0].split(";")[0] in report.replace("&#39;", "'")
    assert "<title>R 10, S 3, T 12, P 5; corner; teacher 0." in report
    examples = pl.read_parquet(played / "results/training/transfer.parquet")
    assert set(examples["context"]) == games["in_sample"]


def test_the_teacher_alone_has_a_map_of_its_own(played: Path) -> None:
    done = run_snakemake(played, "--cores", "all", "teacher")
    assert done.returncode == 0, done.stdout
    report = (played / "results/teacher/report.html").read_text()
    assert "<title>R 10, S 3, T 12, P 5; corner; teacher 0." in report
    assert "student after training" not in (played / "results/teacher/figures/surface_of_mine.svg").read_text()


def new_rows(project: Path, before: dict[tuple[str, str], str], table: str) -> int:
    """Count the rows of a table of answers that were computed since `before`."""
    return sum(place[0] == table and place not in before for place in computations(project))


def test_one_game_is_a_target_of_its_own_and_no_other_is_asked(begun: Path, asked_of_one: Asked) -> None:
    assert {table for table, _ in asked_of_one} == {f"teacher/{ONE}.parquet", f"student/base.{ONE}.parquet"}
    assert len(asked_of_one) == 2 * 2
    for name in (f"teacher/{ONE}", f"student/base.{ONE}"):
        assert set(pl.read_parquet(begun / f"results/{name}.parquet")["context"]) == {"neutral S3 T12"}


def test_what_one_game_was_asked_is_not_asked_again_with_the_others(played: Path, asked_of_one: Asked) -> None:
    known = {key: computation for (_, key), computation in asked_of_one.items()}
    found = {key: computation for (_, key), computation in computations(played).items() if key in known}
    assert found == known


def test_the_table_of_one_game_has_every_model_in_every_frame(played: Path) -> None:
    target, before = f"results/tables/{ONE}.csv", set(computations(played).values())
    assert plan(played, target) == {"ask_student_one_game": 1, "tabulate_one_game": 1}
    done = run_snakemake(played, "--cores", "all", target)
    assert done.returncode == 0, done.stdout
    assert set(computations(played).values()) == before
    rows = pl.read_csv(played / target)
    assert rows["model"].to_list() == [model for model in ("teacher", "base", "transfer-1") for _ in range(2)]
    assert rows.select("sucker", "temptation").unique().rows() == [(3, 12)]
    assert rows.select(pl.sum_horizontal("cooperate", "defect", "other")).to_series().to_list() == pytest.approx(
        [1] * 6
    )


def test_a_game_that_the_plane_does_not_have_ends_the_run_in_one_line(played: Path) -> None:
    done = run_snakemake(played, "--dry-run", "results/tables/mine.S3_T99.csv")
    assert done.returncode != 0
    assert "mine.S3_T99: the plane has no such game; it has mine.S0_T9 to mine.S3_T13" in done.stdout


def test_an_edited_game_is_asked_anew_and_no_other(played: Path) -> None:
    games, before = games_by_split(played), computations(played)
    trained = min(games["in_sample"])
    edited = tuple(float(part[1:]) for part in trained.split()[1:])
    write_games(played, [(s + 0.5 if (s, t) == edited else s, t) for s, t in POINTS])
    run_again(played)
    [game] = set.union(*games_by_split(played).values()) - set.union(*games.values())
    frames = 3 if game in games_by_split(played)["unseen_games"] else 2
    for table in ("teacher/mine.parquet", "student/base.parquet"):
        assert new_rows(played, before, table) == frames
    write_games(played, POINTS)
    run_again(played)
    assert computations(played) == before


def test_another_region_trains_anew_and_asks_the_teacher_and_the_untuned_student_nothing(played: Path) -> None:
    before = computations(played)
    setting("splits.corner.where", "sucker > 1 and temptation > 11")(played)
    run_again(played)
    games = games_by_split(played)
    assert games["corner"] == {f"neutral S{s} T{t}" for s in (2, 3) for t in (12, 13)} - games["unseen_games"]
    for table in ("teacher/mine.parquet", "student/base.parquet"):
        assert new_rows(played, before, table) == 0
    assert new_rows(played, before, "student/transfer-1.parquet") > 0
    examples = pl.read_parquet(played / "results/training/transfer.parquet")
    assert set(examples["context"]) == games["in_sample"]


def test_a_game_in_two_splits_ends_the_run_in_one_line(played: Path) -> None:
    setting("splits.corner.where", "sucker > 2")(played)
    setting("splits.edge", {"contexts": ["neutral"], "where": "temptation > 12"})(played)
    done = run_snakemake(played, "--dry-run")
    assert done.returncode != 0
    assert "splits.edge.where: S3 T13 is in splits.corner as well; a game may be in one split" in done.stdout
