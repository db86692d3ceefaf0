"""Rows to train on, of random tokens: only their number and their lengths matter for time."""

import torch

from tomtransfer.experiment.sections import Training
from tomtransfer.inference.rows import Completion, Row


def random_rows(
    completions: int, per_row: int, prompt_tokens: int, completion_tokens: int, vocabulary: int
) -> list[Row]:
    """Return rows with `completions` completions in all, `per_row` after each prompt, each with the same weight."""
    generator = torch.Generator().manual_seed(0)

    def tokens(count: int) -> list[int]:
        return [int(token) for token in torch.randint(vocabulary, (count,), generator=generator)]

    return [
        Row(tokens(prompt_tokens), [Completion(tokens(completion_tokens), 1 / per_row) for _ in range(per_row)])
        for _ in range(completions // per_row)
    ]


def apart(rows: list[Row]) -> list[Row]:
    """Return the same completions, each after a copy of its prompt."""
    return [Row(row.prompt, [Completion(each.tokens, 1.0)]) for row in rows for each in row.completions]


def one_step(rows: list[Row]) -> Training:
    """Return settings as published, with which one pass over `rows` is one step of the optimizer."""
    return Training(
        epochs=1,
        completions_per_row=len(rows[0].completions),
        rows_per_step=len(rows),
        learning_rate=5e-5,
        schedule="constant",
        warmup_share=0,
        choice_share=None,
        temperature=1,
    )
