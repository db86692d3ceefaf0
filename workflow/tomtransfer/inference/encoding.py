"""Prompts as a model takes them: a chat up to where the answer begins, and the tokens that write a label."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.questions import Prompt, Query

WRITING_REVISION = 2
"""Raised by hand when other tokens write a label, so that what was drawn and taught behind it before is not used."""


def encode_prompts(
    tokenizer: Any, prompts: Sequence[Prompt | Query], directory: Path, room: int = 1
) -> list[list[int]]:
    """Return the tokens of prompts up to where the answer begins, for the model in `directory`.

    Raises InputError when a prompt with `room` tokens for its answer is longer than the model's context.
    """
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    limit = config.get("max_position_embeddings", float("inf"))
    encoded = []
    for prompt in prompts:
        tokens = encode_chat(tokenizer, prompt.system, prompt.user)
        if len(tokens) + room > limit:
            raise InputError(
                f"the prompt of {prompt.game} in {prompt.context} ({prompt.split}, frame {prompt.frame}) has "
                f"{len(tokens)} tokens and needs {room} for the answer; {directory.name} can attend to {limit}"
            )
        encoded.append(tokens)
    return encoded


def encode_chat(tokenizer: Any, system: str, user: str) -> list[int]:
    """Return the tokens of a chat up to where the answer begins.

    A template that knows no system message gets it in front of the user's.
    """
    separate = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    together = [{"role": "user", "content": f"{system}\n\n{user}"}]
    try:
        encoded = tokenizer.apply_chat_template(separate, add_generation_prompt=True, return_dict=True)
    except TemplateError:
        encoded = tokenizer.apply_chat_template(together, add_generation_prompt=True, return_dict=True)
    return list(encoded["input_ids"])


def label_tokens(tokenizer: Any, labels: Iterable[str], model_name: str) -> dict[str, list[int]]:
    """Return the tokens that the tokenizer itself writes for each label at the beginning of an answer.

    Raises InputError naming model and label when it cannot write one.
    """
    written = {label: tokenizer.encode(label, add_special_tokens=False) for label in dict.fromkeys(labels)}
    for label, tokens in written.items():
        if tokenizer.decode(tokens).strip() != label:
            raise InputError(
                f"label {label!r} cannot be written with the tokens of {model_name}, which make "
                f"{tokenizer.decode(tokens).strip()!r} of it; choose another"
            )
    return written
