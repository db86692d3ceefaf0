"""The protocol of respondents: what whoever answers a prompt can be asked, and what distinguishes it from any other.

A new kind of respondent is a module that has these methods, a record in the registry, and a line in `opening`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.respondents.asking import Asking, Questions
from tomtransfer.scenarios.questions import Prompt, Query


@dataclass(frozen=True)
class Reasons:
    """What a respondent is asked to give its reasons for: a prompt, a choice in it, and the key of the draw."""

    prompt: Prompt
    choice: str
    """`cooperate` or `defect`."""
    key: str
    """In hexadecimal digits; the seed of the draw."""


@dataclass(frozen=True)
class Drawn:
    """What a respondent is asked to draw a whole answer to: a prompt, and the key of the draw."""

    prompt: Prompt | Query
    key: str


class Respondent(Protocol):
    """Whoever answers: a model run here, a policy known in closed form. Answers come in the order of the questions."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What every answer depends on: model, model_revision, quantization, adapter, temperature, stage_revision."""

    @property
    def examined(self) -> str:
        """The key of the examination that says how answers are computed; empty where there is nothing to examine."""

    def known(self, questions: Questions) -> Questions:
        """Return those of `questions` that it can be asked: all, unless its answers are recorded."""

    def evidence(self, prompt: Prompt | Query) -> str:
        """Return what an answer says: `exact` probabilities, `counted` answers, or a `mean` amount and no more."""

    def check(self, questions: Questions, asking: Asking) -> Mapping[str, Any]:
        """Return what is known of it before it is asked; raises InputError when it cannot be asked `questions`."""

    def asked(self, prompt: Prompt | Query) -> Mapping[str, Any]:
        """Return what an answer to a prompt depends on besides the respondent's identity."""

    def choose(
        self, prompts: Sequence[Prompt], room: int, drawn_after: Collection[str] = ()
    ) -> Sequence[ChoiceDistribution]:
        """Return the choice distribution of each prompt, or, where `evidence` is counted, how many answers there are.

        Answers to them may be up to `room` tokens long. Texts will be drawn after the prompts whose hashes are
        `drawn_after`, so that what was computed of those may be kept. Raises InputError when a prompt does not fit.
        """

    def motivate(self, wanted: Sequence[Reasons], longest: int) -> Sequence[DrawnText]:
        """Return the reasons for each choice in `wanted`, of at most `longest` tokens."""

    def draw(self, wanted: Sequence[Drawn], asking: Asking) -> Sequence[DrawnText]:
        """Return an answer to each prompt in `wanted`."""

    def read(self, queries: Sequence[Query]) -> Sequence[CandidateDistribution]:
        """Return the distribution over the candidates of each query."""
