"""The exact probability of each of several texts as the beginning of an answer, whatever number of tokens it takes.

The answers form a tree whose branches are tokens. It is followed from the prompt as long as what is written may still
begin with one of the candidates, level by level, behind one copy of the prompt's cache. What begins with a candidate
is defined where the parser has it from, in `tomtransfer.scenarios.spelling`: all spellings count, and a candidate
counts as far as what follows it lets it stand. So ` 1` counts as 1 only as far as neither `0` nor `%` nor ` is too
much` comes next. What begins with no candidate is `other`. Labels, amounts and answers to questions are all read in
this way.

Needs torch and transformers, and neither tables nor Snakemake.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tomtransfer.inference.answers import CandidateDistribution
from tomtransfer.inference.branches import BranchCache, branching
from tomtransfer.inference.memory import in_halves
from tomtransfer.inference.prefill import Prefix, Prefixes, prefill
from tomtransfer.inference.vocabulary import Vocabulary
from tomtransfer.scenarios.spelling import Spellings

LEAST_MASS = 1e-4
"""A branch of less mass is not followed: it counts as other. A label in the tokenizer's own tokens always is."""

LEAST_SHARE = 0.01
"""Behind such a label, a branch is followed that has this share of its mass, so that the odds of labels are right."""

TOKENS_AROUND = 16
"""An answer that is still open after so many tokens more than the longest candidate has counts as other."""

PROMPTS_AT_ONCE = 8
"""Prompts whose trees are followed together: their branches are one step of the model."""


@dataclass(frozen=True)
class _Root:
    """A prompt that was computed: where its tree begins."""

    logits: torch.Tensor
    prefix: Prefix
    candidates: Spellings


@dataclass(frozen=True)
class _Branch:
    """The beginning of an answer: its root, its tokens and what they write, its probability, the least to follow."""

    root: int
    tokens: tuple[int, ...]
    written: bytes
    share: float
    least: float


@torch.inference_mode()
def candidate_distributions(
    model: Any,
    vocabulary: Vocabulary,
    prompts: Sequence[Sequence[int]],
    candidates: Sequence[Spellings],
    temperature: float,
    tokens_per_batch: int,
    kept: Collection[int] = (),
    prefixes: Prefixes | None = None,
) -> list[CandidateDistribution]:
    """Return for each prompt the exact distribution over its candidates at `temperature`, without drawing any.

    `prompts` are tokens up to where the answer begins. What the search leaves out, it counts as other: at most
    LEAST_MASS for each of a few branches. What the model keeps of the prompts whose numbers are `kept` joins
    `prefixes`, to draw texts behind them later.
    """
    results: dict[int, CandidateDistribution] = {}
    roots: dict[int, _Root] = {}
    search = partial(_search, model, vocabulary, temperature)
    for index, logits, prefix in prefill(model, prompts, tokens_per_batch, range(len(prompts))):
        if prefix is None:
            raise AssertionError("a prompt whose prefix is kept has one")
        if prefixes is not None and index in kept:
            prefixes[tuple(prompts[index])] = prefix
        roots[index] = _Root(logits, prefix, candidates[index])
        if len(roots) == PROMPTS_AT_ONCE or len(results) + len(roots) == len(prompts):
            results |= zip(roots, in_halves(search, list(roots.values())), strict=True)
            roots = {}
    return [results[index] for index in range(len(prompts))]


def _search(
    model: Any, vocabulary: Vocabulary, temperature: float, roots: Sequence[_Root]
) -> list[CandidateDistribution]:
    """Return the distribution of each root, following all their trees at once."""
    masses = [[0.0] * len(root.candidates.options) for root in roots]
    longest = TOKENS_AROUND + max(vocabulary.longest(root.candidates.options) for root in roots)
    branches = [_Branch(number, (), b"", 1.0, LEAST_MASS) for number in range(len(roots))]
    probabilities = _softmax(torch.stack([root.logits for root in roots]), temperature)
    cache: BranchCache | None = None
    for depth in range(longest):
        grown: list[tuple[int, _Branch]] = []
        for number, (branch, row) in enumerate(zip(branches, probabilities, strict=True)):
            following = vocabulary.after(branch.written, roots[branch.root].candidates)
            for candidate, tokens in following.completing:
                masses[branch.root][candidate] += branch.share * float(row[tokens].sum())
            own = vocabulary.own(roots[branch.root].candidates)
            grown += [(number, each) for each in _grow(branch, following.going_on, row, vocabulary, own)]
        if not grown:
            break
        branches = [branch for _, branch in grown]
        if cache is None:
            cache = _cache(roots, branches, longest)
        else:
            cache.keep([number for number, _ in grown])
        positions = [roots[branch.root].prefix.tokens + depth for branch in branches]
        probabilities = _next_tokens(model, cache, [branch.tokens[-1] for branch in branches], positions, temperature)
    return [CandidateDistribution(found, max(0.0, 1 - sum(found))) for found in masses]


def _grow(
    branch: _Branch, going_on: torch.Tensor, row: torch.Tensor, vocabulary: Vocabulary, own: Collection[tuple[int, ...]]
) -> Iterator[_Branch]:
    """Yield what a branch goes on to: each token that has the least mass, or is the next of a label's `own`."""
    shares = branch.share * row[going_on]
    depth = len(branch.tokens)
    spelled = {each[depth] for each in own if len(each) > depth and each[:depth] == branch.tokens}
    for token, share in zip(going_on.tolist(), shares.tolist(), strict=True):
        if share >= branch.least or token in spelled:
            tokens = (*branch.tokens, token)
            least = min(LEAST_MASS, LEAST_SHARE * share) if tokens in own else branch.least
            yield _Branch(branch.root, tokens, branch.written + vocabulary.bytes[token], share, least)


def _cache(roots: Sequence[_Root], branches: Sequence[_Branch], room: int) -> BranchCache:
    """Return the cache of branches that all begin, behind those roots that have one."""
    counts = [sum(branch.root == number for branch in branches) for number in range(len(roots))]
    going = [number for number, count in enumerate(counts) if count]
    return BranchCache([roots[number].prefix for number in going], [counts[number] for number in going], room)


def _next_tokens(
    model: Any, cache: BranchCache, tokens: Sequence[int], positions: Sequence[int], temperature: float
) -> torch.Tensor:
    """Return what follows `tokens` at `positions`, one for each branch of `cache`: (branches, vocabulary)."""
    with branching(model):
        output = model(
            input_ids=torch.tensor(tokens, device=model.device)[:, None],
            position_ids=torch.tensor(positions, device=model.device)[:, None],
            past_key_values=cache,
            logits_to_keep=1,
        )
    return _softmax(output.logits[:, -1], temperature)


def _softmax(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    return torch.softmax(logits.float() / temperature, dim=-1).cpu()
