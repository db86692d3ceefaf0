"""The training stage: looks whether the wanted adapter is there, trains it if not, and says what it was made from."""

import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.answers import Respondent
from tomtransfer.model_files import ADAPTER_FILES
from tomtransfer.settings import Training
from tomtransfer.tables import read_table, row_key, software, write_text, write_whole

logger = logging.getLogger(__name__)

LOG_FILE, CARD_FILE, RECORD_FILE = "training_log.csv", "README.md", "training.json"


def update_adapter(
    folder: Path,
    examples_path: Path,
    student: Respondent,
    settings: Training,
    checkpoints: Path,
    gradient_checkpointing: bool | None,
) -> None:
    """Bring the adapter in `folder` up to date with its examples, settings and base model.

    Nothing is loaded when it is. The record is written last: an adapter without one is not finished. Checkpoints are
    kept in a folder of their own for each adapter, so that a killed training goes on where it was.
    """
    examples = read_table(examples_path)
    key = adapter_key(examples, student, settings)
    if read_key(folder) == key:
        logger.info("the adapter is up to date")
        for path in folder.iterdir():
            path.touch()
        return
    (folder / RECORD_FILE).unlink(missing_ok=True)
    log = _train(folder, examples, student, settings, checkpoints / key[:16], gradient_checkpointing)
    facts = _facts(examples, student, settings, key)
    write_whole(folder / LOG_FILE, log.write_csv)
    write_text(model_card(facts, log), folder / CARD_FILE)
    write_text(json.dumps(facts, indent=2) + "\n", folder / RECORD_FILE)
    shutil.rmtree(checkpoints / key[:16])


def adapter_key(examples: pl.DataFrame, student: Respondent, settings: Training) -> str:
    """Return the sha256 of everything that an adapter depends on."""
    names = ("system", "user", "label", "motivation", "finished", "weight", "question", "held_back")
    content = examples.select(names).write_ndjson()
    base = {"model_revision": student.model_revision, "quantization": student.quantization}
    return row_key(examples=content, settings=settings.model_dump(mode="json"), **base)


def read_key(folder: Path) -> str:
    """Return the key of the adapter in `folder`, or nothing if none is finished there."""
    record = folder / RECORD_FILE
    if not record.exists() or not all((folder / name).exists() for name in (*ADAPTER_FILES, LOG_FILE, CARD_FILE)):
        return ""
    return str(json.loads(record.read_text(encoding="utf-8"))["key"])


def _train(
    folder: Path,
    examples: pl.DataFrame,
    student: Respondent,
    settings: Training,
    checkpoints: Path,
    gradient_checkpointing: bool | None,
) -> pl.DataFrame:
    """Train an adapter, leave its files in `folder`, and return the log."""
    from tomtransfer.training import add_adapter, make_rows, train

    parts = [
        make_rows(student.tokenizer, _examples(part), settings.completions_per_row, student.directory.name)
        for part in (examples.filter(~pl.col("held_back")), examples.filter("held_back"))
    ]
    model = add_adapter(student.loaded, settings)
    log = train(model, parts[0], parts[1], settings, checkpoints, gradient_checkpointing)
    # A path is of this machine, a name is in the registry of every machine. No embeddings are saved: to find out
    # whether they changed, peft would look for that name on a hub.
    model.peft_config["default"].base_model_name_or_path = student.directory.name
    # peft keeps them as a set, which each process orders in its own way.
    model.peft_config["default"].target_modules = sorted(settings.lora.targets)
    finished = checkpoints / "finished"
    model.save_pretrained(finished, safe_serialization=True, save_embedding_layers=False)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ADAPTER_FILES:
        write_whole(folder / name, lambda partial, name=name: shutil.copyfile(finished / name, partial))
    return pl.DataFrame([asdict(step) for step in log], infer_schema_length=None)


def _examples(part: pl.DataFrame) -> Sequence[Any]:
    from tomtransfer.training import Example

    names = ("system", "user", "label", "motivation", "finished", "weight", "question")
    return [Example(**{name: row[name] for name in names}) for row in part.iter_rows(named=True)]


def _facts(examples: pl.DataFrame, student: Respondent, settings: Training, key: str) -> dict[str, Any]:
    """Return what an adapter was made from."""
    return {
        "key": key,
        "base_model": student.directory.name,
        "base_model_revision": student.model_revision,
        "quantization": student.quantization,
        "training": settings.model_dump(mode="json"),
        "games": examples["game"].unique(maintain_order=True).to_list(),
        "contexts": examples["context"].unique(maintain_order=True).to_list(),
        "split": examples["split"].unique().to_list(),
        "prompts": examples["prompt"].n_unique(),
        "completions": len(examples.filter(~pl.col("held_back"))),
        "held_back_completions": len(examples.filter("held_back")),
        "software": software(),
    }


def model_card(facts: dict[str, Any], log: pl.DataFrame) -> str:
    """Return the model card of an adapter, in Markdown with the metadata that model hubs read."""
    training = facts["training"]
    lora = training["lora"]
    losses = log["evaluation_loss"].drop_nulls()
    return f"""---
base_model: {facts["base_model"]}
library_name: peft
tags: [lora, qlora, game-theory]
---

# A student of strategic behaviour

A low-rank adapter for {facts["base_model"]} (revision {facts["base_model_revision"]}, weights {facts["quantization"]}),
tuned by tomtransfer on what a larger model chose in two-player games and on the reasons that it gave.

- **Trained on** {facts["completions"]} completions behind {facts["prompts"]} prompts.
  Games: {", ".join(facts["games"])}. Contexts: {", ".join(facts["contexts"])}.
  No other context, and no scaled payoff, was trained on.
- **Held back** {facts["held_back_completions"]} completions.
  Their loss went from {losses[0]:.3f} after the first epoch to {losses[-1]:.3f} after the last.
- **Adapter** {", ".join(lora["targets"])}: rank {lora["rank"]}, alpha {lora["alpha"]:g}, dropout {lora["dropout"]:g}.
- **Training** for {training["epochs"]} epochs, {training["rows_per_step"]} rows of up to
  {training["completions_per_row"]} completions a step, learning rate {training["learning_rate"]:g}
  ({training["schedule"]}), seed {training["seed"]}.
- **Software** {facts["software"]}.

Its answers imitate another model's. They say nothing of how people behave and are not advice.
"""
