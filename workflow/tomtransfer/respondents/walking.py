"""The distribution over the options of a question, from the log-probabilities that a server gives of next tokens.

An answer is followed from its first token on as long as it may still begin with an option, as
`tomtransfer.scenarios.spelling` defines, each time by asking for the tokens after what is written so far. Whatever of
the probability is not seen, because the server gives the likeliest tokens alone or because it was too little to be
followed, is `unseen`: every true probability lies between the one that is returned and that plus what is unseen.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import regex

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.answers import CandidateDistribution, Spent
from tomtransfer.respondents.abilities import Abilities
from tomtransfer.respondents.probe import continued, request_settings, top_tokens
from tomtransfer.respondents.server import Server
from tomtransfer.scenarios.beginnings import Spellings
from tomtransfer.scenarios.questions import Prompt, Query
from tomtransfer.scenarios.spelling import Labels

LEAST_FOLLOWED = 1e-3
"""A beginning of less mass is not followed: it is unseen. An option as it is written always is."""

SHARE_OF_LABEL = 0.1
"""After an option as it is written, a beginning is followed that has this share of it, so that odds are right."""

CHARACTERS_AROUND = 48
"""A beginning that is so much longer than the longest option, and still open, is unseen."""

LARGEST_VOCABULARY = 300_000
"""Tokens of a model that does not say how many it has, at most."""

_SPECIAL = regex.compile(
    r"<\|[^<>]+\|>|<\uff5c[^<>]+\uff5c>|</?s>|<eos>|<(?:start|end)_of_turn>|<end_of_text>|\[/?INST\]|"
)
"""How tokens are written that end an answer; llama.cpp writes nothing."""


@dataclass(frozen=True)
class Following:
    """What may come next: the share of each text, and of all that is not seen, at most; they sum to one."""

    shares: Mapping[bytes, float]
    unseen: float


def messages_of(prompt: Prompt | Query) -> list[Mapping[str, str]]:
    """Return a prompt as the messages of a chat."""
    system = [{"role": "system", "content": prompt.system}] if prompt.system else []
    return [*system, {"role": "user", "content": prompt.user}]


def name_of(prompt: Prompt | Query) -> str:
    """Return a prompt as errors name it."""
    return f"{prompt.game} in {prompt.context} ({prompt.split}, frame {prompt.frame})"


def at_temperature(tokens: Sequence[tuple[bytes, float]], abilities: Abilities, temperature: float) -> Following:
    """Return the shares at a temperature of tokens with the log-probabilities that a server gave.

    Those after temperature are shares already. Those before it are p in p_T = p^(1/T) / sum(p^(1/T)), whose sum is
    known if all tokens are. Otherwise what is not seen of it is at most (1 - sum p) p_K^(1/T - 1) of the K likeliest,
    as none of the others is likelier than the last of these; above a temperature of 1, it is most when all of the
    others, so many as there are, are alike.
    """
    values = [(written, math.exp(min(value, 0.0))) for written, value in tokens]
    rest = 0.0 if abilities.whole_vocabulary else max(0.0, 1 - math.fsum(value for _, value in values))
    power = 1 / temperature if abilities.before_temperature else 1.0
    if not rest or power == 1:
        unseen = rest
    elif power > 1:
        unseen = rest * min(value for _, value in values) ** (power - 1)
    else:
        others = max(1, (abilities.vocabulary or LARGEST_VOCABULARY) - len(values))
        unseen = others * (rest / others) ** power
    weights: dict[bytes, float] = {}
    for written, value in values:
        weights[written] = weights.get(written, 0.0) + value**power
    total = math.fsum(weights.values()) + unseen
    return Following({written: weight / total for written, weight in weights.items()}, unseen / total)


async def read_options(
    server: Server, abilities: Abilities, prompt: Prompt | Query, spellings: Spellings, temperature: float
) -> CandidateDistribution:
    """Return the distribution over the options of `spellings` after a prompt, with what is unseen of it and its cost.

    Raises InputError where an option takes several tokens and the server cannot go on with an answer that is begun.
    """
    walk = _Walk(spellings, bool(abilities.continuing), abilities.keeps_line)
    longest = CHARACTERS_AROUND + max(map(len, spellings.options))
    spent, beginnings = Spent(), {b"": 1.0}
    while beginnings:
        grown: dict[bytes, float] = {}
        for begun, share in beginnings.items():
            following, cost = await _next_tokens(server, abilities, prompt, begun.decode(), temperature)
            spent += cost
            walk.lost += share * following.unseen
            for written, part in following.shares.items():
                if walk.goes_on(begun, written, share * part):
                    grown[begun + written] = grown.get(begun + written, 0.0) + share * part
        beginnings = {begun: share for begun, share in grown.items() if walk.is_followed(begun, share, longest)}
    walk.require_options(f"{server.faults.where}: {name_of(prompt)}")
    unseen = min(1.0, walk.lost)
    return CandidateDistribution(walk.masses, max(0.0, 1 - math.fsum(walk.masses)), unseen, spent)


async def _next_tokens(
    server: Server, abilities: Abilities, prompt: Prompt | Query, begun: str, temperature: float
) -> tuple[Following, Spent]:
    messages, settings = continued(abilities, messages_of(prompt), begun)
    wanted = {"logprobs": True, "top_logprobs": abilities.logprobs}
    settings = {**request_settings(abilities, temperature, 1), **wanted, **settings}
    reply = await server.complete(messages, name_of(prompt), **settings)
    found = top_tokens(reply)
    if not found:
        raise InputError(
            f"{server.faults.where}: {name_of(prompt)}: an answer without log-probabilities; set choices: sampled"
        )
    return at_temperature(found, abilities, temperature), reply.spent


class _Walk:
    """What was found on the way: the mass of each option, what is lost of it, and beginnings that led nowhere."""

    def __init__(self, spellings: Spellings, continues: bool, keeps_line: bool) -> None:
        self.spellings = spellings
        self.continues = continues
        self.keeps_line = keeps_line
        self.masses = [0.0] * len(spellings.options)
        self.lost = 0.0
        self.open: dict[str, float] = {}
        self.labels: dict[str, float] = {}
        """The shares of labels as they are written, before it is known how they go on."""

    def goes_on(self, begun: bytes, written: bytes, share: float) -> bool:
        """Count the share of a text that is decided, and tell of one that is not whether it is followed."""
        text, ended = _text(begun, written)
        if text is None:
            self.lost += share  # half a character, which no message can hold
            return False
        found = self.spellings.begun(f"{text}\n" if ended else text)
        if found is True and ended:
            return False  # nothing was answered
        if found is True and not self.continues:
            alone = self.spellings.begun(f"{text}\n")
            if isinstance(alone, bool):
                self.open[text] = self.open.get(text, 0.0) + share
                self.lost += share
                return False
            found = alone  # its first token is all that is known
        if isinstance(found, bool):
            return found
        self.masses[found] += share
        return False

    def is_followed(self, begun: bytes, share: float, longest: int) -> bool:
        """Tell whether a beginning is followed; it is counted as lost otherwise."""
        text = begun.decode()
        whole = self.keeps_line or text == text.rstrip()  # else the chat template would strip what it ends with
        label = next((each for each in self._written if text.startswith(each)), None)
        if label == text:
            self.labels[label] = share
        least = min(LEAST_FOLLOWED, SHARE_OF_LABEL * self.labels[label]) if label in self.labels else LEAST_FOLLOWED
        if whole and len(text) <= longest and (share >= least or (share > 0 and label == text)):
            return True
        self.lost += share
        return False

    def require_options(self, where: str) -> None:
        """Raise InputError where an option was never whole, and a beginning of it was, which could not be followed."""
        for option, mass in zip(self.spellings.options, self.masses, strict=True):
            begun = [text for text in self.open if text.strip() and option.startswith(text.strip())]
            if not self.continues and not mass and begun:
                raise InputError(
                    f"{where}: the option {option!r} takes several tokens ({begun[0]!r} is the first), and the server "
                    "cannot go on with an answer that is begun; set choices: sampled, or take labels of one token"
                )

    @property
    def _written(self) -> tuple[str, ...]:
        return self.spellings.options if isinstance(self.spellings, Labels) else ()


def _text(begun: bytes, written: bytes) -> tuple[str | None, bool]:
    """Return the text of a beginning and a token after it, and whether the token ends the answer; None for no text."""
    try:
        token = written.decode()
    except UnicodeDecodeError:
        token = ""
    if token == written.decode(errors="replace") and _SPECIAL.fullmatch(token):
        return begun.decode(), True
    try:
        return (begun + written).decode(), False
    except UnicodeDecodeError:
        return None, False
