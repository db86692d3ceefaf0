"""Tiny models with random weights as folders that a registry can name: any architecture, any chat template."""

import json
from pathlib import Path
from typing import Any

from architectures import build
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.registry import CORPUS

TURNS = "{% for m in messages %}[{{ m.role }}] {{ m.content }} [/]{% endfor %}"
ALWAYS_THINKS = (
    "{% for m in messages %}[{{ m.role }}] {{ m.content.split('</think>')[-1] }} [/]{% endfor %}"
    "{% if add_generation_prompt and enable_thinking is not false %}[assistant] <think>\n{% endif %}"
)
"""As templates of DeepSeek R1 and its like are: the prompt opens a thought, and what was said is shown without it."""


def save_model(folder: Path, architecture: str = "llama", template: str | None = TURNS, model: Any = None) -> Path:
    """Write a tiny model of an architecture into `folder`, or the `model` given, with a tokenizer of its size."""
    (model or build(architecture)).save_pretrained(folder)
    tokenizer = train_tokenizer(CORPUS, 320)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return folder


def change_settings(folder: Path, **settings: Any) -> None:
    """Change settings in the configuration of a saved model; those of a part stand under the part's name."""
    path = folder / "config.json"
    content = json.loads(path.read_text())
    for name, value in settings.items():
        content[name] = {**content.get(name, {}), **value} if isinstance(value, dict) else value
    path.write_text(json.dumps(content))
