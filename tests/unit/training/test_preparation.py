"""What is told of a training before any model is loaded, and how faults of both models are told at once."""

import json
from dataclasses import replace

import pytest
from made import ASKING, local_model, make_prompt

from saved_models import ALWAYS_THINKS, change_settings, save_model
from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.asking import Questions
from tomtransfer.scenarios.questions import write_prompts
from tomtransfer.training.preparation import Plan, check_models, check_training

PROMPT = make_prompt("team")
TARGETS = ("q_proj", "v_proj")
NOTHING = Questions([], [], [], [], [])


@pytest.mark.parametrize(
    ("architecture", "allowed"),
    [("gpt2", "c_attn, c_fc, c_proj, lm_head"), ("phi3", "down_proj, gate_up_proj, lm_head, o_proj, qkv_proj")],
    ids=["Conv1D", "fused"],
)
def test_layers_that_a_student_does_not_have_are_named_with_those_that_it_has(tmp_path, architecture, allowed):
    student = local_model(save_model(tmp_path / "student", architecture))
    with pytest.raises(InputError, match=f"no layer is called q_proj, v_proj; allowed: {allowed}"):
        check_training(student, [PROMPT], 10, TARGETS)
    [target] = [name for name in allowed.split(", ") if name in {"c_attn", "qkv_proj"}]
    assert check_training(student, [PROMPT], 10, [target]) == {"adapted_layers": {target: 2}}
    assert "loaded" not in vars(student)


def test_an_answer_that_is_too_long_to_be_learnt_is_refused(tmp_path):
    student = local_model(save_model(tmp_path / "student"))
    change_settings(student.directory, max_position_embeddings=900)
    with pytest.raises(InputError, match="needs 600 for the answer; student can attend to 900"):
        check_training(student, [PROMPT], 600, TARGETS)


def test_a_student_that_always_thinks_learns_from_reasons_that_come_first_alone(tmp_path):
    student = local_model(save_model(tmp_path / "student", template=ALWAYS_THINKS))
    with pytest.raises(
        InputError, match=r"student: .*always leads it to think .*; set teacher\.question: reason_first"
    ):
        check_training(student, [PROMPT], 10, TARGETS)
    assert check_training(student, [replace(PROMPT, question="reason_first")], 10, TARGETS)


def plan(tmp_path, **changes):
    write_prompts([PROMPT], tmp_path / "prompts.json")
    asking = replace(ASKING, answers=1)
    given = {"prompts": [tmp_path / "prompts.json"], "models": {}, "teacher": asking, "student": asking}
    return Plan(**{**given, "frames": ["canonical"], "targets": TARGETS, **changes})


def test_what_is_wrong_with_either_model_is_told_at_once_and_nothing_is_loaded(tmp_path):
    teacher = local_model(save_model(tmp_path / "deaf", template="{{ bos_token }}"))
    student = local_model(save_model(tmp_path / "fused", "phi3"))
    with pytest.raises(InputError) as said:
        check_models(plan(tmp_path), teacher, student, tmp_path / "checked")
    first, second = str(said.value).split("\n")
    assert first.startswith("teacher: deaf: its chat template")
    assert second.startswith("student: training.lora.targets: no layer is called q_proj, v_proj")
    assert "loaded" not in {*vars(teacher), *vars(student)}
    assert not (tmp_path / "checked").exists()


def test_models_that_were_checked_are_known_without_their_tokenizers(tmp_path):
    folders = [save_model(tmp_path / name) for name in ("teacher", "student")]
    first = check_models(plan(tmp_path), *map(local_model, folders), tmp_path / "checked")
    assert first["student"]["adapted_layers"] == {"q_proj": 2, "v_proj": 2}
    again = [local_model(folder) for folder in folders]
    assert check_models(plan(tmp_path), *again, tmp_path / "checked") == json.loads(json.dumps(first))
    assert all("tokenizer" not in vars(model) for model in again)


def test_weights_are_looked_at_once_whatever_is_planned(tmp_path, monkeypatch):
    folders, checked = [save_model(tmp_path / name) for name in ("teacher", "student")], tmp_path / "checked"
    first = check_models(plan(tmp_path), *(local_model(folder, checks=checked) for folder in folders), checked)
    monkeypatch.setattr("tomtransfer.inference.skeleton.skeleton", refuse)
    models = [local_model(folder, checks=checked) for folder in folders]
    after = check_models(plan(tmp_path, frames=["swapped"], student=replace(ASKING, longest=7)), *models, checked)
    assert after["student"]["anatomy"] == first["student"]["anatomy"] != first["teacher"]["anatomy"]
    assert after["student"]["key"] != first["student"]["key"]
    with pytest.raises(AssertionError, match="looked at again"):
        local_model(folders[0], checks=checked, model_revision="2").check(NOTHING, ASKING)


def refuse(*_):
    raise AssertionError("weights are looked at again")


@pytest.mark.parametrize(
    ("changes", "looked_at"),
    [
        ({"models": {"teacher": {"quantization": "nf4"}}}, ["teacher"]),
        ({"models": {"student": {"quantization": "nf4"}}}, ["student"]),
        ({"student": replace(ASKING, answers=1, longest=7)}, ["student"]),
        ({"teacher": replace(ASKING, answers=1, motivation_tokens=7)}, ["teacher", "student"]),
        ({"frames": ["swapped"]}, ["student"]),
        ({"targets": ["k_proj"]}, ["student"]),
    ],
)
def test_a_model_is_looked_at_again_where_what_is_planned_for_it_changes_and_no_other(tmp_path, changes, looked_at):
    folders = {role: save_model(tmp_path / role) for role in ("teacher", "student")}
    check_models(plan(tmp_path), *map(local_model, folders.values()), tmp_path / "checked")
    models = {role: local_model(folder) for role, folder in folders.items()}
    check_models(plan(tmp_path, **changes), *models.values(), tmp_path / "checked")
    assert [role for role, model in models.items() if "tokenizer" in vars(model)] == looked_at
