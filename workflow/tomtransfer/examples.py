"""From the teacher's answers to training examples: weighted so that the student is shown the teacher's exact policy."""

import math
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tomtransfer.prompts import Prompt
from tomtransfer.tables import read_table
from tomtransfer.validation import InputError

TRAINED_SPLIT = "in_sample"


def assemble(
    choice_paths: Sequence[Path], motivation_paths: Sequence[Path], prompts: Sequence[Prompt], held_back_share: float
) -> pl.DataFrame:
    """Return the training examples: one row per scenario, frame, choice and different motivation.

    The weight of an example is the teacher's probability of its choice, among the two labels, divided by the number of
    motivations of that choice, so that the weights of a prompt sum to one. The last `held_back_share` of the draws of
    each choice, at least one, is held back from training for the evaluation loss; both parts are weighted alike.

    Raises InputError when a motivation is not of the trained split.
    """
    choices = pl.concat([read_table(path) for path in choice_paths])
    motivations = pl.concat([read_table(path) for path in motivation_paths])
    strangers = motivations.filter(pl.col("split") != TRAINED_SPLIT)
    if len(strangers):
        raise InputError(f"motivations of {strangers['split'][0]}: only {TRAINED_SPLIT} may be trained on")
    draws = motivations["draw"].max()
    trained_draws = int(str(draws)) + 1 - max(1, math.ceil(held_back_share * (int(str(draws)) + 1)))
    texts = pl.DataFrame(
        [{"prompt": prompt.sha256, "system": prompt.system, "user": prompt.user} for prompt in prompts]
    )
    valid = pl.col("cooperate") + pl.col("defect")
    probability = pl.when(pl.col("choice") == "cooperate").then(pl.col("cooperate")).otherwise(pl.col("defect")) / valid
    part = ["prompt", "choice", "held_back"]
    return (
        motivations.join(choices.select("prompt", "cooperate", "defect").unique("prompt"), on="prompt")
        .join(texts.unique("prompt"), on="prompt")
        .with_columns(held_back=pl.col("draw") >= trained_draws)
        .with_columns(weight=probability / pl.len().over(part))
        .group_by(*part, "motivation", "finished", maintain_order=True)
        .agg(pl.col("split", "game", "context", "frame", "label", "system", "user", "key").first(), pl.sum("weight"))
        .with_columns(completion=pl.col("label") + "\n" + pl.col("motivation"))
    )
