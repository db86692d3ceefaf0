"""Models behind a server: what the registry says of one, and where its key is read from."""

import os
import re
from collections.abc import Mapping
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from tomtransfer.experiment.validation import FieldError, InputError, Number, Record

MILLION = 1_000_000

HOW_IT_IS_ASKED = ("base_url", "key", "concurrency", "timeout", "top_logprobs", "budget", "prices")
"""Keys of an endpoint that do not change its answers: where it is, and how fast and how dearly it is asked."""


class Prices(Record):
    """What tokens cost, as the owner of the server says."""

    prompt: Number = Field(ge=0)
    """Price of a million tokens of prompts."""
    answer: Number = Field(ge=0)
    """Price of a million tokens of answers."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """Currency of the prices, in three capital letters."""

    def of(self, prompt_tokens: int, answer_tokens: int) -> float:
        """Return what tokens cost."""
        return (self.prompt * prompt_tokens + self.answer * answer_tokens) / MILLION


class Budget(Record):
    """The most that may be spent on a model, over all runs that share a store; null stands for no limit."""

    requests: int | None = Field(default=None, ge=1)
    """Requests, tries that failed included."""
    tokens: int | None = Field(default=None, ge=1)
    """Tokens of prompts and answers together."""
    money: Number | None = Field(default=None, gt=0)
    """Money, in the currency of `prices`, which must be given."""


class Address(Record):
    """Where a server is, and how it is asked."""

    base_url: str = Field(pattern=r"^https?://\S+$")
    """Address of the server's OpenAI-compatible interface, which mostly ends in `/v1`."""
    key: str | None = None
    """NAME of the environment variable that holds the server's key, in capital letters; the key itself stands in no
    file."""
    concurrency: int = Field(default=16, ge=1, le=1000)
    """Requests that are under way at once."""
    timeout: Number = Field(default=120, gt=0, le=3600)
    """Seconds after which a request that has no answer is tried again."""
    top_logprobs: int = Field(default=1000, ge=2, le=1_000_000)
    """How many of the likeliest first tokens are asked for, at most: as many as the server gives. The more, the less of
    an answer stays unseen; most servers give 20, llama.cpp its whole vocabulary."""
    budget: Budget = Budget()
    """The most that may be spent on the model."""
    prices: Prices | None = None
    """What a million tokens cost; without it there is no sum of money."""

    @field_validator("base_url")
    @classmethod
    def _holds_no_secret(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.username or parts.password or parts.query or parts.fragment:
            raise ValueError("must be an address alone, without a password, `?` or `#`; name a variable in `key`")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _names_its_key(self) -> Self:
        # Here, where an error does not show the value: it may be the key itself.
        if self.key is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", self.key):
            raise FieldError(
                "key",
                "must be the NAME of an environment variable, in capital letters, such as SERVER_KEY; not the key",
            )
        return self

    @model_validator(mode="after")
    def _has_prices(self) -> Self:
        if self.budget.money is not None and self.prices is None:
            raise FieldError("prices", "missing; a budget of money needs the prices of tokens")
        return self


def read_key(model: str, variable: str | None, environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the key in an environment variable; None where a server needs none.

    Raises InputError when there is no such variable, or nothing in it.
    """
    if variable is None:
        return None
    key = environment.get(variable, "").strip()
    if not key:
        raise InputError(
            f"{model}: key: the environment variable {variable} is not set; "
            f"set it to the server's key where Snakemake is started (export {variable}=...)"
        )
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise InputError(f"{model}: key: the environment variable {variable} holds characters that no key may have")
    return key
