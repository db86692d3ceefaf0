"""Prompts as a model takes them: a chat up to where the answer begins, and the tokens that spell a label."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.questions import Prompt, Query
from tomtransfer.scenarios.spelling import spellings_of


@dataclass(frozen=True)
class EncodedPrompt:
    """A prompt as a model takes it, with the tokens that spell each label; the first of them begins a completion.

    There are none where labels were not looked for.
    """

    tokens: list[int]
    cooperate: list[int]
    defect: list[int]


def encode_prompts(tokenizer: Any, prompts: Sequence[Prompt], directory: Path, room: int = 1) -> list[EncodedPrompt]:
    """Encode prompts for the model in `directory`, with `room` tokens for an answer behind each.

    Raises InputError when a prompt with its answer is longer than the model's context, or a label is no single token.
    """
    labels = {label for prompt in prompts for label in prompt.labels}
    spellings = spell_labels(tokenizer, sorted(labels), directory.name)
    return [
        EncodedPrompt(text.tokens, spellings[prompt.cooperate], spellings[prompt.defect])
        for prompt, text in zip(prompts, encode_texts(tokenizer, prompts, directory, room), strict=True)
    ]


def encode_texts(
    tokenizer: Any, prompts: Sequence[Prompt | Query], directory: Path, room: int = 1
) -> list[EncodedPrompt]:
    """Encode prompts as `encode_prompts` does, without looking for the tokens of labels."""
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
        encoded.append(EncodedPrompt(tokens, [], []))
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


def spell_labels(tokenizer: Any, labels: Sequence[str], model_name: str) -> dict[str, list[int]]:
    """Return for each label every token that would be an answer that begins with it, and with nothing else.

    The first token of each list is how the tokenizer itself spells the label. Raises InputError naming model and label
    when there is none.
    """
    vocabulary = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    spellings: dict[str, list[int]] = {label: [] for label in labels}
    named = spellings_of(tuple(labels))
    for token, text in enumerate(vocabulary):
        found = named.begin(text)
        place = named.place(found["option"]) if found else None
        if place is not None:
            spellings[labels[place]].append(token)
    for label, tokens in spellings.items():
        if not tokens:
            raise InputError(
                f"label {label!r} is not a single token of {model_name}; choose one that is, such as a letter"
            )
        own = tokenizer.encode(label, add_special_tokens=False)
        tokens.sort(key=lambda token: ([token] != own, token))
    return spellings
