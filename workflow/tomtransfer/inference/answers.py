"""What is known of an answer: the distribution over labels or over candidates, or a text that was drawn.

Plain records without torch, because respondents that are no model give them as well.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ChoiceDistribution:
    """Probabilities of cooperating, of defecting and of anything else: they sum to one.

    Of a respondent whose answers were counted they are numbers of answers instead.
    """

    cooperate: float
    defect: float
    other: float


@dataclass(frozen=True)
class CandidateDistribution:
    """Probabilities of the candidates, in their order, and of any other answer: they sum to one."""

    candidates: list[float]
    other: float


@dataclass(frozen=True)
class DrawnText:
    """A text that was drawn: an answer, or the reasons after a given choice, and whether it came to its own end."""

    text: str
    tokens: int
    finished: bool
