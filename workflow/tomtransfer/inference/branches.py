"""Texts that branch off from a prompt: its keys and values are kept once and read once for all of them.

Copying a prompt's cache for every text that is drawn behind it costs memory and, at every step, time to read it. Here a
step multiplies the queries of all branches with the one copy, and each branch's with its own tokens; the softmax is
taken over both, so that nothing is approximated. It works with every model whose attention goes through transformers'
AttentionInterface.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface

from tomtransfer.inference.prefill import Prefix

BRANCHES = "branches"


@dataclass(frozen=True)
class Parts:
    """Keys or values of one layer: of each prompt (heads, prompt tokens, size), then (branches, heads, tokens, size).

    `counts` is the number of branches behind each prompt; branches stand in the order of their prompts.
    """

    prompts: Sequence[torch.Tensor]
    counts: Sequence[int]
    own: torch.Tensor


class BranchCache:
    """The cache of a model: that of some prompts, and of the branches behind each of them, `room` tokens at most."""

    def __init__(self, prompts: Sequence[Prefix], counts: Sequence[int], room: int) -> None:
        layers = range(len(prompts[0].layers))
        self.prompt_keys = [[prompt.layers[layer][0][0] for prompt in prompts] for layer in layers]
        self.prompt_values = [[prompt.layers[layer][1][0] for prompt in prompts] for layer in layers]
        self.counts = list(counts)
        self.keys = [self._empty(keys[0], room) for keys in self.prompt_keys]
        self.values = [self._empty(values[0], room) for values in self.prompt_values]
        self.lengths = [0 for _ in layers]

    def _empty(self, like: torch.Tensor, room: int) -> torch.Tensor:
        heads, _, size = like.shape
        return like.new_empty(sum(self.counts), heads, room, size)

    def get_seq_length(self, layer: int = 0) -> int:
        """Return how many tokens each branch has behind its prompt."""
        return self.lengths[layer]

    def update(self, keys: torch.Tensor, values: torch.Tensor, layer: int) -> tuple[Parts, Parts]:
        """Add the keys and values of the next tokens of each branch, (branches, heads, tokens, size); return all."""
        start, end = self.lengths[layer], self.lengths[layer] + keys.shape[2]
        self.lengths[layer] = end
        self.keys[layer][:, :, start:end] = keys
        self.values[layer][:, :, start:end] = values
        return (
            Parts(self.prompt_keys[layer], self.counts, self.keys[layer][:, :, :end]),
            Parts(self.prompt_values[layer], self.counts, self.values[layer][:, :, :end]),
        )

    def keep(self, branches: Sequence[int]) -> None:
        """Go on with the branches of these numbers, and drop all others and prompts that have no branch left.

        The numbers are in order; one that is given twice parts into two branches.
        """
        ends = torch.tensor(self.counts).cumsum(0).tolist()
        owners = torch.bucketize(torch.tensor(branches), torch.tensor(ends), right=True)
        left = torch.bincount(owners, minlength=len(ends)).tolist()
        still = [number for number, count in enumerate(left) if count]
        self.counts = [left[number] for number in still]
        for layer in range(len(self.keys)):
            self.prompt_keys[layer] = [self.prompt_keys[layer][number] for number in still]
            self.prompt_values[layer] = [self.prompt_values[layer][number] for number in still]
            self.keys[layer] = self.keys[layer][branches]
            self.values[layer] = self.values[layer][branches]


def attend_branches(
    module: torch.nn.Module,
    query: torch.Tensor,
    keys: Parts,
    values: Parts,
    attention_mask: None,
    scaling: float,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **settings: Any,
) -> tuple[torch.Tensor, None]:
    """Return the attention of the next tokens of each branch, (branches, tokens, heads, size), as transformers asks.

    `query` is (branches, heads, tokens, size). Query heads that share a key head are rows of one product.
    """
    if softcap is not None or s_aux is not None:
        raise NotImplementedError("attention with capped scores or with sinks")
    branches, heads, new, size = query.shape
    shared_heads = keys.own.shape[1]
    rows = heads // shared_heads * new
    folded = (query * scaling).reshape(branches, shared_heads, rows, size)
    own_scores = folded @ keys.own.transpose(-1, -2)
    own_weights = torch.empty_like(own_scores)
    output = torch.empty_like(folded)
    start = 0
    for prompt_keys, prompt_values, count in zip(keys.prompts, values.prompts, keys.counts, strict=True):
        behind = slice(start, start + count)
        length = prompt_keys.shape[1]
        together = folded[behind].transpose(0, 1).reshape(shared_heads, count * rows, size)
        own = own_scores[behind].transpose(0, 1).reshape(shared_heads, count * rows, -1)
        scores = torch.cat([together @ prompt_keys.transpose(-1, -2), own], dim=-1)
        hidden = _hidden(length, own.shape[-1], new, sliding_window)
        if hidden is not None:
            by_token = scores.view(shared_heads, -1, new, scores.shape[-1])
            by_token.masked_fill_(hidden.to(scores.device), float("-inf"))
        weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(query.dtype)
        read = (weights[..., :length] @ prompt_values).view(shared_heads, count, rows, size)
        output[behind] = read.transpose(0, 1)
        own_weights[behind] = weights[..., length:].view(shared_heads, count, rows, -1).transpose(0, 1)
        start += count
    output += own_weights @ values.own
    return output.view(branches, heads, new, size).transpose(1, 2), None


def _hidden(prompt: int, own: int, new: int, window: int | None) -> torch.Tensor | None:
    """Return which of `prompt` + `own` tokens each of the `new` last ones must not see, or None if they may see all."""
    if new == 1 and (window is None or prompt + own <= window):
        return None
    key = torch.arange(prompt + own)
    query = key[-new:, None]
    return (key > query) if window is None else (key > query) | (key <= query - window)


@contextmanager
def branching(model: Any) -> Iterator[None]:
    """Let `model` compute with a BranchCache."""
    before = model.config._attn_implementation
    model.set_attn_implementation(BRANCHES)
    try:
        yield
    finally:
        model.set_attn_implementation(before)


AttentionInterface.register(BRANCHES, attend_branches)
