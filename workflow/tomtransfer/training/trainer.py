"""Tuning the student: low-rank adapters on four-bit weights (QLoRA), on shared-prefix rows, resumable.

One path for GPU and CPU. Needs torch, transformers and peft, and neither tables nor Snakemake.
"""

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from tomtransfer.experiment.progress import Progress
from tomtransfer.experiment.sections import Training
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.loading import compute_type, quantized_in_four_bits
from tomtransfer.inference.plain import PLAIN, accepted
from tomtransfer.inference.row_attention import SHARED_ROWS
from tomtransfer.inference.rows import Row, row_inputs, row_lengths
from tomtransfer.training.completions import by_scenario
from tomtransfer.training.loss import row_targets, weighted_loss
from tomtransfer.training.together import compute_together, is_exact, tokens_together

logger = logging.getLogger(__name__)

EVALUATIONS = 4
"""Times that a training is evaluated on what was held back, evenly spread, the last at its end."""

MOST_EVALUATED = 96
"""Rows of what was held back that are evaluated, at most; of more, evenly spread ones: thousands say the same, four
times, in as much time as the training takes."""


SECONDS_BETWEEN_CHECKPOINTS = 300.0
"""Where an epoch takes longer, a checkpoint is left within it: a training that is killed loses no more than this."""


@dataclass(frozen=True)
class TrainingStep:
    """What was logged at a step of the optimizer; losses in nats, the evaluation loss at each quarter of training."""

    step: int
    epoch: float
    loss: float | None
    evaluation_loss: float | None
    learning_rate: float | None
    gradient_norm: float | None


def train(
    model: Any,
    rows: Sequence[Row],
    held_back: Sequence[Row],
    settings: Training,
    checkpoints: Path,
    gradient_checkpointing: bool | None,
    plain: bool = False,
    seed: int = 1,
    longest_together: int = 0,
) -> list[TrainingStep]:
    """Tune the adapter of `model` on `rows`, evaluate it on `held_back` at each quarter, and return what was logged.

    Rows of one completion each may be computed in `plain` passes, for models that cannot do with less. `seed` is that
    of the order of the rows. Rows of a scenario that are one step are one pass, too, if that has at most
    `longest_together` tokens and the model is exact in it. Goes on from the last whole checkpoint in `checkpoints`, and
    leaves a new one there after each epoch, and after five minutes without one.
    """
    trainer = make_trainer(
        model, rows, held_back, settings, checkpoints, gradient_checkpointing, plain, seed, longest_together
    )
    last = last_checkpoint(checkpoints)
    on_from = f", on from {last.name}" if last else ""
    logger.info("training %d rows for %d epochs%s", len(rows), settings.epochs, on_from)
    before = torch.are_deterministic_algorithms_enabled()
    # Otherwise gradients are summed in the order in which threads come to their end. On a GPU some have no other.
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    except torch.OutOfMemoryError as error:
        # A row cannot be cut in half behind the trainer's back: its completions are one part of one step.
        raise InputError(
            f"out of memory in training: {error}. Set compute.gradient_checkpointing: true, or lower "
            "training.completions_per_row. What was learnt is kept, unless the training's settings change"
        ) from error
    finally:
        torch.use_deterministic_algorithms(before)
    return read_log(trainer.state.log_history)


def make_trainer(
    model: Any,
    rows: Sequence[Row],
    held_back: Sequence[Row],
    settings: Training,
    checkpoints: Path,
    gradient_checkpointing: bool | None,
    plain: bool = False,
    seed: int = 1,
    longest_together: int = 0,
) -> "RowTrainer":
    """Return what tunes the adapter of `model` on `rows`.

    Activations are kept on a CPU and computed twice on a GPU, where memory is short, unless `gradient_checkpointing`
    says else. Raises InputError where several GPUs are visible.
    """
    model.set_attn_implementation(PLAIN if plain else SHARED_ROWS)
    together = by_scenario(rows) if settings.counterbalanced_steps else [[row] for row in rows]
    steps = -(-len(together) // settings.rows_per_step) * settings.epochs
    if not is_exact(together, longest_together, partial(_loss_of, model, settings), compute_type(model.device)):
        longest_together = 0
    on_cpu = model.device.type == "cpu"
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=1,
        per_device_eval_batch_size=1,
        gradient_accumulation_steps=settings.rows_per_step,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=float(round(settings.warmup_share * steps)),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_gradient_norm,
        activation_checkpointing=not on_cpu if gradient_checkpointing is None else gradient_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        bf16=compute_type(model.device) is torch.bfloat16,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        save_strategy="epoch",
        save_total_limit=2,
        logging_steps=1,
        seed=seed,
        remove_unused_columns=False,
        label_names=["labels"],
        prediction_loss_only=True,
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        # The Trainer would give each a part of every row's tensors, and lose the rest without a word.
        raise InputError(
            f"training sees {arguments.n_gpu} GPUs and can use one; make one of them visible with CUDA_VISIBLE_DEVICES"
        )
    trainer = RowTrainer(
        settings,
        plain,
        model=model,
        args=arguments,
        train_dataset=together,
        eval_dataset=[[row] for row in held_back[:: -(-len(held_back) // MOST_EVALUATED) or 1]],
        data_collator=lambda one: _collate(one[0], settings.choice_share, longest_together),
        callbacks=[_Report(steps), _Evaluate(steps), _Save()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _loss_of(model: Any, settings: Training, given: dict[str, Any]) -> float:
    """Return the loss of a pass without learning from it."""
    inputs = {key: each.to(model.device) if isinstance(each, torch.Tensor) else each for key, each in given.items()}
    labels, sources, weights = (inputs.pop(name) for name in ("labels", "sources", "weights"))
    training = model.training
    model.eval()
    with torch.no_grad():
        logits = model(**inputs, logits_to_keep=sources, use_cache=False).logits[0]
    model.train(training)
    return float(weighted_loss(logits, labels, weights, settings.temperature))


def _collate(rows: Sequence[Row], choice_share: float | None, longest_together: int = 0) -> dict[str, Any]:
    """Return all that the loss of a row, or of several that are trained together, is computed from."""
    if len(rows) > 1 and tokens_together(rows) <= longest_together:
        return compute_together(rows, choice_share)
    found = [{**row_inputs(row), "row_lengths": row_lengths(row), **row_targets(row, choice_share)} for row in rows]
    return found[0] if len(found) == 1 else {"rows": found}


class RowTrainer(Trainer):
    """The Trainer, with the loss of a shared-prefix row, or of a row of one completion in a plain pass."""

    def __init__(self, settings: Training, plain: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.temperature = settings.temperature
        self.plain = plain
        # A row's loss is already normalised: it is averaged over the rows of a step, not over their tokens.
        self.model_accepts_loss_kwargs = False

    def training_step(self, model: Any, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Return the loss of what is trained together; of each row by itself the gradient is taken, to save memory."""
        rows = inputs.get("rows", [inputs])
        losses = [Trainer.training_step(self, model, row, num_items_in_batch) for row in rows]
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """Return the weighted negative log likelihood of the row's completions, in nats."""
        labels, sources, weights = (inputs.pop(name) for name in ("labels", "sources", "weights"))
        if self.plain:
            given = accepted(model, {"input_ids": inputs["input_ids"], "use_cache": False})
        else:
            given = {**inputs, "logits_to_keep": sources, "use_cache": False}
        try:
            output = model(**given)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            base = model.get_base_model() if hasattr(model, "get_base_model") else model
            precision = "in four bits" if quantized_in_four_bits(model) else "as they are"
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{type(base).__name__} cannot be trained, weights {precision}: {reason}") from error
        logits = output.logits[0, sources] if self.plain else output.logits[0]
        loss = weighted_loss(logits, labels, weights, self.temperature)
        return (loss, output) if return_outputs else loss


class _Report(TrainerCallback):
    """Says after each step how far the training is."""

    def __init__(self, steps: int) -> None:
        self.progress = Progress("steps", steps)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **rest: Any) -> None:
        """Count the steps since the last log."""
        for name in ("loss", "eval_loss"):
            if logs and name in logs:
                self.progress.advance(state.global_step - self.progress.done, f"{name} {float(logs[name]):.3f}")


class _Evaluate(TrainerCallback):
    """Asks for an evaluation when each part of the training is over: once an epoch would take a quarter of the time."""

    def __init__(self, steps: int) -> None:
        self.at = {-(-steps * part // EVALUATIONS) for part in range(1, EVALUATIONS + 1)}

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> Any:
        """Ask for it."""
        control.should_evaluate = state.global_step in self.at
        return control


class _Save(TrainerCallback):
    """Asks for a checkpoint when there was none for a while."""

    def __init__(self) -> None:
        self.saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **rest: Any) -> Any:
        """Ask for it."""
        if time.monotonic() - self.saved > SECONDS_BETWEEN_CHECKPOINTS:
            control.should_save = True
        return control

    def on_save(self, args: Any, state: Any, control: Any, **rest: Any) -> None:
        """Note when it was left."""
        self.saved = time.monotonic()


def last_checkpoint(folder: Path) -> Path | None:
    """Return the latest whole checkpoint in `folder`, after removing those that a kill left half written.

    The state is the last file that the Trainer writes.
    """
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / "trainer_state.json").exists():
            whole.append(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    return max(whole, key=lambda checkpoint: int(checkpoint.name.split("-")[1]), default=None)


def read_log(history: Sequence[dict[str, Any]]) -> list[TrainingStep]:
    """Return the Trainer's log as one entry per step, its evaluation beside it."""
    by_step: dict[int, dict[str, Any]] = {}
    for entry in history:
        if "loss" in entry or "eval_loss" in entry:
            by_step.setdefault(entry["step"], {}).update(entry)
    names = ("loss", "eval_loss", "learning_rate", "grad_norm")
    return [TrainingStep(step, entry["epoch"], *(entry.get(name) for name in names)) for step, entry in by_step.items()]
