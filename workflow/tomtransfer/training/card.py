"""The model card of an adapter."""

from collections.abc import Mapping
from typing import Any

import polars as pl

LESSONS = {
    "transfer": "tuned by tomtransfer on what a larger model chose in two-player games, with the reasons that it gave.",
    "shuffled": (
        "tuned by tomtransfer on what a larger model answered in *other* scenarios: its answers were moved between\n"
        "prompts on purpose. It is a control, to be measured beside an adapter of the right answers."
    ),
    "choices_only": (
        "tuned by tomtransfer on what a larger model chose in two-player games, without the reasons that it gave."
    ),
}
"""What an adapter was trained on, by the arm of the experiment."""


def model_card(facts: Mapping[str, Any], log: pl.DataFrame) -> str:
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
{_lesson(facts)}

- **Trained on** {facts["completions"]} completions after {facts["prompts"]} prompts.
  Games: {", ".join(facts["games"])}. Contexts: {", ".join(facts["contexts"])}.
  No other context was trained on.{_reasons(facts)}
- **Held back** {facts["held_back_completions"]} completions.
  Their loss went from {losses[0]:.3f} after a quarter of the training to {losses[-1]:.3f} at its end.
- **Adapter** {", ".join(lora["targets"])}: rank {lora["rank"]}, alpha {lora["alpha"]:g}, dropout {lora["dropout"]:g}.
- **Training** for {training["epochs"]} epochs, a step being {_step(training)} of up to
  {training["completions_per_row"]} completions, learning rate {training["learning_rate"]:g}
  ({training["schedule"]}), seed {training["seed"]}.
- **Software** {facts["software"]}.

Its answers imitate another model's. They say nothing of how people behave and are not advice.
"""


def _lesson(facts: Mapping[str, Any]) -> str:
    """Return what was learnt, in words; not that the teacher gave the reasons where it did not."""
    lesson = LESSONS[facts["arm"]]
    if author := facts.get("reasons_written_by"):
        return lesson.replace("the reasons that it gave", f"reasons of which a {author} wrote some or all")
    return lesson


def _step(training: Mapping[str, Any]) -> str:
    """Return what a step of the optimizer is made of, in words."""
    count = training["rows_per_step"]
    if training["counterbalanced_steps"]:
        return f"all rows of {count} scenario{'s' if count > 1 else ''}, in every trained frame,"
    return f"{count} row{'s' if count > 1 else ''}"


def _reasons(facts: Mapping[str, Any]) -> str:
    """Return a sentence on reasons that are not the teacher's, with what comes before it."""
    if author := facts.get("reasons_written_by"):
        return f"\n  What the {author} wrote restates payoffs, and no teacher gave it as a reason."
    return ""
