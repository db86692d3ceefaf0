"""Requests to an OpenAI-compatible server: many at once, tried again where that may help, and what they cost."""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tomtransfer.experiment.progress import Progress
from tomtransfer.inference.answers import Spent
from tomtransfer.models.registry import Endpoint
from tomtransfer.respondents.crew import Answer, Crew, Task, arriving
from tomtransfer.respondents.faults import BrokenAnswerError, Faults
from tomtransfer.respondents.spending import Ledger, priced, spending

TRIES = 9
"""Times that a request is tried: with the client's pauses for about 40 seconds, or for as long as the server asks."""

TRIES_TO_BEGIN = 4
"""Times that a request of the first that are sent is tried: a misspelt address is said soon."""

BROKEN_TRIES = 4
"""Times that a request is tried whose answers come and cannot be read."""

LOUD = ("openai", "httpx2", "httpcore2")
"""Loggers that have a line for every request."""


@dataclass(frozen=True)
class Reply:
    """What a server answered to a request."""

    content: Mapping[str, Any]
    headers: Mapping[str, str]
    spent: Spent

    @property
    def choice(self) -> Mapping[str, Any]:
        """The one choice of a completion."""
        choice: Mapping[str, Any] = self.content["choices"][0]
        return choice

    @property
    def text(self) -> str:
        """What was written."""
        return str(self.choice["message"].get("content") or "")


@dataclass
class Server:
    """A server as it is asked: its address, its key, what is spent on it."""

    name: str
    """The name of the model in the registry."""
    source: Endpoint
    key: str | None = field(repr=False)
    ledger: Ledger
    common: Mapping[str, Any] = field(default_factory=dict)
    """What every request to complete a chat has besides."""
    tries: int = TRIES
    client: Any = None
    under_way: int = 0

    @cached_property
    def faults(self) -> Faults:
        """What is said when it does not answer."""
        return Faults(self.name, self.source, self.key)

    def answers(self, tasks: Sequence[Task[Answer]], unit: str) -> Iterator[list[tuple[int, Answer]]]:
        """Yield what the tasks come to with their numbers, as they arrive; see `crew.arriving`.

        How many there are of a `unit`, and how long the others take, is said in the log.
        """
        progress = Progress(unit, len(tasks))
        with _quiet():
            try:
                for pieces in arriving(Crew(tasks, self.source.concurrency), self._with_client):
                    progress.advance(len(pieces), self._note())
                    yield pieces
            finally:
                self.ledger.note()

    def one(self, task: Task[Answer]) -> Answer:
        """Return what one task comes to."""
        with _quiet():
            try:
                [[(_, answer)]] = arriving(Crew([task], 1), self._with_client)
            finally:
                self.ledger.note()
        return answer

    async def complete(self, messages: Sequence[Mapping[str, Any]], what: str, **settings: Any) -> Reply:
        """Return the completion of a chat; `what` is asked about stands in errors.

        Raises InputError when there is none after all tries, and when the budget is reached.
        """
        body = {"model": self.source.model, "messages": list(messages), **self.common, **settings}
        spent = Spent()
        for number in range(1, BROKEN_TRIES + 1):
            try:
                reply = await self._post(body, what)
                return Reply(reply.content, reply.headers, spent + reply.spent)
            except BrokenAnswerError as error:
                spent += Spent(requests=1)
                if number == BROKEN_TRIES:
                    raise self.faults.broken(error, what, number) from None
        raise AssertionError

    async def get(self, path: str) -> Reply | None:
        """Return what is found at a path: below the server itself if it begins with `/`, else below its address.

        None where nothing is to be found there; whoever has nothing may say so in many ways.
        """
        import openai
        from httpx2 import Response

        beside = path.startswith("/")
        root = self.source.base_url.removesuffix("/v1") if beside else f"{self.source.base_url}/"
        try:
            options = {"max_retries": 0} if beside else {}
            response = await self.client.get(f"{root}{path}", cast_to=Response, options=options)
            content = json.loads(response.content)
        except (openai.AuthenticationError, openai.APIConnectionError) as error:
            if beside:
                return None
            raise self.faults.of(error, "asking for its models", self.tries) from None
        except (openai.OpenAIError, ValueError):
            return None
        return Reply(content if isinstance(content, dict) else {}, dict(response.headers), Spent())

    async def _post(self, body: Mapping[str, Any], what: str) -> Reply:
        """Send a request; raises InputError when it cannot be answered, and BrokenAnswerError when it was not."""
        import openai
        from httpx2 import Response

        self.ledger.require(self.under_way)
        self.under_way += 1
        spent, tries = Spent(), 1  # as far as is known of one that is broken off
        try:
            response = await self.client.post("/chat/completions", body=body, cast_to=Response)
            tries = _tries(response.request)
            content = _completion(response.content)
            spent = priced(_usage(content), self.source.prices)
        except openai.OpenAIError as error:
            tries = _tries(error.request) if isinstance(error, openai.APIStatusError) else self.tries
            raise self.faults.of(error, what, tries) from None
        finally:
            self.under_way -= 1
            spent += Spent(requests=tries)
            self.ledger.spend(spent, tries - 1)
        return Reply(content, dict(response.headers), spent)

    async def _with_client(self, work: Task[None]) -> None:
        """Do some work with a client of its own, which belongs to the loop that it runs in."""
        import openai

        with _no_settings_of_others():
            self.client = openai.AsyncOpenAI(
                api_key=self.key or "none",
                base_url=self.source.base_url,
                timeout=self.source.timeout,
                max_retries=self.tries - 1,
            )
        async with self.client:
            await work()

    def _note(self) -> str:
        again = f", {self.ledger.retried:,} tried again" if self.ledger.retried else ""
        return spending(self.ledger.own, self.source.prices) + again


def _tries(request: Any) -> int:
    """Return how often the client has sent a request, as it says in the last of them."""
    return 1 + int(request.headers.get("x-stainless-retry-count", 0))


def _completion(content: bytes) -> Mapping[str, Any]:
    """Return the completion of a chat that bytes hold; raises BrokenAnswerError for anything else."""
    try:
        read = json.loads(content)
    except ValueError as error:
        raise BrokenAnswerError(f"no JSON: {error}") from None
    try:
        if not isinstance(read["choices"][0]["message"], dict):
            raise TypeError
    except (KeyError, IndexError, TypeError):
        said = read.get("error", list(read)) if isinstance(read, dict) else type(read).__name__
        raise BrokenAnswerError(f"no completion of a chat: {said}") from None
    return dict(read)


def _usage(content: Mapping[str, Any]) -> Spent:
    """Return the tokens that a server has counted; none where it does not say."""
    usage = content.get("usage")
    counts = usage if isinstance(usage, dict) else {}
    return Spent(0, int(counts.get("prompt_tokens") or 0), int(counts.get("completion_tokens") or 0))


@contextmanager
def _no_settings_of_others() -> Iterator[None]:
    """Hide what the environment says of another server: its address, organization, headers and key."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("OPENAI_")}
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the lines that libraries have for every request out of the log."""
    levels = {name: logging.getLogger(name).level for name in LOUD}
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
