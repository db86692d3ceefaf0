"""The configuration: what it refuses, whom it blames, and what the default experiment is."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios_of import scenarios
from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError

Read = Callable[..., Experiment]


def edit(file: Path, **changes: Any) -> None:
    content = yaml.safe_load(file.read_text()) if file.exists() else {}
    file.write_text(yaml.safe_dump(content | changes))


def refused(read: Read, *arguments: Any, **given: Any) -> str:
    with pytest.raises(InputError) as error:
        read(*arguments, **given)
    return str(error.value)


def test_default_experiment_has_53_scenarios_in_four_splits(read: Read) -> None:
    everything = list(scenarios(read()))
    assert len(everything) == len(set(everything)) == 53
    assert Counter(scenario.split for scenario in everything) == {
        "in_sample": 20,
        "new_contexts": 12,
        "doubled_payoffs": 20,
        "new_game": 1,
    }


def test_defaults_are_the_published_adapter_and_temperature(read: Read) -> None:
    experiment = read()
    assert experiment.temperature == 0.8
    assert experiment.training.lora.model_dump() == {
        "rank": 8,
        "alpha": 16,
        "dropout": 0,
        "targets": ("q_proj", "v_proj"),
    }
    assert experiment.student.quantization == "nf4"


def test_canonical_frame_is_c_for_cooperate_and_named_first(read: Read) -> None:
    experiment = read()
    assert experiment.scored_frame == "canonical"
    assert experiment.frames["canonical"].model_dump() == {
        "cooperate": "C",
        "defect": "D",
        "first": "cooperate",
        "held_out": False,
        "labels": None,
    }


def test_contexts_are_listed_once_however_many_splits_have_them(read: Read) -> None:
    contexts = read().contexts
    assert len(contexts) == len(set(contexts)) == 8


def test_misspelt_key_names_file_key_suggestion_and_allowed(project: Path, read: Read) -> None:
    edit(project / "config.yaml", temprature=1)
    assert refused(read) == (
        "config.yaml: temprature: unknown key; did you mean 'temperature'? "
        f"Allowed here: {', '.join(sorted(Experiment.model_fields))}"
    )


def test_misspelt_key_below_a_chosen_name_is_told_what_is_allowed_there(project: Path, read: Read) -> None:
    edit(project / "config.yaml", splits={"in_sample": {"contxts": ["team"], "contexts": ["team"]}})
    assert refused(read) == (
        "config.yaml: splits.in_sample.contxts: unknown key; did you mean 'contexts'? "
        "Allowed here: contexts, frames, games, payoff_factor, share, where"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"temperature": 0}, "temperature: Input should be greater than or equal to 0.01 (got 0)"),
        ({"temperature": float("nan")}, "temperature: Input should be a finite number (got nan)"),
        ({"games": "stag_hunt"}, "games: Input should be a valid list (got 'stag_hunt')"),
        ({"games": []}, "games: List should have at least 1 item"),
        ({"games": ["stag_hunt", "stag_hunt"]}, "games: each name may stand here once; repeated: stag_hunt"),
        ({"games": ["../secrets"]}, "games.0: must be a name: letters without accents"),
        (
            {"teacher": {"chat": {"date": "31 January"}}},
            "teacher.chat: date: a day is written as '2026-01-31', in quotes (got '31 January')",
        ),
        (
            {"student": {"quantization": "nf8"}},
            "student.quantization: Input should be 'as_stored', 'nf4' or 'none' (got 'nf8')",
        ),
        ({"teacher": {"motivations_per_choice": 1}}, "teacher.motivations_per_choice: Input should be greater than or"),
        ({"training": {"lora": {"dropout": 1}}}, "training.lora.dropout: Input should be less than 1 (got 1)"),
        (
            {"training": {"held_back_share": 0}},
            "training.held_back_share: Input should be greater than 0 (got 0)",
        ),
        ({"training": {"choice_share": 1.5}}, "training.choice_share: Input should be less than or equal to 1"),
        ({"splits": {"doubled_payoffs": {"payoff_factor": -2}}}, "splits.doubled_payoffs.payoff_factor: Input should"),
        ({"compute": {"threads": 0}}, "compute.threads: Input should be greater than or equal to 1 (got 0)"),
    ],
)
def test_impossible_value_names_key_value_and_what_is_allowed(read: Read, given: dict[str, Any], message: str) -> None:
    assert refused(read, **given).startswith(f"--config: {message}")


def test_every_mistake_is_told_at_once(read: Read) -> None:
    message = refused(read, temperature=0, teacher={"sed": 1}, compute={"gpu": -1})
    assert [line.split(": ")[1] for line in message.splitlines()] == ["temperature", "teacher.sed", "compute.gpu"]


def test_value_of_a_preset_is_blamed_on_the_preset(project: Path, read: Read) -> None:
    edit(project / "config.yaml", temperature=0.8)
    edit(project / "hot.yaml", temperature=-1)
    assert refused(read, ["hot.yaml"]).startswith("hot.yaml: temperature: ")


def test_value_that_two_files_give_is_blamed_on_the_one_that_counts(project: Path, read: Read) -> None:
    edit(project / "config.yaml", temperature=-1)
    edit(project / "hot.yaml", temperature=-1)
    assert refused(read, ["hot.yaml"]).startswith("hot.yaml: temperature: ")


def test_value_of_config_yaml_is_not_blamed_on_a_preset_beside_it(project: Path, read: Read) -> None:
    edit(project / "config.yaml", student={"model": "smollm2-135m-instruct", "quantization": "nf8"})
    edit(project / "other.yaml", student={"model": "random-student"})
    assert refused(read, ["other.yaml"]).startswith("config.yaml: student.quantization: ")


def test_value_on_the_command_line_is_blamed_on_it_though_files_hold_the_key(project: Path, read: Read) -> None:
    edit(project / "config.yaml", temperature=0.8)
    assert refused(read, temperature=0).startswith("--config: temperature: ")
    assert refused(read, student={"question": "what"}).startswith("--config: student.question: ")


def test_missing_key_names_the_file_that_should_have_it(project: Path, read: Read) -> None:
    edit(project / "config.yaml", teacher={"seed": 3})
    assert refused(read) == "config.yaml: teacher.model: missing; it must be given"


def test_missing_in_sample_is_refused(project: Path, read: Read) -> None:
    edit(project / "config.yaml", splits={"new_contexts": {"contexts": ["sports"]}})
    assert refused(read) == ("config.yaml: splits: must have in_sample, the one that is trained on")


def test_split_that_repeats_an_in_sample_scenario_is_refused(read: Read) -> None:
    message = refused(read, splits={"new_contexts": {"contexts": ["sports", "team"]}})
    assert "splits.new_contexts: repeats team of splits.in_sample with the same payoff_factor" in message
    assert "got" not in message


def test_same_context_with_other_payoffs_is_another_scenario(read: Read) -> None:
    experiment = read(splits={"tripled": {"contexts": ["team"], "payoff_factor": 3}})
    assert len(list(scenarios(experiment))) == 57


def test_label_pair_that_is_the_same_twice_is_refused(read: Read) -> None:
    message = refused(read, frames={"canonical": {"cooperate": "D"}})
    assert message == "--config: frames.canonical: cooperate and defect must have different labels; both are 'D'"


def test_a_neutral_pair_is_one_line_to_add(project: Path, read: Read) -> None:
    config = project / "config.yaml"
    config.write_text(config.read_text().replace("frames:\n", "frames:\n  neutral: {cooperate: A, defect: B}\n", 1))
    assert read().trained_frames == {"canonical": 3, "neutral": 1}


def test_scored_frame_must_be_trained_on(read: Read) -> None:
    message = refused(read, scored_frame="swapped")
    assert message == "--config: scored_frame: must be one of the frames that are trained on: canonical (got 'swapped')"
    assert "none is left" in refused(read, frames={"canonical": {"held_out": True}})


def test_order_of_merged_files_does_not_say_which_frame_is_scored(read: Read) -> None:
    merged = read(["presets/control.yaml"])
    assert next(iter(merged.ordered_frames)) == merged.scored_frame == "canonical"
    assert next(iter(merged.trained_frames)) == "canonical"


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        (
            {"again": {"cooperate": "D", "defect": "C"}},
            "frames.again: repeats swapped: same labels, same order",
        ),
        ({"swapped": {"hold_out": True}}, "frames.swapped.hold_out: unknown key; did you mean 'held_out'?"),
    ],
)
def test_impossible_frames_are_refused(read: Read, frames: dict[str, Any], message: str) -> None:
    assert refused(read, frames=frames).startswith(f"--config: {message}")


@pytest.mark.parametrize("label", ["", " C", "C  D", "C\n", "{{ x }}"])
def test_label_that_is_no_words_is_refused(read: Read, label: str) -> None:
    message = refused(read, frames={"canonical": {"cooperate": label}})
    assert (
        "frames.canonical.cooperate: must be words: letters and digits, joined by single spaces, `-` or `_` (got "
        in message
    )


def test_no_answers_at_all_are_refused(read: Read) -> None:
    assert refused(read, sampling={"answers": 0}).startswith("--config: sampling.answers: ")
    assert "greater than or equal to 1 (got 0)" in refused(read, sampling={"answers": 0})


@pytest.mark.parametrize("model", ["teacher", "student"])
def test_reasons_first_leave_nothing_exact_to_read(read: Read, model: str) -> None:
    question = {model: {"question": "reason_first"}}
    assert f"{model}.question: reason_first leaves nothing exact to read" in refused(read, choices="exact", **question)
    for choices in ("sampled", "both"):
        assert read(choices=choices, **question)


def test_a_game_of_one_split_may_not_be_among_those_that_are_trained_on(read: Read) -> None:
    message = refused(read, splits={"in_sample": {"games": ["stag_hunt"]}})
    assert "splits.in_sample.games: it has the games of the experiment" in message


def test_a_game_and_a_context_belong_to_one_split(read: Read) -> None:
    again = {"games": ["donation"], "contexts": ["village_well"]}
    assert "splits.again: repeats village_well of splits.new_game" in refused(read, splits={"again": again})
