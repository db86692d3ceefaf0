"""Planes: which games they have, how splits share them out, how their prompts are made, and what is refused."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.framing import Frame
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.kinds import game_hashes, game_kinds, write_game
from tomtransfer.scenarios.plane_prompts import situation_of
from tomtransfer.scenarios.planes import games_of_plane
from tomtransfer.scenarios.questions import read_prompts
from tomtransfer.scenarios.shares import games_of_splits, place_by_hash

Read = Callable[..., Experiment]
PAYOFFS = ("reward", "sucker", "temptation", "punishment")


@pytest.fixture
def plane(read: Read, project: Path) -> Callable[..., Experiment]:
    """Returns a function that returns presets/plane.yaml with its splits changed."""

    def changed(**splits: Any) -> Experiment:
        return read(["presets/plane.yaml"], splits=splits)

    return changed


def write(project: Path, **content: Any) -> Path:
    """Write a plane of its own, and return the folder of the scenarios."""
    text = yaml.safe_dump({"kind": "plane", "title": "Mine", **content})
    (project / "scenarios/games/mine.yaml").write_text(text)
    return project / "scenarios"


def test_the_plane_has_441_games_and_each_is_in_one_split(plane: Callable[..., Experiment]) -> None:
    games = games_of_splits(plane(), "plane")
    assert {split: len(each) for split, each in games.items()} == {"in_sample": 321, "unseen_games": 84, "corner": 36}
    every = Counter(name for each in games.values() for name in each)
    assert set(every.values()) == {1} and len(every) == 441
    assert all(each.sucker >= 15 and each.temptation >= 15 for each in games["corner"].values())
    held_out = {name for name, each in games["unseen_games"].items()}
    assert held_out == {name for name in held_out if place_by_hash(games["unseen_games"][name]) < 0.2}


def test_a_second_share_takes_other_games_and_leaves_the_first_as_it_was(plane: Callable[..., Experiment]) -> None:
    before = games_of_splits(plane(), "plane")
    after = games_of_splits(plane(validation={"contexts": ["neutral"], "share": 0.25}), "plane")
    assert after["unseen_games"] == before["unseen_games"] and after["corner"] == before["corner"]
    assert set(after["validation"]) | set(after["in_sample"]) == set(before["in_sample"])
    assert not set(after["validation"]) & set(after["in_sample"])
    assert 0.2 < len(after["validation"]) / len(before["in_sample"]) < 0.4


def test_a_share_is_the_same_in_a_plane_that_has_only_some_of_the_games(read: Read) -> None:
    large, small = read(["presets/plane.yaml"]), read(["presets/plane_small.yaml"])
    in_large = {
        each
        for games in (games_of_splits(large, "plane")[s] for s in ("unseen_games", "corner"))
        for each in map(place_by_hash, games.values())
    }
    in_small = set(map(place_by_hash, games_of_splits(small, "small_plane")["unseen_games"].values()))
    assert in_small and in_small <= in_large


def test_every_game_is_put_in_its_own_letters_in_four_balanced_frames(
    plane: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment = plane()
    write_game(experiment, "plane", tmp_path / "plane.json")
    prompts = read_prompts([tmp_path / "plane.json"])
    counts = Counter((prompt.split, prompt.frame.startswith("new_letters")) for prompt in prompts)
    assert counts == {
        ("in_sample", False): 4 * 321,
        ("unseen_games", False): 4 * 84,
        ("unseen_games", True): 4 * 84,
        ("corner", False): 4 * 36,
        ("corner", True): 4 * 36,
    }
    assert len({prompt.sha256 for prompt in prompts}) == len(prompts)
    by_game: dict[str, dict[str, tuple[str, str]]] = {}
    for prompt in prompts:
        assert situation_of(prompt.context) == "neutral"
        assert f"S{prompt.payoffs['sucker']:g} T{prompt.payoffs['temptation']:g}" in prompt.context
        by_game.setdefault(prompt.context, {})[prompt.frame] = (prompt.cooperate, prompt.defect)
    for letters in by_game.values():
        one, other = letters["canonical"]
        assert letters["swapped"] == letters["swapped_and_reversed"] == (other, one)
        assert letters["reversed"] == (one, other)
        assert not {one, other} & {"C", "D"}
    cooperate = Counter(letters["canonical"][0] for letters in by_game.values())
    assert len(cooperate) == 20 and max(cooperate.values()) < 3 * min(cooperate.values())


def test_a_table_is_a_plane_as_well_and_an_edit_of_one_game_is_an_edit_of_its_prompts_alone(
    project: Path, read: Read, tmp_path: Path
) -> None:
    table = project / "scenarios/games/mine.csv"
    table.write_text("R,S,T,P,note\n" + "".join(f"10,{s},12,5,x\n" for s in range(8)))
    columns = dict(zip(PAYOFFS, "RSTP", strict=True))
    write(project, table={"path": "games/mine.csv", "columns": columns})
    frames = ["canonical", "swapped", "reversed", "swapped_and_reversed"]
    changes: dict[str, Any] = {
        "games": ["mine"],
        "splits": {"in_sample": {"contexts": ["neutral"], "frames": frames}, "unseen_games": None, "corner": None},
    }
    experiment = read(["presets/plane.yaml"], **changes)
    write_game(experiment, "mine", tmp_path / "before.json")
    hashes = game_hashes(experiment, ["mine"])
    table.write_text(table.read_text().replace("10,3,12,5", "10,3.5,12,5"))
    write_game(experiment, "mine", tmp_path / "after.json")
    before, after = (
        {prompt.sha256 for prompt in read_prompts([tmp_path / f"{name}.json"])} for name in ("before", "after")
    )
    assert len(before) == len(after) == 32 and len(before - after) == len(after - before) == 4
    assert game_hashes(experiment, ["mine"]) != hashes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "payoffs: give payoffs or a table, and not both"),
        ({"payoffs": dict.fromkeys(PAYOFFS, 1) | {"sucker": "5..1"}}, "payoffs.sucker: a range goes from the lower"),
        (
            {"payoffs": dict.fromkeys(PAYOFFS, 1) | {"sucker": "a..b"}},
            "payoffs.sucker: must be a number, a range such as 0..20",
        ),
        ({"payoffs": dict.fromkeys(PAYOFFS, 1) | {"sucker": "0..999999"}}, "sucker: may be 100,000 numbers at most"),
        ({"payoffs": dict.fromkeys(PAYOFFS, "0..99")}, "make 100,000,000 games; there may be from 1 to 100,000"),
        ({"payoffs": dict.fromkeys(PAYOFFS, 1) | {"sucker": [2, 2]}}, "the game all is there twice"),
        ({"table": {"path": "games/none.csv"}}, "none.csv: cannot be read: No such file"),
        ({"table": {"path": "games/lacking.csv"}}, "lacking.csv: no column punishment; it has reward, sucker"),
        ({"table": {"path": "games/wrong.csv"}}, "wrong.csv: row 3: sucker: must be a number of points (got 'much')"),
        ({"table": {"path": "games/infinite.csv"}}, "infinite.csv: row 2: sucker"),
        ({"table": {"path": "games/twice.csv"}}, "is there twice; each may be there once"),
        ({"table": {"path": "games/empty.csv"}}, "empty.csv: has 0 games"),
    ],
)
def test_a_plane_that_is_wrong_is_refused_by_file_and_key(project: Path, content: dict[str, Any], message: str) -> None:
    heading = ",".join(PAYOFFS) + "\n"
    for name, text in {
        "lacking": "reward,sucker,temptation\n1,2,3\n",
        "wrong": f"{heading}1,2,3,4\n1,much,3,4\n",
        "infinite": f"{heading}1,inf,3,4\n",
        "twice": f"{heading}1,2,3,4\n1,5,3,4\n1,2,3,4\n",
        "empty": heading,
    }.items():
        (project / f"scenarios/games/{name}.csv").write_text(text)
    with pytest.raises(InputError) as error:
        games_of_plane(write(project, **content), "mine")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"corner": {"where": "sucker >= 21"}}, "splits.corner: is left without a game of plane, which has 441"),
        ({"corner": {"where": "sucker >="}}, "splits.corner.where: cannot be read as a condition on reward, sucker"),
        ({"corner": {"where": "succour >= 3"}}, "splits.corner.where: cannot be read as a condition on"),
        ({"corner": {"where": "sucker + 1"}}, "splits.corner.where: must say yes or no of each game"),
        ({"corner": {"where": "max(sucker) > 3"}}, "splits.corner.where: must say yes or no of each game"),
        (
            {"edge": {"contexts": ["neutral"], "where": "temptation = 20"}},
            "splits.edge.where: S15 T20 is in splits.corner as well; a game may be in one split",
        ),
        ({"unseen_games": {"share": 0.9999999}}, "splits.in_sample: is left without a game"),
        (
            {"unseen_games": {"share": 0.6}, "edge": {"contexts": ["neutral"], "share": 0.5}},
            "splits.edge.share: the shares of all splits make 1.1; they must leave something of 1",
        ),
    ],
)
def test_what_cannot_be_held_out_is_refused_by_the_key_of_the_split(
    plane: Callable[..., Experiment], splits: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as error:
        games_of_splits(plane(**splits), "plane")
    assert str(error.value).startswith(message)


def test_a_family_is_held_out_by_its_name(plane: Callable[..., Experiment]) -> None:
    games = games_of_splits(plane(corner={"where": "family = 'stag_hunt'"}), "plane")["corner"]
    assert games and all(each.temptation <= 10 and each.sucker <= 5 for each in games.values())


def test_a_split_takes_games_by_one_of_both_and_of_planes_alone(plane: Callable[..., Experiment], read: Read) -> None:
    with pytest.raises(InputError, match=r"splits.corner.share: a split has games by where or by share"):
        plane(corner={"share": 0.1})
    with pytest.raises(InputError, match=r"splits.new_contexts.share: only games of a plane can be taken so"):
        game_kinds(read(splits={"new_contexts": {"share": 0.5}}))
    with pytest.raises(InputError, match=r"splits.corner.frames: no frame mirrored; allowed: canonical"):
        plane(corner={"frames": ["mirrored"]})


def test_labels_are_drawn_alike_in_every_frame_and_told_apart() -> None:
    frame = Frame(cooperate="X", defect="Y", labels=("A", "B", "E"))
    mirrored = Frame(cooperate="Y", defect="X", first="defect", labels=("A", "B", "E"))
    pairs = set()
    for number in range(60):
        drawn, other = (each.drawn_for(f"game {number}") for each in (frame, mirrored))
        assert (drawn.cooperate, drawn.defect) == (other.defect, other.cooperate)
        assert (drawn.first, other.first, drawn.labels) == ("cooperate", "defect", None)
        pairs.add((drawn.cooperate, drawn.defect))
    assert len(pairs) == 6
    with pytest.raises(ValueError, match="no label may be the beginning of the other, as with 'A' and 'AB'"):
        Frame(cooperate="X", defect="Y", labels=("A", "AB"))
    assert Frame().drawn_for("any") == Frame()
