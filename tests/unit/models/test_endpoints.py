"""Registry entries of servers: what identifies a model, and what must not stand in them."""

from pathlib import Path

import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.endpoints import Prices, read_key
from tomtransfer.models.registry import (
    Endpoint,
    find_student,
    has_weights,
    identifying,
    parse_source,
    revision,
)

ENTRY = {"source": "endpoint", "base_url": "http://localhost:8000/v1/", "model": "served", "revision": "2026-11"}
FILE = Path("models.yaml")


def parsed(**changes) -> Endpoint:
    found = parse_source("teacher", {**ENTRY, **changes}, FILE)
    assert isinstance(found, Endpoint)
    return found


def test_answers_depend_on_the_model_and_not_on_how_it_is_asked():
    plain = revision("teacher", parsed())
    for change in (
        {"base_url": "https://elsewhere/v1"},
        {"key": "KEY"},
        {"concurrency": 64},
        {"timeout": 5},
        {"budget": {"requests": 10}},
        {"prices": {"prompt": 1, "answer": 2}},
        {"description": "a model"},
    ):
        assert revision("teacher", parsed(**change)) == plain
        if "description" not in change:
            assert identifying(parsed(**change)) == identifying(parsed())
    assert revision("teacher", parsed(model="other")) != plain
    assert revision("teacher", parsed(revision="2026-12")) != plain


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base_url": "localhost:8000"}, "base_url: String should match pattern"),
        ({"base_url": "http://me:secret@host/v1"}, "base_url: must be an address alone"),
        ({"base_url": "http://host/v1?key=1"}, "base_url: must be an address alone"),
        ({"model": ""}, "model: "),
        ({"revision": None}, "revision: "),
        ({"concurrency": 0}, "concurrency: "),
        ({"timeout": -1}, "timeout: "),
        ({"budget": {"money": 5}}, "prices: missing; a budget of money needs the prices of tokens"),
        ({"budget": {"euros": 5}}, "budget.euros: unknown key.*Allowed here: money, requests, tokens"),
        ({"prices": {"prompt": -1, "answer": 1}}, "prices.prompt: "),
        ({"prices": {"prompt": 1, "answer": 1, "currency": "dollars"}}, "prices.currency: "),
    ],
)
def test_what_is_wrong_is_named(change, message):
    with pytest.raises(InputError, match=f"^models.yaml: teacher: {message}"):
        parsed(**change)


def test_a_key_in_place_of_a_name_is_refused_and_not_repeated():
    with pytest.raises(InputError, match="key: must be the NAME of an environment variable") as error:
        parsed(key="sk-proj-canary")
    assert "canary" not in str(error.value)


def test_keys_are_read_from_the_environment():
    assert read_key("teacher", None, {}) is None
    assert read_key("teacher", "KEY", {"KEY": " abc\n"}) == "abc"
    for environment in ({}, {"KEY": " "}):
        with pytest.raises(InputError, match="teacher: key: the environment variable KEY is not set"):
            read_key("teacher", "KEY", environment)
    with pytest.raises(InputError, match="characters that no key may have") as error:
        read_key("teacher", "KEY", {"KEY": "canary \u00e9"})
    assert "canary" not in str(error.value)


def test_it_has_no_weights_and_cannot_be_tuned():
    assert not has_weights(parsed())
    with pytest.raises(InputError, match="source: endpoint: it has no weights to tune"):
        find_student("teacher", {"teacher": parsed()}, FILE)


def test_prices_are_those_of_a_million_tokens():
    assert Prices(prompt=2, answer=10).of(500_000, 100_000) == pytest.approx(2.0)
