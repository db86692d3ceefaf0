"""From the teacher's answers to training examples: weighted so that the student is shown the teacher's policy."""

import math
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tomtransfer.config import TRAINED_SPLIT
from tomtransfer.counted import parse_choices
from tomtransfer.prompts import Prompt
from tomtransfer.tables import read_table
from tomtransfer.validation import InputError


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
        .agg(
            pl.col("split", "game", "context", "frame", "question", "label", "system", "user", "key").first(),
            pl.sum("weight"),
        )
        .with_columns(completion=pl.col("label") + "\n" + pl.col("motivation"))
    )


def assemble_drawn(answer_paths: Sequence[Path], prompts: Sequence[Prompt], held_back_share: float) -> pl.DataFrame:
    """Return the training examples of a teacher whose choices are known from drawn answers alone.

    Every valid answer of the trained split is an example, in the order in which the teacher gave choice and reasons.
    Those of a prompt weigh alike and sum to one; the last `held_back_share` of the draws, at least one, is held back.
    Raises InputError when the teacher gave no valid answer to train on.
    """
    texts = pl.DataFrame(
        [{"prompt": prompt.sha256, "system": prompt.system, "user": prompt.user} for prompt in prompts]
    )
    answers = pl.concat([read_table(path) for path in answer_paths]).filter(pl.col("split") == TRAINED_SPLIT)
    valid = parse_choices(answers).filter(pl.col("choice").is_not_null())
    if not len(valid):
        raise InputError(
            f"none of the teacher's {len(answers)} answers in {TRAINED_SPLIT} chooses: nothing to train on"
        )
    draws = int(str(answers["draw"].max())) + 1
    trained_draws = draws - max(1, math.ceil(held_back_share * draws))
    last = pl.col("question") == "reason_first"
    before, after = (pl.col("reasons") + "\n" + pl.col("label"), pl.col("label") + "\n" + pl.col("reasons"))
    part = ["prompt", "choice", "held_back"]
    return (
        valid.join(texts.unique("prompt"), on="prompt")
        .rename({"reasons": "motivation"})
        # What stands behind a last line that holds the choice would be nothing: such an answer is at its end.
        .with_columns(held_back=pl.col("draw") >= trained_draws, finished=last | pl.col("finished"))
        .with_columns(weight=1 / pl.len().over("prompt", "held_back"))
        .group_by(*part, "motivation", "finished", maintain_order=True)
        .agg(
            pl.col("split", "game", "context", "frame", "question", "label", "system", "user", "key").first(),
            pl.sum("weight"),
        )
        .with_columns(reasons=pl.col("motivation"))
        .with_columns(completion=pl.when(last).then(before).otherwise(after).str.strip_chars("\n"))
        .drop("reasons")
    )
