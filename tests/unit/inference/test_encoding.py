"""Prompts as a model takes them: labels, chats, lengths."""

import json
import shutil
from pathlib import Path

import pytest
from made import make_prompt

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.chat import chat_of
from tomtransfer.inference.encoding import encode_prompts, label_tokens
from tomtransfer.inference.loading import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(random_model: Path):
    return load_tokenizer(random_model)


@pytest.mark.parametrize("label", ["C", "cooperate", "Kooperieren", "keep quiet", "合作"])
def test_a_label_is_what_the_tokenizer_writes_at_the_beginning_of_an_answer(tokenizer, label):
    tokens = label_tokens(tokenizer, [label], "random")[label]
    assert tokens == tokenizer.encode(label, add_special_tokens=False)
    assert tokenizer.decode(tokens) == label


def test_a_label_that_cannot_be_written_is_named_with_the_model_and_what_it_becomes():
    class Small:
        """Knows no capitals."""

        name_or_path, eos_token_id, all_special_ids, added_tokens_decoder = "small", 0, (), ()

        def get_chat_template(self):
            return ""

        def apply_chat_template(self, messages, **settings):
            return "\n".join(message["content"] for message in messages)

        def encode(self, text, add_special_tokens):
            return [ord(each) for each in text.lower()]

        def decode(self, tokens):
            return "".join(map(chr, tokens))

    assert label_tokens(Small(), ["stag"], "small") == {"stag": [115, 116, 97, 103]}
    with pytest.raises(InputError, match=r"'Stag' cannot be written with the tokens of small, which make 'stag' of it"):
        label_tokens(Small(), ["hare", "Stag"], "small")


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


def test_a_tokenizer_with_tokens_that_the_model_has_not_is_refused_where_a_prompt_needs_them(
    tokenizer, random_model, tmp_path
):
    small = tmp_path / "small"
    shutil.copytree(random_model, small)
    config = json.loads((small / "config.json").read_text())
    (small / "config.json").write_text(json.dumps({**config, "vocab_size": 300}))
    with pytest.raises(InputError, match=r"small: tokenizer and weights do not belong together: .* the model has 300"):
        encode_prompts(tokenizer, [make_prompt("team")], small)


def test_a_chat_template_without_a_system_message_gets_it_before_the_users(tokenizer, random_model):
    tokenizer = load_tokenizer(random_model)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    )
    tokens = chat_of(tokenizer).encode_prompt("The situation.", "The question?")
    assert tokenizer.decode(tokens, skip_special_tokens=True) == "The situation.\n\nThe question?"


def test_a_tokenizer_without_a_chat_template_gets_a_plain_one(tokenizer):
    text = tokenizer.decode(chat_of(tokenizer).encode_prompt("The situation.", "The question?"))
    assert text.endswith("The situation.\n\nThe question?\n\nAnswer:\n")
