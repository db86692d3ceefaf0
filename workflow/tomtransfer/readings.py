"""Exact answers that are one of several texts, as a table: amounts, and questions whose right answer is known."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.answers import Respondent, place_of
from tomtransfer.planted import reading
from tomtransfer.prompts import Query
from tomtransfer.tables import ROW_COLUMNS, compute_missing, row_key, with_known_rows, write_table

logger = logging.getLogger(__name__)

QUERY_COLUMNS = {"candidates": pl.List(pl.String), "right": pl.String}
READING_COLUMNS = {
    "probabilities": pl.List(pl.Float64),
    "other": pl.Float64,
    "software": pl.String,
    "computation": pl.String,
}


def update_readings(path: Path, queries: Sequence[Query], respondent: Respondent) -> None:
    """Bring the exact answers in `path` up to date: a row per query, with a probability for each of its candidates.

    Raises InputError before the model is loaded when a query does not fit it.
    """
    identity = respondent.identity
    rows = [
        {
            "key": row_key(prompt=query.sha256, **identity),
            **place_of(query),
            "candidates": list(query.candidates),
            "right": query.right,
            **identity,
        }
        for query in queries
    ]
    table = with_known_rows(pl.DataFrame(rows, schema=ROW_COLUMNS | QUERY_COLUMNS), path, READING_COLUMNS)
    missing = [number for number, known in enumerate(table["other"].is_not_null()) if not known]
    logger.info("%s: %d of %d answers are to be read", path.name, len(missing), len(table))

    def read(part: Sequence[int]) -> dict[str, list[Any]]:
        return _read([queries[number] for number in part], respondent)

    table = compute_missing(table, missing, read, path)
    write_table(table, path)


def _read(queries: Sequence[Query], respondent: Respondent) -> dict[str, list[Any]]:
    """Return the probabilities of the candidates of each query, and of anything else, planted or computed."""
    policy = respondent.planted
    if policy is not None:
        return {"probabilities": [reading(query, policy) for query in queries], "other": [0.0 for _ in queries]}
    from tomtransfer.engine import encode_texts
    from tomtransfer.token_tree import LONGEST_PATH, Vocabulary, candidate_distributions

    encoded = encode_texts(respondent.tokenizer, queries, respondent.directory, LONGEST_PATH)
    found = candidate_distributions(
        respondent.loaded,
        Vocabulary(respondent.tokenizer),
        [prompt.tokens for prompt in encoded],
        [query.candidates for query in queries],
        respondent.temperature,
        respondent.tokens_per_batch,
    )
    return {"probabilities": [each.candidates for each in found], "other": [each.other for each in found]}
