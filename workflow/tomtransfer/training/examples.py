"""From the teacher's answers to training examples: weighted so that the student is shown the teacher's policy."""

import logging
import math
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.experiment.tables import read_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.counting import OUTCOMES, parse_choices
from tomtransfer.scenarios.questions import Prompt

logger = logging.getLogger(__name__)

REASONED = (
    *("split", "game", "context", "frame", "question", "prompt"),
    *("choice", "label", "draw", "key", "motivation", "finished"),
)
"""What is used of a motivation."""


def assemble(
    choice_paths: Sequence[Path],
    motivation_paths: Sequence[Path],
    prompts: Sequence[Prompt],
    frames: Sequence[str],
    held_back_share: float,
) -> pl.DataFrame:
    """Return the training examples: one row per scenario, frame, choice and different motivation.

    The weight of an example is the teacher's probability of its choice, among the two labels, divided by the number of
    motivations of that choice, so that the weights of a prompt sum to one. Of the motivations of a choice in a
    scenario, over all `frames`, the last draws are held back from training for the evaluation loss, `held_back_share`
    of them and at least one, but never the first of a frame; both parts are weighted alike. A prompt whose answers are
    recorded without motivations has each choice that was made as a label alone, in both parts. Where a template wrote
    some of the motivations, there is a column `author` that says of which.

    Raises InputError when a motivation is not of the trained split, or of a frame that is not one of `frames`, and when
    a scenario has no choices or, in one of these frames, no motivations.
    """
    choices = pl.concat([read_table(path) for path in choice_paths])
    motivations = pl.concat([read_table(path) for path in motivation_paths], how="diagonal")
    _refuse_strangers(motivations, "split", [TRAINED_SPLIT])
    _refuse_strangers(motivations, "frame", frames)
    authors = motivations.select("prompt", "author").unique("prompt") if "author" in motivations.columns else None
    motivations = pl.concat([motivations.select(REASONED), _labels_alone(choices, motivations, prompts, frames)])
    _refuse_untaught(choices, motivations, frames)
    valid = pl.col("cooperate") + pl.col("defect")
    probability = pl.when(pl.col("choice") == "cooperate").then(pl.col("cooperate")).otherwise(pl.col("defect")) / valid
    part = ["prompt", "choice", "held_back"]
    examples = (
        _with(_with_texts(motivations, prompts), choices.select("prompt", "cooperate", "defect"), "the choices")
        .with_columns(held_back=_held_back(frames, held_back_share))
        .with_columns(weight=probability / pl.len().over(part))
        .group_by(*part, "motivation", "finished", maintain_order=True)
        .agg(
            pl.col("split", "game", "context", "frame", "question", "label", "system", "user", "key").first(),
            pl.sum("weight"),
        )
        .with_columns(
            completion=pl.concat_str("label", "motivation", separator="\n", ignore_nulls=True),
            motivation=pl.col("motivation").fill_null(""),
        )
    )
    return examples if authors is None else examples.join(authors, on="prompt", how="left", maintain_order="left")


def _labels_alone(
    choices: pl.DataFrame, motivations: pl.DataFrame, prompts: Sequence[Prompt], frames: Sequence[str]
) -> pl.DataFrame:
    """Return two rows without motivation for each recorded choice of a prompt that has none; one is held back."""
    if "evidence" not in choices.columns:
        return motivations.select(REASONED).clear()
    trained = choices.filter(pl.col("split") == TRAINED_SPLIT, pl.col("frame").is_in(list(frames)))
    trained = trained.join(motivations, on="prompt", how="anti", maintain_order="left")
    labels = {(prompt.sha256, action): getattr(prompt, action) for prompt in prompts for action in OUTCOMES}
    rows = [
        {**row, "choice": action, "label": labels[row["prompt"], action], "draw": draw, "motivation": None}
        for row in trained.iter_rows(named=True)
        for action in OUTCOMES
        if row[action]
        for draw in range(2)
    ]
    schema = motivations.select(REASONED).schema
    return pl.DataFrame([{**row, "finished": True} for row in rows], schema=schema).select(REASONED)


def assemble_drawn(
    answer_paths: Sequence[Path], prompts: Sequence[Prompt], frames: Sequence[str], held_back_share: float
) -> pl.DataFrame:
    """Return the training examples of a teacher whose choices are known from drawn answers alone.

    Every valid answer of the trained split, in one of `frames`, is an example, in the order in which the teacher gave
    choice and reasons. Those of a prompt weigh alike and sum to one; the last `held_back_share` of the draws, at least
    one, is held back.
    Raises InputError when the teacher gave no valid answer to train on.
    """
    answers = pl.concat([read_table(path) for path in answer_paths])
    answers = answers.filter(pl.col("split") == TRAINED_SPLIT, pl.col("frame").is_in(list(frames)))
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
        _with_texts(valid, prompts)
        .rename({"reasons": "motivation"})
        # Nothing stands after a last line that holds the choice: such an answer is at its end.
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


def _with_texts(rows: pl.DataFrame, prompts: Sequence[Prompt]) -> pl.DataFrame:
    """Return rows with the messages of their prompts."""
    texts = [{"prompt": prompt.sha256, "system": prompt.system, "user": prompt.user} for prompt in prompts]
    return _with(rows, pl.DataFrame(texts), "the prompts")


def _with(rows: pl.DataFrame, more: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return rows with what `more` has of their prompts; raises InputError naming a scenario that it lacks."""
    # The order of rows is part of what an adapter depends on, and a join keeps it only if it is told to.
    if len(missing := rows.join(more, on="prompt", how="anti", maintain_order="left")):
        raise InputError(f"{where} lack {_place(missing)}, of which there are answers to train on")
    return rows.join(more.unique("prompt"), on="prompt", maintain_order="left")


def _refuse_untaught(choices: pl.DataFrame, motivations: pl.DataFrame, frames: Sequence[str]) -> None:
    """Raise InputError naming a scenario of the trained split in which the teacher chose and that has no motivation.

    One in which it never did, as a record may say, is left out, and named in the log.
    """
    trained = choices.filter(pl.col("split") == TRAINED_SPLIT, pl.col("frame").is_in(list(frames)))
    chose = pl.col("cooperate") + pl.col("defect") > 0
    for row in trained.filter(~chose).iter_rows(named=True):
        logger.warning("%s/%s in frame %s: no valid answer to train on", row["game"], row["context"], row["frame"])
    trained = trained.filter(chose)
    if len(missing := trained.join(motivations, on="prompt", how="anti", maintain_order="left")):
        raise InputError(f"the motivations lack {_place(missing)}, of which the teacher's choices are known")


def _place(rows: pl.DataFrame) -> str:
    """Return the scenario and frame of the first of rows in words."""
    split, game, context, frame = rows.select("split", "game", "context", "frame").row(0)
    return f"{split}/{game}/{context} in frame {frame}"


def _refuse_strangers(motivations: pl.DataFrame, column: str, trained: Sequence[str]) -> None:
    """Raise InputError when a motivation is of a split or frame that is held out."""
    strangers = motivations.filter(~pl.col(column).is_in(trained))
    if len(strangers):
        raise InputError(f"motivations of {strangers[column][0]}: only {', '.join(trained)} may be trained on")


def _held_back(frames: Sequence[str], share: float) -> pl.Expr:
    """Return whether a motivation is held back: later draws first, of each draw the later frames first."""
    scenario_and_choice = ["split", "game", "context", "choice"]
    place = pl.col("draw") * len(frames) + pl.col("frame").replace_strict(list(frames), list(range(len(frames))))
    number = pl.len().over(scenario_and_choice)
    kept = number - pl.max_horizontal(1, (share * number).ceil())
    return (place.rank("ordinal").over(scenario_and_choice) > kept) & (pl.col("draw") > 0)
