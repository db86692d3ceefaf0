"""Answers as tables: what a model chose, and what a teacher gave as its reasons, row by row.

A row is keyed by everything that its content depends on; a table is brought up to date by computing the rows whose key
it does not have, and nothing is loaded when it has them all.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.planted import cooperation_rates, motivation, read_planted
from tomtransfer.prompts import Prompt, Query
from tomtransfer.registry import Planted
from tomtransfer.settings import Teacher
from tomtransfer.tables import ROW_COLUMNS, compute_missing, row_key, with_known_rows, write_table

logger = logging.getLogger(__name__)

CHOICE_COLUMNS = {
    "cooperate": pl.Float64,
    "defect": pl.Float64,
    "other": pl.Float64,
    "software": pl.String,
    "computation": pl.String,
}
MOTIVATION_COLUMNS = {
    "motivation": pl.String,
    "tokens": pl.Int64,
    "finished": pl.Boolean,
    "software": pl.String,
    "computation": pl.String,
}


@dataclass(frozen=True)
class Respondent:
    """Who is asked: a model at a revision, the precision of its weights, the adapter on it, and how warm it answers.

    `stage_revision` is raised by hand to have every answer computed again. The model is loaded when first needed.
    """

    directory: Path
    model_revision: str
    quantization: str
    temperature: float
    stage_revision: int
    device: str
    tokens_per_batch: int
    adapter: Path | None = None
    adapter_key: str = ""

    @property
    def identity(self) -> dict[str, Any]:
        """Return what an answer depends on beside its prompt."""
        return {
            "model": self.directory.name,
            "model_revision": self.model_revision,
            "quantization": self.quantization,
            "adapter": self.adapter_key,
            "temperature": self.temperature,
            "stage_revision": self.stage_revision,
        }

    @cached_property
    def planted(self) -> Planted | None:
        """Return the policy of a planted teacher, which answers without a model; None for a model."""
        return read_planted(self.directory)

    @cached_property
    def tokenizer(self) -> Any:
        """Return the tokenizer."""
        from tomtransfer.engine import load_tokenizer

        return load_tokenizer(self.directory)

    @cached_property
    def loaded(self) -> Any:
        """Return the model, on its device."""
        from tomtransfer.engine import choose_device, load_model

        return load_model(self.directory, self.quantization, choose_device(self.device), self.adapter)

    @cached_property
    def prefixes(self) -> Any:
        """Return what is kept of prompts that were computed, by their tokens: none to begin with."""
        return {}


def update_choices(
    path: Path,
    prompts: Sequence[Prompt],
    respondent: Respondent,
    room: int = 1,
    drawn_behind: Sequence[Prompt | Query] = (),
) -> None:
    """Bring the choices in `path` up to date: one row per prompt, in their order.

    The prompts that texts are `drawn_behind` afterwards are kept as they were computed, within the tokens of a batch.

    Raises InputError before the model is loaded when a prompt does not fit it with `room` tokens for the answer.
    """
    identity = respondent.identity
    rows = [{"key": row_key(prompt=prompt.sha256, **identity), **place_of(prompt), **identity} for prompt in prompts]
    table = with_known_rows(pl.DataFrame(rows, schema=ROW_COLUMNS), path, CHOICE_COLUMNS)
    missing = [number for number, known in enumerate(table["cooperate"].is_not_null()) if not known]
    logger.info("%s: %d of %d choices are to be computed", path.name, len(missing), len(table))
    kept = {prompt.sha256 for prompt in drawn_behind}

    def choose(part: Sequence[int]) -> dict[str, list[float]]:
        # What is kept of prompts has a limit, which is for all parts together.
        first = part[0] == missing[0]
        return _choose([prompts[number] for number in part], respondent, room, kept if first else ())

    table = compute_missing(table, missing, choose, path)
    write_table(table, path)


def update_motivations(
    path: Path, prompts: Sequence[Prompt], respondent: Respondent, settings: Teacher, frames: Mapping[str, int]
) -> None:
    """Bring the motivations in `path` up to date: for each prompt and each choice, the number that its frame has.

    Both choices get the same number, whatever their probabilities: these are known exactly, so that drawing the choice
    would only add noise. A motivation counts with the probability of its choice divided by that number, which leaves
    every expectation as it is (stratified sampling). A draw's key does not depend on how many there are.
    """
    identity = {**respondent.identity, "motivation_tokens": settings.motivation_tokens, "seed": settings.seed}
    rows, draws = [], []
    for number, prompt in enumerate(prompts):
        for choice, label in zip(("cooperate", "defect"), prompt.labels, strict=True):
            for draw in range(frames[prompt.frame]):
                key = row_key(prompt=prompt.sha256, label=label, draw=draw, **identity)
                rows.append(
                    {"key": key, **place_of(prompt), "choice": choice, "label": label, "draw": draw, **identity}
                )
                draws.append((number, choice))
    drawn_columns = {
        "choice": pl.String,
        "label": pl.String,
        "draw": pl.Int64,
        "motivation_tokens": pl.Int64,
        "seed": pl.Int64,
    }
    table = with_known_rows(pl.DataFrame(rows, schema=ROW_COLUMNS | drawn_columns), path, MOTIVATION_COLUMNS)
    missing = [number for number, known in enumerate(table["motivation"].is_not_null()) if not known]
    logger.info("%s: %d of %d motivations are to be drawn", path.name, len(missing), len(table))
    keys = table["key"]

    def motivate(part: Sequence[int]) -> dict[str, list[Any]]:
        return _motivate(prompts, [(*draws[number], keys[number]) for number in part], respondent, settings)

    table = compute_missing(table, missing, motivate, path)
    write_table(table, path)


def _choose(
    prompts: Sequence[Prompt], respondent: Respondent, room: int, kept: Collection[str]
) -> dict[str, list[float]]:
    """Return the probabilities of cooperate, defect and other for each prompt, planted or computed."""
    if respondent.planted is not None:
        rates = cooperation_rates(prompts, respondent.planted)
        return {"cooperate": rates, "defect": [1 - rate for rate in rates], "other": [0.0 for _ in rates]}
    from tomtransfer.engine import choice_distributions, encode_prompts

    asked = encode_prompts(respondent.tokenizer, prompts, respondent.directory, room)
    numbers = [number for number, prompt in enumerate(prompts) if prompt.sha256 in kept]
    tokens = accumulate(len(asked[number].tokens) for number in numbers)
    answers = choice_distributions(
        respondent.loaded,
        asked,
        respondent.temperature,
        respondent.tokens_per_batch,
        [number for number, total in zip(numbers, tokens, strict=True) if total <= respondent.tokens_per_batch],
        respondent.prefixes,
    )
    return {name: [getattr(answer, name) for answer in answers] for name in ("cooperate", "defect", "other")}


def _motivate(
    prompts: Sequence[Prompt], wanted: Sequence[tuple[int, str, str]], respondent: Respondent, settings: Teacher
) -> dict[str, list[Any]]:
    """Return a motivation for each of `wanted`: the number of its prompt, its choice and its key."""
    policy = respondent.planted
    if policy is not None:
        texts = [motivation(prompts[number], choice, policy) for number, choice, _ in wanted]
        return {"motivation": texts, "tokens": [0 for _ in texts], "finished": [True for _ in texts]}
    from tomtransfer.engine import encode_prompts
    from tomtransfer.motivations import Draw, draw_motivations

    encoded = encode_prompts(respondent.tokenizer, prompts, respondent.directory, settings.motivation_tokens)
    drawn = draw_motivations(
        respondent.loaded,
        respondent.tokenizer,
        encoded,
        [Draw(number, getattr(encoded[number], choice)[0], key) for number, choice, key in wanted],
        respondent.temperature,
        settings.motivation_tokens,
        respondent.tokens_per_batch,
        prefixes=respondent.prefixes,
    )
    return {
        "motivation": [each.text for each in drawn],
        "tokens": [each.tokens for each in drawn],
        "finished": [each.finished for each in drawn],
    }


def place_of(prompt: Prompt | Query) -> dict[str, Any]:
    """Return where a prompt belongs, and which it is."""
    names = ("split", "game", "context", "frame", "question")
    return {**{name: getattr(prompt, name) for name in names}, "prompt": prompt.sha256}
