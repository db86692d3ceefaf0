"""The exact probability of each of several texts as the beginning of an answer, whatever number of tokens it takes.

The answers form a tree whose branches are tokens. It is followed from the prompt as long as what is written may still
begin with one of the candidates, level by level, behind one copy of the prompt's cache. What begins with a candidate
is defined where the parser has it from, in `tomtransfer.scenarios.spelling`: all spellings count, and a candidate counts
as far as what follows it lets it stand. So ` 1` counts as 1 only as far as neither `0` nor `%` nor ` is too much` comes
next. What begins with no candidate is `other`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tomtransfer.inference.answers import CandidateDistribution
from tomtransfer.inference.branches import BranchCache, branching
from tomtransfer.inference.prefill import Prefix, prefill
from tomtransfer.scenarios.spelling import Spellings

# A branch of less mass is not followed: it counts as other, and so do answers that are still open after so many tokens.
LEAST_MASS = 1e-4
LONGEST_PATH = 12


@dataclass(frozen=True)
class _Next:
    """What each next token makes of a text: candidates that it completes, and tokens that go on towards one."""

    completing: list[tuple[int, torch.Tensor]]
    """Places of candidates, and the tokens behind which each is complete."""
    going_on: torch.Tensor


class Vocabulary:
    """The text of every token of a tokenizer, and what it makes of the texts that have been written so far."""

    def __init__(self, tokenizer: Any) -> None:
        self.texts: list[str] = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
        for token in tokenizer.all_special_ids:
            # Such as the token that ends an answer, as a line break does.
            self.texts[token] = "\n"
        self._first = _grouped((text[:1], token) for token, text in enumerate(self.texts))
        self._known: dict[tuple[Spellings, str], _Next] = {}

    def after(self, text: str, spellings: Spellings) -> _Next:
        """Return what each next token makes of `text`."""
        if (spellings, text) not in self._known:
            self._known[spellings, text] = self._look(text, spellings)
        return self._known[spellings, text]

    def _look(self, text: str, spellings: Spellings) -> _Next:
        """Look at tokens character by character: where a text is decided, so are all tokens that begin like it."""
        completing: dict[int, list[int]] = {}
        going_on: list[int] = []
        waiting = list(self._first.items())
        while waiting:
            addition, tokens = waiting.pop()
            begun = spellings.begun(text + addition)
            if begun is True:
                going_on += [token for token in tokens if self.texts[token] == addition]
                longer = [token for token in tokens if self.texts[token] != addition]
                waiting += _grouped((self.texts[token][: len(addition) + 1], token) for token in longer).items()
            elif begun is not False:
                completing.setdefault(begun, []).extend(tokens)
        return _Next(
            [(place, torch.tensor(tokens)) for place, tokens in completing.items()],
            torch.tensor(going_on, dtype=torch.long),
        )


def _grouped(named: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Return tokens by their names."""
    groups: dict[str, list[int]] = {}
    for name, token in named:
        groups.setdefault(name, []).append(token)
    return groups


@torch.inference_mode()
def candidate_distributions(
    model: Any,
    vocabulary: Vocabulary,
    prompts: Sequence[Sequence[int]],
    candidates: Sequence[Spellings],
    temperature: float,
    tokens_per_batch: int,
) -> list[CandidateDistribution]:
    """Return for each prompt the exact distribution over its candidates at `temperature`, without drawing any.

    `prompts` are tokens up to where the answer begins. What the search leaves out, it counts as other: at most
    LEAST_MASS for each of a few branches.
    """
    results = {}
    for index, logits, prefix in prefill(model, prompts, tokens_per_batch, range(len(prompts))):
        if prefix is not None:
            results[index] = _search(model, vocabulary, prefix, logits, candidates[index], temperature)
    return [results[index] for index in range(len(prompts))]


def _search(
    model: Any,
    vocabulary: Vocabulary,
    prefix: Prefix,
    logits: torch.Tensor,
    candidates: Spellings,
    temperature: float,
) -> CandidateDistribution:
    masses = [0.0] * len(candidates.options)
    cache: BranchCache | None = None
    branches: list[tuple[str, float]] = [("", 1.0)]
    probabilities = torch.softmax(logits[None] / temperature, dim=-1).cpu()
    for depth in range(LONGEST_PATH):
        longer = []
        for number, ((text, share), row) in enumerate(zip(branches, probabilities, strict=True)):
            following = vocabulary.after(text, candidates)
            for candidate, tokens in following.completing:
                masses[candidate] += share * float(row[tokens].sum())
            going_on = following.going_on[share * row[following.going_on] >= LEAST_MASS].tolist()
            longer += [(number, token, text + vocabulary.texts[token], share * float(row[token])) for token in going_on]
        if not longer:
            break
        if cache is None:
            cache = BranchCache([prefix], [len(longer)], LONGEST_PATH)
        else:
            cache.keep([number for number, *_ in longer])
        branches = [(text, share) for _, _, text, share in longer]
        said = [token for _, token, *_ in longer]
        probabilities = _next_tokens(model, cache, said, prefix.tokens + depth, temperature)
    return CandidateDistribution(masses, max(0.0, 1 - sum(masses)))


def _next_tokens(
    model: Any, cache: BranchCache, tokens: Sequence[int], position: int, temperature: float
) -> torch.Tensor:
    """Return what follows `tokens`, one for each branch of `cache`, all at one position: (branches, vocabulary)."""
    step = torch.tensor(tokens, device=model.device)[:, None]
    with branching(model):
        output = model(
            input_ids=step,
            position_ids=torch.full_like(step, position),
            past_key_values=cache,
            logits_to_keep=1,
        )
    return torch.softmax(output.logits[:, -1].float() / temperature, dim=-1).cpu()
