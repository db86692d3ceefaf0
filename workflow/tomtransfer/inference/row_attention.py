"""The attention of shared-prefix rows, without what their mask would throw away.

Most of a row's mask is false: completions do not see each other. Here the prompt attends to itself, and the
completions, side by side as a batch, each to the prompt and to itself. With a prompt of 300 tokens and 8 completions of
60 that is less than half of the products, forward and backward. Sliding windows are respected, which a mask alone would
not do, and so are sinks and capped scores.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from tomtransfer.inference.general_attention import UnknownAttentionError, attend, refuse_unknown

SHARED_ROWS = "shared_rows"


def attend_rows(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    row_lengths: Sequence[int] = (),
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **settings: Any,
) -> tuple[torch.Tensor, None]:
    """Return the attention of a row, (1, tokens, heads, size), as transformers asks.

    `query` is (1, heads, tokens, size), `key` and `value` have as many heads or fewer. `row_lengths` are those of the
    prompt and of what stands in the row of each completion; without them, any batch is attended to as its mask says.
    Raises UnknownAttentionError for what cannot be respected.
    """
    refuse_unknown(settings)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    if not row_lengths:
        if softcap is not None or s_aux is not None:
            if attention_mask is None or attention_mask.dtype != torch.bool:
                raise UnknownAttentionError("a row with sinks or capped scores has to say what it is made of")
            return attend(query, key, value, attention_mask, scaling, softcap, s_aux), None
        whole: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling
        )
        return whole
    prompt, longest = row_lengths[0], max(row_lengths[1:], default=0)
    window = sliding_window or prompt + longest

    def part(queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, hides: bool) -> torch.Tensor:
        count, known = queries.shape[2], keys.shape[2]
        if softcap is not None or s_aux is not None:
            seen = _seen(count, known, window, query.device)
            return attend(queries, keys, values, seen, scaling, softcap, s_aux)
        mask = _seen(count, known, window, query.device) if hides else None
        output: torch.Tensor = sdpa_attention_forward(
            module, queries, keys, values, mask, dropout=dropout, scaling=scaling
        )[0]
        return output

    begun = part(query[:, :, :prompt], key[:, :, :prompt], value[:, :, :prompt], window < prompt)
    if not longest:
        return begun, None
    places, real = (each.to(query.device) for each in _places(row_lengths))
    keys, values = (
        torch.cat([each[:, :, :prompt].expand(len(places), -1, -1, -1), _side_by_side(each, places)], dim=2)
        for each in (key, value)
    )
    ended = part(_side_by_side(query, places), keys, values, True)
    return torch.cat([begun, ended.flatten(0, 1)[real][None]], dim=1), None


def _places(row_lengths: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where in the row the tokens of each completion stand, (completions, longest), and which of them are real.

    Shorter completions are filled up with other tokens of the row, after their own, where none of theirs looks.
    """
    prompt, *lengths = row_lengths
    count = torch.tensor(lengths)[:, None]
    start = prompt + count.cumsum(0) - count
    column = torch.arange(max(lengths))
    places = (start + column).clamp(max=prompt + sum(lengths) - 1)
    return places, (column < count).flatten().nonzero()[:, 0]


def _side_by_side(part: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return the tokens at `places` (completions, longest) of (1, heads, tokens, size) as a batch of completions."""
    heads, size = part.shape[1], part.shape[3]
    return part[0].index_select(1, places.flatten()).view(heads, *places.shape, size).transpose(0, 1)


def _seen(queries: int, keys: int, window: int, device: torch.device) -> torch.Tensor:
    """Return which of `keys` tokens the last `queries` of them see, (1, 1, queries, keys)."""
    key = torch.arange(keys, device=device)
    query = key[-queries:, None]
    return ((key <= query) & (key > query - window))[None, None]


AttentionInterface.register(SHARED_ROWS, attend_rows)
AttentionMaskInterface.register(SHARED_ROWS, sdpa_mask)
