r"""What a drawn answer chooses: a grammar of what counts as a choice. What it does not know is invalid, never a guess.

The answer is on the first line that has a word or, where reasons come first, on the last. It chooses an option

- by beginning with it, as `tomtransfer.scenarios.beginnings` defines: `C`, `**C**.`, `C. I trust them`, `7 dollars`; or
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
| empty | there is no line, or thoughts that did not come to their end | no |
| other | anything else | no |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import regex

from tomtransfer.respondents.statements import Statements
from tomtransfer.scenarios.beginnings import STOPS, Spellings
from tomtransfer.scenarios.english import ENGLISH
from tomtransfer.scenarios.patterns import normalized
from tomtransfer.scenarios.phrases import Phrases
from tomtransfer.scenarios.spelling import spellings_of
from tomtransfer.scenarios.thoughts import split_thoughts

VALID_KINDS = ("label", "label with punctuation", "label first", "spelled out")
INVALID_KINDS = ("both labels", "out of range", "refusal", "empty", "other")

_WORD = regex.compile(r"\w")
_SENTENCE_END = regex.compile(r"""(?<=[.!?]['")*_`]{0,3})\s+|(?<=[。\uff01\uff1f])""")

# A line without a word, or the fence of a block of code.
_SILENT = regex.compile(r"\W*(?:```\w*)?\s*")


@dataclass(frozen=True)
class Parsed:
    """How an answer was read: its kind, the label or amount that it chooses if it is valid, and the text besides."""

    kind: str
    choice: str | None
    reasons: str


def parse_label(text: str, labels: Sequence[str], question: str, phrases: Phrases = ENGLISH) -> Parsed:
    """Return which of `labels` an answer chooses. `question` says whether the answer comes first or last."""
    return _parser(spellings_of(tuple(labels), "", phrases)).parse(text, last=question == "reason_first")


def parse_amount(text: str, amounts: Sequence[str], unit: str, question: str, phrases: Phrases = ENGLISH) -> Parsed:
    """Return which of `amounts`, in digits, an answer gives; `unit` is what is given, such as dollars."""
    return _parser(spellings_of(tuple(amounts), unit, phrases)).parse(text, last=question == "reason_first")


@dataclass(frozen=True)
class _Choice:
    """A choice that a line makes: the place of its option, None where that may not be chosen; how; what follows it."""

    place: int | None
    kind: str
    rest: str


class _Parser:
    """Reads answers to a question with certain options."""

    def __init__(self, spellings: Spellings) -> None:
        self.spellings = spellings
        self.statements = Statements(spellings)

    def parse(self, text: str, last: bool) -> Parsed:
        """Return what `text` chooses, on its first line or on the `last`; thoughts that it begins with are reasons."""
        thoughts, answer = split_thoughts(text) if last else ("", text)
        read = self._parse(answer, last)
        return replace(read, reasons="\n".join(filter(None, [thoughts, read.reasons]))) if thoughts else read

    def _parse(self, text: str, last: bool) -> Parsed:
        lines = [line for line in map(str.strip, text.split("\n")) if not _SILENT.fullmatch(line)]
        if not lines:
            return Parsed("other" if text.strip() else "empty", None, "")
        while not last and len(lines) > 1 and self.statements.announced(_sentence(lines[0])):
            lines[:2] = [f"{lines[0]} {lines[1]}"]
        line, others = (lines[-1], lines[:-1]) if last else (lines[0], lines[1:])
        choices = self._last(line) if last else self._choices(self._first(text), line)
        if choices and others:
            # Two lines of one kind list what may be chosen, unless they say the same.
            beside = others[-1 if last else 0]
            choices += [each for each in self._choices(self._first(beside), beside) if each.kind == choices[0].kind]
        kind, place = self._judged(choices, line)
        choice = None if place is None else self.spellings.options[place]
        return Parsed(kind, choice, "\n".join([choices[0].rest, *others] if choice and choices[0].rest else others))

    def _judged(self, choices: Sequence[_Choice], line: str) -> tuple[str, int | None]:
        """Return the kind of a line that makes these choices, and the place of the one that is valid."""
        if len({choice.place for choice in choices}) > 1:
            return "both labels", None
        if choices:
            [first, *_] = choices
            return ("out of range" if first.place is None else first.kind), first.place
        if any(self.statements.refused(_sentence(part)) for part in _SENTENCE_END.split(line)):
            return "refusal", None
        return ("both labels" if len(self.statements.named(_sentence(line))) > 1 else "other"), None

    def _choices(self, first: _Choice | None, line: str) -> list[_Choice]:
        """Return every choice that a line makes: the one that it begins with, `first`, and those of its sentences."""
        sentences = map(_sentence, _SENTENCE_END.split(first.rest if first else line))
        stated = [self.statements.stated(sentence, told=bool(first)) for sentence in sentences]
        found = [_Choice(self.spellings.place(said), "spelled out", "") for said in stated if said]
        return [first, *found] if first else found

    def _last(self, line: str) -> list[_Choice]:
        """Return every choice that a last line makes, by beginning with it or in its last sentence."""
        if first := self._first(line):
            return self._choices(first, line)
        sentence = [part for part in _SENTENCE_END.split(line) if _WORD.search(part)][-1]
        alone = self._first(sentence)
        return self._choices(alone if alone and alone.kind != "label first" else None, sentence)

    def _first(self, text: str) -> _Choice | None:
        """Return the option that a text begins with, or None where its first line makes something else of it."""
        match = self.spellings.begin(text)
        if not match or self.statements.goes_on(match):
            return None
        rest = text[match.start("ending") :].partition("\n")[0]
        line = text[: match.start("ending")] + rest
        kind = "label first" if _WORD.search(rest) else "label with punctuation"
        kind = "label" if line.strip() == match["option"] else kind
        return _Choice(self.spellings.place(match["option"]), kind, rest.lstrip(f" \t{STOPS},–—-").rstrip())


def _sentence(text: str) -> str:
    """Return a text as sentences are read: plain, with a line break at its end."""
    return normalized(text) + "\n"


_parser = lru_cache(maxsize=64)(_Parser)
