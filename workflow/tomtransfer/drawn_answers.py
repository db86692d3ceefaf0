"""Drawn answers as a table: what a model said, word for word, a row per draw, to be read when they are counted."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.answers import Respondent, place_of
from tomtransfer.asking import Asking
from tomtransfer.planted import answer
from tomtransfer.prompts import Prompt, Query
from tomtransfer.tables import ROW_COLUMNS, compute_missing, row_key, with_known_rows, write_table

logger = logging.getLogger(__name__)

DRAW_COLUMNS = {
    "options": pl.List(pl.String),
    "labelled": pl.Boolean,
    "draw": pl.Int64,
    "longest": pl.Int64,
    "one_line": pl.Boolean,
    "seed": pl.Int64,
}
ANSWER_COLUMNS = {
    "answer": pl.String,
    "tokens": pl.Int64,
    "finished": pl.Boolean,
    "software": pl.String,
    "computation": pl.String,
}


def update_answers(path: Path, prompts: Sequence[Prompt | Query], respondent: Respondent, asking: Asking) -> None:
    """Bring the drawn answers in `path` up to date: for each prompt as many as `asking` says, in their order.

    A draw's key, which is also the seed of its random stream, does not depend on how many there are: asking for more
    draws only the additional ones. Raises InputError before the model is loaded when a prompt does not fit it.
    """
    identity = respondent.identity
    drawing = {"longest": asking.longest, "one_line": asking.one_line, "seed": asking.seed}
    rows, asked = [], []
    for number, prompt in enumerate(prompts):
        for draw in range(asking.answers):
            key = row_key(prompt=prompt.sha256, draw=draw, **drawing, **identity)
            rows.append({"key": key, **place_of(prompt), **_options(prompt), "draw": draw, **drawing, **identity})
            asked.append(number)
    table = with_known_rows(pl.DataFrame(rows, schema=ROW_COLUMNS | DRAW_COLUMNS), path, ANSWER_COLUMNS)
    missing = [number for number, known in enumerate(table["answer"].is_not_null()) if not known]
    logger.info("%s: %d of %d answers are to be drawn", path.name, len(missing), len(table))
    keys = table["key"]

    def draw_part(part: Sequence[int]) -> dict[str, list[Any]]:
        return _draw(prompts, [(asked[number], keys[number]) for number in part], respondent, asking)

    table = compute_missing(table, missing, draw_part, path)
    write_table(table, path)


def _draw(
    prompts: Sequence[Prompt | Query], wanted: Sequence[tuple[int, str]], respondent: Respondent, asking: Asking
) -> dict[str, list[Any]]:
    """Return an answer for each of `wanted`: the number of its prompt and its key."""
    policy = respondent.planted
    if policy is not None:
        texts = [answer(prompts[number], key, policy) for number, key in wanted]
        return {"answer": texts, "tokens": [0 for _ in texts], "finished": [True for _ in texts]}
    from tomtransfer.engine import encode_texts
    from tomtransfer.motivations import Draw, draw_motivations

    drawn = draw_motivations(
        respondent.loaded,
        respondent.tokenizer,
        encode_texts(respondent.tokenizer, prompts, respondent.directory, asking.longest),
        [Draw(number, None, key) for number, key in wanted],
        respondent.temperature,
        asking.longest,
        respondent.tokens_per_batch,
        asking.one_line,
        respondent.prefixes,
    )
    return {
        "answer": [each.text for each in drawn],
        "tokens": [each.tokens for each in drawn],
        "finished": [each.finished for each in drawn],
    }


def _options(prompt: Prompt | Query) -> dict[str, Any]:
    """Return what may be answered: labels of cooperation and defection, in this order, or other texts."""
    labelled = isinstance(prompt, Prompt)
    return {"options": list(prompt.labels if isinstance(prompt, Prompt) else prompt.candidates), "labelled": labelled}
