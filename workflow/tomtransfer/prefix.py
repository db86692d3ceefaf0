"""Shared-prefix rows: several completions behind one copy of their prompt.

Every completion attends to the prompt and to itself, and its positions go on from the prompt's, so that a row with K
completions has the loss and the gradient of K separate rows at the cost of P + KL tokens instead of K(P + L).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

LONGEST_ROW = 8192
"""Tokens of a row to train on, at most: what is held for its gradient grows with them."""


@dataclass(frozen=True)
class Completion:
    """The tokens of one completion, its weight among the completions, and the place of its choice among its tokens."""

    tokens: list[int]
    weight: float
    choice: int = 0


@dataclass(frozen=True)
class Row:
    """A prompt and the completions that are trained behind it."""

    prompt: list[int]
    completions: list[Completion]


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

    What is true in the mask could be told from them as well; attention that knows them need not look at the rest.
    """
    return (len(row.prompt), *(len(completion.tokens) - 1 for completion in row.completions))


def row_targets(row: Row, choice_share: float | None) -> dict[str, torch.Tensor]:
    """Return what is to be predicted in a row, from where and how much it counts: labels, sources, weights (targets).

    The first token of each completion is predicted from the prompt's last position. A completion's weight is divided
    over its tokens: `choice_share` to the choice, the rest in equal parts to the others, or equal parts to all if None.
    Prompt tokens are never among the targets.
    """
    labels: list[int] = []
    sources: list[int] = []
    weights: list[float] = []
    start = len(row.prompt)
    for completion in row.completions:
        count = len(completion.tokens)
        labels += completion.tokens
        sources += [len(row.prompt) - 1, *range(start, start + count - 1)]
        weights += [completion.weight * share for share in token_shares(count, choice_share, completion.choice)]
        start += count - 1
    return {"labels": torch.tensor(labels), "sources": torch.tensor(sources), "weights": torch.tensor(weights)}


def token_shares(count: int, choice_share: float | None, choice: int = 0) -> list[float]:
    """Return how the loss of a completion of `count` tokens, with its choice at a place, is divided: it sums to one."""
    if choice_share is None or count == 1:
        return [1 / count] * count
    shares = [(1 - choice_share) / (count - 1)] * count
    shares[choice] = choice_share
    return shares


def weighted_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return the weighted sum of the negative log likelihoods, in nats, of `labels` under `logits` / `temperature`.

    `logits` is (targets, vocabulary); `labels` and `weights` are (targets).
    """
    losses = torch.nn.functional.cross_entropy(logits.float() / temperature, labels, reduction="none")
    return (losses * weights).sum()


def pack(prompt: list[int], completions: Sequence[Completion], per_row: int, longest: int = LONGEST_ROW) -> list[Row]:
    """Return rows of at most `per_row` completions, dealt in turns so that each has both choices.

    A number that does not divide makes rows that differ by one completion, not a short last row. Where a row would have
    more than `longest` tokens there are more rows, as even as before; a completion that alone is too long is a row.
    Completions of a row need not be of one length: shorter ones are not filled up.
    """
    fewest = -(-len(completions) // per_row)
    for count in range(fewest, len(completions) + 1):
        rows = [Row(prompt, list(completions[start::count])) for start in range(count)]
        if max((sum(row_lengths(row)) for row in rows), default=0) <= longest:
            break
    return rows
