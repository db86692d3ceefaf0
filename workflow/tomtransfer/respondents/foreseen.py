"""A respondent that notes what it would have been asked, before anything is spent: requests, and tokens as ranges.

It stands in for another. No model, no tokenizer and no server is needed: tokens are estimated from the bytes of a text.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.models.costs import AROUND, ZERO, Range, Tokens, tokens_of
from tomtransfer.respondents.asking import Asking, Questions
from tomtransfer.respondents.protocol import Drawn, Reasons, Respondent
from tomtransfer.respondents.served import ServedRespondent
from tomtransfer.scenarios.questions import Prompt, Query


@dataclass
class Foreseen:
    """Stands in for a respondent. What has been noted since it was last told to `begin` is the rest of its fields."""

    respondent: Respondent
    free: bool
    """Whether answers cost nothing, so that they are given and no requests are noted; others are made up."""
    asking: Asking
    served: ServedRespondent | None = None
    """The same respondent if it is behind a server, which says what rows take of it; None for all others."""
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
        """Return what an answer of the respondent says: of a server that nobody has asked yet, the best that it may."""
        return "exact" if self.served and not self.served.noted else self.respondent.evidence(prompt)

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
            self._note("choices", [prompt], Range(1, 1), Range(1, 1))
        if self.free:
            return self.respondent.choose(prompts, room, drawn_after)
        return [ChoiceDistribution(0.5, 0.5, 0.0) for _ in prompts]

    def motivate(self, wanted: Sequence[Reasons], longest: int) -> Sequence[DrawnText]:
        """Note the prompts, each read once for each choice or once for each text, and the texts; see `Respondent`."""
        for (_, _), same in groupby(wanted, key=lambda each: (each.prompt.sha256, each.choice)):
            texts = list(same)
            answers = Range(len(texts), longest * len(texts))
            self._note("motivations", [each.prompt for each in texts], Range(1, len(texts)), answers)
        if self.free:
            return self.respondent.motivate(wanted, longest)
        return [DrawnText("", 0, True) for _ in wanted]

    def draw(self, wanted: Sequence[Drawn], asking: Asking) -> Sequence[DrawnText]:
        """Note the prompts, each read once or once for each answer, and the answers; see `Respondent`."""
        for _, same in groupby(wanted, key=lambda each: each.prompt.sha256):
            texts = list(same)
            answers = Range(len(texts), asking.longest * len(texts))
            self._note("answers", [each.prompt for each in texts], Range(1, len(texts)), answers)
        if self.free:
            return self.respondent.draw(wanted, asking)
        return [DrawnText("", 0, True) for _ in wanted]

    def read(self, queries: Sequence[Query]) -> Sequence[CandidateDistribution]:
        """Note the queries, each read once or once for each of its candidates; see `Respondent`."""
        for query in queries:
            longest = max(tokens_of(text).high for text in query.candidates)
            times = len(query.candidates)
            self._note("comprehension", [query], Range(1, times), Range(1, times * longest))
        if self.free:
            return self.respondent.read(queries)
        return [CandidateDistribution([0.0] * len(query.candidates), 1.0) for query in queries]

    def _note(self, stage: str, same: Sequence[Prompt | Query], reads: Range, answers: Range) -> None:
        """Note rows of the same prompt, which a model here reads so often, with so many tokens of answers."""
        prompt = same[0]
        self.rows += len(same)
        self.prompts.add(prompt.sha256)
        if self.free:
            return
        if self.served:
            expected = self.served.needs_for(stage, same, self.asking)
            requests, tokens = expected.requests, expected.tokens
        else:
            text = tokens_of(prompt.system + prompt.user)
            requests, tokens = reads, Tokens(Range(reads.low * text.low, reads.high * (text.high + AROUND)), answers)
        self.requests += requests
        self.tokens += tokens
