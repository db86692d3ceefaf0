"""Prompts computed once: shared beginnings together, and what a model keeps of each prompt to go on from.

Frames and games of one context have the same system message, half of a prompt; questions about one game differ in their
last sentence alone. What prompts have in common is computed once, each rest attending to it and to itself. The keys and
values of a prompt are cut out of such a row, so that whatever is drawn after it starts where its choice was read.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tomtransfer.experiment.progress import Progress
from tomtransfer.inference.general_attention import attending
from tomtransfer.inference.memory import in_halves
from tomtransfer.inference.plain import plain_logits
from tomtransfer.inference.row_attention import SHARED_ROWS
from tomtransfer.inference.rows import Completion, Row, row_inputs, row_lengths
from tomtransfer.inference.sharing import SHARED, Sharing

LEAST_SHARED = 0.25
"""Prompts are computed together where they share this much of them; a chat's opening words alone are no gain."""

LONGEST_PREFILLED_ROW = 2048
"""Tokens of prompts computed together, at most: the mask of who sees whom grows with their square."""


@dataclass(frozen=True, eq=False)
class Prefix:
    """What a model keeps of a prompt: keys and values of each layer, both of shape (1, heads, tokens, width)."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]

    @property
    def tokens(self) -> int:
        """The number of tokens that are kept."""
        return self.layers[0][0].shape[-2]

    def without_last(self) -> "Prefix":
        """Return what is kept of the prompt but for its last token."""
        return Prefix([(keys[..., :-1, :], values[..., :-1, :]) for keys, values in self.layers])


Prefixes = dict[tuple[int, ...], Prefix]
"""What is kept of prompts, by their tokens."""


@torch.inference_mode()
def prefill(
    model: Any,
    prompts: Sequence[Sequence[int]],
    tokens_per_batch: int,
    kept: Collection[int] = (),
    sharing: Sharing = SHARED,
) -> Iterator[tuple[int, torch.Tensor, Prefix | None]]:
    """Yield for each prompt, in an order of its own, its number, the logits after it (vocabulary) and its prefix.

    There is a prefix for those prompts alone whose numbers are `kept`, and that share rows.
    """
    report = Progress("prompts", len(prompts))
    alone = [number for number, prompt in enumerate(prompts) if not sharing.fits(len(prompt))]
    for number in alone:
        yield from in_halves(partial(_alone, model, prompts), [number])
        report.advance()
    together = [number for number in range(len(prompts)) if number not in set(alone)]
    longest = min(tokens_per_batch, sharing.longest or tokens_per_batch)
    for shared, group in share_beginnings([prompts[number] for number in together], longest):
        members = [together[number] for number in group]
        yield from in_halves(partial(read_together, model, prompts, shared, kept), members)
        report.advance(len(group))


def _alone(
    model: Any, prompts: Sequence[Sequence[int]], numbers: Sequence[int]
) -> list[tuple[int, torch.Tensor, Prefix | None]]:
    """Return number and logits of prompts that have a row of their own."""
    return [(number, plain_logits(model, prompts[number])[-1], None) for number in numbers]


def read_together(
    model: Any, prompts: Sequence[Sequence[int]], shared: int, kept: Collection[int], group: Sequence[int]
) -> list[tuple[int, torch.Tensor, Prefix | None]]:
    """Return number, logits and prefix of each prompt of a group whose first tokens are `shared`, read in one row."""
    from transformers import DynamicCache

    # Nothing is predicted from the last token of a completion, so one is added after each prompt.
    rests = [Completion([*prompts[index][shared:], 0], 1) for index in group]
    row = Row(list(prompts[group[0]][:shared]), rests)
    ends = (shared + torch.tensor([len(rest.tokens) - 1 for rest in rests]).cumsum(0)).tolist()
    cache = DynamicCache() if any(index in kept for index in group) else None
    with attending(model, SHARED_ROWS):
        output = model(
            **{name: values.to(model.device) for name, values in row_inputs(row).items()},
            row_lengths=row_lengths(row),
            logits_to_keep=torch.tensor(ends, device=model.device) - 1,
            past_key_values=cache,
            use_cache=cache is not None,
        )
    found = []
    for index, end, logits in zip(group, ends, output.logits[0].float(), strict=True):
        own = range(end - len(prompts[index]) + shared, end)
        found.append((index, logits, _cut(cache, [*range(shared), *own]) if cache and index in kept else None))
    return found


def _cut(cache: Any, columns: list[int]) -> Prefix:
    """Return those tokens of a row's cache that are one prompt."""
    places = torch.tensor(columns)
    return Prefix(
        [
            (layer.keys[..., places.to(layer.keys.device), :], layer.values[..., places.to(layer.values.device), :])
            for layer in cache.layers
        ]
    )


def share_beginnings(prompts: Sequence[Sequence[int]], tokens_per_batch: int) -> Iterator[tuple[int, list[int]]]:
    """Yield groups of prompts that begin alike, as the number of tokens that they share and indices into `prompts`.

    A group's tokens, the shared ones counted once, stay within `tokens_per_batch` and LONGEST_PREFILLED_ROW; what is
    shared is always short of a whole prompt.
    """
    longest = min(tokens_per_batch, LONGEST_PREFILLED_ROW)
    group: list[int] = []
    shared = 0
    for index in sorted(range(len(prompts)), key=lambda index: list(prompts[index])):
        common = min(len(prompts[index]) - 1, *(_common(prompts[group[0]], prompts[index]), shared)) if group else 0
        tokens = common + sum(len(prompts[member]) - common for member in (*group, index))
        if group and (common < LEAST_SHARED * len(prompts[index]) or tokens > longest):
            yield shared, group
            group = []
        shared = common if group else len(prompts[index]) - 1
        group.append(index)
    if group:
        yield shared, group


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens two prompts have in common before they differ."""
    pairs = zip(first, second, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))
