"""Numbers in digits, as a person writes them."""

import pytest

from tomtransfer.scenarios.numbers import in_digits


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (10, "10"),
        (2.5, "2.5"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (3e-05, "0.00003"),
        (0.1 + 0.2, "0.3"),
        (-3, "-3"),
        (1 / 3, "0.333333333333333"),
        (100.0, "100"),
        (1.1 * 3, "3.3"),
    ],
)
def test_digits(number, text):
    assert in_digits(number) == text
