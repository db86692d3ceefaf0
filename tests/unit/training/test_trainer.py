"""From a teacher's answers to a tuned student, on a tiny random model: weights, keys, resuming, held-out splits."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from test_engine import make_prompt
from tomtransfer.respondents.answers import Respondent, update_choices, update_motivations

from tomtransfer.experiment.sections import Lora, Teacher, Training
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.encoding import spell_labels
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.training import trainer as training
from tomtransfer.training.adapter import read_key, update_adapter
from tomtransfer.training.examples import assemble

FRAMES = {"canonical": 3}
SETTINGS = Training(epochs=2, completions_per_row=4, rows_per_step=1, learning_rate=0.01)


def respondent(directory: Path, **changes) -> Respondent:
    given = {"directory": directory, "model_revision": "1", "quantization": "none", "temperature": 0.8}
    return Respondent(**{**given, "stage_revision": 1, "device": "cpu", "tokens_per_batch": 8_000, **changes})


def make_prompts(*contexts: str, split: str = "in_sample"):
    return [replace(make_prompt(context), split=split, sha256=f"{split}-{context}") for context in contexts]


@pytest.fixture(scope="module")
def answers(random_model: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("teacher")
    trained, held_out = make_prompts("team", "business"), make_prompts("sports", split="new_contexts")
    teacher = respondent(random_model)
    settings = Teacher(model="random", motivation_tokens=6)
    update_choices(folder / "choices.parquet", [*trained, *held_out], teacher)
    update_motivations(folder / "motivations.parquet", trained, teacher, settings, FRAMES)
    return folder, [*trained, *held_out], teacher, settings


@pytest.fixture(scope="module")
def examples(answers):
    folder, prompts, _, _ = answers
    return assemble([folder / "choices.parquet"], [folder / "motivations.parquet"], prompts, list(FRAMES), 0.3)


def test_examples_stand_in_the_order_of_the_motivations(tmp_path):
    """An adapter's key depends on their order: if it could change by itself, an edit elsewhere would train again."""
    first = make_prompt("team")
    prompts = [replace(first, context=f"context{number}", sha256=f"hash{number}") for number in range(2_000)]
    rows = [
        {
            "split": "in_sample",
            "game": "stag_hunt",
            "context": prompt.context,
            "frame": "canonical",
            "question": "answer_first",
            "prompt": prompt.sha256,
        }
        for prompt in prompts
    ]
    choices = pl.DataFrame(rows).with_columns(cooperate=pl.lit(0.6), defect=pl.lit(0.3))
    drawn = [
        {**row, "choice": choice, "label": label, "draw": draw, "motivation": f"{draw}", "finished": True}
        for row in reversed(rows[:100])
        for choice, label in (("cooperate", "C"), ("defect", "D"))
        for draw in range(2)
    ]
    motivations = pl.DataFrame(drawn).with_row_index("key")
    write_table(choices, tmp_path / "choices.parquet")
    write_table(motivations, tmp_path / "motivations.parquet")
    assembled = assemble(
        [tmp_path / "choices.parquet"], [tmp_path / "motivations.parquet"], prompts, ["canonical"], 0.3
    )
    assert assembled["key"].to_list() == list(range(len(drawn)))


def test_weights_show_the_student_the_teachers_exact_policy(answers, examples):
    choices = read_table(answers[0] / "choices.parquet")
    for part in (True, False):
        shown = examples.filter(held_back=part).group_by("prompt", "choice").agg(pl.sum("weight"))
        for row in choices.filter(split="in_sample").iter_rows(named=True):
            weight = shown.filter(prompt=row["prompt"], choice="cooperate")["weight"].item()
            assert weight == pytest.approx(row["cooperate"] / (row["cooperate"] + row["defect"]))
    assert examples.filter(held_back=False)["weight"].sum() == pytest.approx(2)


def test_examples_say_where_they_came_from_and_begin_with_the_choice(examples):
    assert set(examples["split"]) == {"in_sample"}
    for row in examples.iter_rows(named=True):
        assert row["completion"] == f"{row['label']}\n{row['motivation']}"
        assert row["label"] == {"cooperate": "C", "defect": "D"}[row["choice"]]


def test_a_held_out_split_cannot_be_trained_on(answers, random_model, tmp_path):
    folder, prompts, teacher, settings = answers
    update_motivations(tmp_path / "stolen.parquet", prompts, teacher, settings, FRAMES)
    with pytest.raises(InputError, match="motivations of new_contexts: only in_sample may be trained on"):
        assemble([folder / "choices.parquet"], [tmp_path / "stolen.parquet"], prompts, list(FRAMES), 0.3)


def test_a_held_out_frame_cannot_be_trained_on(answers, random_model, tmp_path):
    folder, prompts, teacher, settings = answers
    letters = [replace(prompt, frame="new_letters") for prompt in prompts[:2]]
    update_motivations(tmp_path / "stolen.parquet", letters, teacher, settings, {"new_letters": 2})
    with pytest.raises(InputError, match="motivations of new_letters: only canonical may be trained on"):
        assemble([folder / "choices.parquet"], [tmp_path / "stolen.parquet"], prompts, list(FRAMES), 0.3)


def test_later_draws_are_held_back_over_all_frames_and_never_the_first_of_one(answers, tmp_path):
    _, prompts, teacher, settings = answers
    frames = {"canonical": 3, "swapped": 2, "reversed": 1}
    asked = [
        replace(prompt, frame=frame, sha256=f"{prompt.sha256}-{frame}") for prompt in prompts[:2] for frame in frames
    ]
    update_choices(tmp_path / "choices.parquet", asked, teacher)
    update_motivations(tmp_path / "motivations.parquet", asked, teacher, settings, frames)

    def held_back(share: float) -> set[tuple[str, int]]:
        examples = assemble(
            [tmp_path / "choices.parquet"], [tmp_path / "motivations.parquet"], asked, list(frames), share
        )
        shown = examples.filter(held_back=False).group_by("prompt").agg(pl.sum("weight"))
        assert shown["weight"].to_list() == pytest.approx([1] * len(asked))
        draws = read_table(tmp_path / "motivations.parquet").select("key", "draw")
        return set(examples.filter("held_back").join(draws, on="key").select("frame", "draw").iter_rows())

    assert held_back(0.1) == {("canonical", 2)}
    assert held_back(0.5) == {("canonical", 2), ("swapped", 1), ("canonical", 1)}
    assert held_back(0.9) == held_back(0.5)


def test_more_motivations_leave_the_earlier_ones_as_they_are(answers, tmp_path):
    folder, prompts, teacher, settings = answers
    before = read_table(folder / "motivations.parquet")
    path = tmp_path / "motivations.parquet"
    write_table(before, path)
    update_motivations(path, prompts[:2], teacher, settings, {"canonical": 5})
    after = read_table(path)
    assert len(after) == 2 * 2 * 5
    old = after.filter(pl.col("computation").is_in(before["computation"].unique().to_list()))
    assert old.sort("key").equals(before.sort("key"))


def test_nothing_is_loaded_when_every_answer_is_known(answers, tmp_path):
    folder, prompts, teacher, _ = answers
    elsewhere = respondent(tmp_path / "no-model-here" / "random")
    elsewhere = replace(elsewhere, directory=elsewhere.directory.with_name(teacher.directory.name))
    path = tmp_path / "choices.parquet"
    write_table(read_table(folder / "choices.parquet"), path)
    update_choices(path, prompts, elsewhere)
    assert read_table(path).equals(read_table(folder / "choices.parquet"))


@pytest.mark.parametrize("change", ["model_revision", "quantization", "adapter_key", "temperature", "stage_revision"])
def test_every_setting_of_a_respondent_is_in_the_key(answers, change):
    teacher = answers[2]
    value = 2 if change in {"temperature", "stage_revision"} else "other"
    assert replace(teacher, **{change: value}).identity != teacher.identity


def test_device_and_batch_size_are_in_no_key(answers):
    teacher = answers[2]
    assert replace(teacher, device="cuda", tokens_per_batch=1).identity == teacher.identity


def test_rows_hold_labels_reasons_and_an_end_only_where_there_was_one(random_model):
    tokenizer = load_tokenizer(random_model)
    example = training.Example("system", "user", "C", "because", finished=True, weight=2.0)
    cut = replace(example, label="D", finished=False, weight=1.0)
    (row,) = training.make_rows(tokenizer, [example, cut], 8, "random")
    finished, unfinished = (completion.tokens for completion in row.completions)
    spellings = spell_labels(tokenizer, ["C", "D"], "random")
    assert (finished[0], unfinished[0]) == (spellings["C"][0], spellings["D"][0])
    assert tokenizer.decode(finished[1:-1]).strip() == "because"
    assert finished[-1] == tokenizer.eos_token_id
    assert unfinished[-1] != tokenizer.eos_token_id
    assert [completion.weight for completion in row.completions] == pytest.approx([2 / 3, 1 / 3])


def test_a_layer_that_is_not_there_is_named_with_those_that_are(random_model):
    model = load_model(random_model, "none", torch.device("cpu"))
    with pytest.raises(InputError, match=r"training\.lora\.targets: no layer is called query.*q_proj"):
        training.add_adapter(model, Training(lora=Lora(targets=("query", "v_proj"))))


@pytest.fixture(scope="module")
def trained(random_model, examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    write_table(examples, folder / "examples.parquet")
    student = respondent(random_model, quantization="nf4")
    update_adapter(folder / "adapter", folder / "examples.parquet", student, SETTINGS, folder / "checkpoints", True)
    return folder


def adapt(folder: Path, student: Respondent, examples: Path, settings: Training = SETTINGS, checkpointing=True):
    update_adapter(folder / "adapter", examples, student, settings, folder / "checkpoints", checkpointing)
    return load_file(folder / "adapter" / "adapter_model.safetensors")


def test_training_lowers_the_loss_and_leaves_adapter_log_card_and_record(trained):
    adapter = trained / "adapter"
    files = {path.name for path in adapter.iterdir()}
    assert files == {
        "adapter_model.safetensors",
        "adapter_config.json",
        "training_log.csv",
        "README.md",
        "training.json",
    }
    log = pl.read_csv(adapter / "training_log.csv")
    assert log["loss"][-1] < log["loss"][0]
    assert len(log["evaluation_loss"].drop_nulls()) == training.EVALUATIONS
    record = json.loads((adapter / "training.json").read_text())
    assert (record["split"], record["contexts"]) == (["in_sample"], ["team", "business"])
    assert "No other context" in (adapter / "README.md").read_text()
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "random"
    assert not list((trained / "checkpoints").iterdir())


def test_the_same_key_trains_nothing_and_loads_nothing(trained, tmp_path):
    before = (trained / "adapter" / "adapter_model.safetensors").read_bytes()
    nowhere = respondent(tmp_path / "random", quantization="nf4")
    adapt(trained, nowhere, trained / "examples.parquet")
    assert (trained / "adapter" / "adapter_model.safetensors").read_bytes() == before


def test_the_same_seed_gives_the_same_adapter_with_and_without_gradient_checkpointing(trained, random_model, tmp_path):
    student = respondent(random_model, quantization="nf4")
    again = adapt(tmp_path, student, trained / "examples.parquet", checkpointing=False)
    first = load_file(trained / "adapter" / "adapter_model.safetensors")
    assert all(torch.allclose(again[name], first[name], atol=1e-6) for name in first)


def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_adapter(
    trained, random_model, tmp_path, monkeypatch, caplog
):
    saved = training.RowTrainer._save_checkpoint

    def kill_after_first_epoch(trainer, *arguments, **named):
        saved(trainer, *arguments, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(training.RowTrainer, "_save_checkpoint", kill_after_first_epoch)
    with pytest.raises(KeyboardInterrupt):
        adapt(tmp_path, respondent(random_model, quantization="nf4"), trained / "examples.parquet")
    assert read_key(tmp_path / "adapter") == ""
    monkeypatch.setattr(training.RowTrainer, "_save_checkpoint", saved)
    (half_written,) = (tmp_path / "checkpoints").iterdir()
    (half_written / "checkpoint-999").mkdir()
    with caplog.at_level("INFO"):
        resumed = adapt(tmp_path, respondent(random_model, quantization="nf4"), trained / "examples.parquet")
    assert "on from checkpoint-" in caplog.text
    first = load_file(trained / "adapter" / "adapter_model.safetensors")
    assert all(torch.allclose(resumed[name], first[name], atol=1e-6) for name in first)


def test_a_training_that_runs_out_of_memory_says_what_to_set(trained, random_model, tmp_path, monkeypatch):
    def run_out(*arguments, **named):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(training.RowTrainer, "compute_loss", run_out)
    with pytest.raises(InputError, match=r"2\.00 GiB.*compute\.gradient_checkpointing: true"):
        adapt(tmp_path, respondent(random_model, quantization="nf4"), trained / "examples.parquet")


def test_another_setting_trains_again(trained, random_model, tmp_path):
    key = read_key(trained / "adapter")
    student = respondent(random_model, quantization="nf4")
    other = SETTINGS.model_copy(update={"seed": 2})
    adapt(tmp_path, student, trained / "examples.parquet", other)
    assert read_key(tmp_path / "adapter") not in {"", key}
