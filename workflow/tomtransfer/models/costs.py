"""What asking a respondent takes, as ranges, and what that costs by the prices and within the budget of its entry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from tomtransfer.models.endpoints import MILLION

FEWEST_BYTES, MOST_BYTES = 2, 5
"""Bytes of a token, about: English prompts have 4.1 to 4.5 of them in the tokenizers of the default models, German ones
2.5 to 3.7."""

AROUND = 60
"""Tokens that a chat template puts around the messages, at most."""


@dataclass(frozen=True)
class Range:
    """A whole number of which the least and the most are known."""

    low: int
    high: int

    def __add__(self, other: "Range") -> "Range":
        """Return the range of the sum."""
        return Range(self.low + other.low, self.high + other.high)


ZERO = Range(0, 0)


@dataclass(frozen=True)
class Tokens:
    """Tokens of prompts and of answers."""

    prompt: Range = ZERO
    answer: Range = ZERO

    def __add__(self, other: "Tokens") -> "Tokens":
        """Return the tokens of both."""
        return Tokens(self.prompt + other.prompt, self.answer + other.answer)

    @property
    def both(self) -> Range:
        """Tokens of prompts and answers together."""
        return self.prompt + self.answer


def tokens_of(text: str) -> Range:
    """Return about how many tokens a text has, whatever the tokenizer."""
    size = len(text.encode())
    return Range(ceil(size / MOST_BYTES), ceil(size / FEWEST_BYTES))


@dataclass(frozen=True)
class Terms:
    """What a respondent costs, and the most that may be spent on it; None where nothing is said of it."""

    prompt: float | None = None
    """Price of a million tokens of prompts."""
    answer: float | None = None
    """Price of a million tokens of answers."""
    currency: str = ""
    most_requests: int | None = None
    most_tokens: int | None = None
    most_money: float | None = None


@dataclass(frozen=True)
class Cost:
    """What is asked of a respondent costs between `low` and `high`, None without prices."""

    low: float | None
    high: float | None
    currency: str
    beyond: tuple[str, ...]
    """In words, which limits of its budget may be passed."""


def terms_of(entry: Any) -> Terms | None:
    """Return what the `prices` and the `budget` of a registry entry say; None for an entry that has neither."""
    prices, budget = getattr(entry, "prices", None), getattr(entry, "budget", None)
    limits = [getattr(budget, name, None) for name in ("requests", "tokens", "money")]
    if prices is None and not any(limits):
        return None
    return Terms(
        prompt=getattr(prices, "prompt", None),
        answer=getattr(prices, "answer", None),
        currency=getattr(prices, "currency", ""),
        most_requests=limits[0],
        most_tokens=limits[1],
        most_money=limits[2],
    )


def cost(entry: Any, requests: Range, tokens: Tokens, spent: tuple[int, int, float] = (0, 0, 0)) -> Cost | None:
    """Return what `requests` with `tokens` cost by a registry entry; None for one that has no prices and no budget.

    `spent` are the requests, the tokens and the money of its budget that were spent before.
    """
    terms = terms_of(entry)
    if terms is None:
        return None
    low = high = None
    if terms.prompt is not None and terms.answer is not None:
        low, high = (
            (terms.prompt * prompt + terms.answer * answer) / MILLION
            for prompt, answer in (
                (tokens.prompt.low, tokens.answer.low),
                (tokens.prompt.high, tokens.answer.high),
            )
        )
    asked = (requests.low, requests.high), (tokens.both.low, tokens.both.high), (low, high)
    return Cost(low, high, terms.currency, tuple(_beyond(terms, spent, asked)))


def _beyond(terms: Terms, spent: Sequence[float], asked: Sequence[tuple[float | None, float | None]]) -> Iterable[str]:
    """Yield in words each limit that the most, or even the least, of what is asked would pass after what was spent."""
    limits = {
        "requests": terms.most_requests,
        "tokens": terms.most_tokens,
        f"money in {terms.currency}": terms.most_money,
    }
    for (name, most), gone, (least, greatest) in zip(limits.items(), spent, asked, strict=True):
        if most is not None and least is not None and greatest is not None and gone + greatest > most:
            word = "does not reach" if gone + least > most else "may not reach"
            of_which = f", of which {gone:{',' if isinstance(gone, int) else ',.2f'}} are spent," if gone else ""
            yield f"its budget of {most:,} {name}{of_which} {word}"
