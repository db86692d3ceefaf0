"""Characters of labels and names that not every font has, and what they are called."""

import unicodedata
from collections.abc import Iterable

LAST_LATIN = "\u024f"
"""The last of the Latin letters that LaTeX has everywhere."""

SET_BY_LATEX = frozenset("–—‘’“”…−×±≤≥≈")
"""Signs beyond Latin letters that tables have and LaTeX sets with any font."""


def beyond_latin(texts: Iterable[str]) -> list[str]:
    """Return the characters that LaTeX sets only with a font that has them: all but Latin letters and common signs."""
    found = dict.fromkeys(character for text in texts for character in text if character > LAST_LATIN)
    return [character for character in found if character not in SET_BY_LATEX]


def named(characters: Iterable[str]) -> str:
    """Return characters with their names: `合 (CJK UNIFIED IDEOGRAPH-5408)`."""
    return ", ".join(f"{character} ({unicodedata.name(character, 'without a name')})" for character in characters)
