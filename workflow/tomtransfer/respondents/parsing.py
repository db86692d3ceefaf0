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
from functools import cache, cached_property, lru_cache

import regex

from tomtransfer.scenarios.phrases import ENGLISH, Phrases
from tomtransfer.scenarios.spelling import CLOSE, NEVER, OPEN_IN_LINE, SPACE, STOPS, WORD_END, Spellings, one_of, plain

VALID_KINDS = ("label", "label with punctuation", "label first", "spelled out")
INVALID_KINDS = ("both labels", "out of range", "refusal", "empty", "other")

# A line without a word, or the fence of a block of code, says nothing.
_SILENT = regex.compile(r"\W*(?:```\w*)?\s*")
_WORD = regex.compile(r"\w")
_SENTENCE_END = regex.compile(r"""(?<=[.!?]['")*_`]{0,3})\s+|(?<=[。！？])""")

# What a sentence may begin with, as it is set: a heading, a quote, a tag, an item of a list, bold.
_START = rf"{OPEN_IN_LINE}(?:[<>#–—-]{OPEN_IN_LINE})*+"

# Between a phrase and what it is about: a colon, an equals sign, a dash, or just the end of the word.
_THEN = rf"(?!'\w){CLOSE}(?:{SPACE}*[:=]|{SPACE}+[-–—](?={SPACE}))?{SPACE}*(?<=[\W\p{{Han}}])"

# Between two words of a phrase; what it is depends on the language.
_FILLER = "(?&filler)"

# Behind a choice in a list of options: `C: 5 points, D: 10 points`.
_LISTED = rf"{CLOSE}{SPACE}*(?P<mark>[:=(\[–—-]|\.(?={SPACE}+\p{{Ll}}))"


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

    def parse(self, text: str, last: bool) -> Parsed:
        """Return what `text` chooses, on its first line or on the `last`."""
        lines = [line for line in map(str.strip, text.split("\n")) if not _SILENT.fullmatch(line)]
        if not lines:
            return Parsed("other" if text.strip() else "empty", None, "")
        announced = _announcements(self.spellings.phrases)
        while not last and len(lines) > 1 and announced.fullmatch(plain(lines[0])):
            lines[:2] = [f"{lines[0]} {lines[1]}"]
        line, others = (lines[-1], lines[:-1]) if last else (lines[0], lines[1:])
        found = self._last(line) if last else self._choices(self._first(text), line)
        beside = others[-1 if last else 0] if others else ""
        # Two lines of one kind list what may be chosen, unless they say the same.
        found += [each for each in self._choices(self._first(beside), beside) if found and each.kind == found[0].kind]
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
        if any(map(self._refuses, _SENTENCE_END.split(line))):
            return "refusal", None
        named = {self._named_as(match) for match in self._named.finditer(plain(line) + "\n")}
        return ("both labels" if len(named) > 1 else "other"), None

    def _refuses(self, sentence: str) -> bool:
        """Return whether a sentence declines to choose, and not just to choose one of the options."""
        text = plain(sentence) + "\n"
        refusal = _refusals(self.spellings.phrases).match(text)
        return bool(refusal and self._refused.match(text, refusal.end()))

    def _choices(self, first: _Found | None, line: str) -> list[_Found]:
        """Return every choice that a line makes: the one that it begins with, `first`, and those of its sentences."""
        sentences = _SENTENCE_END.split(first.rest if first else line)
        return [each for each in (first, *(self._stated(sentence, bool(first)) for sentence in sentences)) if each]

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
        if self._goes_on(match, rest):
            return None
        line = text[: match.start("ending")].strip() + rest.rstrip()
        kind = "label first" if _WORD.search(rest) else "label with punctuation"
        return _Found(place, "label" if plain(line) == match["option"] else kind, rest.lstrip(f" \t{STOPS},–—-"))

    def _goes_on(self, match: "regex.Match[str]", rest: str) -> bool:
        """Return whether the `rest` of a line, behind an option, makes it the subject of a sentence or part of a list.

        In a list another option is named with the mark that follows this one.
        """
        if self._aside.match(plain(rest)):
            return True
        place = self.spellings.place(match["option"])
        return not self.spellings.numeric and any(
            other["mark"] in match["ending"] and self.spellings.place(other["option"]) != place
            for other in self._listed.finditer(plain(rest))
        )

    def _stated(self, sentence: str, told: bool) -> _Found | None:
        """Return what a sentence says that the speaker chooses or gives or, with `told`, that is to be chosen."""
        text = plain(sentence) + "\n"
        if not self._objects.search(text) or self.spellings.takes_back(text):
            return None
        start = _beginnings(self.spellings.phrases, self.spellings.numeric, told).match(text)
        if self.spellings.place((start["phrase"] or "").strip(" :")) is not None:
            return None
        pattern = self._said if start["phrase"] else self._led if start["lead"] or told else self._called
        match = pattern.match(text, start.end())
        if not match or self._goes_on(match, sentence[match.start("ending") :]):
            return None
        if self.spellings.takes_back(sentence[match.start("option") :] if match["option"] else ""):
            return None
        most = max(self.spellings.options, key=float) if self.spellings.numeric else None
        said = "0" if match["nothing"] else most if match["everything"] else match["option"]
        place = self.spellings.place(said)
        return None if match["all"] and place != self.spellings.place(most) else _Found(place, "spelled out", "")

    @cached_property
    def _said(self) -> "regex.Pattern[str]":
        """The pattern of what follows a phrase of choosing: an option, and what may follow it there."""
        phrases, end = self.spellings.phrases, self.spellings.ending
        if self.spellings.numeric:
            purposes, middle = one_of(phrases.remainders), rf"(?:{SPACE}+{one_of(phrases.recipients)}{SPACE}+\w+)?"
        else:
            purposes, middle = one_of(phrases.purposes), rf"(?:{SPACE}+{one_of(phrases.places)})?"
        data = rf"{SPACE}*,{SPACE}*[\"']\w+[\"']{SPACE}*:|(?<=[\"']),{SPACE}*\n|</|\}}"
        return regex.compile(rf"{self._object}(?P<ending>{middle}(?:{end}|,?{SPACE}+{purposes}{WORD_END}|{data}))")

    @cached_property
    def _led(self) -> "regex.Pattern[str]":
        """The pattern of an option behind a lead alone: nothing follows it but a reason, or that it is chosen."""
        ending = rf"[.!。]?{CLOSE}\n|{self.spellings.reason}|{self._is_chosen}"
        return regex.compile(rf"{self._object}(?P<ending>{ending})")

    @cached_property
    def _called(self) -> "regex.Pattern[str]":
        """The pattern of an option that is called what the speaker chooses."""
        return regex.compile(rf"{self._object}(?P<ending>{self._is_chosen})")

    @property
    def _is_chosen(self) -> str:
        return rf"{SPACE}+{one_of(self.spellings.phrases.chosen)}{self.spellings.ending}"

    @cached_property
    def _object(self) -> str:
        """The pattern of what is chosen or given: an option, in the group of this name, or all or nothing."""
        phrases, said = self.spellings.phrases, self.spellings.said
        if not self.spellings.numeric:
            return rf"(?:{said}|(?P<all>{NEVER})|(?P<everything>{NEVER})|(?P<nothing>{NEVER}))"
        everything = rf"{one_of(phrases.everything)}|{one_of(phrases.all_of)}{SPACE}+{self.spellings.units}"
        amount = rf"(?:{one_of(phrases.exactly)}{SPACE}+{OPEN_IN_LINE})?(?P<all>{one_of(phrases.all_of)}{SPACE}+)?{said}"
        return rf"(?:{amount}|(?P<everything>{everything})|(?P<nothing>{one_of(phrases.nothing)}))"

    @cached_property
    def _objects(self) -> "regex.Pattern[str]":
        return regex.compile(rf"(?<!\w){self._object}")

    @cached_property
    def _refused(self) -> "regex.Pattern[str]":
        """The pattern of what may follow a refusal: not the one option that is refused."""
        nouns = rf"(?:{one_of(self.spellings.phrases.nouns)}{SPACE}+)?"
        return regex.compile(rf"(?=\W)(?!{SPACE}+{nouns}{self.spellings.mention('option')})")

    @cached_property
    def _aside(self) -> "regex.Pattern[str]":
        """The pattern of brackets behind which a sentence goes on, other than by a reason."""
        return regex.compile(rf"{SPACE}*\([^()\n]*\)(?!{self.spellings.reason}){SPACE}*\w")

    @cached_property
    def _listed(self) -> "regex.Pattern[str]":
        return regex.compile(rf"(?<!\w)(?P<option>{self.spellings.option()}){_LISTED}")

    @cached_property
    def _named(self) -> "regex.Pattern[str]":
        return regex.compile(rf"(?<![\w.,]){self.spellings.mention('option')}")

    def _named_as(self, match: "regex.Match[str]") -> str:
        """Return the one name of an option or of any number."""
        return self.spellings.digits(match["option"]) if self.spellings.numeric else match["option"].casefold()


@cache
def _beginnings(phrases: Phrases, numeric: bool, told: bool) -> "regex.Pattern[str]":
    """Return the pattern of how a sentence of choosing begins: groups `lead` and `phrase`, either of which may be empty.

    The phrase is one of choosing or, with `told`, of telling what to choose.
    """
    verbs = phrases.giving if numeric else phrases.acting
    chosen = (*phrases.choosing, *phrases.answering, *verbs, *(phrases.telling if told else ()))
    noun = rf"{one_of(phrases.nouns)}{_THEN}{OPEN_IN_LINE}"
    phrase = rf"{one_of(chosen, _FILLER)}{_THEN}{OPEN_IN_LINE}(?:{noun})?|{noun}"
    return regex.compile(rf"{_defined(phrases)}{_START}(?P<lead>{_lead(phrases)}{{0,3}}[*_`]*)(?P<phrase>{phrase})?")


@cache
def _announcements(phrases: Phrases) -> "regex.Pattern[str]":
    """Return the pattern of a line that announces an answer on the next one."""
    said = one_of((*phrases.choosing, *phrases.answering, *phrases.giving), _FILLER)
    return regex.compile(rf"{_defined(phrases)}{_START}{_lead(phrases)}{{0,2}}{said}{CLOSE}:?{CLOSE}")


@cache
def _refusals(phrases: Phrases) -> "regex.Pattern[str]":
    """Return the pattern of a sentence that begins with declining to choose."""
    return regex.compile(
        rf"{_defined(phrases)}{_START}{_lead(phrases)}{{0,3}}{one_of(phrases.refusals, _FILLER)}"
    )


def _defined(phrases: Phrases) -> str:
    """Return a pattern that matches nothing and says what a filler is."""
    return rf"(?(DEFINE)(?P<filler>(?:{one_of(phrases.fillers)}{SPACE}+)?))"


def _lead(phrases: Phrases) -> str:
    """Return the pattern of what may come before a choice without changing it."""
    lead = rf"{one_of(phrases.leads)}(?:{SPACE}*[,:]{SPACE}*|{SPACE}+|(?<=\p{{Han}}))"
    return rf"(?:{lead}|{one_of(phrases.clauses)}{SPACE}[^,.!?;:\n]{{1,150}},{SPACE}*)"


_grammar = lru_cache(maxsize=64)(_Grammar)
