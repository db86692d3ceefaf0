"""Shared-prefix rows: several completions after one copy of their prompt.

Every completion attends to the prompt and to itself, and its positions go on from the prompt's, so that a row with K
completions has the loss and the gradient of K separate rows at the cost of P + KL tokens instead of K(P + L).
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Completion:
    """The tokens of one completion, its weight among the completions, and which of its tokens are its choice."""

    tokens: list[int]
    weight: float
    choice: int = 0
    """The place of the first of them."""
    choice_tokens: int = 1


@dataclass(frozen=True)
class Row:
    """A prompt and the completions that are trained after it."""

    prompt: list[int]
    completions: list[Completion]
    scenario: str = ""
    """What it is about, the same in all frames; empty where that does not matter."""


def row_inputs(row: Row) -> dict[str, torch.Tensor]:
    """Return input_ids and position_ids, each (1, tokens), and attention_mask (1, 1, tokens, tokens), true where seen.

    The last token of a completion is not among the inputs: nothing is predicted from it.
    """
    tokens, positions, owners = list(row.prompt), list(range(len(row.prompt))), [0] * len(row.prompt)
    for number, completion in enumerate(row.completions, start=1):
        inner = completion.tokens[:-1]
        tokens += inner
        positions += range(len(row.prompt), len(row.prompt) + len(inner))
        owners += [number] * len(inner)
    owner = torch.tensor(owners)
    causal = torch.ones(len(tokens), len(tokens), dtype=torch.bool).tril()
    seen = causal & ((owner[None, :] == owner[:, None]) | (owner[None, :] == 0))
    return {
        "input_ids": torch.tensor([tokens]),
        "position_ids": torch.tensor([positions]),
        "attention_mask": seen[None, None],
    }


def row_lengths(row: Row) -> tuple[int, ...]:
    """Return how many tokens of a row's inputs are of the prompt, and how many of each completion.

    What is true in the mask follows from them as well; attention that knows them need not look at the rest.
    """
    return (len(row.prompt), *(len(completion.tokens) - 1 for completion in row.completions))
