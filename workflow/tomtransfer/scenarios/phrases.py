"""The phrases by which people say what they choose and why: all that the reading of answers knows of a language.

A language is one record, in a module of its own. Where there is none, labels and digits are read alone, without any
word around them.
"""

from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True, eq=False)
class Phrases:
    """What a language has for choosing and giving. Phrases are words with spaces between them; case does not matter."""

    decimal: str = "."
    """What stands in front of decimals."""
    group: str = ""
    """What may stand between groups of three digits."""
    numbers: tuple[tuple[str, int], ...] = ()
    """Numbers in words."""
    reasons: tuple[str, ...] = ()
    """What begins a reason after a choice: `because`."""
    purposes: tuple[str, ...] = ()
    """What begins a reason after a sentence that says who chooses, though not after a label alone: `to`."""
    contrasts: tuple[str, ...] = ()
    """What stands between the option that is chosen and one that is not: `rather than`."""
    hedges: tuple[str, ...] = ()
    """What takes a choice back after a dash or in brackets: `or`, `if`."""
    asides: tuple[str, ...] = ()
    """What takes a choice back in brackets, because it is about another's or not certain: `my coplayer`, `maybe`."""
    shares: tuple[str, ...] = ()
    """What stands between an amount and all that there was: `out of my`."""
    leads: tuple[str, ...] = ()
    """What may come before a choice without changing it: `therefore`."""
    clauses: tuple[str, ...] = ()
    """What begins a clause that ends with a comma, and after which a choice may follow: `since`."""
    fillers: tuple[str, ...] = ()
    """Words that may stand inside a phrase of choosing or giving: `I would definitely choose`."""
    adverbs: tuple[str, ...] = ()
    """Words that may stand after such a phrase, before the option: `Ich wähle daher C`."""
    choosing: tuple[str, ...] = ()
    """What comes before an option that the speaker chooses: `I choose`."""
    acting: tuple[str, ...] = ()
    """What comes before a label alone, which may be a verb: `I will`, `I take`."""
    after_leads: tuple[str, ...] = ()
    """The same in the order of words that only a lead or a clause brings about: `wähle ich` of `Daher wähle ich C`."""
    opening: tuple[str, ...] = ()
    """What comes before an option whose verb stands after it: `ich habe` of `Ich habe C gewählt`."""
    opening_after_leads: tuple[str, ...] = ()
    """The same after a lead or a clause: `würde ich` of `Daher würde ich C wählen`."""
    closing: tuple[str, ...] = ()
    """The verbs that then make it the speaker's choice: `gewählt`."""
    closing_gifts: tuple[str, ...] = ()
    """The verbs that then make an amount the speaker's gift: `geben`."""
    answering: tuple[str, ...] = ()
    """What comes before an answer: `my answer is`, `answer:`."""
    chosen: tuple[str, ...] = ()
    """What comes after an option that the speaker chooses: `is my choice`."""
    telling: tuple[str, ...] = ()
    """What tells to choose: no choice by itself, but after one it takes it back when it names another option."""
    nouns: tuple[str, ...] = ()
    """What an option may be called before its name: `option`."""
    places: tuple[str, ...] = ()
    """What may stand at the end of a sentence of choosing: `in this case`."""
    giving: tuple[str, ...] = ()
    """What comes before an amount that the speaker gives: `I give`."""
    giving_after_leads: tuple[str, ...] = ()
    """The same after a lead or a clause: `gebe ich`."""
    exactly: tuple[str, ...] = ()
    """What may stand before an amount: `exactly`."""
    nothing: tuple[str, ...] = ()
    """What is given by who gives nothing."""
    everything: tuple[str, ...] = ()
    """What is given by who gives all."""
    all_of: tuple[str, ...] = ()
    """What may stand before an amount that is all there was."""
    recipients: tuple[str, ...] = ()
    """What stands between an amount that is given and the word for what it is given to: `to the`."""
    remainders: tuple[str, ...] = ()
    """What may follow on a gift without changing it: `and keep`."""
    refusals: tuple[str, ...] = ()
    """What declines to choose."""
    words: tuple[str, ...] = ()
    """Words of one letter, which a sentence uses without naming an option: `I`."""


def each(*parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return every phrase that has one of each of `parts`."""
    return tuple(" ".join(words) for words in product(*parts))


WITHOUT_PHRASES = Phrases()
"""Any language: labels and digits alone."""
