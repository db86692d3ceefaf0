"""Loading what a model is run with: its tokenizer and its weights, with or without an adapter."""

import logging
from pathlib import Path
from typing import Any

import torch

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.row_attention import SHARED_ROWS
from tomtransfer.models.integrity import check_adapter, verify
from tomtransfer.models.quantization import compute_as_told, four_bits

logger = logging.getLogger(__name__)

# For a tokenizer that has no chat template of its own.
PLAIN_CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] + '\n\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Answer:\n' }}{% endif %}"
)


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
        attn_implementation=SHARED_ROWS,
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
