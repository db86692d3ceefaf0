"""Loading what a model is run with: its tokenizer and its weights, with or without an adapter."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.integrity import check_adapter, verify
from tomtransfer.models.quantization import UNPACKED, compute_as_told, left_out, loaded_with, require_scales, stored_as

logger = logging.getLogger(__name__)

PLAIN_CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'assistant' %}{{ 'Answer:\n' }}{% endif %}"
    "{{ message['content'] + '\n\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'Answer:\n' }}{% endif %}"
)
"""For a tokenizer that has no chat template of its own, such as that of a base model."""


MOST_WEIGHTS_NAMED = 5
"""Weights that are named where many are wrong."""


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
    """Return the tokenizer of the model in `directory`, with a plain chat template if it has none.

    Raises InputError when the folder holds no tokenizer that can be read.
    """
    from transformers import AutoTokenizer

    verify(directory)
    try:
        tokenizer = AutoTokenizer.from_pretrained(directory, trust_remote_code=False)
    except (ImportError, ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{directory}: its tokenizer cannot be read: {reason}") from error
    if tokenizer.chat_template is None:
        tokenizer.chat_template = _template_beside(directory) or _plain_template(tokenizer)
    return tokenizer


def _template_beside(directory: Path) -> str | None:
    """Return the chat template that stands in a file of its own, as older processors have it."""
    place = directory / "chat_template.json"
    if not place.exists():
        return None
    try:
        return str(json.loads(place.read_text(encoding="utf-8"))["chat_template"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{place}: not a chat template: it has no chat_template") from None


def _plain_template(tokenizer: Any) -> str:
    """Return the plain chat template, after the token that the tokenizer itself begins a text with, if it does."""
    begun = tokenizer.encode("", add_special_tokens=True)
    begins = tokenizer.bos_token_id is not None and begun[:1] == [tokenizer.bos_token_id]
    return ("{{ " + repr(tokenizer.bos_token) + " }}" if begins else "") + PLAIN_CHAT_TEMPLATE


def load_model(directory: Path, quantization: str, device: torch.device, adapter: Path | None = None) -> Any:
    """Return the model in `directory`, weights `as_stored`, in `nf4` or with `none`, and with an adapter if given.

    Several GPUs share a model that one cannot hold. Raises InputError when the folder holds no complete model, when its
    weights are not those of its architecture, each of them, or when they cannot be loaded in that precision.
    """
    from transformers.utils.logging import disable_progress_bar

    verify(directory)
    disable_progress_bar()
    dtype = compute_type(device)
    logger.info("loading %s on %s in %s, weights %s", directory.name, device, str(dtype).split(".")[1], quantization)
    arguments = loaded_with(directory, quantization, dtype, device)
    require_scales(directory)
    try:
        model, found = model_class(directory).from_pretrained(
            directory,
            dtype=dtype,
            device_map="auto" if device.type == "cuda" else None,
            use_safetensors=True,
            trust_remote_code=False,
            ignore_mismatched_sizes=True,  # named below, which transformers does in a table of its own
            output_loading_info=True,
            **arguments,
        )
    except (ImportError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        stored = stored_as(directory)
        raise InputError(
            f"{directory}: cannot be loaded (weights stored as {stored}, quantization {quantization}): {reason}"
        ) from error
    require_all_weights(directory, found)
    if quantized_in_four_bits(model):
        compute_as_told(model)
        if names := left_out(model):
            logger.warning("not in four bits, since they are no linear layers: %s", ", ".join(names[:4]))
    elif stored_as(directory) in UNPACKED and device.type == "cpu":
        model = model.to(dtype)  # what was quantized comes back in a type of its own
    if adapter is not None:
        from peft import PeftModel

        check_adapter(adapter)
        model = PeftModel.from_pretrained(model, adapter)
    return model.eval()


def model_class(directory: Path) -> Any:
    """Return what loads the model in `directory`: a language model, or one that sees images as well.

    Raises InputError for a model that is neither, or that this version of transformers does not know.
    """
    from transformers import (
        MODEL_FOR_CAUSAL_LM_MAPPING,
        MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING,
        AutoConfig,
        AutoModelForCausalLM,
        AutoModelForImageTextToText,
    )

    try:
        config = AutoConfig.from_pretrained(directory, trust_remote_code=False)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{directory / 'config.json'}: {' '.join(str(error).split())[:300]}") from None
    if type(config) in MODEL_FOR_CAUSAL_LM_MAPPING:
        return AutoModelForCausalLM
    if type(config) in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        return AutoModelForImageTextToText
    raise InputError(f"{directory / 'config.json'}: model_type {config.model_type!r} is no model that writes text")


def require_all_weights(directory: Path, found: Mapping[str, Any]) -> None:
    """Raise InputError naming the weights that a model has and its checkpoint lacks, or the other way round."""
    for kind, said in (
        ("missing_keys", "has no weights for"),
        ("unexpected_keys", "has weights that its architecture does not know"),
        ("mismatched_keys", "has weights of another shape than its configuration says"),
        ("error_msgs", "cannot be loaded"),
    ):
        if found.get(kind):
            names = sorted(str(each[0] if isinstance(each, tuple) else each) for each in found[kind])
            shown, more = ", ".join(names[:MOST_WEIGHTS_NAMED]), len(names) - MOST_WEIGHTS_NAMED
            raise InputError(f"{directory}: the checkpoint {said}: {shown}{f' and {more} more' if more > 0 else ''}")


def quantized_in_four_bits(model: Any) -> bool:
    """Tell whether the weights of a model are in four bits by bitsandbytes."""
    return bool(getattr(model, "is_loaded_in_4bit", False))
