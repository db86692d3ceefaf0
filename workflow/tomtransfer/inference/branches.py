"""Texts that branch off from a prompt: its keys and values are kept once and read once for all of them.

Copying a prompt's cache for every text that is drawn after it costs memory and, at every step, time to read it. Here a
step multiplies the queries of all branches with the one copy, and each branch's with its own tokens; the softmax is
taken over both, so that nothing is approximated. It works with every model whose attention goes through transformers'
AttentionInterface.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface, Cache
from transformers.cache_utils import CacheLayerMixin

from tomtransfer.inference.general_attention import UnknownAttentionError, capped, refuse_unknown, softmax_with_sinks
from tomtransfer.inference.prefill import Prefix

BRANCHES = "branches"


@dataclass(frozen=True)
class Parts:
    """Keys or values of one layer: of each prompt (heads, prompt tokens, size), then (branches, heads, tokens, size).

    `counts` is the number of branches after each prompt; branches stand in the order of their prompts.
    """

    prompts: Sequence[torch.Tensor]
    counts: Sequence[int]
    own: torch.Tensor


@dataclass(frozen=True)
class Layout:
    """Where in one sequence the tokens of prompts, and after them of their branches, stand."""

    prompts: tuple[int, ...]
    """Tokens of each prompt."""
    counts: tuple[int, ...]
    """Branches after each prompt."""

    def flat(self, parts: Parts) -> torch.Tensor:
        """Return parts as one sequence, (1, heads, tokens, size)."""
        own = parts.own.transpose(0, 1).flatten(1, 2)
        return torch.cat([*parts.prompts, own], dim=1)[None]

    def parts(self, flat: torch.Tensor) -> Parts:
        """Return one sequence, (1, heads, tokens, size), as its parts."""
        *prompts, own = torch.split(flat[0], [*self.prompts, flat.shape[2] - sum(self.prompts)], dim=1)
        branches = own.view(own.shape[0], sum(self.counts), -1, own.shape[-1])
        return Parts(prompts, self.counts, branches.transpose(0, 1))


class BranchLayer(CacheLayerMixin):
    """What one layer keeps: keys and values of some prompts, and of the branches after them, `room` tokens at most."""

    is_sliding = False

    def __init__(
        self, prompts: Sequence[tuple[torch.Tensor, torch.Tensor]], counts: Sequence[int], room: int, flat: bool
    ) -> None:
        super().__init__()
        self.flat = flat
        self.counts = list(counts)
        self.prompt_keys = [keys[0] for keys, _ in prompts]
        self.prompt_values = [values[0] for _, values in prompts]
        self.keys, self.values = (self._empty(part[0], room) for part in (self.prompt_keys, self.prompt_values))
        self.length = 0
        self.is_initialized = True

    def _empty(self, like: torch.Tensor, room: int) -> torch.Tensor:
        heads, _, size = like.shape
        return like.new_empty(sum(self.counts), heads, room, size)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Do nothing: there is room from the beginning."""

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *rest: Any, **named: Any) -> Any:
        """Add keys and values of the next tokens of each branch, (branches, heads, tokens, size); return those of all.

        They are Parts, or where they are `flat`, one sequence as the layout says.
        """
        start, self.length = self.length, self.length + key_states.shape[2]
        self.keys[:, :, start : self.length] = key_states
        self.values[:, :, start : self.length] = value_states
        keys = Parts(self.prompt_keys, self.counts, self.keys[:, :, : self.length])
        values = Parts(self.prompt_values, self.counts, self.values[:, :, : self.length])
        return (self.layout.flat(keys), self.layout.flat(values)) if self.flat else (keys, values)

    @property
    def layout(self) -> Layout:
        """Where everything stands in a flat sequence."""
        return Layout(tuple(each.shape[1] for each in self.prompt_keys), tuple(self.counts))

    def get_seq_length(self) -> int:
        """Return how many tokens each branch has after its prompt."""
        return self.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return how many tokens of their own branches will have, and where they begin; no mask is made of it."""
        return self.length + query_length, 0

    def get_max_length(self) -> int:
        """Return for how many tokens of a branch there is room."""
        return int(self.keys.shape[2])

    def keep(self, branches: Sequence[int], prompts: Sequence[int], counts: Sequence[int]) -> None:
        """Go on with these branches and prompts, which then have so many branches each."""
        self.counts = list(counts)
        self.prompt_keys = [self.prompt_keys[number] for number in prompts]
        self.prompt_values = [self.prompt_values[number] for number in prompts]
        self.keys, self.values = self.keys[list(branches)], self.values[list(branches)]


def branch_cache(prompts: Sequence[Prefix], counts: Sequence[int], room: int, flat: bool) -> Cache:
    """Return the cache of a model that goes on after `prompts` in `counts` branches each, of `room` tokens at most.

    Models that keep what keys and values are made from, and not these (multi-head latent attention, DeepSeek-V2, arXiv
    2405.04434, 2024), take it as one `flat` sequence.
    """
    kept = zip(*(prompt.layers for prompt in prompts), strict=True)
    return Cache(layers=[BranchLayer(layer, counts, room, flat) for layer in kept])


def attend_branches(
    module: torch.nn.Module,
    query: torch.Tensor,
    keys: Parts | torch.Tensor,
    values: Parts | torch.Tensor,
    attention_mask: None,
    layout: Layout | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **settings: Any,
) -> tuple[torch.Tensor, None]:
    """Return the attention of the next tokens of each branch, (branches, tokens, heads, size), as transformers asks.

    `query` is (branches, heads, tokens, size). Query heads that share a key head are rows of one product. Raises
    UnknownAttentionError for what cannot be respected.
    """
    refuse_unknown(settings)
    if layout is not None and isinstance(keys, torch.Tensor) and isinstance(values, torch.Tensor):
        keys, values = layout.parts(keys), layout.parts(values)
    if not (isinstance(keys, Parts) and isinstance(values, Parts)):
        raise UnknownAttentionError("its attention does not take what a cache gives")
    branches, heads, new, size = query.shape
    scaling = size**-0.5 if scaling is None else scaling
    shared_heads, width = keys.own.shape[1], values.own.shape[-1]
    rows = heads // shared_heads * new
    folded = (query * scaling).reshape(branches, shared_heads, rows, size)
    own_scores = folded @ keys.own.transpose(-1, -2)
    own_weights = torch.empty_like(own_scores)
    output = folded.new_empty(branches, shared_heads, rows, width)
    start = 0
    for prompt_keys, prompt_values, count in zip(keys.prompts, values.prompts, keys.counts, strict=True):
        after = slice(start, start + count)
        length = prompt_keys.shape[1]
        together = folded[after].transpose(0, 1).reshape(shared_heads, count * rows, size)
        own = own_scores[after].transpose(0, 1).reshape(shared_heads, count * rows, -1)
        scores = capped(torch.cat([together @ prompt_keys.transpose(-1, -2), own], dim=-1), softcap)
        hidden = _hidden(length, own.shape[-1], new, sliding_window)
        if hidden is not None:
            by_token = scores.view(shared_heads, -1, new, scores.shape[-1])
            by_token.masked_fill_(hidden.to(scores.device), float("-inf"))
        sinks = None if s_aux is None else s_aux.view(shared_heads, -1).repeat_interleave(new, 1).repeat(1, count)
        weights = softmax_with_sinks(scores, sinks).to(query.dtype)
        read = (weights[..., :length] @ prompt_values).view(shared_heads, count, rows, width)
        output[after] = read.transpose(0, 1)
        own_weights[after] = weights[..., length:].view(shared_heads, count, rows, -1).transpose(0, 1)
        start += count
    output += own_weights @ values.own
    return output.view(branches, heads, new, width).transpose(1, 2).contiguous(), None


def _hidden(prompt: int, own: int, new: int, window: int | None) -> torch.Tensor | None:
    """Return which of `prompt` + `own` tokens each of the `new` last ones must not see, or None if they may see all."""
    if new == 1 and (window is None or prompt + own <= window):
        return None
    key = torch.arange(prompt + own)
    query = key[-new:, None]
    return (key > query) if window is None else (key > query) | (key <= query - window)


AttentionInterface.register(BRANCHES, attend_branches)
