r"""How an answer may begin: the one definition of what may stand before and after an option without changing it.

An answer begins with an option if, from its first character on, it reads

    what opens it, the option, what closes it, an ending

- What opens: white space, quotes, brackets, bold, bullets, headings, `\boxed{`. What closes: quotes, brackets, bold.
- A label is written as it is, with other capitals too where it has more than one letter (`Cooperate` for `cooperate`).
- A number is written in digits, with groups of three and decimals as the language has them, or in words; a sign and a
  currency may come before it, its unit and all that there was after it (`$5.00`, `1,000`, `five dollars`, `5 of my 10`).
- An ending is the end of the line; a stop, a dash or an opening bracket with more behind it; or a reason
  (`C, because`), after `, not D` too.

Another option where the ending goes on (`C. D`, `C (D)`, `3 - 5`) or a hedge (`C (or`) takes it back, and `1. Then`
begins a list.

Whether a text begins with an option is known as soon as enough of it is written: `begun` says which one it is, that none
can come any more, or that it is still open. The token tree follows a text as long as it is open, so what it counts is what
the parser reads.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cached_property
from itertools import groupby

import regex

from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.phrases import ENGLISH, Phrases

OPENING = "\"'`‘“„‚«‹「『《【*_([{|•●✅✔\ufe0f▁Ġ"
"""What may stand in front of an option, besides white space; the last two are spaces in the tokens of some models."""

CLOSING = "\"'`’”“‘»›」』》】*_)]}|>✅✔✓\ufe0f"
"""What may stand right behind an option."""

STOPS = ".!;:。"
"""What may end an option when more follows."""

CURRENCY = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}
"""The signs of units that have one, by how the names of these begin."""

SPACE = r"[^\S\n]"
WORD_END = r"(?:\W|(?<=\p{Han}))"
NEVER = r"(?!)"
LATEX = r"\$?\\(?:boxed|fbox|text|textbf|mathrm|mathbf)\s?\{|\\[(\[]"
OPEN = rf"(?:[\s{regex.escape(OPENING)}]|#+{SPACE}|{LATEX})*"
OPEN_IN_LINE = rf"(?:[^\S\n]|[{regex.escape(OPENING)}]|{LATEX})*"
CLOSE = rf"(?:[{regex.escape(CLOSING)}]|{SPACE}?\\[)\]]|(?<=\}})\$)*"
DASH = rf"(?:{SPACE}*(?:[–—]|--)|{SPACE}+-|-{SPACE})"
STOP = rf"{SPACE}*(?:[.;:。]|!+){CLOSE}"
BRACKET = rf"{SPACE}*[(\[]"

# What looks alike is alike: characters of full width, apostrophes, minus signs.
_ALIKE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2019: 0x27, 0x2212: 0x2D}


def plain(text: str) -> str:
    """Return a text of the same length in which characters that look alike are the same."""
    return text if text.isascii() else text.translate(_ALIKE)


def one_of(phrases: Iterable[str], between: str = "", any_case: bool = True) -> str:
    """Return a pattern of any of `phrases`, a longer one before its beginning; `between` may stand between two words."""
    words = sorted({tuple(phrase.split()) for phrase in phrases})
    return f"(?{'i' if any_case else ''}:{_branches(words, f'{SPACE}+{between}')})" if words else NEVER


def _branches(phrases: Iterable[tuple[str, ...]], gap: str) -> str:
    """Return a pattern of phrases in their order that says what they begin with but once, to be matched fast."""
    branches = []
    for word, alike in groupby(phrases, key=lambda phrase: phrase[0]):
        rests = [phrase[1:] for phrase in alike]
        longer = _branches((rest for rest in rests if rest), gap)
        more = f"(?:{gap}(?:{longer}))" if longer else ""
        branches.append(regex.escape(word, literal_spaces=True) + (f"{more}?" if more and () in rests else more))
    return "|".join(branches)


@dataclass(frozen=True)
class Spellings:
    """What may be answered, labels or numbers, and how these are written: their unit, and the phrases of a language."""

    options: tuple[str, ...]
    unit: str = ""
    phrases: Phrases = ENGLISH

    def begun(self, text: str) -> int | bool:
        """Return the place of the option that `text` begins with, however it goes on, or whether that is still open.

        True is open: more of the text may make it begin with an option. False is closed: no option can come any more.
        """
        text = plain(text)
        found = self._beginning.match(text, partial=True)
        if not found:
            return False
        back = self._taken_back.match(text, partial=True)
        if back and not back.partial and self._takes_back(back):
            return False
        if found.partial or (back and back.partial):
            return self._leads_to_a_number(text)
        place = self.place(found["option"])
        return False if place is None else place

    def begin(self, text: str) -> "regex.Match[str] | None":
        """Return what a whole text begins with as groups `option` and `ending`, or None where that is no option.

        Where the options are numbers it may be any number; `place` tells whether it is an option.
        """
        return None if self.takes_back(text) else self._beginning.match(plain(text) + "\n")

    def takes_back(self, text: str) -> bool:
        """Return whether a whole text that begins with an option goes on at once to take it back."""
        back = self._taken_back.match(plain(text) + "\n")
        return bool(back) and self._takes_back(back)

    def place(self, said: str | None) -> int | None:
        """Return the place of the option that is `said` among the options; None where it is none of them."""
        if said in self._places:
            return self._places[said]
        return self._places.get(self.digits(said) if self.numeric else said.casefold()) if said else None

    @cached_property
    def numeric(self) -> bool:
        """Whether all options are numbers."""
        return all(regex.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", option) for option in self.options)

    @cached_property
    def said(self) -> str:
        """The pattern of an option, in the group `option`, with all that belongs to it up to its ending."""
        if not self.numeric:
            nouns = rf"(?:{one_of(self.phrases.nouns)}{SPACE}+)?"
            other = rf"{SPACE}+{nouns}{OPEN_IN_LINE}{self.option()}{CLOSE}"
            return rf"(?P<option>{self.option()}){CLOSE}(?:,?{SPACE}+{one_of(self.phrases.contrasts)}{other})?"
        most = regex.escape(max(self.options, key=float))
        share = rf"{SPACE}+{one_of(self.phrases.shares)}{SPACE}+(?:{self._sign})?{most}(?:{SPACE}*{self.units})?"
        return rf"(?P<option>{self.option()}){CLOSE}(?:{SPACE}*{self.units}{CLOSE})?(?:{share}{CLOSE})?"

    @cached_property
    def ending(self) -> str:
        """The pattern of what ends an option: nothing more, a stop, a dash or a bracket with more behind, or a reason."""
        stop = rf"{STOP}(?:{SPACE}*\n|{SPACE}+\S|\p{{Han}})"
        dash = rf"{DASH}{SPACE}*(?:\n|[^\s.,])"
        bracket = rf"{BRACKET}{SPACE}*[^\s)\]]"
        return rf"(?:{SPACE}*\n|{stop}|{dash}|{bracket}|{self.reason})"

    @cached_property
    def reason(self) -> str:
        """The pattern of what begins a reason behind an option."""
        return rf"(?:{SPACE}*,{SPACE}*|{SPACE}+){one_of(self.phrases.reasons)}{WORD_END}"

    @cached_property
    def units(self) -> str:
        """The pattern of the unit, in the plural or the singular or as a sign."""
        return rf"(?:{self._sign}|{one_of({self.unit, self.unit.removesuffix('s')} - {''})})"

    @cached_property
    def opening(self) -> str:
        """The pattern of what may stand in front of an option; of a label alone the dash of a list, or `<`."""
        return OPEN if self.numeric else rf"{OPEN}(?:(?:[-–—]{SPACE}|[<>])+{OPEN})?"

    @cached_property
    def _sign(self) -> str:
        """The pattern of the unit's sign, if it has one."""
        return one_of(sign for sign, name in CURRENCY.items() if self.unit.casefold().startswith(name))

    def option(self, words: bool | None = None) -> str:
        """Return the pattern of any option: of all labels, of those that are words of one letter, or of the others."""
        if self.numeric:
            spaces = rf"[{regex.escape(self.phrases.group)}\u00a0\u202f\u2009 ']"
            groups = rf"[1-9][0-9]{{0,2}}(?P<gap>{spaces})[0-9]{{3}}(?:(?P=gap)[0-9]{{3}})*"
            decimal = regex.escape(self.phrases.decimal)
            digits = rf"(?:(?:{groups}|[1-9][0-9]*|0)(?:{decimal}[0-9]+)?|{decimal}[0-9]+)"
            return rf"(?:-?(?:{self._sign}{SPACE}?-?)?{digits}|{one_of(word for word, _ in self.phrases.numbers)})"
        named = [each for each in map(plain, self.options) if words in {None, each.casefold() in self.phrases.words}]
        exact = one_of((each for each in named if len(each) == 1 or not self._folds), any_case=False)
        return rf"(?:{one_of(each for each in named if len(each) > 1 and self._folds)}|{exact})"

    def mention(self, group: str) -> str:
        """Return the pattern of an option that is named anywhere; a word such as I only where no sentence goes on."""
        if self.numeric:
            return rf"(?P<{group}>{self.option()})(?![\w%])"
        word = rf"(?P<{group}>{self.option(True)}){CLOSE}{SPACE}*(?:[^\w\s]|\n)"
        return rf"(?:(?P<{group}>{self.option(False)}){CLOSE}\W|{word})"

    @cached_property
    def _beginning(self) -> "regex.Pattern[str]":
        return regex.compile(rf"{self.opening}{self.said}(?P<ending>{self.ending})")

    @cached_property
    def _taken_back(self) -> "regex.Pattern[str]":
        """The pattern of an option that is taken back at once, by a hedge, a range or, in the group `other`, another."""
        hedge = rf"{one_of(self.phrases.hedges, any_case=False)}{WORD_END}"
        more = rf"(?:{STOP}|{DASH}|{BRACKET}){OPEN_IN_LINE}"
        if self.numeric:
            number = rf"(?:{self._sign}|-)*[0-9]"
            unit = rf"{SPACE}*{self.units}{CLOSE}"
            ranged = rf"(?:(?:{STOP}{SPACE}|{DASH}|{BRACKET}){OPEN_IN_LINE}|{unit}{DASH}{OPEN_IN_LINE}){number}|(?:{unit})?(?:{DASH}|{BRACKET}){OPEN_IN_LINE}{hedge}"
            return regex.compile(rf"{OPEN}(?:{self.option()}{CLOSE}(?:{ranged})|1[.)]{SPACE}+\S)")
        return regex.compile(
            rf"{self.opening}(?P<option>{self.option()}){CLOSE}{more}(?:{self.mention('other')}|{hedge})"
        )

    def _takes_back(self, match: "regex.Match[str]") -> bool:
        """Return whether a match of `_taken_back` is more than an option said twice."""
        other = match.groupdict().get("other")
        return other is None or self.place(other) != self.place(match["option"])

    @cached_property
    def _folds(self) -> bool:
        """Whether labels are different in any case, so that a capital more or less says nothing."""
        return len({option.casefold() for option in self.options}) == len(self.options)

    @cached_property
    def _places(self) -> dict[str, int]:
        """The place of every option by its name, by its name in small letters or, of numbers, by its digits."""
        if self.numeric:
            return {in_digits(float(option)): place for place, option in enumerate(self.options)}
        named = {plain(option): place for place, option in enumerate(self.options)}
        return {name.casefold(): place for name, place in named.items() if self._folds and len(name) > 1} | named

    def digits(self, said: str) -> str:
        """Return a number that was said, in digits or in words, in digits."""
        word = dict(self.phrases.numbers).get(said.casefold())
        bare = self._bare(said)
        return str(word) if word is not None else in_digits(float(bare)) if regex.search("[0-9]", bare) else ""

    def _bare(self, said: str) -> str:
        """Return digits that were said without their groups and signs of currency."""
        kept = regex.sub(rf"[^0-9{regex.escape(self.phrases.decimal)}-]", "", said)
        return kept.replace(self.phrases.decimal, ".")

    def _leads_to_a_number(self, text: str) -> bool:
        """Return whether the digits of a text that is open may still become those of an option, where these are numbers."""
        so_far = self._begun_digits.match(text) if self.numeric else None
        if not so_far:
            return True
        kept = self._bare(so_far["said"])
        kept = kept.rstrip("0").rstrip(".") if "." in kept else kept
        return any(option.startswith(kept) for option in self._places)

    @cached_property
    def _begun_digits(self) -> "regex.Pattern[str]":
        separators = regex.escape(self.phrases.group + self.phrases.decimal)
        return regex.compile(rf"{OPEN}(?P<said>-?(?:{self._sign}|\s)*-?[0-9][0-9{separators} ']*)")
