"""Reading drawn answers: the written taxonomy, and that nothing is read into a text that it does not say."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomtransfer.respondents.parsing import INVALID_KINDS, VALID_KINDS, WORDS, parse_amount, parse_label

LABELS = ("C", "D")
AMOUNTS = tuple(str(amount) for amount in range(11))
PIECES = ["C", "D", "C.", "**D**", "choose", "I", "option", "not", "or", "10", "5", "-3", "12", "$", "dollars", "five"]
ODD = st.one_of(
    st.text(),
    st.lists(st.sampled_from([*PIECES, "\n", " ", ".", "give", "of my 10", "cannot", "٣", "½"]), max_size=12).map(
        " ".join
    ),
    st.lists(st.sampled_from([*PIECES, "\n", "", "\u2028", "\x00"]), max_size=8).map("".join),
)


@pytest.mark.parametrize(
    ("text", "kind", "choice"),
    [
        ("C", "label", "C"),
        ("  D\n", "label", "D"),
        ("C\nBecause D would earn us less.", "label", "C"),
        ("**C**", "label with punctuation", "C"),
        ('"D".', "label with punctuation", "D"),
        ("(C)", "label with punctuation", "C"),
        ("I choose option C.", "spelled out", "C"),
        ("I would go with D. It earns me more than C.", "spelled out", "D"),
        ("C or D", "both labels", None),
        ("I choose C over D", "both labels", None),
        ("I would not choose C", "other", None),
        ("If my coplayer chooses C", "other", None),
        ("As an AI, I have no preference, C", "refusal", None),
        ("I cannot choose C", "refusal", None),
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
        ("$5", "label with punctuation", "5"),
        ("5 dollars.", "label with punctuation", "5"),
        ("**0**", "label with punctuation", "0"),
        ("I would give 5 dollars.", "spelled out", "5"),
        ("I give 5 of my 10 dollars", "spelled out", "5"),
        ("5/10", "spelled out", "5"),
        ("I have 10 dollars and donate 4", "spelled out", "4"),
        ("Five dollars", "spelled out", "5"),
        ("five", "spelled out", "5"),
        ("between 3 and 5", "both labels", None),
        ("12", "out of range", None),
        ("-3", "out of range", None),
        ("I would give 100 dollars", "out of range", None),
        ("2.5", "other", None),
        (".5", "other", None),
        ("50%", "other", None),
        ("I would not give 5 dollars", "other", None),
        ("no one gives", "other", None),
        ("Each of you has 10 dollars", "other", None),
        ("0, because one of you gave 10", "both labels", None),
        ("10 dollars are given to the box", "spelled out", "10"),
        ("I cannot say 5", "refusal", None),
        ("", "empty", None),
    ],
)
def test_amounts_are_read_from_sentences(text: str, kind: str, amount: str | None) -> None:
    parsed = parse_amount(text, AMOUNTS, "dollars", "answer_first")
    assert (parsed.kind, parsed.choice) == (kind, amount)


@settings(max_examples=10_000, deadline=None)
@given(ODD, st.sampled_from(["answer_first", "reason_first"]))
def test_no_odd_text_crashes_or_is_read_as_what_it_does_not_contain(text: str, question: str) -> None:
    label = parse_label(text, LABELS, question)
    amount = parse_amount(text, AMOUNTS, "dollars", question)
    for parsed in (label, amount):
        assert parsed.kind in (*VALID_KINDS, *INVALID_KINDS)
        assert (parsed.kind in VALID_KINDS) == (parsed.choice is not None)
    if label.choice is not None:
        assert label.choice in LABELS
        assert re.search(rf"\b{label.choice}\b", text)
    if amount.choice is not None:
        assert amount.choice in AMOUNTS
        word = WORDS[int(amount.choice)]
        assert re.search(rf"(?<![0-9]){amount.choice}(?![0-9])", text) or word in text.lower()
