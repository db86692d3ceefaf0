"""What students of other arms are trained on: the teacher's answers moved between scenarios, or without their reasons.

A student of answers that were moved learns all that they have in common, how much the teacher cooperates, which letters
it likes, how it writes, and nothing of which scenario is which: what it closes of the gap is no strategy. A student of
choices alone shows what reasons add.
"""

import numpy as np
import polars as pl

from tomtransfer.experiment.sections import Arm
from tomtransfer.experiment.validation import InputError

SHUFFLE_SEED = 1
"""Seed of the order in which answers move: all experiments with the same scenarios move them alike."""

WHOSE = ("split", "game", "context")

OF_THE_PROMPT = (*WHOSE, "frame", "question", "prompt", "system", "user")
"""Columns of an example that say what was asked; the others say what was answered, and how much it counts."""


def examples_of(arm: Arm, examples: pl.DataFrame) -> pl.DataFrame:
    """Return what the students of an arm are trained on, made from the examples of transfer."""
    match arm:
        case "shuffled":
            return shuffle(examples)
        case "choices_only":
            return without_reasons(examples)
        case _:
            return examples


def shuffle(examples: pl.DataFrame) -> pl.DataFrame:
    """Return examples in which each prompt has all answers to another scenario's prompt in the same frame.

    Scenarios are put in a circle at random, and each gets the answers of the next one: none keeps its own, and each
    answer is used once. In one frame a label means the same in all scenarios, so that it still means what it did.
    Raises InputError where a frame has a single scenario.
    """
    scenarios = examples.select(WHOSE).unique(maintain_order=True)
    order = np.random.default_rng(SHUFFLE_SEED).permutation(len(scenarios))
    circle = scenarios.with_columns(place=pl.Series(order))
    prompts = examples.select(OF_THE_PROMPT).unique("prompt", maintain_order=True)
    asked = prompts.join(circle, on=WHOSE, maintain_order="left")
    if len(alone := asked.filter(pl.len().over("frame") == 1)):
        raise InputError(
            f"arms: shuffled: {alone['frame'][0]} is trained on in a single scenario, {alone['game'][0]} in "
            f"{alone['context'][0]}: there is no other to take answers from"
        )
    asked = asked.sort("frame", "place", maintain_order=True)
    first, following = (each.over("frame") for each in (pl.col("prompt").first(), pl.col("prompt").shift(-1)))
    moved = asked.select(to="prompt", answered=following.fill_null(first))
    answers = examples.drop(*(name for name in OF_THE_PROMPT if name != "prompt")).rename({"prompt": "answered"})
    return (
        answers.join(moved, on="answered", maintain_order="left", validate="m:1")
        .join(asked.drop("place"), left_on="to", right_on="prompt", maintain_order="left", validate="m:1")
        .rename({"to": "prompt"})
        .select(examples.columns)
    )


def without_reasons(examples: pl.DataFrame) -> pl.DataFrame:
    """Return examples whose completions are labels alone: one for each choice of a prompt, with the weight of all."""
    part = ("prompt", "choice", "held_back")
    rest = set(examples.columns) - {*part, "weight", "motivation", "finished", "completion"}
    return (
        examples.group_by(part, maintain_order=True)
        .agg(pl.col(*rest).first(), pl.sum("weight"))
        .with_columns(motivation=pl.lit(""), finished=pl.lit(True), completion=pl.col("label"))
        .select(examples.columns)
    )
