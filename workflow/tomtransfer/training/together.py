"""Rows of one scenario in one pass: their prompts begin alike in every frame, and the beginning is computed once.

A row's prompt is a beginning, which all have, and a rest of its own; rests and completions see the beginning and what
is theirs in their row, and nothing of another row. Loss and gradient are those of the rows one by one.
"""

import logging
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any

import torch

from tomtransfer.inference.rows import Row, row_inputs, row_lengths
from tomtransfer.training.loss import row_targets

logger = logging.getLogger(__name__)

LONGEST_TOGETHER = 1024
"""Tokens of a pass over several rows, at most: its mask grows with their square, and saves less the longer they are."""

CLOSE_ENOUGH = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 2e-2}
"""By what share the loss of a pass over several rows may differ from that of the rows, by the type of the weights."""


def shared_beginning(rows: Sequence[Row]) -> int:
    """Return how many tokens the prompts of all rows begin with alike; the last of a prompt is never among them."""
    shortest = min(len(row.prompt) for row in rows) - 1
    places = zip(*(row.prompt[:shortest] for row in rows), strict=True)
    return sum(1 for _ in takewhile(lambda tokens: len(set(tokens)) == 1, places))


def tokens_together(rows: Sequence[Row]) -> int:
    """Return how many tokens a pass over all rows has."""
    return sum(sum(row_lengths(row)) for row in rows) - (len(rows) - 1) * shared_beginning(rows)


def compute_together(rows: Sequence[Row], choice_share: float | None) -> dict[str, Any]:
    """Return what the sum of the losses of several rows is computed from, in one pass: inputs, mask and targets.

    `input_ids` and `position_ids` are (1, tokens), `attention_mask` (1, 1, tokens, tokens), true where seen; `labels`,
    `sources` and `weights` are (targets), as of a single row.
    """
    begun = shared_beginning(rows)
    parts = [{**row_inputs(row), **row_targets(row, choice_share)} for row in rows]
    seen = torch.zeros(tokens_together(rows), tokens_together(rows), dtype=torch.bool)
    seen[:begun, :begun] = parts[0]["attention_mask"][0, 0, :begun, :begun]
    start, sources = begun, []
    for part in parts:
        own = part["attention_mask"][0, 0, begun:]
        end = start + len(own)
        seen[start:end, :begun], seen[start:end, start:end] = own[:, :begun], own[:, begun:]
        sources.append(part["sources"] - begun + start)
        start = end
    joined = {
        name: torch.cat([parts[0][name][:, :begun], *(part[name][:, begun:] for part in parts)], dim=1)
        for name in ("input_ids", "position_ids")
    }
    targets = {name: torch.cat([part[name] for part in parts]) for name in ("labels", "weights")}
    return {**joined, "attention_mask": seen[None, None], **targets, "sources": torch.cat(sources)}


def is_exact(steps: Sequence[Sequence[Row]], longest: int, loss: Callable[[dict[str, Any]], float], kind: Any) -> bool:
    """Tell whether a model's loss of the first rows that would be one pass is the sum of the losses of the rows.

    A model that does not heed the mask it is given would learn from one frame what stands in another. `loss` is that of
    what a pass is computed from, without choice share.
    """
    step = next((rows for rows in steps if len(rows) > 1 and tokens_together(rows) <= longest), None)
    if step is None:
        return True
    apart = sum(loss({**row_inputs(row), "row_lengths": row_lengths(row), **row_targets(row, None)}) for row in step)
    together = loss(compute_together(step, None))
    exact = abs(together - apart) <= CLOSE_ENOUGH.get(kind, CLOSE_ENOUGH[torch.bfloat16]) * abs(apart)
    if not exact:
        logger.warning(
            "frames of a scenario are trained in passes of their own: in one, the loss was %.5f and not %.5f",
            together,
            apart,
        )
    return exact
