"""Numbers as people write them: in digits, without an exponent, without digits that are rounding errors."""

from decimal import Decimal

SIGNIFICANT_DIGITS = 15
"""What a floating-point number holds for certain."""


def in_digits(number: float) -> str:
    """Return a number in digits: `10`, `2.5`, `0.00003`, `-3`; never `1e+15` or `-0`."""
    text = format(Decimal(f"{number:.{SIGNIFICANT_DIGITS}g}"), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
