"""Chat templates as they are published: all that TRL's package ships, and seven behaviours that public ones have."""

import datetime
import re
import subprocess
import sys
import zipfile

import pytest
from transformers.utils import chat_template_utils

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.chat import Chat, find_chat
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.registry import CORPUS

TRL = "trl==1.16.0"
SYSTEM = "You are the delegate of a nation. The other person is called your coplayer."
USER = "The two options are called C and D.\nWhich option do you choose?"
ANSWER = "Cooperate, since both gain."
MARKS = r"<[|\uff5c][^|\uff5c<>\s'\"]+[|\uff5c]>|<\|?[a-z_]+\|?>|</?think>|\[/?INST\]"
"""What is one token in templates."""

THINKING = {"deepseek_r1_distill", "deepseek_r1_distill_training", "deepseekv3", "deepseekv3_training"}
"""Templates of the package that always lead a model to think first."""

TURNS = "{% for m in messages %}[{{ m.role }}] {{ m.content }} [/]{% endfor %}"
IN_PARTS = "{% for part in m.content %}{% if part.type == 'text' %}{{ part.text }}{% endif %}{% endfor %}"


def tokenizer_with(template):
    tokenizer = train_tokenizer(CORPUS, 400)
    tokenizer.add_special_tokens({"additional_special_tokens": sorted(set(re.findall(MARKS, template)))})
    tokenizer.bos_token = "<|end|>"  # some templates begin with one
    tokenizer.chat_template = template
    return tokenizer


def on(day, monkeypatch, work):
    """What comes of `work` when the clock shows another day."""

    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 3, day, tzinfo=tz)

    with monkeypatch.context() as clock:
        clock.setattr(chat_template_utils, "datetime", Frozen)
        return work()


def require_right(template, monkeypatch) -> Chat:
    """Assert of a template that is used what a model needs of it; raises InputError where it is refused."""
    tokenizer = tokenizer_with(template)
    chat = on(1, monkeypatch, lambda: find_chat(tokenizer, "small"))
    prompt, after = chat.prompt(SYSTEM, USER), chat.around(SYSTEM, USER)[1]
    for message in (SYSTEM, USER):
        assert prompt.count(message) == 1
    # As the template writes them: a conversation with an answer is the prompt, the answer and what ends it.
    written = chat.render(chat.messages(SYSTEM, USER, ANSWER))
    assert written == prompt + ANSWER + after
    end = tokenizer.decode(list(chat.end))
    assert after.strip().startswith(end) or (not after.strip() and end)
    assert prompt.count("<think>") <= prompt.count("</think>")
    days = [on(day, monkeypatch, lambda: find_chat(tokenizer, "small").encode_prompt(SYSTEM, USER)) for day in (1, 2)]
    assert days[0] == days[1]
    assert tokenizer.decode(days[0]) == prompt.rstrip(" ")
    return chat


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The templates in TRL's package, by name."""
    folder = tmp_path_factory.mktemp("trl")
    download = [sys.executable, "-m", "pip", "download", TRL, "--no-deps", "--quiet", "--dest", str(folder)]
    subprocess.run(download, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".jinja")]
        return {name.split("/")[-1].removesuffix(".jinja"): archive.read(name).decode() for name in names}


@pytest.mark.slow
def test_every_template_of_trl_is_right(published, monkeypatch):
    assert len(published) == 72
    wrong, thinking = {}, set()
    for name, template in published.items():
        try:
            if require_right(template, monkeypatch).thinks:
                thinking.add(name)
        except Exception as error:
            wrong[name] = f"{type(error).__name__}: {error}"
    assert not wrong, wrong
    assert thinking == THINKING


BEHAVIOURS = {
    # Phi-3 mini as released knows user and assistant alone.
    "drops the system role": "{% for m in messages %}{% if m.role == 'user' %}[user] {{ m.content }} [/]"
    "{% elif m.role == 'assistant' %}[assistant] {{ m.content }} [/]{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}",
    # SmolVLM and Idefics 3.
    "needs content in parts": "{% for m in messages %}[{{ m.role }}] " + IN_PARTS + " [/]{% endfor %}",
    # LLaVA-NeXT: what is no list of parts renders as nothing.
    "needs parts and raises for a system message": "{% for m in messages %}{% if m.role == 'system' %}"
    "{{ m.content.missing.text }}{% elif m.role == 'user' %}[INST] " + IN_PARTS + " [/INST]"
    "{% else %}" + IN_PARTS + "{% endif %}{% endfor %}",
    # Qwen3 without thinking and GLM-4.5.
    "begins a turn with an empty thought, and the prompt does not": "{% for m in messages %}[{{ m.role }}] "
    "{% if m.role == 'assistant' %}<think></think>{% endif %}{{ m.content }} [/]{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}",
    # Llama 3.2, gpt-oss and SmolLM3.
    "writes today's date": "[system] Today: {{ strftime_now('%d %b %Y') }} [/]" + TURNS + "[assistant]",
    # DeepSeek-R1, Nemotron 3 and Qwen3.5.
    "ends inside an open thought": TURNS + "{% if add_generation_prompt %}[assistant] <think>\n{% endif %}",
}


@pytest.mark.parametrize("template", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_what_public_templates_do_is_respected(template, monkeypatch):
    chat = require_right(template, monkeypatch)
    assert chat.thinks == ("<think>\n" in template)


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}[{{ m.role }}] {{ m.content | lower | trim }} [/]{% endfor %}[assistant]",
        "{% for m in messages %}{% if m.role == 'user' %}[user] {{ m.content }} [/]{% endif %}{% endfor %}[assistant]",
    ],
    ids=["writes in lower case", "has no place for an answer"],
)
def test_a_template_that_changes_messages_or_has_no_answer_is_refused(template, monkeypatch):
    with pytest.raises(InputError, match="small: its chat template does not give the messages as they are"):
        require_right(template, monkeypatch)
