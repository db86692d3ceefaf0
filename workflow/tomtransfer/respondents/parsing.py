r"""What a drawn answer chooses: a strict reading with a written taxonomy. In doubt an answer is invalid, never a guess.

The answer is on the first line that is not empty or, where reasons come first, on the last. Of that line:

| kind | what the line is | valid |
|---|---|---|
| label | the label or amount and nothing else: `C` | yes |
| label with punctuation | the same in quotes, brackets, bold, with a full stop, a unit: `**C**.`, `5 dollars` | yes |
| spelled out | a sentence that says which one is chosen, and names no other: `I choose option C` | yes |
| both labels | it names more than one label, or several amounts without saying which is given | no |
| out of range | the only amount that it names may not be given: `12`, `-3` | no |
| refusal | it declines to choose: `I cannot decide`, `As an AI ...` | no |
| empty | there is no line | no |
| other | anything else | no |

A reading is a choice only if the text contains that label or amount.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tomtransfer.scenarios.spelling import CURRENCY, WRAPPING

VALID_KINDS = ("label", "label with punctuation", "spelled out")
INVALID_KINDS = ("both labels", "out of range", "refusal", "empty", "other")

REFUSAL = re.compile(r"\b(?:can ?not|can't|won't|unable|not able|refuse|decline|sorry|as an ai|language model)\b", re.I)
# Says that the sentence is about what is chosen, and by whom it is not.
CHOOSING = re.compile(
    r"\b(?:choose|chose|pick|select|go with|going with|prefer|opt for|answer|option|choice|decision)\b", re.I
)
NOT_MINE = re.compile(r"\b(?:not|never|neither|nor|avoid|if|unless|coplayer|they|rather than|instead)\b|n't\b", re.I)
GIVING = r"\b(?:give|donate|contribute|put)\b"
GIVEN = re.compile(r"\b(?:giv(?:e|ing|en)|donat(?:e|ing|ion)|contribut(?:e|ing|ion)|put(?:ting)?)\b", re.I)
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBER = r"(?<![\w.,])-?[0-9]+(?:\.[0-9]+)?(?![\w%]|[.,][0-9])"


@dataclass(frozen=True)
class Parsed:
    """How an answer was read: its kind, the label or amount that it chooses if it is valid, and the text besides."""

    kind: str
    choice: str | None
    reasons: str


def parse_label(text: str, labels: Sequence[str], question: str) -> Parsed:
    """Return which of `labels` an answer chooses. `question` says whether the answer comes first or last."""
    line, reasons = _answer_line(text, question)
    kind, choice = _read_label(line, labels, last=question == "reason_first")
    return Parsed(kind, choice, reasons)


def parse_amount(text: str, amounts: Sequence[str], unit: str, question: str) -> Parsed:
    """Return which of `amounts`, whole numbers from 0, an answer gives; `unit` is what is given, such as dollars."""
    line, reasons = _answer_line(text, question)
    kind, choice = _read_amount(line, amounts, unit, last=question == "reason_first")
    return Parsed(kind, choice, reasons)


def _answer_line(text: str, question: str) -> tuple[str, str]:
    """Return the line that holds the answer, and the lines after it or, where reasons come first, before it."""
    lines = [line.strip() for line in text.strip().split("\n") if line.strip()]
    if not lines:
        return "", ""
    if question == "reason_first":
        return lines[-1], "\n".join(lines[:-1])
    return lines[0], "\n".join(lines[1:])


def _read_label(line: str, labels: Sequence[str], last: bool) -> tuple[str, str | None]:
    """Return the kind of a line, and the label that it chooses if it is valid."""
    bare = line.strip(WRAPPING)
    if bare in labels:
        return ("label" if line == bare else "label with punctuation"), bare
    sentence = _sentence(line, last)
    named = [label for label in labels if re.search(rf"(?<!\w){re.escape(label)}(?!\w)", sentence)]
    kind = _kind_without_choice(line, len(named))
    if not kind and CHOOSING.search(sentence) and not NOT_MINE.search(sentence):
        return "spelled out", named[0]
    return kind or "other", None


def _read_amount(line: str, amounts: Sequence[str], unit: str, last: bool) -> tuple[str, str | None]:
    """Return the kind of a line, and the amount that it gives if it is valid."""
    units = rf"(?:{re.escape(unit)}|{re.escape(unit.removesuffix('s'))})"
    bare = re.sub(rf"\s*\b{units}$", "", line.strip(WRAPPING), flags=re.I).strip(WRAPPING + CURRENCY)
    if bare in amounts and not re.search(r"[.,][0-9]", line):
        return ("label" if line == bare else "label with punctuation"), bare
    sentence = _sentence(line, last)
    numbers = _numbers(sentence, amounts[-1], units)
    kind = _kind_without_choice(line, len(numbers))
    alone = re.fullmatch(rf"\W*\w+(?:\s*{units})?(?:\s*(?:/|out of|of)\W*\w+)?\W*", sentence, re.I)
    says = alone or GIVEN.search(sentence) or CHOOSING.search(sentence)
    if not kind and numbers[0] in amounts and says and not NOT_MINE.search(sentence):
        return "spelled out", numbers[0]
    if not kind and not 0 <= float(numbers[0]) <= float(amounts[-1]):
        return "out of range", None
    return kind or "other", None


def _kind_without_choice(line: str, named: int) -> str:
    """Return the kind of a line that chooses nothing, by how many labels it names; empty where it may choose."""
    if not line:
        return "empty"
    if REFUSAL.search(line):
        return "refusal"
    return {0: "other", 1: ""}.get(named, "both labels")


def _numbers(sentence: str, most: str, units: str) -> list[str]:
    """Return the numbers that may be given, each once; where there are several, those behind a verb of giving."""
    # The endowment is often named beside what is given: `5 of my 10 dollars`, `5/10`.
    own = rf"(?:\bout of|\bof|/)\s*(?:(?:my|the|your)\s+)?[{CURRENCY}]?{most}\b"
    sentence = re.sub(own, "", sentence, flags=re.I)
    numbers = set(re.findall(NUMBER, sentence)) | _number_words(sentence, units)
    if len(numbers) > 1:
        given = rf"{GIVING}(?:\s+(?:only|exactly|away|in|up))?\s+[{CURRENCY}]?({NUMBER})"
        numbers = set(re.findall(given, sentence, re.I)) or numbers
    return sorted(numbers)


def _number_words(sentence: str, units: str) -> set[str]:
    """Return numbers that are written as words before their unit, as digits; `one` alone is a pronoun."""
    found = re.findall(rf"\b({'|'.join(WORDS)})\s+{units}\b", sentence, re.I)
    alone = sentence.strip(WRAPPING).lower()
    return {str(WORDS.index(word.lower())) for word in [*found, *([alone] if alone in WORDS else [])]}


def _sentence(line: str, last: bool) -> str:
    """Return the sentence of a line that holds the answer: the first or the last."""
    sentences = [part for part in re.split(r"(?<=[.!?])\s+", line.strip()) if part.strip(WRAPPING)]
    return (sentences[-1] if last else sentences[0]) if sentences else ""
