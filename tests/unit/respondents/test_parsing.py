"""Reading drawn answers: the written taxonomy, answers read by hand, and that nothing is read into a text."""

import csv
import re
from functools import partial
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tomtransfer.respondents.parsing import INVALID_KINDS, VALID_KINDS, Parsed, parse_amount, parse_label
from tomtransfer.scenarios.english import ENGLISH
from tomtransfer.scenarios.german import GERMAN
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.phrases import WITHOUT_PHRASES, Phrases
from tomtransfer.scenarios.spelling import spellings_of

HERE = Path(__file__).parent
LABELS = ("C", "D")
AMOUNTS = tuple(str(amount) for amount in range(11))
WORDS = {str(value): word for word, value in ENGLISH.numbers}


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def options_of(named: str) -> tuple[str, ...]:
    """Return `C/D` as labels, and `0..10`, `0 to 10` or `0..10 by 0.5` as numbers."""
    numbers = re.fullmatch(r"([0-9]+)(?:\.\.| to )([0-9]+)(?: by (.+))?", named)
    if not numbers:
        return tuple(named.split("/"))
    low, high, step = int(numbers[1]), int(numbers[2]), float(numbers[3] or 1)
    return tuple(in_digits(low + number * step) for number in range(round((high - low) / step) + 1))


def read(options: tuple[str, ...], answer: str, question: str = "answer_first", phrases=ENGLISH, unit="dollars"):
    if options[0].replace(".", "").isdigit():
        return parse_amount(answer, options, unit, question, phrases)
    return parse_label(answer, options, question, phrases)


@pytest.mark.parametrize(
    ("text", "kind", "choice"),
    [
        ("C", "label", "C"),
        ("  D\n", "label", "D"),
        ("C\nBecause D would earn us less.", "label", "C"),
        ("**C**", "label with punctuation", "C"),
        ('"D".', "label with punctuation", "D"),
        ("(C)", "label with punctuation", "C"),
        ("C. I trust my coplayer", "label first", "C"),
        ("C - because it earns more", "label first", "C"),
        ("C (cooperate)", "label first", "C"),
        ("I choose option C.", "spelled out", "C"),
        ("I would go with D. It earns me more than C.", "spelled out", "D"),
        ("I choose C because I can't trust my coplayer", "spelled out", "C"),
        ("I choose C over D", "spelled out", "C"),
        ("C or D", "both labels", None),
        ("My opponent will choose D.", "other", None),
        ("Option D would be a mistake.", "other", None),
        ("The answer is anything but D", "other", None),
        ("I would not choose C", "other", None),
        ("If my coplayer chooses C", "other", None),
        ("As an AI, I have no preference, C", "refusal", None),
        ("I cannot choose C", "other", None),
        ("I cannot decide.", "refusal", None),
        ("I'm sorry", "refusal", None),
        ("", "empty", None),
        (" \n\t\n", "empty", None),
        ("Cooperation", "other", None),
        ("c", "other", None),
        ("C'est la vie", "other", None),
        ("The weather is fine", "other", None),
    ],
)
def test_the_first_line_is_read_by_the_taxonomy(text: str, kind: str, choice: str | None) -> None:
    parsed = parse_label(text, LABELS, "answer_first")
    assert (parsed.kind, parsed.choice) == (kind, choice)
    assert (parsed.kind in VALID_KINDS) == (parsed.choice is not None)


def test_reasons_stand_after_the_answer_or_before_it() -> None:
    first = parse_label("C\nIt pays.\n\nFor both.", LABELS, "answer_first")
    last = parse_label("D pays.\nYet C is safe.\nC", LABELS, "reason_first")
    assert (first.choice, first.reasons) == ("C", "It pays.\nFor both.")
    assert (last.choice, last.reasons) == ("C", "D pays.\nYet C is safe.")
    assert parse_label("Both earn more. I choose D.", LABELS, "reason_first").choice == "D"
    assert parse_label("I choose D. If my coplayer picks C", LABELS, "reason_first").choice is None


@pytest.mark.parametrize(
    ("text", "kind", "amount"),
    [
        ("7", "label", "7"),
        ("10\nbecause 3 others give too", "label", "10"),
        ("$5", "label", "5"),
        ("5 dollars.", "label with punctuation", "5"),
        ("5 of my 10 dollars", "label with punctuation", "5"),
        ("**0**", "label with punctuation", "0"),
        ("five", "label", "5"),
        ("7. That is fair.", "label first", "7"),
        ("I would give 5 dollars.", "spelled out", "5"),
        ("I give all 10 dollars", "spelled out", "10"),
        ("I give nothing", "spelled out", "0"),
        ("I choose to keep 7 dollars.", "other", None),
        ("I give away all but 2 dollars", "other", None),
        ("10%", "other", None),
        ("10 dollars each", "other", None),
        ("7 is too much", "other", None),
        ("1. You do not give", "other", None),
        ("Everyone gives 10 dollars", "other", None),
        ("between 3 and 5", "both labels", None),
        ("0 to 10", "both labels", None),
        ("12", "out of range", None),
        ("-3", "out of range", None),
        ("2.5", "out of range", None),
        ("I would give 100 dollars", "out of range", None),
        ("I would not give 5 dollars", "other", None),
        ("no one gives", "other", None),
        ("", "empty", None),
    ],
)
def test_amounts_are_what_the_speaker_gives(text: str, kind: str, amount: str | None) -> None:
    parsed = parse_amount(text, AMOUNTS, "dollars", "answer_first")
    assert (parsed.kind, parsed.choice) == (kind, amount)


def test_every_line_that_was_read_by_hand_is_read_in_the_same_way() -> None:
    """Where a reading is `C|none`, strictness may decide."""
    wrong = []
    for row in rows("answers_by_hand.csv"):
        parsed = read(options_of(row["options"]), row["answer"], row["question"])
        if (parsed.choice or "none") not in row["reading"].split("|"):
            wrong.append((row, parsed))
    assert wrong == []


def test_real_answers_are_read_as_they_were_by_hand_all_right_and_nearly_all_of_the_clear_ones() -> None:
    """Answers that the models of the default experiment drew. Doubtful ones may be read as what they seem or not."""
    answers = rows("read_by_hand.csv")
    assert len(answers) >= 500
    found = [(row, read(options_of(row["labels"]), row["answer"]).choice) for row in answers]
    assert [(row, choice) for row, choice in found if choice is not None and choice != row["choice"]] == []
    clear = [choice == row["choice"] for row, choice in found if row["valid"] == "yes"]
    assert len(clear) >= 100
    assert sum(clear) / len(clear) >= 0.95


def test_german_lines_are_read_as_they_were_by_hand() -> None:
    lines = rows("german_by_hand.csv")
    valid, invalid = ([row for row in lines if (row["reading"] != "none") is read] for read in (True, False))
    assert min(len(valid), len(invalid)) >= 40
    wrong = []
    for row in lines:
        parsed = read(options_of(row["options"]), row["answer"], row["question"], GERMAN, "Euro")
        if (parsed.choice or "none") != row["reading"]:
            wrong.append((row["answer"], row["reading"], parsed))
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Ich kann mich nicht entscheiden.", "refusal"),
        ("Als KI habe ich keine Präferenz, C", "refusal"),
        ("Es tut mir leid", "refusal"),
        ("Ich kann C nicht wählen", "other"),
        ("C oder D", "both labels"),
        ("Mein Mitspieler wird D wählen", "other"),
    ],
)
def test_german_answers_that_choose_nothing_are_of_the_kind_that_they_are(text: str, kind: str) -> None:
    assert parse_label(text, LABELS, "answer_first", GERMAN) == Parsed(kind, None, "")


def test_a_line_is_read_in_its_own_language_alone() -> None:
    assert parse_label("Ich wähle C", LABELS, "answer_first", ENGLISH).choice is None
    assert parse_label("I choose C", LABELS, "answer_first", GERMAN).choice is None
    assert parse_amount("2,5 Euro", ("2", "2.5"), "Euro", "answer_first", GERMAN).choice == "2.5"
    assert parse_amount("2,5 Euro", ("2", "2.5"), "Euro", "answer_first", ENGLISH).choice is None


def test_without_the_phrases_of_a_language_labels_and_digits_alone_are_read() -> None:
    label = partial(parse_label, labels=LABELS, question="answer_first", phrases=WITHOUT_PHRASES)
    assert [label(text).choice for text in ("C", "**D**.", "C. Ich vertraue", "Ich wähle C", "C, weil")] == [
        *("C", "D", "C", None, None)
    ]
    amount = partial(parse_amount, amounts=AMOUNTS, unit="Euro", question="answer_first", phrases=WITHOUT_PHRASES)
    assert [amount(text).choice for text in ("5", "5 Euro", "€5", "fünf")] == ["5", "5", "5", None]


PIECES = [
    *("Ich wähle", "weil", "Euro", "fünf", "1.000", "2,5", "von meinen 10", "oder"),
    *("C", "D", "C.", "**D**", "choose", "I", "option", "not", "or", "10", "5", "-3", "12", "$", "dollars", "five"),
    *("give", "of my 10", "cannot", "٣", "½", ",", ", because", "(", ")", ":", "-", "- ", "%", "each", "is", "1."),
    *("0 to 10", "my coplayer", "rather than", "Answer:", "cooperate", "defect", "Defect", "1,000", "2.5", "too much"),
]
ODD = st.one_of(
    st.text(),
    *(
        st.lists(st.sampled_from([*PIECES, "\n", " ", ".", "\u2028", "\x00"]), max_size=size).map(between.join)
        for size, between in ((12, " "), (8, ""))
    ),
)
BEGINNINGS = VALID_KINDS[:3]
QUESTIONS = [
    (LABELS, ""),
    (("cooperate", "defect"), ""),
    (AMOUNTS, "dollars"),
    (("0.5", "1", "2.5", "1000"), "dollars"),
]


def first_verdict(options: tuple[str, ...], unit: str, text: str, phrases: Phrases) -> tuple[int | bool, str]:
    """Follow a text character by character as the token tree does: what it begins with, and how much tells it."""
    spellings = spellings_of(options, unit, phrases)
    for end in range(len(text) + 2):
        begun = spellings.begun((text + "\n")[:end])
        if begun is not True:
            return begun, (text + "\n")[:end]
    return False, text


@settings(max_examples=1_500, deadline=None)
@given(ODD, st.sampled_from(QUESTIONS), st.sampled_from([ENGLISH, GERMAN]))
@example("10%", QUESTIONS[2], ENGLISH)
@example("10 dollars each", QUESTIONS[2], ENGLISH)
@example("0 to 10", QUESTIONS[2], ENGLISH)
@example("7 is too much", QUESTIONS[2], ENGLISH)
@example("1. You do not give", QUESTIONS[2], ENGLISH)
@example("1,000 dollars.", QUESTIONS[3], ENGLISH)
@example("C - because", QUESTIONS[0], ENGLISH)
@example("Defect.", QUESTIONS[1], ENGLISH)
@example("1.000 dollars.", QUESTIONS[3], GERMAN)
@example("2,5, weil", QUESTIONS[3], GERMAN)
@example("C, denn", QUESTIONS[0], GERMAN)
def test_the_token_tree_and_the_parser_read_the_same_beginnings(
    text: str, asked: tuple[tuple[str, ...], str], phrases: Phrases
) -> None:
    options, unit = asked
    begun, enough = first_verdict(options, unit, text, phrases)
    parsed = read(options, text, "answer_first", phrases, unit)
    if parsed.kind in BEGINNINGS:
        assert begun is not False
        assert options[begun] == parsed.choice
    if begun is not False:
        # What comes later may take it back or list another, but never make it another.
        assert parsed.choice in (options[begun], None)
        shortest = read(options, enough, "", phrases, unit)
        assert (shortest.choice, shortest.kind in BEGINNINGS) == (options[begun], True)


@settings(max_examples=1_500, deadline=None)
@given(ODD, st.sampled_from(["answer_first", "reason_first"]))
def test_no_odd_text_crashes_or_is_read_as_what_it_does_not_contain(text: str, question: str) -> None:
    label = parse_label(text, LABELS, question)
    amount = parse_amount(text, AMOUNTS, "dollars", question)
    for parsed in (label, amount):
        assert parsed.kind in (*VALID_KINDS, *INVALID_KINDS)
        assert (parsed.kind in VALID_KINDS) == (parsed.choice is not None)
    if label.choice is not None:
        assert label.choice in LABELS
        assert label.choice in text
    if amount.choice is not None:
        assert amount.choice in AMOUNTS
        assert amount.choice in text or WORDS[amount.choice] in text.lower() or amount.choice in {"0", "10"}
