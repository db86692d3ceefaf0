r"""What a drawn answer chooses: a grammar of what counts as a choice. What it does not know is invalid, never a guess.

The answer is on the first line that has a word or, where reasons come first, on the last. It chooses an option

- by beginning with it, as `tomtransfer.scenarios.spelling` defines: `C`, `**C**.`, `C. I trust them`, `7 dollars`; or
- in a sentence of the speaker about what the speaker chooses or gives, in the phrases of the language: `I choose C`,
  `My answer: C`, `Option C.`, `C is my choice`, `I would give 7 dollars to the fund`.

and does so no longer where the line goes on to choose another one, or goes on with the next line to list them.

| kind | what the line is | valid |
|---|---|---|
| label | the label or amount and nothing else: `C` | yes |
| label with punctuation | the same in quotes, brackets, bold, with a full stop, a unit: `**C**.`, `5 dollars` | yes |
| label first | it begins with the label or amount and goes on: `C. I trust them`, `C - it pays`, `7, because` | yes |
| spelled out | a sentence in which the speaker chooses it: `I choose option C` | yes |
| both labels | it names several labels or amounts and chooses none, or more than one | no |
| out of range | it gives an amount that may not be given: `12`, `-3`, `2.5` | no |
| refusal | the speaker declines to choose: `I cannot decide`, `As an AI ...` | no |
| empty | there is no line | no |
| other | anything else | no |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import regex

from tomtransfer.scenarios.phrases import ENGLISH, Phrases
from tomtransfer.scenarios.spelling import CLOSE, OPEN_IN_LINE, SPACE, STOPS, WORD_END, Spellings, one_of, plain

VALID_KINDS = ("label", "label with punctuation", "label first", "spelled out")
INVALID_KINDS = ("both labels", "out of range", "refusal", "empty", "other")

# A line without a word, or the fence of a block of code, says nothing.
_SILENT = regex.compile(r"\W*(?:```\w*)?\s*")
_SENTENCE_END = regex.compile(r"""(?<=[.!?]['")*_`]*)\s+|(?<=[。！？])""")

# Between a phrase and what it is about: a colon, an equals sign, a dash, or just the end of the word.
_THEN = rf"{CLOSE}(?:{SPACE}*[:=]|{SPACE}+[-–—](?={SPACE}))?{SPACE}*(?<=[\W\p{{Han}}])"

# Behind a choice in a list of options: `C: 5 points, D: 10 points`.
_LISTED = rf"{CLOSE}{SPACE}*(?P<mark>[:=(\[–—-])"


@dataclass(frozen=True)
class Parsed:
    """How an answer was read: its kind, the label or amount that it chooses if it is valid, and the text besides."""

    kind: str
    choice: str | None
    reasons: str


def parse_label(text: str, labels: Sequence[str], question: str, phrases: Phrases = ENGLISH) -> Parsed:
    """Return which of `labels` an answer chooses. `question` says whether the answer comes first or last."""
    return _grammar(Spellings(tuple(labels), "", phrases)).parse(text, last=question == "reason_first")


def parse_amount(text: str, amounts: Sequence[str], unit: str, question: str, phrases: Phrases = ENGLISH) -> Parsed:
    """Return which of `amounts`, in digits, an answer gives; `unit` is what is given, such as dollars."""
    return _grammar(Spellings(tuple(amounts), unit, phrases)).parse(text, last=question == "reason_first")


@dataclass(frozen=True)
class _Found:
    """What a line chooses: the place of the option, None where it may not be chosen; how, and what follows it."""

    place: int | None
    kind: str
    rest: str


class _Grammar:
    """How one of the options of a question is chosen in the phrases of a language."""

    def __init__(self, spellings: Spellings) -> None:
        self.spellings = spellings
        self.phrases = spellings.phrases

    def parse(self, text: str, last: bool) -> Parsed:
        """Return what `text` chooses, on its first line or on the `last`."""
        lines = [line for line in map(str.strip, text.split("\n")) if not _SILENT.fullmatch(line)]
        if not lines:
            return Parsed("other" if text.strip() else "empty", None, "")
        while not last and len(lines) > 1 and self._announced.fullmatch(plain(lines[0])):
            lines[:2] = [f"{lines[0]} {lines[1]}"]
        line, others = (lines[-1], lines[:-1]) if last else (lines[0], lines[1:])
        found = self._last(line) if last else self._choices(self._first(text), line)
        beside = self._first(others[-1 if last else 0]) if others else None
        if len(found) == 1 and beside and beside.kind == found[0].kind:
            # Two lines of one kind list what may be chosen, unless they say the same.
            found.append(beside)
        kind, place = self._judged(found, line)
        choice = None if place is None else self.spellings.options[place]
        return Parsed(kind, choice, "\n".join([found[0].rest, *others] if choice and found[0].rest else others))

    def _judged(self, found: Sequence[_Found], line: str) -> tuple[str, int | None]:
        """Return the kind of a line in which these choices were found, and the place of the one that is valid."""
        places = {each.place for each in found}
        if len(places) > 1:
            return "both labels", None
        if found:
            return ("out of range" if found[0].place is None else found[0].kind), found[0].place
        if any(self._refused.match(plain(sentence) + "\n") for sentence in _SENTENCE_END.split(line)):
            return "refusal", None
        named = {self._named_as(match) for match in self._named.finditer(plain(line) + "\n")}
        return ("both labels" if len(named) > 1 else "other"), None

    def _choices(self, first: _Found | None, line: str) -> list[_Found]:
        """Return every choice that a line makes: the one that it begins with, `first`, and those of its sentences."""
        pattern = self._told if first else self._stated
        stated = (self._stated_in(sentence, pattern) for sentence in _SENTENCE_END.split(first.rest if first else line))
        return [each for each in (first, *stated) if each]

    def _last(self, line: str) -> list[_Found]:
        """Return every choice that a last line makes, by beginning with it or in its last sentence."""
        if first := self._first(line):
            return self._choices(first, line)
        sentence = [each for each in _SENTENCE_END.split(line) if not _SILENT.fullmatch(each)][-1]
        first = self._first(sentence)
        return self._choices(first if first and first.kind != "label first" else None, sentence)

    def _first(self, text: str) -> _Found | None:
        """Return the option that a text begins with, or None where its first line makes something else of it."""
        match = self.spellings.begin(text)
        if not match:
            return None
        place = self.spellings.place(match["option"])
        rest = text[match.start("ending") :].split("\n")[0]
        if self._aside.match(plain(rest)) or self._lists(match["ending"], rest, place):
            return None
        line = text[: match.start("ending")].strip() + rest.rstrip()
        kind = "label first" if regex.search(r"\w", rest) else "label with punctuation"
        return _Found(place, "label" if plain(line) == match["option"] else kind, rest.lstrip(f" \t{STOPS},–—-"))

    def _lists(self, ending: str, rest: str, place: int | None) -> bool:
        """Return whether what follows an option names another in the way in which the option itself was named."""
        return not self.spellings.numeric and any(
            match["mark"] in ending and self.spellings.place(match["option"]) != place
            for match in self._listed.finditer(plain(rest))
        )

    def _stated_in(self, sentence: str, pattern: "regex.Pattern[str]") -> _Found | None:
        """Return what a sentence says that the speaker chooses or gives."""
        match = pattern.match(plain(sentence) + "\n")
        if not match or (match["option"] and self.spellings.takes_back(sentence[match.start("option") :])):
            return None
        if not self.spellings.numeric or not (match["nothing"] or match["everything"] or match["all"]):
            return _Found(self.spellings.place(match["option"]), "spelled out", "")
        most = max(self.spellings.options, key=float)
        if match["all"] and self.spellings.place(match["option"]) != self.spellings.place(most):
            return None
        return _Found(self.spellings.place("0" if match["nothing"] else most), "spelled out", "")

    def _any(self, *phrases: str) -> str:
        """Return a pattern of any of `phrases` that is no option itself, with fillers between its words."""
        fillers = rf"(?:{one_of(self.phrases.fillers)}{SPACE}+)?"
        return one_of((each for each in phrases if self.spellings.place(each.strip(":")) is None), fillers)

    @cached_property
    def _lead(self) -> str:
        """The pattern of what may come before a choice without changing it."""
        lead = rf"{self._any(*self.phrases.leads)}(?:{SPACE}*[,:]{SPACE}*|{SPACE}+|(?<=\p{{Han}}))"
        return rf"(?:{lead}|{one_of(self.phrases.clauses)}{SPACE}[^,.!?;:\n]{{1,150}},{SPACE}*)"

    @cached_property
    def _stated(self) -> "regex.Pattern[str]":
        return self._statement()

    @cached_property
    def _told(self) -> "regex.Pattern[str]":
        return self._statement(*self.phrases.telling)

    def _statement(self, *more: str) -> "regex.Pattern[str]":
        """Return the pattern of a sentence that says what the speaker chooses, in phrases of the language or `more`."""
        phrases, after = self.phrases, rf"{self._ending}"
        said, opened = self.spellings.said, rf"(?:{SPACE}|[*_`'\"(\[<{{])*"
        verbs = phrases.giving if self.spellings.numeric else phrases.acting
        phrase = rf"{self._any(*phrases.choosing, *phrases.answering, *verbs, *more)}{_THEN}"
        if self.spellings.numeric:
            phrase += rf"(?:{opened}{one_of(phrases.exactly)}{SPACE}+)?"
            everything = rf"{one_of(phrases.everything)}|{one_of(phrases.all_of)}{SPACE}+{self.spellings.units}"
            amount = rf"(?P<all>{one_of(phrases.all_of)}{SPACE}+)?{said}"
            said = rf"(?:{amount}|(?P<everything>{everything})|(?P<nothing>{one_of(phrases.nothing)}))"
        noun = rf"{self._any(*phrases.nouns)}{_THEN}{opened}"
        named = rf"(?:{self._lead}{{1,3}}(?:[*_`]*|{phrase}{opened}(?:{noun})?|{noun})|{phrase}{opened}(?:{noun})?|{noun})"
        chosen = rf"{SPACE}+{self._any(*phrases.chosen)}{self.spellings.ending}"
        return regex.compile(rf"{OPEN_IN_LINE}(?:{named}{said}{after}|{said}{chosen})")

    @cached_property
    def _ending(self) -> str:
        """The pattern of what may follow an option in a sentence that says who chooses it."""
        phrases, end = self.phrases, self.spellings.ending
        if self.spellings.numeric:
            purposes = one_of(phrases.remainders)
            middle = rf"(?:{SPACE}+{one_of(phrases.recipients)}(?:{SPACE}+\w+){{1,2}}?)?"
        else:
            purposes, middle = one_of(phrases.purposes), rf"(?:{SPACE}+{one_of(phrases.places)})?"
        data = rf"{SPACE}*,{SPACE}*[\"']|</|\}}"
        return rf"{middle}(?:{end}|,?{SPACE}+{purposes}{WORD_END}|{data})"

    @cached_property
    def _announced(self) -> "regex.Pattern[str]":
        """The pattern of a line that announces an answer on the next one."""
        phrases = self.phrases
        said = self._any(*phrases.choosing, *phrases.answering, *phrases.giving)
        return regex.compile(rf"{OPEN_IN_LINE}{self._lead}{{0,2}}{said}{CLOSE}:?{CLOSE}")

    @cached_property
    def _refused(self) -> "regex.Pattern[str]":
        nouns, named = rf"(?:{one_of(self.phrases.nouns)}{SPACE}+)?", self.spellings.mention("option")
        refusal = rf"{one_of(self.phrases.refusals)}(?=\W)(?!{SPACE}+{nouns}{named})"
        return regex.compile(rf"{OPEN_IN_LINE}{self._lead}{{0,3}}{refusal}")

    @cached_property
    def _aside(self) -> "regex.Pattern[str]":
        """The pattern of brackets behind which a sentence goes on, so that what stands before them is its subject."""
        reason = rf"{one_of(self.phrases.reasons)}\W"
        return regex.compile(rf"{SPACE}*\([^()\n]*\){SPACE}*(?!{reason})\w")

    @cached_property
    def _listed(self) -> "regex.Pattern[str]":
        return regex.compile(rf"(?<!\w)(?P<option>{self.spellings.option()}){_LISTED}")

    @cached_property
    def _named(self) -> "regex.Pattern[str]":
        return regex.compile(rf"(?<![\w.,]){self.spellings.mention('option')}")

    def _named_as(self, match: "regex.Match[str]") -> str:
        """Return the one name of an option or of any number."""
        return self.spellings.digits(match["option"]) if self.spellings.numeric else match["option"].casefold()


_grammar = lru_cache(maxsize=64)(_Grammar)
