"""Attention as any model may ask for it: with sinks, with capped scores, with values of another width than keys.

PyTorch's scaled dot product attention knows neither sinks nor caps. A sink is a score that takes its share of the
softmax and gives nothing (gpt-oss): it is a key more, whose value is zero. A cap bends scores (Gemma 2), which no
fused kernel does. What a model asks for and this module does not know is an error, because to leave it out would
change its answers in silence.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

WITHOUT_EFFECT = frozenset(
    {
        *("position_ids", "cache_position", "use_cache", "return_dict", "output_attentions", "output_hidden_states"),
        *("cu_seq_lens_q", "cu_seq_lens_k", "max_length_q", "max_length_k", "output_router_logits", "logits_to_keep"),
        *("num_items_in_batch", "deterministic", "is_causal", "labels", "past_key_values"),
    }
)
"""What models hand through to their attention, and what does not change it."""


class UnknownAttentionError(Exception):
    """A model asks its attention for something that is not known here; the message names it."""


def refuse_unknown(settings: Mapping[str, Any]) -> None:
    """Raise UnknownAttentionError if `settings` has anything that may change attention and is not known here."""
    unknown = sorted(name for name, value in settings.items() if value is not None and name not in WITHOUT_EFFECT)
    if unknown:
        raise UnknownAttentionError(f"its attention takes {', '.join(unknown)}")


def attend(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    seen: torch.Tensor,
    scaling: float,
    softcap: float | None = None,
    sinks: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the attention (batch, tokens, heads, value size) of `query` (batch, heads, tokens, size).

    `key` and `value` have as many heads, or fewer that several query heads share. `seen` (1, 1, tokens, keys) is true
    where a token may look. `sinks` (heads) are scores that give nothing (Xiao et al., arXiv 2309.17453, 2023; learnt as
    in gpt-oss). Scores are bent to softcap x tanh(score / softcap) (Gemma 2, arXiv 2408.00118, 2024).
    """
    groups = query.shape[1] // key.shape[1]
    key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
    if softcap is not None:
        scores = capped(query @ key.transpose(-1, -2) * scaling, softcap)
        return (softmax_with_sinks(scores.masked_fill(~seen, float("-inf")), sinks) @ value).transpose(1, 2)
    bias: torch.Tensor = seen
    if sinks is not None:
        key, value = (torch.nn.functional.pad(part, (0, 0, 0, 1)) for part in (key, value))
        scores = torch.zeros(seen.shape, dtype=query.dtype, device=seen.device).masked_fill(~seen, float("-inf"))
        sink = sinks.to(query.dtype)[None, :, None, None].expand(1, -1, query.shape[2], 1)
        bias = torch.cat([scores.expand(1, query.shape[1], -1, -1), sink], dim=-1)
    output = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scaling)
    return output.transpose(1, 2)


def capped(scores: torch.Tensor, softcap: float | None) -> torch.Tensor:
    """Return scores bent to at most `softcap`, or as they are without one."""
    return scores if softcap is None else softcap * torch.tanh(scores / softcap)


def softmax_with_sinks(scores: torch.Tensor, sinks: torch.Tensor | None) -> torch.Tensor:
    """Return weights over the last dimension of `scores` (..., heads, tokens, keys), in their type.

    With `sinks`, which have the shape of `scores` without keys or one that broadcasts to (heads, 1), they sum to less
    than one.
    """
    if sinks is None:
        return torch.softmax(scores, dim=-1, dtype=torch.float32).to(scores.dtype)
    sink = sinks.to(scores.dtype)
    sink = (sink[:, None] if sink.dim() == 1 else sink)[..., None].expand(*scores.shape[:-1], 1)
    return torch.softmax(torch.cat([scores, sink], dim=-1), dim=-1, dtype=torch.float32)[..., :-1].to(scores.dtype)


@contextmanager
def attending(model: Any, implementation: str) -> Iterator[None]:
    """Let `model` compute its attention with an implementation of transformers' AttentionInterface."""
    before = model.config._attn_implementation
    if before == implementation:
        yield
        return
    model.set_attn_implementation(implementation)
    try:
        yield
    finally:
        model.set_attn_implementation(before)
