"""Asking a model: load it once, read its choice distribution exactly, prompt by prompt.

Needs torch and transformers (with bitsandbytes for four-bit weights and peft for adapters), and neither tables nor
Snakemake.
"""

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError

from tomtransfer import row_attention
from tomtransfer.four_bits import compute_as_told, four_bits
from tomtransfer.model_files import check_adapter, verify
from tomtransfer.parsing import WRAPPING
from tomtransfer.prefill import Prefixes, prefill
from tomtransfer.prompts import Prompt, Query
from tomtransfer.validation import InputError

logger = logging.getLogger(__name__)

# For a tokenizer that has no chat template of its own.
PLAIN_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] + '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Answer:\n' }}{% endif %}"
)


@dataclass(frozen=True)
class EncodedPrompt:
    """A prompt as a model takes it, with the tokens that spell each label; the first of them begins a completion.

    There are none where labels were not looked for.
    """

    tokens: list[int]
    cooperate: list[int]
    defect: list[int]


@dataclass(frozen=True)
class ChoiceDistribution:
    """Probabilities of the first token of an answer: they sum to one."""

    cooperate: float
    defect: float
    other: float


def choose_device(wanted: str) -> torch.device:
    """Return the device named `wanted`, where `auto` is a GPU if there is one; raises InputError if it is not there."""
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted == "cuda" and not torch.cuda.is_available():
        raise InputError("compute.device: cuda is asked for, but torch sees no GPU; allowed here: auto, cpu")
    return torch.device(wanted)


def compute_type(device: torch.device) -> torch.dtype:
    """Return the type to compute in: bfloat16 where the device has it in hardware, float32 elsewhere.

    A CPU always computes in float32: some emulate bfloat16, others have it, and results should not depend on which.
    """
    return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32


def load_tokenizer(directory: Path) -> Any:
    """Return the tokenizer of the model in `directory`, with a plain chat template if it has none."""
    from transformers import AutoTokenizer

    verify(directory)
    tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=False)
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_CHAT_TEMPLATE
    return tokenizer


def load_model(directory: Path, quantization: str, device: torch.device, adapter: Path | None = None) -> Any:
    """Return the model in `directory`, weights as stored or in four-bit NormalFloat, with an adapter if given.

    Raises InputError when the folder holds no complete model. Several GPUs share a model that one cannot hold.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils.logging import disable_progress_bar

    verify(directory)
    disable_progress_bar()
    dtype = compute_type(device)
    logger.info("loading %s on %s in %s, weights %s", directory.name, device, str(dtype).split(".")[1], quantization)
    model = AutoModelForCausalLM.from_pretrained(
        directory,
        dtype=dtype,
        device_map="auto" if device.type == "cuda" else None,
        quantization_config=four_bits(dtype) if quantization == "nf4" else None,
        attn_implementation=row_attention.ATTENTION,
        use_safetensors=True,
        trust_remote_code=False,
    )
    if quantization == "nf4":
        compute_as_told(model)
    if adapter is not None:
        from peft import PeftModel

        check_adapter(adapter)
        model = PeftModel.from_pretrained(model, adapter)
    return model.eval()


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
    """Return for each label every token that spells it once what may stand around it is taken away.

    The first token of each list is how the tokenizer itself spells the label. Raises InputError naming model and label
    when there is none.
    """
    vocabulary = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    spellings: dict[str, list[int]] = {label: [] for label in labels}
    for token, text in enumerate(vocabulary):
        label = text.strip(WRAPPING)
        if label in spellings:
            spellings[label].append(token)
    for label, tokens in spellings.items():
        if not tokens:
            raise InputError(
                f"label {label!r} is not a single token of {model_name}; choose one that is, such as a letter"
            )
        own = tokenizer.encode(label, add_special_tokens=False)
        tokens.sort(key=lambda token: ([token] != own, token))
    return spellings


def choice_distributions(
    model: Any,
    prompts: Sequence[EncodedPrompt],
    temperature: float,
    tokens_per_batch: int,
    kept: Collection[int] = (),
    prefixes: Prefixes | None = None,
) -> list[ChoiceDistribution]:
    """Return the exact distribution of the first token after each prompt, at `temperature`, without drawing any.

    What the model keeps of the prompts whose numbers are `kept` joins `prefixes`, to draw texts behind them later.
    """
    results: dict[int, ChoiceDistribution] = {}
    for index, logits, prefix in prefill(model, [prompt.tokens for prompt in prompts], tokens_per_batch, kept):
        row = torch.softmax(logits / temperature, dim=-1).cpu()
        cooperate = float(row[prompts[index].cooperate].sum())
        defect = float(row[prompts[index].defect].sum())
        results[index] = ChoiceDistribution(cooperate, defect, max(0.0, 1 - cooperate - defect))
        if prefix is not None and prefixes is not None:
            prefixes[tuple(prompts[index].tokens)] = prefix
    return [results[index] for index in range(len(prompts))]
