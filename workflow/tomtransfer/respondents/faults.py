"""What is said of a server that does not answer: one sentence for each fault, with what to do, and never the key."""

from http import HTTPStatus
from typing import Any

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.registry import Endpoint

LONGEST_MESSAGE = 300
"""Characters of what a server says that an error repeats."""

RUN_AGAIN = "What is answered is kept; run again to go on"


class BrokenAnswerError(Exception):
    """An answer that arrived and cannot be read as what was asked for."""


class RefusedError(InputError):
    """A request that the server understands and refuses: another may be answered."""


class Faults:
    """The faults of one server, in words."""

    def __init__(self, name: str, source: Endpoint, key: str | None) -> None:
        self.where = f"{name}: {source.base_url}"
        self.source = source
        self._key = key

    def of(self, error: Exception, what: str, tries: int) -> InputError:
        """Return what is said of an `error` of the client, which has tried so often to ask `what`."""
        import openai

        if isinstance(error, openai.APIStatusError):
            return self._refused(error, what, tries)
        where = f"{self.where}: {what}"
        if isinstance(error, openai.APITimeoutError):
            return InputError(
                f"{where}: no answer within {self.source.timeout:g} seconds, {tries} times. {RUN_AGAIN}, with a longer "
                "timeout or less concurrency"
            )
        cause = self.cleared(str(error.__cause__ or error)) or type(error.__cause__).__name__
        if isinstance(error, openai.APIConnectionError):
            return InputError(f"{where}: the server cannot be reached, or hung up, {tries} times: {cause}. {RUN_AGAIN}")
        return InputError(f"{where}: {cause}")

    def broken(self, error: BrokenAnswerError, what: str, tries: int) -> InputError:
        """Return what is said of answers that cannot be read."""
        said = self.cleared(str(error))
        return InputError(f"{self.where}: {what}: an answer that cannot be read, {tries} times: {said}. {RUN_AGAIN}")

    def _refused(self, error: Any, what: str, tries: int) -> InputError:
        status, said = error.status_code, self.cleared(_message(error))
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            refused = (
                f"the key in {self.source.key}" if self.source.key else "requests without a key; name one in `key`"
            )
            return InputError(f"{self.where}: the server does not accept {refused} ({status}): {said}")
        if status == HTTPStatus.NOT_FOUND:
            return InputError(
                f"{self.where}: the server has no model {self.source.model!r}, or base_url is not where it answers "
                f"(404): {said}"
            )
        if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            too_much = status == HTTPStatus.TOO_MANY_REQUESTS
            busy, less = ("is asked too much", ", with less concurrency") if too_much else ("failed", "")
            return InputError(
                f"{self.where}: {what}: the server {busy}, {tries} times ({status}): {said}. {RUN_AGAIN}{less}"
            )
        return RefusedError(f"{self.where}: {what}: the server refuses the request ({status}): {said}")

    def cleared(self, text: str) -> str:
        """Return what somebody said, on one line, cut short, without the key."""
        line = " ".join(text.split())
        if self._key:
            line = line.replace(self._key, "(the key)")
        return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]} ..."


def _message(error: Any) -> str:
    """Return what a server said of an error."""
    body = error.body
    said = body.get("message") or body.get("detail") or body.get("error") if isinstance(body, dict) else body
    return str(said or error.message)
