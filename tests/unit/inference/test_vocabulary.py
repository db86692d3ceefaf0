"""What tokens write, and what they make of a text: against looking at every token as a whole."""

import gc
from itertools import combinations
from string import ascii_uppercase

import pytest
import torch

from tomtransfer.inference.loading import load_tokenizer
from tomtransfer.inference.vocabulary import BROKEN, ENDS_ALL, GOES_ON, TEXTS_KEPT, Vocabulary, split, token_bytes
from tomtransfer.scenarios.spelling import spellings_of


class Many:
    """A tokenizer with tokens of every sort: words, spaces, brackets, numbers, parts of characters, nothing at all."""

    texts = (
        *(
            "",
            " ",
            "0",
            "1",
            ".",
            ".5",
            ".0",
            "0.",
            ", ",
            " dollars",
            "dollars",
            "*",
            "**.",
            "$1",
            " 10",
            "e",
            "o",
            "1",
        ),
        *("-1", "00", "C", " C", "CD", "D)", "\n", "\n1", "one", " one.", "ne", "ne ", "\u00e9", "_", "(2.5", " a"),
        *("ж", "цж", " ж", "中", "。", "🙂", ", because", " because", "<0xE5>", "<0x90>", "<0x88>", "作", "合", "▁▁"),
    )
    all_special_ids = ()

    def __len__(self):
        return len(self.texts)

    def convert_ids_to_tokens(self, tokens):
        return [self.texts[token] for token in tokens]


OPTIONS = [tuple(map(str, range(11))), ("C", "D"), ("2.5", "10", "3"), ("one", "two"), ("合作", "背叛")]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("text", ["", "1", "10", "1.", "2.", "2.5", "1.0", "C", "C.", "C. ", "C,", "on", "合", "合作"])
def test_looking_at_the_first_characters_of_tokens_finds_what_looking_at_all_of_each_finds(text, options):
    tokenizer, spellings = Many(), spellings_of(options, "dollars")
    tokens = torch.arange(len(tokenizer))
    looked = Vocabulary(tokenizer, ()).after(text.encode(), spellings, tokens).tolist()
    found = {token: made == GOES_ON or made for token, made in enumerate(looked) if made != ENDS_ALL}
    verdicts = {
        token: _verdict(spellings, text, split(written)[0]) for token, written in enumerate(token_bytes(tokenizer))
    }
    assert found == {token: what for token, what in verdicts.items() if what is not False}


def _verdict(spellings, text, addition):
    """The first verdict, character by character, that is not open; bytes that are no character say nothing."""
    if BROKEN in addition:
        return False
    texts = [text + addition[:end] for end in range(len(addition) + 1)]
    return next((what for what in map(spellings.begun, texts) if what is not True), True)


def test_a_character_that_is_cut_goes_on_with_what_completes_it():
    tokenizer, spellings = Many(), spellings_of(("合作", "背叛"))
    vocabulary = Vocabulary(tokenizer, ())
    first, second, third = (tokenizer.texts.index(name) for name in ("<0xE5>", "<0x90>", "<0x88>"))
    assert _going_on(vocabulary, b"", spellings, [first]) == [first]
    assert _going_on(vocabulary, b"\xe5", spellings, range(len(tokenizer))) == [second, third]
    # Both go on with a character, of which one begins a label: E5 90 90 is another.
    assert "合".encode() == b"\xe5\x90\x88"
    assert _going_on(vocabulary, b"\xe5\x90", spellings, range(len(tokenizer))) == [third]
    last = tokenizer.texts.index("作")
    assert _going_on(vocabulary, b"\xe5\x90\x88", spellings, [last]) == [last]


def _going_on(vocabulary, written, spellings, tokens):
    made = vocabulary.after(written, spellings, torch.tensor(tokens)).tolist()
    return [token for token, what in zip(tokens, made, strict=True) if what == GOES_ON]


def test_an_end_is_a_line_break_and_another_special_token_is_nothing():
    tokenizer = Many()
    tokenizer.all_special_ids = (2, 3)
    vocabulary = Vocabulary(tokenizer, {3})
    assert (vocabulary.bytes[2], vocabulary.bytes[3]) == (b"", b"\n")


def test_bytes_are_those_that_the_tokenizer_decodes(random_model):
    tokenizer = load_tokenizer(random_model)
    written = token_bytes(tokenizer)
    for text in ("Cooperate, because 10 is more.", "  two  spaces\n\n", "合作 – “naïve” 🙂", "\ttab £5"):
        tokens = tokenizer.encode(text, add_special_tokens=False)
        assert b"".join(written[token] for token in tokens).decode().strip() == text.strip()
    for token, each in enumerate(written):
        text = tokenizer.decode([token])
        if token not in tokenizer.all_special_ids and "\ufffd" not in text:
            assert each.decode().strip() == text.strip()


def test_the_tokenizers_own_tokens_of_labels_are_known_and_those_of_numbers_are_not(random_model):
    tokenizer = load_tokenizer(random_model)
    vocabulary = Vocabulary(tokenizer, ())
    stag, hare = (tuple(tokenizer.encode(label, add_special_tokens=False)) for label in ("Stag", "Hare"))
    assert vocabulary.own(spellings_of(("Stag", "Hare"))) == {stag, hare}
    assert vocabulary.own(spellings_of(("1", "2"))) == frozenset()
    assert vocabulary.longest(("Stag", "C")) == len(stag)


def test_tokens_that_a_model_has_not_are_none_that_it_can_write():
    known = len(Many.texts) - 20
    vocabulary = Vocabulary(Many(), (len(Many.texts) - 1,), known)
    assert len(vocabulary.bytes) == known
    assert len(vocabulary.after(b"", spellings_of(("C", "D")), torch.arange(known))) == known


def test_memory_does_not_grow_with_the_letters_that_games_have():
    vocabulary, tokens = Vocabulary(Many(), ()), torch.arange(len(Many()))

    def notes() -> int:
        gc.collect()
        return sum(isinstance(each, torch.Tensor) and each.dtype is torch.int16 for each in gc.get_objects())

    before = notes()
    texts = [f"{opening}{label}".encode() for opening in ("", "*") for label in ("", "C", "D", "X")]
    for labels in combinations(ascii_uppercase, 2):
        for text in texts:
            vocabulary.after(text, spellings_of(labels, ""), tokens)
    assert 0 < notes() - before <= TEXTS_KEPT < 325 * len(texts)
