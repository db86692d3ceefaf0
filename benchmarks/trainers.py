"""One step of training: on shared rows as the product trains, one completion per row, rows in batches, and by TRL.

All take the same adapter on the same four-bit model, the same completions, and one step of the optimizer for all.
"""

import importlib.util
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, TrainerCallback, TrainingArguments

from tomtransfer.inference.loading import compute_type
from tomtransfer.inference.rows import Row
from tomtransfer.training.trainer import RowTrainer, make_trainer
from workload import apart, one_step, random_rows

HAS_TRL = importlib.util.find_spec("trl") is not None
BATCH = 8
"""Rows that go through the model at once where they are apart."""


class Clock(TrainerCallback):
    """Takes the time from the start of a training to the end of its only step, without the making of the trainer."""

    def __init__(self) -> None:
        self.start = self.end = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Start."""
        self.start = _now()

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Stop."""
        self.end = _now()


def _now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def shared_step(
    model: Any, rows: list[Row], tokenizer: Any = None, keep_activations: bool = True
) -> tuple[float, float]:
    """Return seconds and loss of a step over `rows` as the product makes it."""
    with tempfile.TemporaryDirectory() as folder:
        # What is held back is evaluated when the clock has stopped, so it had better be little.
        held_back = random_rows(1, 1, 1, 1, 2)
        trainer = make_trainer(model, rows, held_back, one_step(rows), Path(folder), not keep_activations)
        trainer.args.save_strategy = "no"
        return _run(trainer)


def one_per_row_step(model: Any, rows: list[Row], tokenizer: Any = None) -> tuple[float, float]:
    """Return seconds and loss of a step as the product makes it when it is told to put one completion in a row."""
    return shared_step(model, apart(rows))


class SeparateRows(RowTrainer):
    """Trains on a batch of rows with one completion each, all of the same lengths, the ordinary way."""

    def compute_loss(
        self, model: Any, inputs: dict[str, torch.Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the mean negative log likelihood of the completions' tokens, in nats."""
        tokens, count = inputs["tokens"], int(inputs["completion_tokens"])
        sources = torch.arange(tokens.shape[1] - count, tokens.shape[1], device=tokens.device) - 1
        logits = model(tokens[:, :-1], logits_to_keep=sources, use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), tokens[:, -count:].flatten())


def batched_step(model: Any, rows: list[Row], tokenizer: Any = None) -> tuple[float, float]:
    """Return seconds and loss of a step over `rows` with every completion after a prompt of its own."""
    alone = apart(rows)
    with tempfile.TemporaryDirectory() as folder:
        trainer = SeparateRows(
            one_step(alone),
            model=model,
            args=TrainingArguments(**_arguments(folder, model, len(alone))),
            train_dataset=alone,
            data_collator=_stack,
        )
        return _run(trainer)


def _stack(rows: list[Row]) -> dict[str, torch.Tensor]:
    tokens = torch.tensor([row.prompt + row.completions[0].tokens for row in rows])
    return {"tokens": tokens, "completion_tokens": torch.tensor(len(rows[0].completions[0].tokens))}


def trl_step(model: Any, rows: list[Row], tokenizer: Any) -> tuple[float, float]:
    """Return seconds and loss of a step over `rows` by TRL, its loss on the completions alone."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    alone = apart(rows)
    content = [
        {
            "input_ids": row.prompt + row.completions[0].tokens,
            "labels": [-100] * len(row.prompt) + row.completions[0].tokens,
        }
        for row in alone
    ]
    with tempfile.TemporaryDirectory() as folder:
        arguments = SFTConfig(
            **_arguments(folder, model, len(alone)),
            gradient_checkpointing=False,
            max_length=None,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
        trainer = SFTTrainer(
            model, args=arguments, train_dataset=Dataset.from_list(content), processing_class=tokenizer
        )
        return _run(trainer)


def _arguments(folder: str, model: Any, rows: int) -> dict[str, Any]:
    """Return the settings that rows apart and TRL share: those of the product, with rows in batches."""
    on_cpu = model.device.type == "cpu"
    return {
        "output_dir": folder,
        "num_train_epochs": 1,
        "per_device_train_batch_size": min(BATCH, rows),
        "gradient_accumulation_steps": -(-rows // BATCH),
        "learning_rate": 5e-5,
        "lr_scheduler_type": "constant",
        "bf16": compute_type(model.device) is torch.bfloat16,
        "use_cpu": on_cpu,
        "dataloader_pin_memory": not on_cpu,
        "save_strategy": "no",
        "logging_steps": 1,
        "remove_unused_columns": False,
        "report_to": "none",
        "disable_tqdm": True,
    }


def _run(trainer: Any) -> tuple[float, float]:
    clock = Clock()
    trainer.add_callback(clock)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return clock.end - clock.start, float(trainer.state.log_history[0]["loss"])
