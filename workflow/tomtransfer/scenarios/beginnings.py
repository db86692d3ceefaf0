r"""How an answer may begin: the one definition of what may stand before and after an option without changing it.

An answer begins with an option if, from its first character on, it reads

    what opens it, the option, what closes it, an ending

- What opens: white space, quotes, brackets, bold, bullets, headings, `\boxed{`. What closes: quotes, brackets, bold.
- A label is written as it is, in other capitals too where it has more than one letter (`Cooperate` for `cooperate`).
- A number is written in digits, with groups of three and decimals as the language has them, or in words; a sign and a
  currency may come before it, its unit and all that there was after it (`$5.00`, `1,000`, `five dollars`, `5 of 10`).
- An ending is the end of the line; a stop, a dash or an opening bracket with more after it; or a reason
  (`C, because`), after `, not D` too.

Another option where the ending goes on (`C. D`, `C (D)`, `3 - 5`) or a hedge (`C (or`) takes it back, and `1. Then`
begins a list.

Whether a text begins with an option is known as soon as enough of it is written: `begun` says which one it is, that
none can come any more, or that it is still open. The token tree follows a text as long as it is open, so that what it
counts is what the parser reads.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import regex

from tomtransfer.scenarios.patterns import SPACE, WORD_END, normalized, one_of
from tomtransfer.scenarios.phrases import Phrases

READING_REVISION = 2
"""Raised by hand when what an answer may begin with changes, so that what was read before is read anew."""

OPENING = "\"'`\u2018“„\u201a«\u2039「『《【*_([{|•●✅✔\ufe0f▁Ġ"
"""What may stand in front of an option, besides white space; the last two are spaces in the tokens of some models."""

CLOSING = "\"'`\u2019”“\u2018»\u203a」』》】*_)]}|>✅✔✓\ufe0f"
"""What may stand right after an option."""

STOPS = ".!;:。"
"""What may end an option when more follows."""

CURRENCY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
"""The signs of units that have one, by how the names of these begin."""

LATEX = r"\$?\\(?:boxed|fbox|text|textbf|mathrm|mathbf)\s?\{|\\[(\[]"
OPEN = rf"(?:[\s{regex.escape(OPENING)}]|#+{SPACE}|{LATEX})*"
OPEN_IN_LINE = rf"(?:{SPACE}|[{regex.escape(OPENING)}]|{LATEX})*"
CLOSE = rf"(?:[{regex.escape(CLOSING)}]|{SPACE}?\\[)\]]|(?<=\}})\$)*"
DASH = rf"(?:{SPACE}*(?:[–—]|--)|{SPACE}+-|-{SPACE})"
STOP = rf"{SPACE}*(?:[.;:。]|!+){CLOSE}"
BRACKET = rf"{SPACE}*[(\[]"


@dataclass(frozen=True)
class Spellings(ABC):
    """How the options of a question are written: with their unit if they have one, and the phrases of a language."""

    options: tuple[str, ...]
    unit: str
    phrases: Phrases

    opening = OPEN
    """The pattern of what may stand in front of an option."""

    def begun(self, text: str) -> int | bool:
        """Return the place of the option that `text` begins with, however it goes on, or whether that is still open.

        True is open: more of the text may make it begin with an option. False is closed: no option can come any more.
        """
        text = normalized(text)
        found = self._beginning.match(text, partial=True)
        back = self._taken_back.match(text, partial=True) if found else None
        if not found or (back and not back.partial and self._takes_back(back)):
            return False
        if found.partial or (back and back.partial):
            return self.may_go_on(text)
        place = self.place(found["option"])
        return False if place is None else place

    def begin(self, text: str) -> "regex.Match[str] | None":
        """Return what a whole text begins with, as groups `option` and `ending`, or None where that is no option.

        Of numbers it may be any; `place` tells whether it is an option.
        """
        return None if self.takes_back(text) else self._beginning.match(normalized(text) + "\n")

    def takes_back(self, text: str) -> bool:
        """Return whether a whole text that begins with an option goes on at once to take it back."""
        back = self._taken_back.match(normalized(text) + "\n")
        return bool(back) and self._takes_back(back)

    @abstractmethod
    def place(self, said: str | None) -> int | None:
        """Return the place of the option that is `said` among the options; None where it is none of them."""

    @abstractmethod
    def name(self, said: str) -> str:
        """Return the one name of an option that is `said`, or of any number."""

    def may_go_on(self, text: str) -> bool:
        """Return whether a text that matches as far as it goes may become an option."""
        return True

    @cached_property
    def alphabet(self) -> frozenset[str]:
        """The characters that mean something here; of all others it only matters of what sort they are."""
        named = [mark for marks in (OPENING, CLOSING, STOPS, CURRENCY) for mark in marks]
        said = [
            *self.options,
            self.unit,
            *_texts_of(self.phrases),
            *map(chr, range(128)),
            *named,
            "–—\u00a0\u202f\u2009",
        ]
        known = set().union(*(each.lower() + each.upper() for each in said))
        # Where characters of full width are meant, they are others that mean the same.
        return frozenset(known | {chr(ord(each) + 0xFEE0) for each in known if "!" <= each <= "~"} | {"\u2212"})

    @property
    @abstractmethod
    def option(self) -> str:
        """The pattern of any option, and nothing else."""

    @property
    @abstractmethod
    def mention(self) -> str:
        """The pattern of an option that is named somewhere, in the group `other`."""

    @property
    @abstractmethod
    def said(self) -> str:
        """The pattern of an option, in the group `option`, with all that belongs to it up to its ending."""

    @property
    @abstractmethod
    def taken_back(self) -> str:
        """The pattern of what takes an option back right after it; in the group `other` where it is another option."""

    @cached_property
    def ending(self) -> str:
        """The pattern of what ends an option: the line; a stop, a dash or a bracket with more after it; a reason."""
        stop = rf"{STOP}(?:{SPACE}*\n|{SPACE}+\S|\p{{Han}})"
        dash = rf"{DASH}{SPACE}*(?:\n|[^\s.,])"
        bracket = rf"{BRACKET}{SPACE}*[^\s)\]]"
        return rf"(?:{SPACE}*\n|{stop}|{dash}|{bracket}|{self.reason})"

    @cached_property
    def reason(self) -> str:
        """The pattern of what begins a reason after an option."""
        return rf"(?:{SPACE}*,{SPACE}*|{SPACE}+){one_of(self.phrases.reasons)}{WORD_END}"

    @cached_property
    def _hedged(self) -> str:
        """The pattern of a hedge after an ending, such as `(or` or, in brackets alone, `(my coplayer`."""
        hedge = rf"(?:{STOP}|{DASH}|{BRACKET}){OPEN_IN_LINE}{one_of(self.phrases.hedges, any_case=False)}"
        return rf"(?:{hedge}|{BRACKET}{OPEN_IN_LINE}{one_of(self.phrases.asides)}){WORD_END}"

    @cached_property
    def _beginning(self) -> "regex.Pattern[str]":
        return regex.compile(rf"{self.opening}{self.said}(?P<ending>{self.ending})")

    @cached_property
    def _taken_back(self) -> "regex.Pattern[str]":
        return regex.compile(rf"{self.opening}(?P<option>{self.option}){CLOSE}(?:{self.taken_back})")

    def _takes_back(self, match: "regex.Match[str]") -> bool:
        """Return whether a match of `_taken_back` takes its option back."""
        return True


def _texts_of(phrases: Phrases) -> Iterator[str]:
    """Yield every phrase of a language, and every mark that it has."""
    for value in vars(phrases).values():
        parts = value if isinstance(value, tuple) else (value,)
        yield from (part if isinstance(part, str) else part[0] for part in parts)
