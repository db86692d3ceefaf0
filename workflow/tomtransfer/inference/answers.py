"""What is known of an answer: the distribution over labels or over candidates, or a text that was drawn.

Plain records without torch, because respondents that are no model give them as well.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Spent:
    """What answers of a server have cost: requests, those that failed included, and tokens as the server counts them.

    An answer of a model that runs here has cost nothing of these.
    """

    requests: int = 0
    prompt_tokens: int = 0
    answer_tokens: int = 0
    money: float = 0.0
    """In the currency of the registry; nothing where it says no prices."""

    def __add__(self, other: "Spent") -> "Spent":
        """Return the sum of both."""
        return Spent(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.answer_tokens + other.answer_tokens,
            self.money + other.money,
        )

    @property
    def tokens(self) -> int:
        """Tokens of prompts and answers together."""
        return self.prompt_tokens + self.answer_tokens


NOTHING_SPENT = Spent()


@dataclass(frozen=True)
class ChoiceDistribution:
    """Probabilities of cooperating, of defecting and of anything else: they sum to one.

    Of a respondent whose answers were counted they are numbers of answers instead.
    """

    cooperate: float
    defect: float
    other: float
    unseen: float = 0.0
    """How much of `other` a server did not show, at most: any of it may belong to a choice."""
    spent: Spent = NOTHING_SPENT


@dataclass(frozen=True)
class CandidateDistribution:
    """Probabilities of the candidates, in their order, and of any other answer: they sum to one."""

    candidates: list[float]
    other: float
    unseen: float = 0.0
    """How much of `other` a server did not show, at most: any of it may belong to a candidate."""
    spent: Spent = NOTHING_SPENT


@dataclass(frozen=True)
class DrawnText:
    """A text that was drawn: an answer, or the reasons after a given choice, and whether it came to its own end."""

    text: str
    tokens: int
    finished: bool
    spent: Spent = NOTHING_SPENT
