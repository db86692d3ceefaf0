"""A respondent that notes what it would have been asked, before anything is spent: requests, and tokens as ranges.

It stands in for another. No model, no tokenizer and no server is needed: tokens are estimated from the bytes of a text.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import ceil
from typing import Any

from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.models.costs import ZERO, Range, Tokens
from tomtransfer.respondents.asking import Asking, Questions
from tomtransfer.respondents.protocol import Drawn, Reasons, Respondent
from tomtransfer.scenarios.questions import Prompt, Query

FEWEST_BYTES, MOST_BYTES = 2, 5
"""Bytes of a token, about: English prompts have 4.1 to 4.5 of them in the tokenizers of the default models, German ones
2.5 to 3.7."""

AROUND = 60
"""Tokens that a chat template puts around the messages, at most."""


@dataclass
class Foreseen:
    """Stands in for a respondent. What has been noted since it was last told to `begin` is the rest of its fields."""

    respondent: Respondent
    free: bool
    """Whether answers cost nothing, so that they are given and no requests are noted; others are made up."""
    rows: int = 0
    prompts: set[str] = field(default_factory=set)
    requests: Range = ZERO
    tokens: Tokens = field(default_factory=Tokens)

    def begin(self) -> None:
        """Forget what has been noted."""
        self.rows, self.prompts, self.requests, self.tokens = 0, set(), ZERO, Tokens()

    @property
    def identity(self) -> Mapping[str, Any]:
        """What every answer of the respondent depends on."""
        return self.respondent.identity

    @property
    def examined(self) -> str:
        """Nothing, since nobody was; see `Respondent`."""
        return ""

    def known(self, questions: Questions) -> Questions:
        """Return those of `questions` that the respondent can be asked."""
        return self.respondent.known(questions)

    def evidence(self, prompt: Prompt | Query) -> str:
        """Return what an answer of the respondent says."""
        return self.respondent.evidence(prompt)

    def check(self, questions: Questions, asking: Asking) -> Mapping[str, Any]:
        """Return nothing: nobody is checked."""
        return {}

    def asked(self, prompt: Prompt | Query) -> Mapping[str, Any]:
        """Return what an answer depends on besides the respondent's identity."""
        return self.respondent.asked(prompt)

    def choose(
        self, prompts: Sequence[Prompt], room: int, drawn_after: Collection[str] = ()
    ) -> Sequence[ChoiceDistribution]:
        """Note the prompts, each of which is read once, and a token of each answer; see `Respondent`."""
        for prompt in prompts:
            self._note(prompt, Range(1, 1), 1, Range(1, 1))
        if self.free:
            return self.respondent.choose(prompts, room, drawn_after)
        return [ChoiceDistribution(0.5, 0.5, 0.0) for _ in prompts]

    def motivate(self, wanted: Sequence[Reasons], longest: int) -> Sequence[DrawnText]:
        """Note the prompts, each read once for each choice or once for each text, and the texts; see `Respondent`."""
        for (_, _), same in groupby(wanted, key=lambda each: (each.prompt.sha256, each.choice)):
            texts = list(same)
            self._note(texts[0].prompt, Range(1, len(texts)), len(texts), Range(len(texts), longest * len(texts)))
        if self.free:
            return self.respondent.motivate(wanted, longest)
        return [DrawnText("", 0, True) for _ in wanted]

    def draw(self, wanted: Sequence[Drawn], asking: Asking) -> Sequence[DrawnText]:
        """Note the prompts, each read once or once for each answer, and the answers; see `Respondent`."""
        for _, same in groupby(wanted, key=lambda each: each.prompt.sha256):
            texts = list(same)
            most = asking.longest * len(texts)
            self._note(texts[0].prompt, Range(1, len(texts)), len(texts), Range(len(texts), most))
        if self.free:
            return self.respondent.draw(wanted, asking)
        return [DrawnText("", 0, True) for _ in wanted]

    def read(self, queries: Sequence[Query]) -> Sequence[CandidateDistribution]:
        """Note the queries, each read once or once for each of its candidates; see `Respondent`."""
        for query in queries:
            longest = max(tokens_of(text).high for text in query.candidates)
            times = len(query.candidates)
            self._note(query, Range(1, times), 1, Range(1, times * longest))
        if self.free:
            return self.respondent.read(queries)
        return [CandidateDistribution([0.0] * len(query.candidates), 1.0) for query in queries]

    def _note(self, prompt: Prompt | Query, requests: Range, rows: int, answer: Range) -> None:
        self.rows += rows
        self.prompts.add(prompt.sha256)
        if self.free:
            return
        text = tokens_of(prompt.system + prompt.user)
        self.requests += requests
        read = Range(requests.low * text.low, requests.high * (text.high + AROUND))
        self.tokens += Tokens(read, answer)


def tokens_of(text: str) -> Range:
    """Return about how many tokens a text has, whatever the tokenizer."""
    size = len(text.encode())
    return Range(ceil(size / MOST_BYTES), ceil(size / FEWEST_BYTES))
