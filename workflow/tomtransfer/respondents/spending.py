"""What a model behind a server has cost and may cost: requests, tokens and, where prices are given, money.

A process notes what it spends in a file of its own beside the store, so that a budget holds over all runs and all jobs
that share the store, however they end.
"""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.answers import NOTHING_SPENT, Spent
from tomtransfer.models.costs import AROUND, Range, Tokens, tokens_of
from tomtransfer.models.endpoints import Budget, Prices
from tomtransfer.respondents.abilities import Abilities
from tomtransfer.respondents.asking import Asking, Questions
from tomtransfer.scenarios.questions import Prompt, Query

SPENT = "spent"
"""The folder of a store that says what was spent on models behind servers."""

SECONDS_BETWEEN_NOTES = 1.0

SPELLINGS = 8
"""Ways of writing an option that are followed, at most; as a rule, few have any probability."""

DRAWN_FOR_EACH = 8
"""Answers that are drawn for each reason that is wanted, at most, where an answer cannot be continued."""

DRAWN_TO_READ = 20
"""Answers that are drawn and counted where they cannot be read exactly."""

COUNTED_TOKENS = 16
"""Tokens of an answer that is counted, at most."""


@dataclass(frozen=True)
class Expected:
    """The least and the most that answers are expected to take."""

    least: Spent = NOTHING_SPENT
    most: Spent = NOTHING_SPENT

    def __add__(self, other: "Expected") -> "Expected":
        """Return the sum of both."""
        return Expected(self.least + other.least, self.most + other.most)

    @property
    def requests(self) -> Range:
        """How many requests."""
        return Range(self.least.requests, self.most.requests)

    @property
    def tokens(self) -> Tokens:
        """How many tokens of prompts and of answers."""
        return Tokens(
            Range(self.least.prompt_tokens, self.most.prompt_tokens),
            Range(self.least.answer_tokens, self.most.answer_tokens),
        )

    def said(self, prices: Prices | None) -> str:
        """Return it in words, with money where there are prices."""
        if self.least == self.most:
            return spending(self.least, prices)
        return f"{spending(self.least, prices)} to {spending(self.most, prices)}"


@dataclass
class Ledger:
    """What was spent on one revision of a model, by this process and by others; `place` is where they note it."""

    model: str
    budget: Budget
    prices: Prices | None
    place: Path | None
    own: Spent = NOTHING_SPENT
    retried: int = 0
    """Requests of this process that were tries after the first."""
    others: Spent = NOTHING_SPENT
    number: str = field(default_factory=lambda: uuid.uuid4().hex)
    noted: float = 0.0

    def __post_init__(self) -> None:
        """Read what was spent before."""
        self.others = read_spent(self.place, self.number)

    @property
    def total(self) -> Spent:
        """What was spent by all."""
        return self.own + self.others

    def spend(self, spent: Spent, retried: int = 0) -> None:
        """Count what was spent just now."""
        self.own += spent
        self.retried += retried
        if time.monotonic() - self.noted >= SECONDS_BETWEEN_NOTES:
            self.note()

    def note(self) -> None:
        """Write down what this process has spent, and read what others have."""
        self.noted = time.monotonic()
        if self.place is not None and self.own.requests:
            write_text(json.dumps({**asdict(self.own), "retried": self.retried}) + "\n", self.place / self._file)
            self.others = read_spent(self.place, self.number)

    @property
    def _file(self) -> str:
        return f"{self.number}.json"

    def require(self, under_way: int) -> None:
        """Raise InputError when another request, beside those `under_way`, may go beyond the budget."""
        total = self.total
        requests = total.requests + under_way
        each, each_money = (
            (self.own.tokens / self.own.requests, self.own.money / self.own.requests) if self.own.requests else (0, 0)
        )
        tokens = total.tokens + round(each * under_way)
        limits: Mapping[str, tuple[float | None, float]] = {
            "requests": (self.budget.requests, requests + 1),
            "tokens": (self.budget.tokens, tokens + 1),
            "money": (self.budget.money, total.money + each_money * under_way),
        }
        for name, (most, would) in limits.items():
            if most is not None and would > most:
                raise InputError(
                    f"{self.model}: budget.{name}: reached: {spending(total, self.prices)} were spent of {most:,g}. "
                    "What is answered is kept: raise the budget and run again to go on, or ask less"
                )


def spent_folder(store: Path, model: str, revision: str) -> Path:
    """Return the folder in which processes note what they spend on a revision of a model."""
    return store / SPENT / f"{model}-{revision[:16]}"


def read_spent(place: Path | None, but: str = "") -> Spent:
    """Return what is noted in a folder, by any process `but` one; what cannot be read counts as nothing."""
    total = Spent()
    for file in sorted(place.glob("[!.]*.json")) if place else ():
        if file.stem != but:
            try:
                noted = json.loads(file.read_text(encoding="utf-8"))
                total += Spent(**{name: type(value)(noted[name]) for name, value in asdict(total).items()})
            except (OSError, ValueError, KeyError, TypeError):
                continue
    return total


def spending(spent: Spent, prices: Prices | None) -> str:
    """Return in words what was spent, with money where there are prices."""
    money = "" if prices is None else f", {spent.money:,.2f} {prices.currency}"
    return f"{spent.requests:,} requests, {spent.tokens:,} tokens{money}"


def priced(spent: Spent, prices: Prices | None) -> Spent:
    """Return what was spent with the money that its tokens cost."""
    return replace(spent, money=prices.of(spent.prompt_tokens, spent.answer_tokens)) if prices else spent


def needed(questions: Questions, asking: Asking, abilities: Abilities | None, prices: Prices | None = None) -> Expected:
    """Return what questions are expected to take of a server, each as often as it is asked; see `needed_rows`."""
    reasons = [each for each in questions.reasoned for _ in range(2 * asking.motivations[each.frame])]
    drawn = [each for each in questions.drawn for _ in range(asking.answers)]
    stages: Mapping[str, Sequence[Prompt | Query]] = {
        "choices": questions.chosen,
        "motivations": reasons,
        "answers": drawn,
        "amounts": questions.amounts,
        "comprehension": questions.comprehension,
    }
    total = Expected()
    for stage, rows in stages.items():
        total += needed_rows(stage, rows, asking, abilities, prices)
    return total


def needed_rows(
    stage: str,
    rows: Sequence[Prompt | Query],
    asking: Asking,
    abilities: Abilities | None,
    prices: Prices | None = None,
) -> Expected:
    """Return what rows of a table are expected to take of a server, one for each prompt in `rows`; nothing is sent.

    `stage` is choices, motivations, answers, amounts or comprehension. Without `abilities`, what the server can do is
    not known yet, and the range is as wide as that makes it.
    """
    lengths = {"motivations": asking.motivation_tokens, "answers": asking.longest}
    continues = bool(abilities and abilities.continuing)
    least, most = Spent(), Spent()
    for prompt in rows:
        fewest, longest = _tokens(prompt)
        if stage in lengths:
            tries = DRAWN_FOR_EACH if stage == "motivations" and not continues else 1
            requests, tokens = (1, tries), (1, lengths[stage])
        else:
            requests, tokens = _followed(prompt, abilities)
        least += Spent(requests[0], requests[0] * fewest, requests[0] * tokens[0])
        most += Spent(requests[1], requests[1] * longest, requests[1] * tokens[1])
    return Expected(priced(least, prices), priced(most, prices))


def _followed(prompt: Prompt | Query, abilities: Abilities | None) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the least and the most requests to read a prompt, and tokens of each answer: its next tokens, and those
    after each option in some spellings; or the answers that are counted."""
    options = len(prompt.options)
    every = 1 + SPELLINGS * options
    if abilities is None:
        return (1, max(every, DRAWN_TO_READ)), (1, COUNTED_TOKENS)
    if abilities.logprobs and abilities.continuing:
        return (1 + options, every), (1, 1)
    if isinstance(prompt, Prompt):
        return (1, 1), (1, 1)
    return (DRAWN_TO_READ, DRAWN_TO_READ), (1, COUNTED_TOKENS)


def _tokens(prompt: Prompt | Query) -> tuple[int, int]:
    """Return how many tokens a prompt has at least and at most, with what stands around its messages."""
    text = tokens_of(prompt.system + prompt.user)
    return text.low, text.high + AROUND
