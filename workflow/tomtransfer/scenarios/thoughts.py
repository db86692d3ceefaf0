"""Thoughts that a model writes between marks of its own before it answers: where they begin and where they end."""

import re

THOUGHT_OPENS, THOUGHT_CLOSES = (
    r"<\|?\w*(?:think|thought|reasoning)\w*\|?>|\[THINK\]",
    r"</\w*(?:think|thought|reasoning)\w*>|\[/THINK\]",
)
"""What opens a thought in templates and answers, and what closes it."""


def opened(text: str) -> bool:
    """Tell whether a thought is open at the end of a text."""
    last_opened = max((found.end() for found in re.finditer(THOUGHT_OPENS, text)), default=-1)
    last_closed = max((found.end() for found in re.finditer(THOUGHT_CLOSES, text)), default=-1)
    return last_opened > last_closed


def thought_marks(text: str) -> tuple[str, str]:
    """Return the mark that opens the last thought of a text, and the one that is to close it."""
    opening = [found[0] for found in re.finditer(THOUGHT_OPENS, text)][-1]
    return opening, f"{opening[0]}/{opening[1:].replace('|', '')}"


def split_thoughts(text: str) -> tuple[str, str]:
    """Return the thoughts that an answer begins with, without their marks, and what comes after them.

    Nothing comes after thoughts that have not come to their end.
    """
    begun = re.match(rf"\s*(?:{THOUGHT_OPENS})", text)
    if not begun:
        return "", text
    closed = re.search(THOUGHT_CLOSES, text)
    thoughts = text[begun.end() : closed.start() if closed else None]
    return thoughts.strip(), text[closed.end() :] if closed else ""
