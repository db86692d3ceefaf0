"""Fonts for whatever script a label is in: a figure takes them from the machine, and what no font has is named."""

import unicodedata
from functools import cache
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
from matplotlib.text import Text

OWN_FONT = "DejaVu Sans"
"""The font of every figure. It comes with matplotlib, so that every machine draws the same."""


def lend_fonts(figure: Figure) -> list[str]:
    """Give the texts of a figure fonts for the characters that its own lacks; return those that no font here has."""
    missing: dict[str, None] = {}
    for text in figure.findobj(Text):
        lacking = [character for character in text.get_text() if not has_glyph(OWN_FONT, character)]
        lent = dict.fromkeys(font for character in lacking if (font := font_with(character)))
        missing |= dict.fromkeys(character for character in lacking if not font_with(character))
        if lent:
            text.set_fontfamily([OWN_FONT, *lent])
    return list(missing)


@cache
def font_with(character: str) -> str | None:
    """Return the first font of this machine that has a character, by name, or None if none has it."""
    return next((font for font in sorted(_files()) if has_glyph(font, character)), None)


@cache
def has_glyph(font: str, character: str) -> bool:
    """Tell whether a font can draw a character; what is not drawn, such as a line break, needs no font."""
    unseen = character.isspace() or unicodedata.category(character).startswith("C")
    return unseen or bool(get_font(_files()[font]).get_char_index(ord(character)))


@cache
def _files() -> dict[str, Path]:
    """Return the regular fonts that matplotlib finds, by name; what is not one file for one script is left out."""
    found = [font for font in fontManager.ttflist if font.style == "normal" and Path(font.fname).suffix != ".afm"]
    return {font.name: Path(font.fname) for font in found if not font.name.startswith(("cm", "Last Resort"))}
