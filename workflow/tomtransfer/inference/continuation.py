"""Going on after prompts, a token at a time, in several branches that may part: three ways, by what a model allows.

- `SharedContinuation`: all branches read one copy of their prompt's keys and values (`branches`).
- `CopiedContinuation`: each branch has a copy of whatever the model keeps, states that run along the row included.
- `RecomputedContinuation`: nothing is kept, every step computes all tokens again.

Branches of one prompt stand side by side. All of them are equal to plain passes; they differ in time and memory.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from tomtransfer.inference.branches import BRANCHES, branch_cache
from tomtransfer.inference.general_attention import attending
from tomtransfer.inference.plain import PLAIN, accepted, plain_logits
from tomtransfer.inference.prefill import Prefix, Prefixes
from tomtransfer.inference.sharing import Sharing

KEPT = ("past_key_values", "cache_params")
"""What models call what they keep of the tokens so far."""


class Continuation(Protocol):
    """Branches that go on after prompts."""

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Add the next tokens of each branch, (branches, tokens); return the logits after them, (branches, vocabulary).

        There may be several tokens in the first step and one in every later one.
        """

    def keep(self, branches: Sequence[int]) -> None:
        """Go on with the branches of these numbers, and drop all others.

        The numbers are in order; one that is given twice parts into two branches.
        """


class SharedContinuation:
    """Branches that share one copy of what is kept of their prompt."""

    def __init__(self, model: Any, prompts: Sequence[Prefix], counts: Sequence[int], room: int, flat: bool) -> None:
        self.model, self.counts = model, list(counts)
        self.cache = branch_cache(prompts, counts, room, flat)
        self.flat = flat
        lengths = [prompt.tokens for prompt, count in zip(prompts, counts, strict=True) for _ in range(count)]
        self.position = torch.tensor(lengths, device=model.device)

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Add the next tokens; see `Continuation`."""
        positions = self.position[:, None] + torch.arange(tokens.shape[1], device=self.model.device)
        laid_out = {"layout": self.cache.layers[0].layout} if self.flat else {}
        with attending(self.model, BRANCHES):
            output = self.model(
                input_ids=tokens, position_ids=positions, past_key_values=self.cache, logits_to_keep=1, **laid_out
            )
        self.position = positions[:, -1] + 1
        logits: torch.Tensor = output.logits[:, -1].float()
        return logits

    def keep(self, branches: Sequence[int]) -> None:
        """Go on with some branches; see `Continuation`."""
        left = per_prompt(self.counts, branches)
        still = [number for number, members in enumerate(left) if members]
        self.counts = [len(left[number]) for number in still]
        for layer in self.cache.layers:
            layer.keep(branches, still, self.counts)
        self.position = self.position[list(branches)]


class CopiedContinuation:
    """Branches that each have a copy of what the model keeps."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], counts: Sequence[int]) -> None:
        self.model, self.prompts, self.counts = model, [list(prompt) for prompt in prompts], list(counts)
        self.caches: list[Any] = [None for _ in prompts]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Add the next tokens; see `Continuation`."""
        logits = []
        with attending(self.model, PLAIN):
            for number, new in enumerate(torch.split(tokens, self.counts)):
                known = torch.tensor([self.prompts[number]] * len(new), dtype=torch.long, device=new.device)
                begun = self.caches[number] is not None
                inputs = {"input_ids": new if begun else torch.cat([known, new], dim=1), "use_cache": True}
                if begun:
                    inputs |= self.caches[number]
                output = self.model(**accepted(self.model, inputs | {"logits_to_keep": 1}))
                self.caches[number] = _kept(output)
                logits.append(output.logits[:, -1].float())
        return torch.cat(logits)

    def keep(self, branches: Sequence[int]) -> None:
        """Go on with some branches; see `Continuation`."""
        left = per_prompt(self.counts, branches)
        for cache, members, count in zip(self.caches, left, self.counts, strict=True):
            if members and list(members) != list(range(count)):
                for kept in cache.values():
                    kept.reorder_cache(torch.tensor(members, device=self.model.device))
        still = [number for number, members in enumerate(left) if members]
        self.prompts = [self.prompts[number] for number in still]
        self.caches = [self.caches[number] for number in still]
        self.counts = [len(left[number]) for number in still]


class RecomputedContinuation:
    """Branches of which nothing is kept but their tokens."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], counts: Sequence[int]) -> None:
        self.model = model
        self.said = [list(prompt) for prompt, count in zip(prompts, counts, strict=True) for _ in range(count)]

    def step(self, tokens: torch.Tensor) -> torch.Tensor:
        """Add the next tokens; see `Continuation`."""
        self.said = [[*said, *new] for said, new in zip(self.said, tokens.tolist(), strict=True)]
        return torch.stack([plain_logits(self.model, said)[-1] for said in self.said])

    def keep(self, branches: Sequence[int]) -> None:
        """Go on with some branches; see `Continuation`."""
        self.said = [self.said[number] for number in branches]


def go_on(
    model: Any, sharing: Sharing, prompts: Sequence[tuple[int, ...]], counts: Sequence[int], room: int, known: Prefixes
) -> Continuation:
    """Return what goes on after `prompts`, all tokens of which have been seen, in `counts` branches each.

    Branches get at most `room` tokens. Where they share what is kept of their prompt, it is among those `known`.
    """
    if may_branch(sharing, prompts, room):
        flat = sharing.drawing == "flat branches"
        return SharedContinuation(model, [known[prompt] for prompt in prompts], counts, room, flat)
    if sharing.drawing == "recomputed":
        return RecomputedContinuation(model, prompts, counts)
    return CopiedContinuation(model, prompts, counts)


def _kept(output: Any) -> dict[str, Any]:
    """Return what a model keeps, by the name under which it takes it back."""
    return {name: output[name] for name in KEPT if output.get(name) is not None}


def may_branch(sharing: Sharing, prompts: Sequence[tuple[int, ...]], room: int) -> bool:
    """Tell whether texts of `room` tokens share what is kept of their prompts."""
    return sharing.branches and sharing.fits(max(map(len, prompts)) + room)


def per_prompt(counts: Sequence[int], branches: Sequence[int]) -> list[list[int]]:
    """Return for each prompt, which has so many branches, those of `branches` that are its own, numbered within it."""
    ends = torch.tensor(counts).cumsum(0)
    owners = torch.bucketize(torch.tensor(branches, dtype=torch.long), ends, right=True).tolist()
    left: list[list[int]] = [[] for _ in counts]
    for owner, branch in zip(owners, branches, strict=True):
        left[owner].append(branch - int(ends[owner]) + counts[owner])
    return left
