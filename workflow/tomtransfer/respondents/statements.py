"""Sentences of a speaker about what the speaker chooses or gives, in the phrases of a language.

A sentence states a choice if, from its first word on, it reads

    leads, a phrase of choosing, the option, what may follow it

as in `So I would definitely choose option C, because ...`, or calls an option chosen: `C is my choice`. Leads alone are
enough where nothing but a reason follows: `Therefore, C.` In some languages the verb stands after the option (`Ich habe
C gewählt`), and comes before who chooses if a lead comes first (`Daher wähle ich C`). A sentence that begins in any
other way states nothing: one about others, a condition, a question, a negation.
"""

from functools import cache, cached_property

import regex

from tomtransfer.scenarios.beginnings import CLOSE, OPEN_IN_LINE, Spellings
from tomtransfer.scenarios.patterns import SPACE, WORD_END, one_of
from tomtransfer.scenarios.phrases import Phrases
from tomtransfer.scenarios.spelling import Numbers

# What a sentence may begin with, as it is set: a heading, a quote, a tag, an item of a list, bold.
_START = rf"{OPEN_IN_LINE}(?:[<>#–—-]{OPEN_IN_LINE})*+"

# Between a phrase and what it is about: a colon, an equals sign, a dash, or just the end of the word.
_THEN = rf"(?!'\w){CLOSE}(?:{SPACE}*[:=]|{SPACE}+[-–—](?={SPACE}))?{SPACE}*(?<=[\W\p{{Han}}])"

# Between two words of a phrase; what it is depends on the language.
_FILLER = "(?&filler)"

# Between a phrase and an option, likewise.
_ADVERB = "(?&adverb)"

# What follows an option in JSON and XML.
_DATA = rf"{SPACE}*,{SPACE}*[\"']\w+[\"']{SPACE}*:|(?<=[\"']),{SPACE}*\n|</|\}}"

# What follows an option in a list: its mark, which the others have as well.
_MARK = rf"{CLOSE}{SPACE}*(?P<mark>[:=(\[–—-]|\.(?={SPACE}+\p{{Ll}}))"


class Statements:
    """What sentences state about the options of a question. All texts are plain and end with a line break."""

    def __init__(self, spellings: Spellings) -> None:
        self.spellings = spellings
        self.numeric = isinstance(spellings, Numbers)

    def stated(self, sentence: str, told: bool) -> str | None:
        """Return the option, or the number, that a sentence says the speaker chooses, or None where it says nothing.

        With `told` the sentence may also tell to choose it (`Choose D`), or name it and nothing else.
        """
        if not self._names_any.search(sentence) or self.spellings.takes_back(sentence):
            return None
        match = self._enclosed.match(sentence) or self._begun(sentence, told)
        if not match or self.goes_on(match):
            return None
        if match["option"] and self.spellings.takes_back(sentence[match.start("option") :]):
            return None
        return self._meant(match)

    def _begun(self, sentence: str, told: bool) -> "regex.Match[str] | None":
        """Return what a sentence says after the phrase or the leads that it begins with."""
        start = _beginnings(self.spellings.phrases, self.numeric, told).match(sentence)
        if self.spellings.place((start["phrase"] or "").strip(" :")) is not None:
            return None
        pattern = self._said if start["phrase"] else self._led if start["lead"] or told else self._called
        return pattern.match(sentence, start.end())

    def goes_on(self, match: "regex.Match[str]") -> bool:
        """Return whether what follows an option makes it the subject of a sentence or one of a list.

        A sentence goes on after brackets: `C (the coplayer) earns more`. In a list another option is named with the
        mark that follows this one: `C: 5 points, D: 10 points`.
        """
        rest = match.string[match.start("ending") :].partition("\n")[0]
        if self._aside.match(rest):
            return True
        place = self.spellings.place(match["option"])
        return not self.numeric and any(
            other["mark"] in match["ending"] and self.spellings.place(other["option"]) != place
            for other in self._listed.finditer(rest)
        )

    def announced(self, line: str) -> bool:
        """Return whether a line announces an answer and does not give it: `My answer:`."""
        return bool(_announcements(self.spellings.phrases).match(line))

    def refused(self, sentence: str) -> bool:
        """Return whether a sentence declines to choose, and not just to choose one of the options."""
        refusal = _refusals(self.spellings.phrases).match(sentence)
        return bool(refusal and not self._refused_alone.match(sentence, refusal.end()))

    def named(self, line: str) -> set[str]:
        """Return the names of the options, or of any numbers, that a line names anywhere."""
        return {self.spellings.name(match["other"]) for match in self._named.finditer(line)}

    def _meant(self, match: "regex.Match[str]") -> str | None:
        """Return what is meant by all, or nothing, or an option; None by all of what is not all."""
        said: str | None = match["option"]
        if not self.numeric:
            return said
        most = max(self.spellings.options, key=float)
        if match["all"] and self.spellings.place(said) != self.spellings.place(most):
            return None
        return "0" if match["nothing"] else most if match["everything"] else said

    @cached_property
    def _said(self) -> "regex.Pattern[str]":
        """The pattern of what follows a phrase of choosing: an option, and what may follow it there."""
        return regex.compile(rf"{self._object}(?P<ending>(?:{SPACE}+{self._place})?{self._end_of_sentence})")

    @cached_property
    def _enclosed(self) -> "regex.Pattern[str]":
        """The pattern of a sentence whose option stands between what opens the phrase of choosing and its verb."""
        phrases, lead = self.spellings.phrases, _lead(self.spellings.phrases)
        begun = rf"{lead}{{1,3}}{one_of(phrases.opening_after_leads, _FILLER)}"
        opening = rf"(?:{begun}|{lead}{{0,3}}{one_of(phrases.opening, _FILLER)})"
        noun = rf"{one_of(() if self.numeric else phrases.nouns)}{_THEN}{OPEN_IN_LINE}"
        verb = one_of(phrases.closing_gifts if self.numeric else phrases.closing)
        ending = rf"(?:{SPACE}+{self._place})?{SPACE}+{verb}{self._end_of_sentence}"
        said = rf"{opening}{_THEN}{_ADVERB}{OPEN_IN_LINE}(?:{noun})?{self._object}(?P<ending>{ending})"
        return regex.compile(rf"{_filler(phrases)}{_START}{said}")

    @property
    def _place(self) -> str:
        """The pattern of where, or for what, something is chosen or given."""
        phrases = self.spellings.phrases
        return rf"{one_of(phrases.recipients)}{SPACE}+\w+" if self.numeric else one_of(phrases.places)

    @property
    def _end_of_sentence(self) -> str:
        """The pattern of what may follow where a sentence has said who chooses."""
        phrases = self.spellings.phrases
        more = one_of(phrases.remainders if self.numeric else phrases.purposes)
        return rf"(?:{self.spellings.ending}|,?{SPACE}+{more}{WORD_END}|{_DATA})"

    @cached_property
    def _led(self) -> "regex.Pattern[str]":
        """The pattern of what follows leads alone."""
        ending = rf"[.!。]?{CLOSE}\n|{self.spellings.reason}|{self._chosen}"
        return regex.compile(rf"{self._object}(?P<ending>{ending})")

    @cached_property
    def _called(self) -> "regex.Pattern[str]":
        """The pattern of an option that is called chosen."""
        return regex.compile(rf"{self._object}(?P<ending>{self._chosen})")

    @cached_property
    def _chosen(self) -> str:
        return rf"{SPACE}+{one_of(self.spellings.phrases.chosen)}{self.spellings.ending}"

    @cached_property
    def _object(self) -> str:
        """The pattern of what is chosen or given: an option, in a group of this name, or of numbers all or nothing."""
        phrases, said = self.spellings.phrases, self.spellings.said
        if not isinstance(self.spellings, Numbers):
            return said
        everything = rf"{one_of(phrases.everything)}|{one_of(phrases.all_of)}{SPACE}+{self.spellings.units}"
        exactly = rf"(?:{one_of(phrases.exactly)}{SPACE}+{OPEN_IN_LINE})?(?P<all>{one_of(phrases.all_of)}{SPACE}+)?"
        return rf"(?:{exactly}{said}|(?P<everything>{everything})|(?P<nothing>{one_of(phrases.nothing)}))"

    @cached_property
    def _names_any(self) -> "regex.Pattern[str]":
        """The pattern of anything that a sentence may be about, which is found faster than sentences are matched."""
        return regex.compile(rf"(?<!\w){self._object}")

    @cached_property
    def _refused_alone(self) -> "regex.Pattern[str]":
        """The pattern of the one option that is refused: `C` of `I cannot choose C`."""
        return regex.compile(rf"\w|{SPACE}+(?:{one_of(self.spellings.phrases.nouns)}{SPACE}+)?{self._named.pattern}")

    @cached_property
    def _aside(self) -> "regex.Pattern[str]":
        """The pattern of brackets after which a sentence goes on, other than by a reason."""
        return regex.compile(rf"{SPACE}*\([^()\n]*\)(?!{self.spellings.reason}){SPACE}*\w")

    @cached_property
    def _listed(self) -> "regex.Pattern[str]":
        return regex.compile(rf"(?<!\w)(?P<option>{self.spellings.option}){_MARK}")

    @cached_property
    def _named(self) -> "regex.Pattern[str]":
        return regex.compile(rf"(?<![\w.,]){self.spellings.mention}")


@cache
def _beginnings(phrases: Phrases, numeric: bool, told: bool) -> "regex.Pattern[str]":
    """Return the pattern of how a sentence may begin: groups `lead` and `phrase`, each of which may be empty."""
    verbs = phrases.giving if numeric else phrases.acting
    choosing = (*phrases.choosing, *phrases.answering, *verbs, *(phrases.telling if told else ()))
    after_leads = (*phrases.after_leads, *(phrases.giving_after_leads if numeric else ()))
    noun = rf"{one_of(() if numeric else phrases.nouns)}{_THEN}{OPEN_IN_LINE}"
    said = rf"(?:{one_of(choosing, _FILLER)}|(?(lead){one_of(after_leads, _FILLER)}|(?!)))"
    phrase = rf"{said}{_THEN}{_ADVERB}{OPEN_IN_LINE}(?:{noun})?|{noun}"
    return regex.compile(rf"{_filler(phrases)}{_START}(?P<lead>{_lead(phrases)}{{1,3}}[*_`]*)?(?P<phrase>{phrase})?")


@cache
def _announcements(phrases: Phrases) -> "regex.Pattern[str]":
    """Return the pattern of a line that announces an answer."""
    said = one_of((*phrases.choosing, *phrases.answering, *phrases.giving), _FILLER)
    return regex.compile(rf"{_filler(phrases)}{_START}{_lead(phrases)}{{0,2}}{said}{CLOSE}:?{CLOSE}\n")


@cache
def _refusals(phrases: Phrases) -> "regex.Pattern[str]":
    """Return the pattern of a sentence that begins with declining to choose."""
    return regex.compile(rf"{_filler(phrases)}{_START}{_lead(phrases)}{{0,3}}{one_of(phrases.refusals, _FILLER)}")


def _filler(phrases: Phrases) -> str:
    """Return a pattern that matches nothing and says what a filler is, and an adverb."""
    words = {"filler": phrases.fillers, "adverb": phrases.adverbs}
    defined = "".join(rf"(?P<{name}>(?:{one_of(known)}{SPACE}+)?)" for name, known in words.items())
    return rf"(?(DEFINE){defined})"


def _lead(phrases: Phrases) -> str:
    """Return the pattern of what may come before a choice without changing it."""
    lead = rf"{one_of(phrases.leads)}(?:{SPACE}*[,:]{SPACE}*|{SPACE}+|(?<=\p{{Han}}))"
    return rf"(?:{lead}|{one_of(phrases.clauses)}{SPACE}[^,.!?;:\n]{{1,150}},{SPACE}*)"
