"""Models that always think: their answers are drawn after their thoughts, which count as their reasons."""

from dataclasses import replace

import pytest
import torch
from made import ASKING, local_model, make_prompt

from saved_models import ALWAYS_THINKS, save_model
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.chat import chat_of, find_chat
from tomtransfer.inference.encoding import encode_prompts
from tomtransfer.respondents.parsing import parse_amount, parse_label
from tomtransfer.respondents.protocol import Drawn
from tomtransfer.scenarios.thoughts import split_thoughts, thought_marks
from tomtransfer.training.completions import Example, make_rows

REASONED = replace(make_prompt("team"), question="reason_first")


@pytest.fixture(scope="module")
def thinker(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("models") / "thinker", template=ALWAYS_THINKS)


@pytest.mark.parametrize(
    ("text", "kind", "choice", "reasons"),
    [
        ("<think>\nThey may defect.\nD pays.\n</think>\n\nC", "label", "C", "They may defect.\nD pays."),
        ("<think>\nD</think>We both gain.\nC", "label", "C", "D\nWe both gain."),
        ("[THINK]So D.[/THINK]\nMy answer: C", "spelled out", "C", "So D."),
        ("<think>\nI weigh both.\nI choose C.", "empty", None, "I weigh both.\nI choose C."),
        ("<think>\nC\n</think>\n", "empty", None, "C"),
        ("We both gain.\nC", "label", "C", "We both gain."),
    ],
    ids=["thoughts", "thoughts and reasons", "other marks", "cut off in thought", "no answer after it", "no thoughts"],
)
def test_thoughts_count_as_reasons_and_never_as_the_choice(text, kind, choice, reasons):
    read = parse_label(text, ("C", "D"), "reason_first")
    assert (read.kind, read.choice, read.reasons) == (kind, choice, reasons)


def test_an_answer_that_is_to_come_first_does_not_come_after_thoughts():
    assert parse_label("<think>\nD\n</think>\nC", ("C", "D"), "answer_first").choice is None


def test_amounts_come_after_thoughts_too():
    read = parse_amount("<think>\n3 is fair.\n</think>\n\n7 dollars", ("3", "7"), "dollars", "reason_first")
    assert (read.choice, read.reasons) == ("7", "3 is fair.")


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("[assistant] <think>\n", ("<think>", "</think>")),
        ("[THINK]", ("[THINK]", "[/THINK]")),
        ("<|thought|>", ("<|thought|>", "</thought>")),
    ],
)
def test_what_closes_a_thought_follows_from_what_opens_it(text, marks):
    assert thought_marks(text) == marks
    assert split_thoughts(f"{marks[0]}so{marks[1]}C") == ("so", "C")


def test_a_prompt_ends_where_the_thoughts_begin(thinker):
    model = local_model(thinker)
    (tokens,) = encode_prompts(model.tokenizer, [REASONED], thinker)
    text = model.tokenizer.decode(tokens)
    assert text.endswith(f"{REASONED.user} [/][assistant] <think>\n")
    assert REASONED.system in text
    with pytest.raises(InputError, match="always leads it to think"):
        encode_prompts(model.tokenizer, [make_prompt("team")], thinker)


@pytest.mark.parametrize("special", [False, True], ids=["marks that are text", "marks that are special tokens"])
def test_what_was_drawn_has_its_thoughts_between_their_marks(thinker, special):
    tokenizer = local_model(thinker).tokenizer
    tokenizer.add_tokens(["</think>"], special_tokens=special)
    chat = find_chat(tokenizer, "thinker")
    tokens = tokenizer.encode("They may defect.\n</think>\n\nC<|end|>", add_special_tokens=False)
    assert chat.read(tokens) == "<think>\nThey may defect.\n</think>\nC"
    assert chat.read(tokens[:4]).startswith("<think>\nThey")
    assert "</think>" not in chat.read(tokens[:4])


def test_answers_are_drawn_within_the_limit_of_thoughts_and_answer(thinker):
    model = local_model(thinker)
    drawn = model.draw([Drawn(REASONED, f"{number:064x}") for number in range(4)], replace(ASKING, longest=20))
    assert all(text.text.startswith("<think>\n") for text in drawn)
    assert all(0 < text.tokens <= 20 for text in drawn)


def test_exact_choices_are_refused_and_reasons_first_offered(thinker):
    model = local_model(thinker)
    with pytest.raises(InputError, match="set question: reason_first"):
        model.choose([make_prompt("team")], 1)
    told = local_model(thinker, chat={"enable_thinking": False})
    (choice,) = told.choose([make_prompt("team")], 1)
    assert choice.cooperate + choice.defect + choice.other == pytest.approx(1)


def test_a_student_that_always_thinks_is_taught_thoughts_and_then_the_choice(thinker):
    tokenizer = local_model(thinker).tokenizer
    example = Example("A game.", "Which one?", "C", "They may defect.", True, 1.0, "reason_first")
    [row] = make_rows(tokenizer, [example, replace(example, label="D")], 2, "thinker")
    assert tokenizer.decode(row.prompt).endswith("Which one? [/][assistant] <think>\n")
    [first, _] = row.completions
    assert tokenizer.decode(first.tokens).startswith("They may defect.\n</think>\n\nC")
    chosen = first.tokens[first.choice : first.choice + first.choice_tokens]
    assert tokenizer.decode(chosen).strip() == "C"
    with pytest.raises(InputError, match="always leads it to think"):
        make_rows(tokenizer, [replace(example, question="answer_first")], 2, "thinker")


def test_a_model_that_may_think_but_is_not_led_to_is_none_of_these(thinker):
    tokenizer = local_model(thinker).tokenizer
    chat = chat_of(tokenizer, (("enable_thinking", False),))
    assert chat.thought is None
    assert chat.read(torch.tensor(tokenizer.encode("C")).tolist()) == "C"
