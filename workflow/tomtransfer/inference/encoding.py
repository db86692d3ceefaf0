"""Prompts as a model takes them: a chat up to where the answer begins, and the tokens that write a label."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.chat import Variables, chat_of
from tomtransfer.scenarios.questions import Prompt, Query

WRITING_REVISION = 2
"""Raised by hand when other tokens write a label, so that what was drawn and taught after it before is not used."""

SAMPLED = 3
"""Prompts that are encoded where all are known to fit: the longest in bytes."""


def encode_prompts(
    tokenizer: Any, prompts: Sequence[Prompt | Query], directory: Path, room: int = 1, chat: Variables = ()
) -> list[list[int]]:
    """Return the tokens of prompts up to where the answer begins, for the model in `directory`.

    `chat` are variables of its chat template. Where reasons come first, the answer of a model that always thinks begins
    with its thoughts. Raises InputError when a prompt with `room` tokens for its answer is longer than the model's
    context, when it has a token that the model lacks, and for a model that always thinks where its answer is to come
    first.
    """
    settings = read_settings(directory)
    limit, known = longest_context(settings), known_tokens(settings)
    encoded = []
    for prompt in prompts:
        found = chat_of(tokenizer, chat, prompt.question == "reason_first")
        encode = found.encode_thinking_prompt if found.thinks else found.encode_prompt
        tokens = encode(prompt.system, prompt.user)
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


def longest_encoded(
    tokenizer: Any, prompts: Sequence[Prompt | Query], directory: Path, room: int, chat: Variables = ()
) -> int:
    """Return how many tokens the longest of `prompts` has with the `room` for its answer; 0 without any.

    Raises InputError as `encode_prompts` does for any of them.
    """
    limit, found = read_context(directory), chat_of(tokenizer, chat, may_think=True)
    messages = ("system", "user")
    around = max(len(text.encode()) for text in (found.prompt(*messages), found.thinking_prompt(*messages)))
    sizes = {prompt.sha256: len(f"{prompt.system}{prompt.user}".encode()) for prompt in prompts}
    ordered = sorted(prompts, key=lambda prompt: -sizes[prompt.sha256])
    # No token writes less than a byte: what is short in bytes fits, and need not be encoded to know it.
    long = [prompt for prompt in ordered if sizes[prompt.sha256] + around + room > limit]
    encoded = encode_prompts(tokenizer, long or ordered[:SAMPLED], directory, room, chat)
    return max((len(tokens) + room for tokens in encoded), default=0)


def read_context(directory: Path) -> float:
    """Return how many tokens the model in `directory` can attend to."""
    return longest_context(read_settings(directory))


def read_settings(directory: Path) -> dict[str, Any]:
    """Return the configuration of the model in `directory`."""
    return dict(json.loads((directory / "config.json").read_text(encoding="utf-8")))


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
    written = {label: chat_of(tokenizer, chat, may_think=True).write(label) for label in dict.fromkeys(labels)}
    for label, tokens in written.items():
        if tokenizer.decode(tokens).strip() != label.strip():
            raise InputError(
                f"label {label.strip()!r} cannot be written with the tokens of {model_name}, which make "
                f"{tokenizer.decode(tokens).strip()!r} of it; choose another"
            )
    return written
