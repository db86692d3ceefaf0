"""The loss of completions that share their prompt, and how completions are packed into rows."""

from collections.abc import Sequence

import torch

from tomtransfer.inference.rows import Completion, Row, row_lengths

LONGEST_TRAINED_ROW = 8192
"""Tokens of a row to train on, at most: what is held for its gradient grows with them."""


def row_targets(row: Row, choice_share: float | None) -> dict[str, torch.Tensor]:
    """Return what is to be predicted in a row, from where and how much it counts: labels, sources, weights (targets).

    The first token of each completion is predicted from the prompt's last position. A completion's weight is divided
    over its tokens: `choice_share` in equal parts to those of the choice, the rest in equal parts to the others, or
    equal parts to all if None.
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
        weights += [completion.weight * share for share in token_shares(completion, choice_share)]
        start += count - 1
    return {"labels": torch.tensor(labels), "sources": torch.tensor(sources), "weights": torch.tensor(weights)}


def token_shares(completion: Completion, choice_share: float | None) -> list[float]:
    """Return what each token of a completion counts of its weight: `choice_share` those of its choice together.

    The choice counts that whether or not reasons stand beside it, and the reasons the rest. If None, all count the same
    and the weight as a whole, which must then grow with their number (`completions.make_rows`).
    """
    count, chosen = len(completion.tokens), completion.choice_tokens
    if choice_share is None:
        return [1 / count] * count
    shares = [(1 - choice_share) / max(count - chosen, 1)] * count
    shares[completion.choice : completion.choice + chosen] = [choice_share / chosen] * chosen
    return shares


def weighted_loss(
    logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return the weighted sum of the negative log likelihoods, in nats, of `labels` under `logits` / `temperature`.

    `logits` is (targets, vocabulary); `labels` and `weights` are (targets).
    """
    losses = torch.nn.functional.cross_entropy(logits.float() / temperature, labels, reduction="none")
    return (losses * weights).sum()


def pack(
    prompt: list[int], completions: Sequence[Completion], per_row: int, longest: int = LONGEST_TRAINED_ROW
) -> list[Row]:
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
