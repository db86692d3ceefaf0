"""The exact probability of each of several texts as an answer, whatever number of tokens it takes to write it.

The answers form a tree whose branches are tokens. It is followed from the prompt as long as what is written may still
become one of the candidates, level by level, after one copy of the prompt's cache. All spellings count: what may stand
around a candidate (quotes, brackets, bold, a currency sign, white space) may come before it, in tokens of its own or in
the same, and it is complete when something follows that does not go on with it. So ` 1` counts as 1 only as far as
neither `0` nor `.5` comes next. What is neither a candidate nor on the way to one is `other`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from tomtransfer.inference.answers import CandidateDistribution
from tomtransfer.inference.continuation import Continuation, go_on
from tomtransfer.inference.prefill import Prefixes, prefill
from tomtransfer.inference.sharing import SHARED, Sharing
from tomtransfer.scenarios.spelling import CURRENCY, WRAPPING

# A branch of less mass is not followed: it counts as other, and so do answers of more tokens than this.
LEAST_MASS = 1e-4
LONGEST_PATH = 5


@dataclass(frozen=True)
class _Next:
    """What each next token makes of a text: candidates that it completes, and tokens that go on towards one."""

    completing: list[tuple[int, torch.Tensor]]
    """Numbers of candidates, and the tokens after which each is complete."""
    going_on: torch.Tensor


class Vocabulary:
    """The text of every token of a tokenizer, and what it makes of the texts that have been written so far."""

    def __init__(self, tokenizer: Any) -> None:
        self.texts: list[str] = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
        self._first = _grouped((text.lstrip(WRAPPING + CURRENCY)[:1], token) for token, text in enumerate(self.texts))
        self._later = _grouped((text[:1], token) for token, text in enumerate(self.texts))
        self._known: dict[tuple[tuple[str, ...], str], _Next] = {}

    def after(self, text: str, candidates: tuple[str, ...]) -> _Next:
        """Return what each next token makes of `text`."""
        text = text.lstrip(WRAPPING + CURRENCY)
        if (candidates, text) not in self._known:
            self._known[candidates, text] = self._look(text, candidates)
        return self._known[candidates, text]

    def _look(self, text: str, candidates: tuple[str, ...]) -> _Next:
        completing: dict[int, list[int]] = {}
        going_on: list[int] = []
        for first, tokens in (self._later if text else self._first).items():
            for addition, alike in self._heads(text, first, tokens, candidates).items():
                what = verdict(text + addition, candidates)
                if what is True:
                    going_on += alike
                elif what is not False:
                    completing.setdefault(what, []).extend(alike)
        return _Next(
            [(number, torch.tensor(tokens)) for number, tokens in completing.items()],
            torch.tensor(going_on, dtype=torch.long),
        )

    def _heads(
        self, text: str, first: str, tokens: Sequence[int], candidates: tuple[str, ...]
    ) -> Mapping[str, Sequence[int]]:
        """Return the `tokens`, whose texts have one `first` character, by as much of them as a verdict depends on.

        Most tokens are words, which cannot go on with a number, or begin with a space, which ends it whatever follows.
        """
        in_a_word = not text or text[-1].isalnum()
        if first.isalpha() and in_a_word and not any(each.startswith(text + first) for each in candidates):
            return {}
        if text and not re.match(r"[\w.,-]", first):
            return {first: tokens}
        return _grouped((self.texts[token], token) for token in tokens)


def _grouped(named: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Return tokens by their names."""
    groups: dict[str, list[int]] = {}
    for name, token in named:
        groups.setdefault(name, []).append(token)
    return groups


def verdict(text: str, candidates: tuple[str, ...]) -> int | bool:
    """Return the number of the candidate that `text` has completed, True if it may become one, and False if it cannot.

    A candidate at the very end may still go on (`1` to `10`) and is not yet complete. Zeros after the point leave a
    number what it is.
    """
    start = text.lstrip(WRAPPING + CURRENCY)
    if not start:
        return True
    word = re.match(r"[\w-]+(?:[.,][0-9]+)*", start)
    if not word or start[word.end() :][:1].isalnum():
        return False  # such as `1.0x`
    named, rest = word[0], start[word.end() :]
    whole = re.sub(r"\.0+$", "", named)
    if rest not in {"", ".", ","}:
        return candidates.index(whole) if whole in candidates else False
    return whole in candidates or (not rest and any(candidate.startswith(named) for candidate in candidates))


@torch.inference_mode()
def candidate_distributions(
    model: Any,
    vocabulary: Vocabulary,
    prompts: Sequence[Sequence[int]],
    candidates: Sequence[tuple[str, ...]],
    temperature: float,
    tokens_per_batch: int,
    sharing: Sharing = SHARED,
) -> list[CandidateDistribution]:
    """Return for each prompt the exact distribution over its candidates at `temperature`, without drawing any.

    `prompts` are tokens up to where the answer begins. What the search leaves out, it counts as other: at most
    LEAST_MASS for each of a few branches.
    """
    results = {}
    for index, logits, prefix in prefill(model, prompts, tokens_per_batch, range(len(prompts)), sharing):
        prompt = tuple(prompts[index])
        known = {} if prefix is None else {prompt: prefix}

        def start(count: int, prompt: tuple[int, ...] = prompt, known: Prefixes = known) -> Continuation:
            return go_on(model, sharing, [prompt], [count], LONGEST_PATH, known)

        results[index] = _search(start, vocabulary, logits, candidates[index], temperature)
    return [results[index] for index in range(len(prompts))]


def _search(
    start: Callable[[int], Continuation],
    vocabulary: Vocabulary,
    logits: torch.Tensor,
    candidates: tuple[str, ...],
    temperature: float,
) -> CandidateDistribution:
    """Return the distribution over candidates; `start` gives what goes on after the prompt in so many branches."""
    masses = [0.0] * len(candidates)
    continuation: Continuation | None = None
    branches: list[tuple[str, float]] = [("", 1.0)]
    probabilities = torch.softmax(logits[None] / temperature, dim=-1).cpu()
    for _ in range(LONGEST_PATH):
        longer = []
        for number, ((text, share), row) in enumerate(zip(branches, probabilities, strict=True)):
            following = vocabulary.after(text, candidates)
            for candidate, tokens in following.completing:
                masses[candidate] += share * float(row[tokens].sum())
            going_on = following.going_on[share * row[following.going_on] >= LEAST_MASS].tolist()
            longer += [(number, token, text + vocabulary.texts[token], share * float(row[token])) for token in going_on]
        if not longer:
            break
        if continuation is None:
            continuation = start(len(longer))
        else:
            continuation.keep([number for number, *_ in longer])
        branches = [(text, share) for _, _, text, share in longer]
        said = torch.tensor([[token] for _, token, *_ in longer], device=logits.device)
        probabilities = torch.softmax(continuation.step(said) / temperature, dim=-1).cpu()
    return CandidateDistribution(masses, max(0.0, 1 - sum(masses)))
