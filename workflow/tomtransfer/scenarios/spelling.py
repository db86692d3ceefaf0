r"""How an answer may begin: the one definition of what may stand before and after an option without changing it.

An answer begins with an option if, from its first character on, it reads

    what opens it, the option, what closes it, an ending

- What opens: white space, quotes, brackets, bold, bullets, headings, `\boxed{`. What closes: quotes, brackets, bold.
- A label is written as it is, in other capitals too where it has more than one letter (`Cooperate` for `cooperate`).
- A number is written in digits, with groups of three and decimals as the language has them, or in words; a sign and a
  currency may come before it, its unit and all that there was after it (`$5.00`, `1,000`, `five dollars`, `5 of 10`).
- An ending is the end of the line; a stop, a dash or an opening bracket with more behind it; or a reason
  (`C, because`), after `, not D` too.

Another option where the ending goes on (`C. D`, `C (D)`, `3 - 5`) or a hedge (`C (or`) takes it back, and `1. Then`
begins a list.

Whether a text begins with an option is known as soon as enough of it is written: `begun` says which one it is, that
none can come any more, or that it is still open. The token tree follows a text as long as it is open, so that what it
counts is what the parser reads.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import regex

from tomtransfer.scenarios.english import ENGLISH
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.patterns import SPACE, WORD_END, normalized, one_of
from tomtransfer.scenarios.phrases import Phrases

READING_REVISION = 2
"""Raised by hand when what an answer may begin with changes, so that what was read before is read anew."""

OPENING = "\"'`\u2018“„\u201a«\u2039「『《【*_([{|•●✅✔\ufe0f▁Ġ"
"""What may stand in front of an option, besides white space; the last two are spaces in the tokens of some models."""

CLOSING = "\"'`\u2019”“\u2018»\u203a」』》】*_)]}|>✅✔✓\ufe0f"
"""What may stand right behind an option."""

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


def spellings_of(options: Sequence[str], unit: str = "", phrases: Phrases = ENGLISH) -> "Spellings":
    """Return how `options` are written: as numbers of a `unit` if all are in digits, and as labels otherwise."""
    numeric = all(regex.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", option) for option in options)
    return (Numbers if numeric else Labels)(tuple(options), unit, phrases)


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
        """The pattern of what takes an option back right behind it; in the group `other` where it is another option."""

    @cached_property
    def ending(self) -> str:
        """The pattern of what ends an option: the line; a stop, a dash or a bracket with more behind it; a reason."""
        stop = rf"{STOP}(?:{SPACE}*\n|{SPACE}+\S|\p{{Han}})"
        dash = rf"{DASH}{SPACE}*(?:\n|[^\s.,])"
        bracket = rf"{BRACKET}{SPACE}*[^\s)\]]"
        return rf"(?:{SPACE}*\n|{stop}|{dash}|{bracket}|{self.reason})"

    @cached_property
    def reason(self) -> str:
        """The pattern of what begins a reason behind an option."""
        return rf"(?:{SPACE}*,{SPACE}*|{SPACE}+){one_of(self.phrases.reasons)}{WORD_END}"

    @cached_property
    def _hedged(self) -> str:
        """The pattern of a hedge behind an ending, such as `(or` or, in brackets alone, `(my coplayer`."""
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
        """The pattern of another label or a hedge behind a label; behind a full stop a sentence may begin with it."""
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
        """The pattern of a range, of a number behind another, of a hedge, and of `1.` where a list begins."""
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


def _texts_of(phrases: Phrases) -> Iterator[str]:
    """Yield every phrase of a language, and every mark that it has."""
    for value in vars(phrases).values():
        parts = value if isinstance(value, tuple) else (value,)
        yield from (part if isinstance(part, str) else part[0] for part in parts)
