"""How options are written: as labels, which are words or letters, or as numbers of a unit.

What may stand before and after them is in `tomtransfer.scenarios.beginnings`.
"""

from collections.abc import Sequence
from functools import cached_property

import regex

from tomtransfer.scenarios.beginnings import (
    BRACKET,
    CLOSE,
    CURRENCY,
    DASH,
    OPEN,
    OPEN_IN_LINE,
    STOP,
    Spellings,
)
from tomtransfer.scenarios.english import ENGLISH
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.patterns import SPACE, normalized, one_of
from tomtransfer.scenarios.phrases import Phrases


def spellings_of(options: Sequence[str], unit: str = "", phrases: Phrases = ENGLISH) -> Spellings:
    """Return how `options` are written: as numbers of a `unit` if all are in digits, and as labels otherwise."""
    numeric = all(regex.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", option) for option in options)
    return (Numbers if numeric else Labels)(tuple(options), unit, phrases)


class Labels(Spellings):
    """Labels: words or letters."""

    # What begins an item of a list, a quotation or a tag as well.
    opening = rf"{OPEN}(?:(?:[-–—]{SPACE}|[<>])+{OPEN})?"

    def place(self, said: str | None) -> int | None:
        """Return the place of a label; with other capitals too if it has more than one letter."""
        return self._places.get(said, self._places.get(said.casefold())) if said else None

    def name(self, said: str) -> str:
        """Return a label in small letters."""
        return said.casefold()

    @cached_property
    def option(self) -> str:
        """The pattern of any label."""
        return self._any_of(self._names)

    @cached_property
    def mention(self) -> str:
        """The pattern of a label that is named; of a word of one letter, such as I, only where no sentence goes on."""
        words = [name for name in self._names if name.casefold() in self.phrases.words]
        others = self._any_of([name for name in self._names if name not in words])
        return rf"(?:(?P<other>{others}){CLOSE}\W|{self._named_alone(words)})"

    @cached_property
    def said(self) -> str:
        """The pattern of a label and, in contrast to it, another: `C rather than option D`."""
        other = rf"{SPACE}+(?:{one_of(self.phrases.nouns)}{SPACE}+)?{OPEN_IN_LINE}{self.option}{CLOSE}"
        return rf"(?P<option>{self.option}){CLOSE}(?:,?{SPACE}+{one_of(self.phrases.contrasts)}{other})?"

    @cached_property
    def taken_back(self) -> str:
        """The pattern of another label or a hedge after a label; after a full stop a sentence may begin with it."""
        named = rf"(?:{SPACE}*:|{DASH}|{BRACKET}){OPEN_IN_LINE}{self.mention}"
        return rf"{named}|{STOP}{OPEN_IN_LINE}{self._named_alone(self._names)}|{self._hedged}"

    def _takes_back(self, match: "regex.Match[str]") -> bool:
        """Return whether a match of `_taken_back` is more than a label said twice."""
        return match["other"] is None or self.place(match["other"]) != self.place(match["option"])

    def _named_alone(self, names: Sequence[str]) -> str:
        return rf"(?P<other>{self._any_of(names)}){CLOSE}{SPACE}*(?:[^\w\s]|\n)"

    def _any_of(self, names: Sequence[str]) -> str:
        words = [name for name in names if len(name) > 1 and self._folds]
        return rf"(?:{one_of(words)}|{one_of((name for name in names if name not in words), any_case=False)})"

    @cached_property
    def _names(self) -> list[str]:
        return [normalized(option) for option in self.options]

    @cached_property
    def _folds(self) -> bool:
        """Whether labels differ in more than capitals, so that a capital more or less says nothing."""
        return len({name.casefold() for name in self._names}) == len(self._names)

    @cached_property
    def _places(self) -> dict[str, int]:
        """The place of every label by its name and, where capitals say nothing, by its name in small letters."""
        named = {name: place for place, name in enumerate(self._names)}
        return {name.casefold(): place for name, place in named.items() if self._folds and len(name) > 1} | named


class Numbers(Spellings):
    """Numbers of a unit."""

    def place(self, said: str | None) -> int | None:
        """Return the place of a number, in digits or in words."""
        return self._places.get(self.name(said)) if said else None

    def name(self, said: str) -> str:
        """Return a number in digits; what is no number has no name."""
        word = self._words.get(said.casefold())
        digits = str(word) if word is not None else self._digits(said)
        return in_digits(float(digits)) if digits.strip("-.") else ""

    def may_go_on(self, text: str) -> bool:
        """Return whether the digits of a text that is still open may become those of an option."""
        so_far = self._so_far.match(text)
        digits = self._digits(so_far["said"]) if so_far else ""
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return any(option.startswith(digits) for option in self._places)

    @cached_property
    def option(self) -> str:
        """The pattern of any number, in digits with its sign and that of its unit, or in words."""
        spaces = rf"[{regex.escape(self.phrases.group)}\u00a0\u202f\u2009 ']"
        groups = rf"[1-9][0-9]{{0,2}}(?P<space>{spaces})[0-9]{{3}}(?:(?P=space)[0-9]{{3}})*"
        decimal = regex.escape(self.phrases.decimal)
        digits = rf"(?:(?:{groups}|[1-9][0-9]*|0)(?:{decimal}[0-9]+)?|{decimal}[0-9]+)"
        return rf"(?:-?(?:{self._sign}{SPACE}?-?)?{digits}|{one_of(self._words)})"

    @cached_property
    def mention(self) -> str:
        """The pattern of a number that is named."""
        return rf"(?P<other>{self.option})(?![\w%])"

    @cached_property
    def said(self) -> str:
        """The pattern of a number with its unit, and what it is a part of: `5 of my 10 dollars`."""
        most = regex.escape(max(self.options, key=float))
        whole = rf"{SPACE}+{one_of(self.phrases.shares)}{SPACE}+(?:{self._sign})?{most}(?:{SPACE}*{self.units})?{CLOSE}"
        return rf"(?P<option>{self.option}){CLOSE}(?:{SPACE}*{self.units}{CLOSE})?(?:{whole})?"

    @cached_property
    def taken_back(self) -> str:
        """The pattern of a range, of a number after another, of a hedge, and of `1.` where a list begins."""
        number = rf"{OPEN_IN_LINE}(?:{self._sign}|-)*[0-9]"
        unit = rf"{SPACE}*{self.units}{CLOSE}"
        ranged = rf"(?:(?:{STOP}{SPACE}|{DASH}|{BRACKET}){number}|{unit}{DASH}{number})"
        item = rf"(?<=(?<![0-9{''.join(CURRENCY)}])1{CLOSE})\.{CLOSE}{SPACE}+\S"
        return rf"{ranged}|(?:{unit})?{self._hedged}|{item}"

    @cached_property
    def units(self) -> str:
        """The pattern of the unit, in the plural or the singular or as a sign."""
        return rf"(?:{self._sign}|{one_of({self.unit, self.unit.removesuffix('s')} - {''})})"

    @cached_property
    def _sign(self) -> str:
        """The pattern of the unit's sign, if it has one."""
        return one_of(sign for sign, name in CURRENCY.items() if self.unit.casefold().startswith(name))

    @cached_property
    def _words(self) -> dict[str, int]:
        return dict(self.phrases.numbers)

    @cached_property
    def _places(self) -> dict[str, int]:
        """The place of every number by its digits."""
        return {in_digits(float(option)): place for place, option in enumerate(self.options)}

    def _digits(self, said: str) -> str:
        """Return digits that were said without their groups and signs of currency."""
        kept = (mark for mark in said if mark in f"0123456789-{self.phrases.decimal}")
        return "".join(kept).replace(self.phrases.decimal, ".")

    @cached_property
    def _so_far(self) -> "regex.Pattern[str]":
        """The pattern of digits at the beginning of a text."""
        inside = regex.escape(self.phrases.group + self.phrases.decimal)
        return regex.compile(rf"{OPEN}(?P<said>-?(?:{self._sign}|\s)*-?[0-9][0-9{inside} ']*)")
