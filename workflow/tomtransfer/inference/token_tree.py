"""The exact probability of each of several texts as the beginning of an answer, whatever number of tokens it takes.

The answers form a tree whose branches are tokens. It is followed from the prompt as long as what is written may still
begin with one of the candidates, level by level, after one copy of the prompt's KV cache. What begins with a candidate
is defined where the parser has it from, in `tomtransfer.scenarios.beginnings`: all spellings count, and a candidate
counts as far as what follows it lets it stand. So ` 1` counts as 1 only as far as neither `0` nor `%` nor ` is too
much` comes next. What begins with no candidate is `other`. Labels, amounts and answers to questions are all read in
this way.

Needs torch and transformers, and neither tables nor Snakemake.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from tomtransfer.inference.answers import CandidateDistribution
from tomtransfer.inference.continuation import Continuation, go_on
from tomtransfer.inference.memory import in_halves
from tomtransfer.inference.prefill import Prefix, Prefixes, prefill
from tomtransfer.inference.sharing import SHARED, Sharing
from tomtransfer.inference.vocabulary import GOES_ON, Vocabulary
from tomtransfer.scenarios.beginnings import Spellings

LEAST_MASS = 1e-4
"""A branch of less mass is not followed: it counts as other. A label in the tokenizer's own tokens always is."""

LEAST_SHARE = 0.01
"""After such a label, a branch is followed that has this share of its mass, so that the odds of labels are right."""

LEAST_READ = 0.03
"""The least likely of the next tokens are not looked at: together they have this share of the least mass."""

TOKENS_AROUND = 16
"""An answer that is still open after so many tokens more than the longest candidate has counts as other."""

PROMPTS_AT_ONCE = 8
"""Prompts whose trees are followed together: their branches are one step of the model."""


@dataclass(frozen=True)
class _Root:
    """A prompt that was computed: where its tree begins."""

    prompt: tuple[int, ...]
    logits: torch.Tensor
    prefix: Prefix | None
    """What the model keeps of it, where branches share that."""
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
    sharing: Sharing = SHARED,
) -> list[CandidateDistribution]:
    """Return for each prompt the exact distribution over its candidates at `temperature`, without drawing any.

    `prompts` are tokens up to where the answer begins. What the search leaves out, it counts as other: at most
    LEAST_MASS for each of a few branches. What the model keeps of the prompts whose numbers are `kept` joins
    `prefixes`, to draw texts after them later.
    """
    results: dict[int, CandidateDistribution] = {}
    roots: dict[int, _Root] = {}
    search = partial(_search, model, vocabulary, temperature, sharing)
    needed = range(len(prompts)) if sharing.branches else ()
    for index, logits, prefix in prefill(model, prompts, tokens_per_batch, needed, sharing):
        if prefixes is not None and prefix is not None and index in kept:
            prefixes[tuple(prompts[index])] = prefix
        roots[index] = _Root(tuple(prompts[index]), logits, prefix, candidates[index])
        if len(roots) == PROMPTS_AT_ONCE or len(results) + len(roots) == len(prompts):
            results |= zip(roots, in_halves(search, list(roots.values())), strict=True)
            roots = {}
    return [results[index] for index in range(len(prompts))]


def _search(
    model: Any, vocabulary: Vocabulary, temperature: float, sharing: Sharing, roots: Sequence[_Root]
) -> list[CandidateDistribution]:
    """Return the distribution of each root, following all their trees at once."""
    masses = [[0.0] * len(root.candidates.options) for root in roots]
    longest = TOKENS_AROUND + max(vocabulary.longest(root.candidates.options) for root in roots)
    branches = [_Branch(number, (), b"", 1.0, LEAST_MASS) for number in range(len(roots))]
    probabilities = _softmax(torch.stack([root.logits for root in roots]), temperature)
    continuation: Continuation | None = None
    for _ in range(longest):
        grown: list[tuple[int, _Branch]] = []
        for number, (branch, row) in enumerate(zip(branches, probabilities, strict=True)):
            completed, longer = _look_on(branch, row, vocabulary, roots[branch.root].candidates)
            for candidate, mass in completed.items():
                masses[branch.root][candidate] += mass
            grown += [(number, each) for each in longer]
        if not grown:
            break
        branches = [branch for _, branch in grown]
        if continuation is None:
            continuation = _start(model, sharing, roots, branches, longest)
        else:
            continuation.keep([number for number, _ in grown])
        said = torch.tensor([[branch.tokens[-1]] for branch in branches], device=model.device)
        probabilities = _softmax(continuation.step(said), temperature)
    return [CandidateDistribution(found, max(0.0, 1 - sum(found))) for found in masses]


def _look_on(
    branch: _Branch, row: torch.Tensor, vocabulary: Vocabulary, candidates: Spellings
) -> tuple[dict[int, float], list[_Branch]]:
    """Return the mass of each candidate that the next token completes, and the branches that are to be followed.

    Followed is each token that has the least mass, or is the next of a label's own. A label's mass may be too small for
    a number. Nothing is followed after it, since all of it would be enough.
    """
    depth, own = len(branch.tokens), vocabulary.own(candidates)
    spelled = {each[depth] for each in own if len(each) > depth and each[:depth] == branch.tokens}
    # Some models write more tokens than their tokenizer has: these say nothing.
    tokens = _likely(row[: len(vocabulary.bytes)], branch, spelled)
    made = vocabulary.after(branch.written, candidates, tokens)
    completed = {
        candidate: branch.share * float(row[tokens[made == candidate]].sum())
        for candidate in sorted(set(made[made >= 0].tolist()))
    }
    going_on = tokens[made == GOES_ON]
    shares = branch.share * row[going_on].double()
    longer = []
    for token, share in zip(going_on.tolist(), shares.tolist(), strict=True):
        if 0 < share >= branch.least or token in spelled:
            said = (*branch.tokens, token)
            least = min(LEAST_MASS, LEAST_SHARE * share) if said in own else branch.least
            longer.append(_Branch(branch.root, said, branch.written + vocabulary.bytes[token], share, least))
    return completed, longer


def _likely(row: torch.Tensor, branch: _Branch, spelled: Collection[int]) -> torch.Tensor:
    """Return the next tokens that are looked at: those `spelled`, and all but the least likely of the others."""
    left_out = LEAST_READ * (branch.least / branch.share if branch.share > branch.least else 1)
    bound = left_out / 10
    while float(torch.where(row < bound, row, 0).sum()) > left_out:
        bound /= 10
    looked_at = row >= bound
    looked_at[list(spelled)] = True
    return looked_at.nonzero()[:, 0]


def _start(
    model: Any, sharing: Sharing, roots: Sequence[_Root], branches: Sequence[_Branch], room: int
) -> Continuation:
    """Return what goes on after the prompts of branches that all begin."""
    counts = [sum(branch.root == number for branch in branches) for number in range(len(roots))]
    going = [number for number, count in enumerate(counts) if count]
    prompts = [roots[number].prompt for number in going]
    known = {root.prompt: root.prefix for root in roots if root.prefix is not None}
    return go_on(model, sharing, prompts, [counts[number] for number in going], room, known)


def _softmax(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    return torch.softmax(logits / temperature, dim=-1).cpu()
