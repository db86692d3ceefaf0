"""Patterns of text that know no language: spaces, ends of words, any of several phrases."""

from collections.abc import Iterable
from itertools import groupby

import regex

SPACE = r"[^\S\n]"
"""White space within a line."""

WORD_END = r"(?:\W|(?<=\p{Han}))"
"""What shows that a word has come to its end; Chinese characters need nothing between them."""

# What looks alike is alike: characters of full width, apostrophes, minus signs.
_ALIKE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2019: 0x27, 0x2212: 0x2D}


def normalized(text: str) -> str:
    """Return a text of the same length in which characters that look alike are the same."""
    return text if text.isascii() else text.translate(_ALIKE)


def one_of(phrases: Iterable[str], between: str = "", any_case: bool = True) -> str:
    """Return a pattern of any of `phrases`, or of none; `between` is what may stand between two words of one."""
    words = sorted({tuple(phrase.split()) for phrase in phrases})
    return f"(?{'i' if any_case else ''}:{_branches(words, f'{SPACE}+{between}')})" if words else r"(?!)"


def _branches(phrases: Iterable[tuple[str, ...]], gap: str) -> str:
    """Return a pattern of sorted phrases, of which those that begin alike share that word, to be matched fast."""
    branches = []
    for word, alike in groupby(phrases, key=lambda phrase: phrase[0]):
        rests = [phrase[1:] for phrase in alike]
        longer = _branches((rest for rest in rests if rest), gap)
        more = f"(?:{gap}(?:{longer}))" if longer else ""
        branches.append(regex.escape(word, literal_spaces=True) + (f"{more}?" if more and () in rests else more))
    return "|".join(branches)
