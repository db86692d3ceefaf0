"""Texts that a server draws: whole answers, reasons after a given choice, and answers that are counted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tomtransfer.experiment.store import digest_of
from tomtransfer.inference.answers import CandidateDistribution, DrawnText, Spent
from tomtransfer.respondents.abilities import Abilities
from tomtransfer.respondents.parsing import Parsed, parse_amount, parse_label
from tomtransfer.respondents.probe import continued, request_settings
from tomtransfer.respondents.protocol import Drawn, Reasons
from tomtransfer.respondents.server import Reply, Server
from tomtransfer.respondents.spending import COUNTED_TOKENS, DRAWN_FOR_EACH, DRAWN_TO_READ
from tomtransfer.respondents.walking import messages_of, name_of
from tomtransfer.scenarios.languages import phrases_in
from tomtransfer.scenarios.questions import Prompt, Query

LARGEST_SEED = 2**31
"""Seeds of a server are smaller."""

TRIES_TO_STAND = 5
"""Times that reasons are drawn which take back the choice that they are to follow."""


@dataclass(frozen=True)
class Writer:
    """A server that draws texts at a temperature."""

    server: Server
    abilities: Abilities
    temperature: float

    async def answer(self, wanted: Drawn, longest: int) -> DrawnText:
        """Return a whole answer; the thoughts that a server sets apart stand in front of it again."""
        reply = await self._write(wanted.prompt, wanted.key, longest)
        thoughts = reply.choice["message"].get("reasoning_content") or reply.choice["message"].get("reasoning")
        text = f"<think>\n{thoughts}\n</think>\n\n{reply.text}" if isinstance(thoughts, str) else reply.text
        return _drawn(text, reply)

    async def reasons(self, wanted: Reasons, longest: int) -> DrawnText:
        """Return reasons after a choice, as what the server adds to an answer that begins with its label.

        Where the chat template strips the line break after the label, the answer may go on as it likes: what takes the
        choice back is drawn again.
        """
        label = _label(wanted)
        begun = f"{label}\n" if self.abilities.keeps_line else label
        spent, found = Spent(), DrawnText("", 0, True)
        for number in range(TRIES_TO_STAND):
            key = wanted.key if not number else digest_of([wanted.key, number])
            reply = await self._write(wanted.prompt, key, longest, begun)
            spent += reply.spent
            text = reply.text.removeprefix(begun) if self.abilities.echoes else reply.text
            found = _drawn(text, reply)
            if self.abilities.keeps_line:
                break
            read = _parsed(wanted.prompt, f"{label}{text}")
            found = DrawnText(read.reasons, found.tokens, found.finished)
            if read.choice == label:
                break
        return DrawnText(found.text, found.tokens, found.finished, spent)

    async def picked(self, wanted: Sequence[Reasons], longest: int) -> list[DrawnText]:
        """Return reasons for choices in one prompt, picked from whole answers that made these choices.

        A choice that is hardly ever made may have fewer reasons than are wanted: then its reasons stand for several,
        and a choice that was never made has none.
        """
        labels = [_label(each) for each in wanted]
        found: dict[str, list[DrawnText]] = {label: [] for label in labels}
        spent = Spent()
        for number in range(DRAWN_FOR_EACH * len(wanted)):
            if all(len(found[label]) >= labels.count(label) for label in found):
                break
            reply = await self._write(wanted[0].prompt, digest_of([wanted[0].key, number]), longest)
            spent += reply.spent
            read = _parsed(wanted[0].prompt, reply.text)
            if read.choice in found:
                found[read.choice].append(_drawn(read.reasons, reply))
        texts, places = [], dict.fromkeys(labels, 0)
        for label in labels:
            own = found[label] or [DrawnText("", 0, True)]
            text = own[places[label] % len(own)]
            texts.append(DrawnText(text.text, text.tokens, text.finished, spent))
            places[label] += 1
            spent = Spent()  # all that was spent stands with the first
        return texts

    async def counted(self, query: Query) -> CandidateDistribution:
        """Return how many of some drawn answers give each candidate, and how many give none."""
        counts, spent = [0.0] * len(query.candidates), Spent()
        for number in range(DRAWN_TO_READ):
            reply = await self._write(query, digest_of([query.sha256, number]), COUNTED_TOKENS)
            spent += reply.spent
            read = _parsed(query, reply.text)
            if read.choice in query.candidates:
                counts[query.candidates.index(read.choice)] += 1
        return CandidateDistribution(counts, DRAWN_TO_READ - sum(counts), 0.0, spent)

    async def _write(self, prompt: Prompt | Query, key: str, longest: int, begun: str = "") -> Reply:
        messages, settings = continued(self.abilities, messages_of(prompt), begun)
        drawing: dict[str, Any] = request_settings(self.abilities, self.temperature, longest)
        seed = int(key, 16) % LARGEST_SEED
        return await self.server.complete(messages, name_of(prompt), seed=seed, **drawing, **settings)


def _label(wanted: Reasons) -> str:
    return wanted.prompt.cooperate if wanted.choice == "cooperate" else wanted.prompt.defect


def _drawn(text: str, reply: Reply) -> DrawnText:
    finished = reply.choice.get("finish_reason") == "stop"
    return DrawnText(text, reply.spent.answer_tokens, finished, reply.spent)


def _parsed(prompt: Prompt | Query, text: str) -> Parsed:
    """Return what an answer to a prompt gives, as drawn answers are read."""
    phrases = phrases_in(prompt.phrases)
    if isinstance(prompt, Query) and prompt.unit:
        return parse_amount(text, prompt.candidates, prompt.unit, prompt.question, phrases)
    return parse_label(text, prompt.options, prompt.question, phrases)
