"""What asking takes and costs: ranges stay ranges, prices are those of the entry, and limits are named."""

from types import SimpleNamespace

import pytest

from tomtransfer.models.costs import Range, Tokens, cost, terms_of

TOKENS = Tokens(prompt=Range(1_000_000, 3_000_000), answer=Range(10_000, 500_000))
REQUESTS = Range(100, 400)


def entry(prices: dict | None = None, **budget: float) -> SimpleNamespace:
    priced = SimpleNamespace(**prices) if prices else None
    return SimpleNamespace(prices=priced, budget=SimpleNamespace(**budget) if budget else None)


def test_money_is_a_range_by_the_prices_of_a_million_tokens():
    found = cost(entry({"prompt": 0.5, "answer": 2.0, "currency": "EUR"}), REQUESTS, TOKENS)
    assert found is not None
    assert (found.low, found.high) == (pytest.approx(0.52), pytest.approx(2.5))
    assert (found.currency, found.beyond) == ("EUR", ())


def test_limits_that_may_be_passed_or_are_passed_are_named():
    found = cost(
        entry({"prompt": 1.0, "answer": 1.0, "currency": "USD"}, requests=50, tokens=2_000_000, money=3.6),
        REQUESTS,
        TOKENS,
    )
    assert found is not None
    assert found.beyond == (
        "its budget of 50 requests does not reach",
        "its budget of 2,000,000 tokens may not reach",
    )


def test_what_was_spent_before_is_no_longer_in_the_budget():
    prices = {"prompt": 1.0, "answer": 1.0, "currency": "USD"}
    limited = entry(prices, requests=500, tokens=4_000_000, money=3.6)
    assert cost(limited, REQUESTS, TOKENS).beyond == ()
    assert cost(limited, REQUESTS, TOKENS, (100, 500_000, 0.1)).beyond == ()
    assert cost(limited, REQUESTS, TOKENS, (101, 3_500_000, 2.6)).beyond == (
        "its budget of 500 requests, of which 101 are spent, may not reach",
        "its budget of 4,000,000 tokens, of which 3,500,000 are spent, does not reach",
        "its budget of 3.6 money in USD, of which 2.60 are spent, does not reach",
    )


def test_without_prices_there_is_no_money_and_without_either_no_cost():
    found = cost(entry(requests=1000), REQUESTS, TOKENS)
    assert found is not None
    assert (found.low, found.high, found.beyond) == (None, None, ())
    assert cost(SimpleNamespace(source="local"), REQUESTS, TOKENS) is None
    assert terms_of(entry()) is None
