"""A respondent behind an OpenAI-compatible server: read exactly where it shows probabilities, drawn where it does not.

Whatever is asked is asked at once for many questions, and comes as it arrives. Planning what is asked needs no network.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from tomtransfer.experiment.store import digest_of
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.models.endpoints import read_key
from tomtransfer.models.registry import Endpoint
from tomtransfer.respondents.abilities import Abilities, note_abilities, read_abilities
from tomtransfer.respondents.asking import Asking, Questions
from tomtransfer.respondents.crew import Answer, Task
from tomtransfer.respondents.drawing import Writer
from tomtransfer.respondents.probe import probe
from tomtransfer.respondents.protocol import Drawn, Reasons
from tomtransfer.respondents.server import TRIES_TO_BEGIN, Server
from tomtransfer.respondents.spending import Expected, Ledger, needed, needed_rows, spent_folder
from tomtransfer.respondents.walking import read_options
from tomtransfer.scenarios.languages import phrases_in
from tomtransfer.scenarios.questions import Prompt, Query
from tomtransfer.scenarios.spelling import spellings_of

logger = logging.getLogger(__name__)

Arrivals = Iterator[list[tuple[int, Answer]]]


@dataclass(frozen=True)
class ServedRespondent:
    """The model of a registry entry behind its server."""

    source: Endpoint
    identity: Mapping[str, Any]
    chat: Mapping[str, Any]
    """Variables of its chat template, which the server fills in."""
    examinations: Path | None = None
    """The folder of a store where it is noted what servers were found to do; None to find out each time."""

    @property
    def name(self) -> str:
        """Its name in the registry."""
        return str(self.identity["model"])

    @property
    def temperature(self) -> float:
        """The temperature of its answers."""
        return float(self.identity["temperature"])

    @cached_property
    def ledger(self) -> Ledger:
        """What was spent on it."""
        store = self.examinations.parent if self.examinations else None
        place = spent_folder(store, self.name, str(self.identity["model_revision"])) if store else None
        return Ledger(self.name, self.source.budget, self.source.prices, place)

    @cached_property
    def server(self) -> Server:
        """Its server; raises InputError where the key is missing."""
        key = read_key(self.name, self.source.key)
        common = {"chat_template_kwargs": dict(self.chat)} if self.chat else {}
        return Server(self.name, self.source, key, self.ledger, common)

    @cached_property
    def abilities(self) -> Abilities:
        """What its server can do now: found out by asking, once for each process that asks."""
        noted, self.server.tries = self.noted, TRIES_TO_BEGIN
        found = self.server.one(partial(probe, self.server))
        self.server.tries = type(self.server).tries
        logger.info("%s: %s %s: %s", self.name, found.server, found.version, found.said)
        if self.examinations:
            note_abilities(found, self.examinations, self._address)
        if noted and _reads(noted) != _reads(found):
            raise InputError(f"{self.name}: its server does not do what it did before ({found.said}); run again")
        return found

    @property
    def examined(self) -> str:
        """The key of what its server was found to do; see `Respondent`."""
        return self.abilities.key

    @property
    def software(self) -> str:
        """The server and its version, as far as it says."""
        return f"{self.abilities.server} {self.abilities.version}".strip()

    def known(self, questions: Questions) -> Questions:
        """Return all questions; see `Respondent`."""
        return questions

    def evidence(self, prompt: Prompt | Query) -> str:
        """Exact choices; amounts and the like are drawn and counted where an answer cannot be followed."""
        return "exact" if isinstance(prompt, Prompt) or _reads(self.noted or self.abilities) else "counted"

    def asked(self, prompt: Prompt | Query) -> dict[str, Any]:
        """Return the hash of a prompt, and what its chat template is told."""
        return {"prompt": prompt.sha256, **({"chat": dict(self.chat)} if self.chat else {})}

    def check(self, questions: Questions, asking: Asking) -> dict[str, Any]:
        """Return what its server can do, and what all that is asked takes; see `Respondent`.

        Raises InputError for a server that cannot be reached, and for one that gives no log-probabilities to read.
        """
        found = self.abilities
        if questions.chosen:
            self._require_logprobs()
        return {
            "model": self.name,
            "served": f"{self.source.model} at {self.source.base_url}, {self.software}",
            "answers": found.said,
            "takes": self.needs(questions, asking).said(self.source.prices),
        }

    def needs(self, questions: Questions, asking: Asking) -> Expected:
        """Return what questions are expected to take, without asking the server anything."""
        return needed(questions, asking, self.noted, self.source.prices)

    def needs_for(self, stage: str, prompts: Sequence[Prompt | Query], asking: Asking) -> Expected:
        """Return what rows of a stage are expected to take, one for each of `prompts`, without asking the server."""
        return needed_rows(stage, prompts, asking, self.noted, self.source.prices)

    def choose(
        self, prompts: Sequence[Prompt], room: int, drawn_after: Collection[str] = ()
    ) -> list[ChoiceDistribution]:
        """Return the choice distribution of each prompt; see `Respondent`."""
        return _in_order(self.each_choice(prompts))

    def motivate(self, wanted: Sequence[Reasons], longest: int) -> list[DrawnText]:
        """Return drawn reasons for each choice in `wanted`; see `Respondent`."""
        return _in_order(self.each_reason(wanted, longest))

    def draw(self, wanted: Sequence[Drawn], asking: Asking) -> list[DrawnText]:
        """Return a drawn answer to each prompt in `wanted`; see `Respondent`."""
        return _in_order(self.each_answer(wanted, asking.longest))

    def read(self, queries: Sequence[Query]) -> list[CandidateDistribution]:
        """Return the distribution over the candidates of each query, or the counts of drawn ones; see `Respondent`."""
        return _in_order(self.each_reading(queries))

    def each_choice(self, prompts: Sequence[Prompt]) -> Arrivals[ChoiceDistribution]:
        """Yield choices as they arrive."""
        self._require_logprobs()

        async def choose(prompt: Prompt) -> ChoiceDistribution:
            spellings = spellings_of(prompt.labels, "", phrases_in(prompt.phrases))
            found = await read_options(self.server, self.abilities, prompt, spellings, self.temperature)
            cooperate, defect = found.candidates
            return ChoiceDistribution(cooperate, defect, found.other, found.unseen, found.spent)

        return self._each([partial(choose, prompt) for prompt in prompts], "choices")

    def each_reason(self, wanted: Sequence[Reasons], longest: int) -> Arrivals[DrawnText]:
        """Yield reasons as they arrive: after the label where an answer can be continued, else from whole answers."""
        if self.abilities.continuing:
            yield from self._each([partial(self._writer.reasons, each, longest) for each in wanted], "motivations")
            return
        groups: dict[str, list[int]] = {}
        for number, each in enumerate(wanted):
            groups.setdefault(each.prompt.sha256, []).append(number)
        numbers = list(groups.values())
        tasks = [partial(self._writer.picked, [wanted[number] for number in group], longest) for group in numbers]
        for pieces in self._each(tasks, "prompts with motivations"):
            for group, texts in pieces:
                yield list(zip(numbers[group], texts, strict=True))

    def each_answer(self, wanted: Sequence[Drawn], longest: int) -> Arrivals[DrawnText]:
        """Yield drawn answers as they arrive."""
        return self._each([partial(self._writer.answer, each, longest) for each in wanted], "drawn answers")

    def each_reading(self, queries: Sequence[Query]) -> Arrivals[CandidateDistribution]:
        """Yield readings as they arrive."""

        async def read(query: Query) -> CandidateDistribution:
            spellings = spellings_of(query.candidates, query.unit, phrases_in(query.phrases))
            return await read_options(self.server, self.abilities, query, spellings, self.temperature)

        one = read if _reads(self.abilities) else self._writer.counted
        return self._each([partial(one, query) for query in queries], "readings")

    def _each(self, tasks: Sequence[Task[Answer]], unit: str) -> Arrivals[Answer]:
        logger.debug("%s: %s", self.name, self.abilities.said)  # found out before the tasks are at work
        return self.server.answers(tasks, unit)

    @property
    def _writer(self) -> Writer:
        return Writer(self.server, self.abilities, self.temperature)

    @cached_property
    def noted(self) -> Abilities | None:
        """What its server was last found to do, if that is noted."""
        return read_abilities(self.examinations, self._address) if self.examinations else None

    @property
    def _address(self) -> str:
        """What tells this server and model from others, in a note of what it can do."""
        about = {name: getattr(self.source, name) for name in ("base_url", "model", "revision", "top_logprobs")}
        return digest_of({"model": self.name, **about, "chat": dict(self.chat)})

    def _require_logprobs(self) -> None:
        if not self.abilities.logprobs:
            raise InputError(
                f"{self.server.faults.where}: the server gives no log-probabilities, so that choices cannot be read "
                "from them; set choices: sampled"
            )


def _reads(abilities: Abilities) -> bool:
    """Return whether texts of several tokens can be read exactly."""
    return bool(abilities.logprobs and abilities.continuing)


def _in_order(pieces: Arrivals[Answer]) -> list[Answer]:
    found = dict(pair for piece in pieces for pair in piece)
    return [found[number] for number in sorted(found)]
