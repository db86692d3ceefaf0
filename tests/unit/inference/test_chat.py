"""Chat templates as public models have them: what a model gets, where its answer begins, what ends it."""

from types import SimpleNamespace

import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.chat import chat_of, find_chat
from tomtransfer.inference.sampling import end_tokens
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.registry import CORPUS

SYSTEM, USER = "You are the delegate of a nation.", "Which option do you choose, C or D?"
TURNS = "{% for m in messages %}[{{ m.role }}] {{ m.content }} [/]{% endfor %}"
ASKED = "{% if add_generation_prompt %}[assistant] {% endif %}"


def tokenizer_with(template):
    tokenizer = train_tokenizer(CORPUS, 400)
    tokenizer.chat_template = template
    return tokenizer


def shown(template, **variables):
    return find_chat(tokenizer_with(template), "small", variables).prompt(SYSTEM, USER)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (TURNS + ASKED, f"[system] {SYSTEM} [/][user] {USER} [/][assistant] "),
        (
            "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
            "[{{ m.role }}] {{ m.content }} [/]{% endfor %}",
            f"[user] {SYSTEM}\n\n{USER} [/][assistant] ",
        ),
        (
            "{% for m in messages if m.role != 'system' %}[{{ m.role }}] {{ m.content }} [/]{% endfor %}",
            f"[user] {SYSTEM}\n\n{USER} [/][assistant] ",
        ),
        (
            "{% for m in messages %}[{{ m.role }}] {% for x in m.content %}{{ x.text }}{% endfor %} [/]{% endfor %}",
            f"[system] {SYSTEM} [/][user] {USER} [/][assistant] ",
        ),
        (
            "{% for m in messages %}[{{ m.role }}] {% if m.role == 'assistant' %}<think></think>{% endif %}"
            "{{ m.content }} [/]{% endfor %}" + ASKED,
            f"[system] {SYSTEM} [/][user] {USER} [/][assistant] <think></think>",
        ),
    ],
    ids=["plain", "raises for a system message", "drops it", "content in parts", "an empty thought first"],
)
def test_both_messages_are_in_what_a_model_gets_up_to_where_its_answer_begins(template, expected):
    assert shown(template) == expected


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("[assistant]", "does not give the messages as they are"),
        ("{% for m in messages %}{{ m.content | lower }}{% endfor %}", "does not give the messages as they are"),
        (TURNS + "{% for m in messages %}{{ m.content }}{% endfor %}", "does not give the messages as they are"),
        (
            "{% for m in messages %}[{{ m.role }}] {% if m.role == 'assistant' %}<think>{% endif %}{{ m.content }}"
            "{% endfor %}",
            "inside a thought",
        ),
    ],
    ids=["loses both", "changes them", "says them twice", "an open thought"],
)
def test_a_template_that_loses_or_changes_a_message_is_refused_with_the_models_name(template, reason):
    with pytest.raises(InputError, match=f"small: its chat template .*{reason}"):
        shown(template)


def test_a_date_is_that_of_the_config_and_never_of_the_clock():
    template = "[system] Today: {{ strftime_now('%d %b %Y') }} [/]" + TURNS
    assert shown(template).startswith("[system] Today: 01 Jan 2026 [/]")
    assert shown(template, date="2025-03-09").startswith("[system] Today: 09 Mar 2025 [/]")


def test_variables_of_a_template_are_handed_to_it():
    template = "{% if quiet %}[quiet]{% endif %}" + TURNS
    assert shown(template, quiet=True).startswith("[quiet]")
    assert not shown(template, quiet=False).startswith("[quiet]")


def test_a_model_that_is_always_led_to_think_is_refused_and_a_variable_may_help():
    template = TURNS + "{% if add_generation_prompt and thinking is not false %}[assistant] <think>\n{% endif %}"
    tokenizer = tokenizer_with(template)
    with pytest.raises(InputError, match="always leads it to think before it answers"):
        chat_of(tokenizer)
    assert not chat_of(tokenizer, (("thinking", False),)).thinks


def test_what_ends_an_answer_is_asked_with_the_variables_too():
    tokenizer = tokenizer_with(
        TURNS + "{% if add_generation_prompt and thinking is not false %}[assistant] <think>\n{% endif %}"
    )
    model = SimpleNamespace(generation_config=SimpleNamespace(eos_token_id=7))
    assert end_tokens(model, tokenizer, (("thinking", False),)) >= {7, tokenizer.eos_token_id}


def test_what_ends_a_turn_is_what_the_template_writes_after_an_answer():
    tokenizer = tokenizer_with("{% for m in messages %}{{ m.role }}: {{ m.content }}<|turn|>{% endfor %}")
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|turn|>"]})
    assert find_chat(tokenizer, "small").end == (tokenizer.convert_tokens_to_ids("<|turn|>"),)
    silent = tokenizer_with("{% for m in messages %}{{ m.content }}\n\n{% endfor %}")
    assert find_chat(silent, "small").end == (silent.eos_token_id,)


def sentence_pieces():
    """A tokenizer as Llama 2 has it: a space in front of whatever begins a text, bytes for what is no piece."""
    from tokenizers import Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "▁C", "C"]
    pieces += [chr(code) for code in range(33, 127) if chr(code) != "C"]
    merges = [("▁", "C")]
    known = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(known, merges, byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    fast.chat_template = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no') }}{% endif %}"
        "{% if m.role == 'user' %}{{ bos_token + '[INST] ' + m.content + ' [/INST]' }}"
        "{% else %}{{ ' ' + m.content + ' ' + eos_token }}{% endif %}{% endfor %}"
    )
    return fast


def test_a_label_and_its_line_break_are_the_tokens_that_sentence_pieces_write():
    tokenizer = sentence_pieces()
    chat = chat_of(tokenizer)
    written = tokenizer.convert_ids_to_tokens(chat.write("C\n"))
    assert written == ["▁C", "<0x0A>"]  # and not C, ▁, newline
    assert tokenizer.convert_ids_to_tokens(chat.encode_prompt(SYSTEM, USER))[-2:] == ["T", "]"]
    assert chat.end == (tokenizer.eos_token_id,)
