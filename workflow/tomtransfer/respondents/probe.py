"""Finding out, by a few requests, what a server can do: nothing is believed because of its name."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.abilities import Abilities, Continuing
from tomtransfer.respondents.faults import RefusedError
from tomtransfer.respondents.server import Reply, Server

logger = logging.getLogger(__name__)

NEUTRAL: Mapping[str, Any] = {"top_p": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}
"""What every server understands of sampling."""

NEUTRAL_OF: Mapping[str, Mapping[str, Any]] = {
    "vllm": {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0},
    "sglang": {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0},
    # Whatever else it may do to probabilities is no sampler of these.
    "llama.cpp": {"samplers": ["temperature"], "top_k": 0, "min_p": 0.0, "repeat_penalty": 1.0},
}
"""What some servers understand besides."""

CONTINUING: Mapping[Continuing, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "continue_final_message": ({}, {"continue_final_message": True, "add_generation_prompt": False}),
    "last message": ({}, {}),
    "prefix": ({"prefix": True}, {}),
}
"""How an answer is continued: what its message has besides, and what the request has."""

LIST = [
    {"role": "system", "content": "You repeat what you are told, word for word."},
    {"role": "user", "content": "Repeat: red blue green yellow orange purple"},
]
BEGUN, NEXT, FIRST = "red blue green", "yellow", "red"
"""An answer that has one way to go on; the word that it goes on with, and the one that a new answer begins with."""

QUESTION = [
    {"role": "system", "content": "You answer with one word."},
    {"role": "user", "content": "Name a colour, an animal or a town, whichever you like."},
]
TEMPERATURES = (1.0, 0.5)
"""At these, log-probabilities that are after temperature differ by a factor of two."""

OTHER_LENGTH = "max_completion_tokens"
"""What some models call `max_tokens`, and say so."""

FEWER = (200, 100, 20, 5)
"""How many log-probabilities are asked for where a server gives no more."""


async def probe(server: Server) -> Abilities:
    """Return what a server can do. It is asked about ten times, for a token or two each.

    Raises InputError when it cannot be reached, has no such model, or does with temperature what nobody does.
    """
    found = await _introduce(server)
    found, first = await _ask_first(server, found)
    if not found.logprobs:
        return found
    second = await _ask(server, found, TEMPERATURES[1])
    found = replace(found, before_temperature=_before_temperature(server, top_tokens(first), top_tokens(second)))
    return await _continue(server, found)


def request_settings(abilities: Abilities, temperature: float, longest: int) -> dict[str, Any]:
    """Return the settings of a request for an answer of at most `longest` tokens."""
    return {"temperature": temperature, abilities.length: longest, **abilities.neutral}


def continued(
    abilities: Abilities, messages: Sequence[Mapping[str, Any]], begun: str
) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Return the messages and the settings of a request to go on with an answer that is `begun`."""
    if not (begun and abilities.continuing):
        return list(messages), {}
    of_message, of_request = CONTINUING[abilities.continuing]
    return [*messages, {"role": "assistant", "content": begun, **of_message}], of_request


def top_tokens(reply: Reply) -> list[tuple[bytes, float]]:
    """Return what the likeliest first tokens write, with their log-probabilities; nothing where there are none."""
    try:
        first = reply.choice["logprobs"]["content"][0]
        found = [(_written(each), float(each["logprob"])) for each in first["top_logprobs"]]
    except (KeyError, IndexError, TypeError):
        return []
    # Minus infinity is written in several ways.
    return [(written, value) for written, value in found if math.isfinite(value) and value > -1000]  # noqa: PLR2004


def _written(token: Mapping[str, Any]) -> bytes:
    given = token.get("bytes")
    return bytes(given) if given else str(token["token"]).encode()


async def _introduce(server: Server) -> Abilities:
    """Return what a server says of itself."""
    models = await server.get("models")
    listed = [each for each in (models.content.get("data") or [] if models else []) if isinstance(each, dict)]
    owner = str(listed[0].get("owned_by", "")) if listed else ""
    own = next((each for each in listed if each.get("id") == server.source.model), listed[0] if listed else {})
    meta = own.get("meta") or {}
    kind = {"llamacpp": "llama.cpp", "library": "ollama"}.get(owner, owner)
    version = ""
    for path, key in (("/version", "version"), ("/get_server_info", "version"), ("/api/version", "version")):
        if kind in {"vllm", "sglang", "ollama"} and not version and (reply := await server.get(path)):
            version = str(reply.content.get(key, ""))
    if kind == "llama.cpp" and (reply := await server.get("/props")):
        version = str(reply.content.get("build_info", ""))
    return Abilities(
        server=kind or (models.headers.get("server", "") if models else "") or "unknown",
        version=version,
        model=server.source.model,
        logprobs=server.source.top_logprobs,
        before_temperature=True,
        vocabulary=int(meta.get("n_vocab") or 0),
        continuing="",
        keeps_line=False,
        echoes=False,
        length="max_tokens",
        neutral={**NEUTRAL, **NEUTRAL_OF.get(kind, {})},
    )


async def _ask_first(server: Server, found: Abilities) -> tuple[Abilities, Reply]:
    """Return what the first answer shows: whether there are log-probabilities, how many, and what is refused."""
    numbers = [found.logprobs, *(number for number in FEWER if number < found.logprobs), 0]
    refusals: list[RefusedError] = []
    while numbers:
        each = replace(found, logprobs=numbers[0])
        try:
            reply = await _ask(server, each, TEMPERATURES[0])
        except RefusedError as error:
            refusals.append(error)
            if OTHER_LENGTH in str(error) and found.length != OTHER_LENGTH:
                found = replace(found, length=OTHER_LENGTH)
            else:
                numbers.pop(0)
            continue
        seen = len(top_tokens(reply))
        if each.logprobs and seen < 2:  # noqa: PLR2004
            logger.info("%s: the server gives no log-probabilities", server.name)
            return replace(each, logprobs=0), reply
        if seen < found.logprobs:
            logger.info("%s: the server gives %d log-probabilities of %d", server.name, seen, found.logprobs)
        return replace(each, logprobs=min(each.logprobs, max(seen, each.vocabulary)), neutral=found.neutral), reply
    raise refusals[-1]


async def _ask(server: Server, found: Abilities, temperature: float, begun: str = "", asked: Any = QUESTION) -> Reply:
    messages, settings = continued(found, asked, begun)
    wanted = {"logprobs": True, "top_logprobs": found.logprobs} if found.logprobs else {}
    return await server.complete(
        messages, "finding out what it can do", **request_settings(found, temperature, 1), **wanted, **settings
    )


def _before_temperature(
    server: Server, first: Sequence[tuple[bytes, float]], second: Sequence[tuple[bytes, float]]
) -> bool:
    """Tell whether log-probabilities at both TEMPERATURES are the same, and not after temperature.

    They are compared by how far the tokens lie apart: as far at both, or farther by the ratio of the temperatures.
    """
    one, other = dict(first), dict(second)
    shared = [token for token in one if token in other]
    apart = [(one[token] - one[shared[0]], other[token] - other[shared[0]]) for token in shared]
    length = sum(first * first for first, _ in apart)
    if length:
        slope = sum(first * second for first, second in apart) / length
        for expected, before in ((1.0, True), (TEMPERATURES[0] / TEMPERATURES[1], False)):
            if abs(slope / expected - 1) < 0.2:  # noqa: PLR2004
                return before
        said = f"they differ {slope:.2f} times as much at a temperature of {TEMPERATURES[1]} as at {TEMPERATURES[0]}"
    else:
        said = "it gives too few to tell"
    raise InputError(
        f"{server.faults.where}: cannot tell whether its log-probabilities are before or after temperature: {said}; "
        "set choices: sampled"
    )


async def _continue(server: Server, found: Abilities) -> Abilities:
    """Return what a server does with an answer that is begun."""
    for way in CONTINUING:
        each = replace(found, continuing=way)
        try:
            reply = await _ask(server, each, TEMPERATURES[1], BEGUN, LIST)
        except RefusedError:
            continue
        tokens = top_tokens(reply)
        if _highest(tokens, NEXT) > _highest(tokens, FIRST):
            label, line = [await _ask(server, each, TEMPERATURES[1], begun, LIST) for begun in ("red", "red\n")]
            more = line.spent.prompt_tokens > label.spent.prompt_tokens
            return replace(each, keeps_line=more, echoes=reply.text.startswith(BEGUN))
    logger.info("%s: the server cannot go on with an answer that is begun", server.name)
    return found


def _highest(tokens: Sequence[tuple[bytes, float]], word: str) -> float:
    """Return the highest log-probability of a token that begins a word."""
    texts = ((written.decode(errors="replace").strip().lower(), value) for written, value in tokens)
    return max((value for text, value in texts if text and word.startswith(text)), default=-math.inf)
