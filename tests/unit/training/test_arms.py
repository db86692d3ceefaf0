"""What other arms are trained on: whole answers of other scenarios, and choices without reasons."""

from itertools import product

import polars as pl
import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.training.arms import examples_of, shuffle, without_reasons

SCENARIO = ["split", "game", "context"]
LABELS = {"canonical": ("C", "D"), "swapped": ("D", "C")}
ANSWER = ["choice", "label", "motivation", "finished", "weight", "held_back", "key", "completion"]


def answer(game: int, context: int, frame: str, choice: str, draw: int) -> dict[str, object]:
    """One answer: its text says whose it is."""
    place, number = f"{game} {context} {frame}", ("cooperate", "defect").index(choice)
    label, share = LABELS[frame][number], 0.1 + 0.1 * game + 0.05 * context
    return {
        **{"prompt": f"prompt {place}", "choice": choice, "held_back": draw == 2},
        **{"motivation": f"{place} {choice} {draw}", "finished": draw > 0},
        **{"split": "in_sample", "game": f"game {game}", "context": f"context {context}"},
        **{"frame": frame, "question": "answer_first", "label": label},
        **{"system": f"system {place}", "user": f"user {place}", "key": f"{place} {draw}"},
        "weight": (share if number == 0 else 1 - share) / (1 if draw == 2 else 2),
        "completion": f"{label}\n{place} {choice} {draw}",
    }


def examples(games: int = 3, contexts: int = 2, frames: tuple[str, ...] = ("canonical", "swapped")) -> pl.DataFrame:
    """Three draws of each choice of every scenario and frame, of which the last is held back."""
    rows = [
        answer(game, context, frame, choice, draw)
        for game, context, frame, choice, draw in product(
            range(games), range(contexts), frames, ("cooperate", "defect"), range(3)
        )
    ]
    return pl.DataFrame(rows)


def owner(table: pl.DataFrame) -> dict[str, set[str]]:
    """Return whose answers each prompt has: the prompts that they were given to."""
    found: dict[str, set[str]] = {}
    for prompt, motivation in table.select("prompt", "motivation").iter_rows():
        found.setdefault(prompt, set()).add("prompt " + motivation.rsplit(" ", 2)[0])
    return found


def test_each_prompt_has_all_answers_of_another_scenario_and_none_of_its_own() -> None:
    owners = owner(shuffle(examples()))
    assert all(len(each) == 1 for each in owners.values())
    assert all(prompt not in each for prompt, each in owners.items())
    assert sorted(next(iter(each)) for each in owners.values()) == sorted(owners)


def test_the_marginal_is_kept_with_the_meaning_of_labels_and_what_is_asked() -> None:
    before = examples()
    after = shuffle(before)
    assert after.columns == before.columns
    assert after.select(*ANSWER, "frame").sort(pl.all()).equals(before.select(*ANSWER, "frame").sort(pl.all()))
    asked = [*SCENARIO, "frame", "question", "prompt", "system", "user"]
    assert after.select(asked).unique().sort("prompt").equals(before.select(asked).unique().sort("prompt"))
    for frame, choice, label in after.select("frame", "choice", "label").iter_rows():
        assert label == LABELS[frame][choice == "defect"]
    by_prompt = after.group_by("prompt", "held_back").agg(pl.sum("weight"))
    assert by_prompt["weight"].to_list() == pytest.approx([1] * len(by_prompt))


def test_scenarios_move_alike_in_all_frames_and_in_the_same_way_each_time() -> None:
    after = shuffle(examples())
    assert after.equals(shuffle(examples()))
    moves = {frame: {} for frame in LABELS}
    for prompt, owners in owner(after).items():
        [theirs] = owners
        (_, *scenario, frame), (_, *source, same) = prompt.split(), theirs.split()
        assert frame == same
        moves[frame][tuple(scenario)] = tuple(source)
    assert moves["canonical"] == moves["swapped"]


def test_a_scenario_that_was_answered_in_one_frame_alone_is_in_the_circle_of_that_frame() -> None:
    lacking = examples().filter(pl.col("prompt") != "prompt 1 1 swapped")
    owners = owner(shuffle(lacking))
    assert len(owners) == 11
    assert all(prompt not in each for prompt, each in owners.items())


def test_a_single_scenario_has_nobody_to_take_answers_from() -> None:
    with pytest.raises(InputError, match="arms: shuffled: canonical is trained on in a single scenario"):
        shuffle(examples(games=1, contexts=1))


def test_choices_without_reasons_keep_their_weight() -> None:
    after = without_reasons(examples())
    assert set(after["completion"]) == {"C", "D"}
    assert (set(after["motivation"]), set(after["finished"])) == ({""}, {True})
    assert len(after) == 3 * 2 * 2 * 2 * 2
    part = ["prompt", "choice", "held_back"]
    weights = examples().group_by(part).agg(pl.sum("weight")).sort(part)
    found = after.select(*part, "weight").sort(part)
    assert found.select(part).equals(weights.select(part))
    assert found["weight"].to_list() == pytest.approx(weights["weight"].to_list())


def test_transfer_is_trained_on_as_it_was_answered() -> None:
    assert examples_of("transfer", examples()).equals(examples())
    assert examples_of("shuffled", examples()).equals(shuffle(examples()))
    assert examples_of("choices_only", examples()).equals(without_reasons(examples()))
