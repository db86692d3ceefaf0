"""Prompts as a model takes them: labels, chats, lengths."""

import json
import shutil
from pathlib import Path

import pytest
from made import make_prompt

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.encoding import encode_chat, encode_prompts, spell_labels
from tomtransfer.inference.loading import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(random_model: Path):
    return load_tokenizer(random_model)


def test_every_spelling_of_a_label_counts(tokenizer):
    spellings = spell_labels(tokenizer, ["C", "D"], "random")
    texts = {label: {tokenizer.decode([token]) for token in tokens} for label, tokens in spellings.items()}
    assert {"C", " C"} <= texts["C"]
    assert {"D", " D"} <= texts["D"]
    assert tokenizer.encode("C", add_special_tokens=False) == spellings["C"][:1]


def test_what_stands_around_a_label_inside_a_token_is_taken_away():
    class Tokenizer:
        vocabulary = ("C", ' "C', "(C", "C.", "c", "CC", "C1", "Co", "D", "*D*")

        def __len__(self):
            return len(self.vocabulary)

        def batch_decode(self, tokens):
            return [self.vocabulary[token] for (token,) in tokens]

        def encode(self, text, add_special_tokens):
            return [self.vocabulary.index(text)]

    assert spell_labels(Tokenizer(), ["C", "D"], "any") == {"C": [0, 1, 2, 3], "D": [8, 9]}


def test_a_label_without_a_token_names_label_and_model(tokenizer):
    with pytest.raises(InputError, match=r"'cooperation' is not a single token of some-model"):
        spell_labels(tokenizer, ["cooperation"], "some-model")


def test_a_prompt_longer_than_the_context_is_refused_before_the_model_loads(tokenizer, random_model, tmp_path):
    narrow = tmp_path / "narrow"
    shutil.copytree(random_model, narrow)
    config = narrow / "config.json"
    limit = json.loads(config.read_text())["max_position_embeddings"]
    config.write_text(
        config.read_text().replace(f'"max_position_embeddings": {limit}', '"max_position_embeddings": 64')
    )
    with pytest.raises(InputError, match=r"stag_hunt in team .*needs 5 for the answer; narrow can attend to 64"):
        encode_prompts(tokenizer, [make_prompt("team")], narrow, room=5)


def test_a_chat_template_without_a_system_message_gets_it_before_the_users(tokenizer, random_model):
    tokenizer = load_tokenizer(random_model)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    )
    tokens = encode_chat(tokenizer, "The situation.", "The question?")
    assert tokenizer.decode(tokens, skip_special_tokens=True) == "The situation.\n\nThe question?"


def test_a_tokenizer_without_a_chat_template_gets_a_plain_one(tokenizer):
    text = tokenizer.decode(encode_chat(tokenizer, "The situation.", "The question?"))
    assert text.endswith("The situation.\n\nThe question?\n\nAnswer:\n")
