"""The adapter of a student: trained once for what it is made from, kept in the store, resumed after a kill."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from made import ASKING, local_model, make_prompt
from safetensors.torch import load_file

from saved_models import change_settings
from tomtransfer.experiment.sections import Lora, Training
from tomtransfer.experiment.store import Store
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.integrity import SOURCE
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.training import trainer
from tomtransfer.training.adapter import Lesson, adapter_hash, write_adapter
from tomtransfer.training.examples import assemble

# Dropout, so that going on from a checkpoint has to go on with its random numbers.
SETTINGS = Training(epochs=2, completions_per_row=4, rows_per_step=1, learning_rate=0.01, lora=Lora(dropout=0.1))
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def examples(random_model: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("teacher")
    prompts = [replace(make_prompt(context), sha256=context) for context in ("team", "business")]
    teacher = Elicitation(local_model(random_model), ASKING, Store(folder / "store"))
    teacher.choices(folder / "choices.parquet", prompts)
    teacher.motivations(folder / "motivations.parquet", prompts)
    return assemble([folder / "choices.parquet"], [folder / "motivations.parquet"], prompts, ["canonical"], 0.3)


@pytest.fixture(scope="module")
def trained(random_model, examples, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    write_table(examples, folder / "examples.parquet")
    adapt(folder, local_model(random_model, quantization="nf4"), folder / "examples.parquet")
    return folder


def adapt(folder: Path, student, examples: Path, seed: int = 1, checkpointing=True):
    lesson = Lesson(student, read_table(examples), SETTINGS, seed)
    write_adapter(folder / "adapter", lesson, "transfer", Store(folder / "store"), checkpointing)
    return load_file(folder / "adapter" / WEIGHTS)


def read_key(folder: Path) -> str:
    return json.loads((folder / "adapter" / "training.json").read_text())["key"]


def test_training_lowers_the_loss_and_leaves_adapter_log_card_and_record(trained):
    adapter = trained / "adapter"
    files = {path.name for path in adapter.iterdir()}
    assert files == {
        WEIGHTS,
        "adapter_config.json",
        "training_log.csv",
        "README.md",
        "training.json",
    }
    log = pl.read_csv(adapter / "training_log.csv")
    assert log["loss"][-1] < log["loss"][0]
    assert len(log["evaluation_loss"].drop_nulls()) == trainer.EVALUATIONS
    record = json.loads((adapter / "training.json").read_text())
    assert (record["arm"], record["training"]["seed"]) == ("transfer", 1)
    assert (record["split"], record["contexts"]) == (["in_sample"], ["team", "business"])
    assert "No other context" in (adapter / "README.md").read_text()
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == "random"
    assert not [path for path in (trained / "store" / "unfinished").iterdir() if path.suffix != ".lock"]


def test_the_same_key_trains_nothing_and_loads_nothing(trained, tmp_path):
    before = (trained / "adapter" / WEIGHTS).read_bytes()
    nowhere = local_model(tmp_path / "random", quantization="nf4")
    adapt(trained, nowhere, trained / "examples.parquet")
    assert (trained / "adapter" / WEIGHTS).read_bytes() == before


def test_the_same_seed_gives_the_same_adapter_with_and_without_gradient_checkpointing(trained, random_model, tmp_path):
    student = local_model(random_model, quantization="nf4")
    again = adapt(tmp_path, student, trained / "examples.parquet", checkpointing=False)
    first = load_file(trained / "adapter" / WEIGHTS)
    assert all(torch.allclose(again[name], first[name], atol=1e-6) for name in first)


@pytest.mark.parametrize(("seconds", "checkpoint"), [(300.0, 1), (0.0, 1), (0.0, 2), (0.0, 3)])
def test_a_killed_training_goes_on_from_its_checkpoint_to_the_same_adapter(
    trained, random_model, tmp_path, monkeypatch, caplog, seconds, checkpoint
):
    saved, left = trainer.RowTrainer._save_checkpoint, []

    def kill(self, *arguments, **named):
        saved(self, *arguments, **named)
        left.append(self.state.global_step)
        if len(left) == checkpoint:
            raise KeyboardInterrupt

    monkeypatch.setattr(trainer, "SECONDS_BETWEEN_CHECKPOINTS", seconds)
    monkeypatch.setattr(trainer.RowTrainer, "_save_checkpoint", kill)
    with pytest.raises(KeyboardInterrupt):
        adapt(tmp_path, local_model(random_model, quantization="nf4"), trained / "examples.parquet")
    assert not (tmp_path / "adapter").exists()
    monkeypatch.setattr(trainer.RowTrainer, "_save_checkpoint", saved)
    (half_written,) = (path for path in (tmp_path / "store" / "unfinished").iterdir() if path.is_dir())
    (half_written / "checkpoint-999").mkdir()
    with caplog.at_level("INFO"):
        resumed = adapt(tmp_path, local_model(random_model, quantization="nf4"), trained / "examples.parquet")
    assert f"on from checkpoint-{left[-1]}" in caplog.text
    first = load_file(trained / "adapter" / WEIGHTS)
    assert all(torch.equal(resumed[name], first[name]) for name in first)
    log, whole = (pl.read_csv(folder / "adapter" / "training_log.csv") for folder in (tmp_path, trained))
    assert log.equals(whole)


def test_a_training_that_runs_out_of_memory_says_what_to_set(trained, random_model, tmp_path, monkeypatch):
    def run_out(*arguments, **named):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(trainer.RowTrainer, "compute_loss", run_out)
    with pytest.raises(InputError, match=r"2\.00 GiB.*compute\.gradient_checkpointing: true"):
        adapt(tmp_path, local_model(random_model, quantization="nf4"), trained / "examples.parquet")


def test_another_setting_trains_again(trained, random_model, tmp_path):
    key = read_key(trained)
    student = local_model(random_model, quantization="nf4")
    adapt(tmp_path, student, trained / "examples.parquet", seed=2)
    assert read_key(tmp_path) != key


def test_a_broken_adapter_in_the_store_is_set_aside_and_trained_again(trained, random_model, tmp_path, caplog):
    adapt(tmp_path, local_model(random_model, quantization="nf4"), trained / "examples.parquet")
    before = adapter_hash(tmp_path / "adapter")
    (kept,) = (tmp_path / "store" / "adapters").iterdir()
    (kept / WEIGHTS).write_bytes((kept / WEIGHTS).read_bytes()[:-8])
    adapt(tmp_path, local_model(random_model, quantization="nf4"), trained / "examples.parquet")
    assert "set aside as" in caplog.text
    assert adapter_hash(tmp_path / "adapter") == before
    assert len(list((tmp_path / "store" / "set_aside").iterdir())) == 1


@pytest.mark.parametrize(
    "change",
    [
        pl.col("system") + ".",
        pl.col("user") + ".",
        pl.col("label") + "x",
        pl.col("motivation") + ".",
        ~pl.col("finished"),
        pl.col("weight") * 2,
        pl.lit("reason_first").alias("question"),
        ~pl.col("held_back"),
        pl.col("weight").reverse(),
    ],
    ids=str,
)
def test_everything_that_is_trained_on_is_in_the_key(examples, tmp_path, change):
    lesson = Lesson(local_model(tmp_path), examples, SETTINGS)
    changed = examples.with_columns(change)
    assert not changed.equals(examples)
    assert replace(lesson, examples=changed).key != lesson.key


def test_who_is_trained_and_how_is_in_the_key_and_on_what_machine_is_not(examples, tmp_path):
    lesson = Lesson(local_model(tmp_path), examples, SETTINGS)
    assert replace(lesson, seed=2).key != lesson.key
    assert replace(lesson, settings=SETTINGS.model_copy(update={"seeds": (2, 1, 3)})).key == lesson.key
    assert lesson.replicate == {**SETTINGS.model_dump(mode="json", exclude={"seeds"}), "seed": 1}
    for settings in ({"learning_rate": 0.02}, {"epochs": 3}):
        assert replace(lesson, settings=SETTINGS.model_copy(update=settings)).key != lesson.key
    for student in ({"model_revision": "2"}, {"quantization": "nf4"}):
        assert replace(lesson, student=local_model(tmp_path, **student)).key != lesson.key
    for machine in ({"device": "cuda"}, {"tokens_per_batch": 1}):
        assert replace(lesson, student=local_model(tmp_path, **machine)).key == lesson.key
    assert Lesson(local_model(tmp_path), examples.clone(), SETTINGS).key == lesson.key


def test_an_adapter_that_was_trained_before_there_were_several_seeds_is_found_again(tmp_path):
    texts = {name: ["a", "b"] for name in ("system", "user", "label", "motivation", "question")}
    rest = {"finished": [True, False], "weight": [0.5, 0.5], "held_back": [False, True]}
    lesson = Lesson(local_model(tmp_path), pl.DataFrame(texts | rest), Training(epochs=2, seeds=(3, 1)), seed=1)
    assert lesson.key == "e8751d15846385e7ccd797c8f1cf607344b737d4c57715df3c52d5995836fbb1"


def test_which_examples_are_trained_together_is_in_the_key_and_what_they_are_called_is_not(examples, tmp_path):
    lesson = Lesson(local_model(tmp_path), examples, SETTINGS)
    together = replace(lesson, settings=SETTINGS.model_copy(update={"counterbalanced_steps": True}))
    assert together.key != lesson.key
    for game in (
        pl.lit("hawk_dove"),
        pl.when(pl.col("context") == "team").then(pl.lit("one")).otherwise(pl.lit("two")),
    ):
        assert replace(together, examples=examples.with_columns(game=game)).key == together.key
    as_one = examples.with_columns(game=pl.lit("game"), context=pl.lit("context"))
    assert replace(together, examples=as_one).key != together.key


def test_reasons_of_a_template_are_said_to_be_no_teachers_in_record_and_card(trained, examples, tmp_path):
    """The adapter is the same: it is taken from the store, and what is written beside it says who wrote its reasons."""
    written = examples.with_columns(author=pl.lit("template"))
    nowhere = local_model(tmp_path / "random", quantization="nf4")
    write_adapter(tmp_path, Lesson(nowhere, written, SETTINGS), "transfer", Store(trained / "store"), True)
    assert json.loads((tmp_path / "training.json").read_text())["reasons_written_by"] == "template"
    card, own = ((folder / "README.md").read_text() for folder in (tmp_path, trained / "adapter"))
    assert "with reasons of which a template wrote some or all" in card
    assert "the template wrote restates payoffs, and no teacher gave it" in card
    assert "the reasons that it gave" not in card
    assert "the reasons that it gave" in own
    assert "template" not in own


def test_names_belong_to_the_record_and_not_to_the_key(trained, examples, tmp_path):
    renamed = examples.with_columns(context=pl.col("context").replace("team", "crew"))
    write_table(renamed, trained / "renamed.parquet")
    nowhere = local_model(tmp_path / "random", quantization="nf4")
    folder = trained / "renamed"
    write_adapter(folder, Lesson(nowhere, renamed, SETTINGS), "transfer", Store(trained / "store"), True)
    record = json.loads((folder / "training.json").read_text())
    assert record["contexts"] == ["crew", "business"]
    assert "crew" in (folder / "README.md").read_text()
    assert record["key"] == read_key(trained)


def test_the_hash_of_an_adapter_is_that_of_its_weights(trained, tmp_path):
    copied = tmp_path / "adapter"
    copied.mkdir()
    for path in (trained / "adapter").iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    assert adapter_hash(copied) == adapter_hash(trained / "adapter")
    content = bytearray((copied / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (copied / WEIGHTS).write_bytes(content)
    assert adapter_hash(copied) != adapter_hash(trained / "adapter")


def test_an_adapter_cites_the_examination_of_its_student_also_where_the_store_had_it(trained, random_model, tmp_path):
    student = local_model(random_model, quantization="nf4")
    cited = json.loads((trained / "adapter" / "training.json").read_text())["examination"]
    assert cited == student.examined
    again = local_model(random_model, quantization="nf4")
    adapt(trained, again, trained / "examples.parquet")
    assert json.loads((trained / "adapter" / "training.json").read_text())["examination"] == cited
    assert "loaded" not in vars(again)


def test_an_example_that_is_longer_than_the_context_is_told_before_the_student_is_loaded(
    random_model, examples, tmp_path
):
    narrow = tmp_path / "narrow"
    shutil.copytree(random_model, narrow)
    (narrow / SOURCE).unlink()  # it is not the model that was fetched any more
    change_settings(narrow, max_position_embeddings=300)
    write_table(examples, tmp_path / "examples.parquet")
    student = local_model(narrow)
    with pytest.raises(InputError, match=r"an example to train on has \d+ tokens, and narrow can attend to 300"):
        adapt(tmp_path, student, tmp_path / "examples.parquet")
    assert "loaded" not in vars(student)
