"""Prompts as a model takes them: a chat up to where the answer begins, and the tokens that write a label."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.chat import Variables, chat_of
from tomtransfer.scenarios.questions import Prompt, Query

WRITING_REVISION = 2
"""Raised by hand when other tokens write a label, so that what was drawn and taught behind it before is not used."""


def encode_prompts(
    tokenizer: Any, prompts: Sequence[Prompt | Query], directory: Path, room: int = 1, chat: Variables = ()
) -> list[list[int]]:
    """Return the tokens of prompts up to where the answer begins, for the model in `directory`.

    `chat` are variables of its chat template. Raises InputError when a prompt with `room` tokens for its answer is
    longer than the model's context, or has a token that the model has not.
    """
    settings = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    limit, known = longest_context(settings), known_tokens(settings)
    encoded = []
    for prompt in prompts:
        tokens = chat_of(tokenizer, chat).encode_prompt(prompt.system, prompt.user)
        if max(tokens) >= known:
            raise InputError(
                f"{directory}: tokenizer and weights do not belong together: the tokenizer writes prompts with token "
                f"{max(tokens)} ({tokenizer.convert_ids_to_tokens(max(tokens))!r}), the model has {known:.0f}"
            )
        if len(tokens) + room > limit:
            raise InputError(
                f"the prompt of {prompt.game} in {prompt.context} ({prompt.split}, frame {prompt.frame}) has "
                f"{len(tokens)} tokens and needs {room} for the answer; {directory.name} can attend to {limit:.0f}"
            )
        encoded.append(tokens)
    return encoded


def longest_context(settings: Mapping[str, Any]) -> float:
    """Return how many tokens a model can attend to, by its configuration or by the text part of it."""
    parts = (settings, settings.get("text_config") or {})
    names = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length")
    return min((part[name] for part in parts for name in names if part.get(name)), default=float("inf"))


def known_tokens(settings: Mapping[str, Any]) -> float:
    """Return how many tokens a model has, by its configuration or by the text part of it."""
    parts = (settings, settings.get("text_config") or {})
    return max((part["vocab_size"] for part in parts if part.get("vocab_size")), default=float("inf"))


def label_tokens(tokenizer: Any, labels: Iterable[str], model_name: str, chat: Variables = ()) -> dict[str, list[int]]:
    """Return the tokens that the tokenizer itself writes for each label, or label and line break, as an answer begins.

    Raises InputError naming model and label when it cannot write one.
    """
    written = {label: chat_of(tokenizer, chat).write(label) for label in dict.fromkeys(labels)}
    for label, tokens in written.items():
        if tokenizer.decode(tokens).strip() != label.strip():
            raise InputError(
                f"label {label.strip()!r} cannot be written with the tokens of {model_name}, which make "
                f"{tokenizer.decode(tokens).strip()!r} of it; choose another"
            )
    return written
