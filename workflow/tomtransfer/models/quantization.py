"""The precision of weights: as the checkpoint stores them, in four bits by bitsandbytes, or unquantized."""

import json
import logging
from pathlib import Path
from typing import Any

import torch

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.integrity import stored_types

logger = logging.getLogger(__name__)

UNQUANTIZED = "plain numbers"
"""How a checkpoint without a quantization of its own is stored."""

STACKED = 3
"""Dimensions of weights that a model keeps of several layers, such as experts, as one."""

MXFP4_CAPABILITY, MXFP4_TRITON = (7, 5), "3.4.0"
"""What a GPU and the package triton have to be at least to compute with weights in MXFP4."""

UNPACKED = frozenset({"fp8", "mxfp4"})
"""Quantizations of checkpoints that transformers can undo while it loads them."""


def stored_as(directory: Path) -> str:
    """Return how the weights of the model in `directory` are stored: the method that its configuration names.

    A configuration of several parts has it at its top or in its text part.
    """
    settings = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    parts = (settings, settings.get("text_config") or {})
    found = next((part["quantization_config"] for part in parts if part.get("quantization_config")), None)
    if found is None:
        return UNQUANTIZED
    if found.get("load_in_4bit"):
        return f"bitsandbytes {found.get('bnb_4bit_quant_type', 'fp4')}"
    return "bitsandbytes int8" if found.get("load_in_8bit") else str(found.get("quant_method", "unknown"))


def loaded_with(directory: Path, wanted: str, dtype: torch.dtype, device: torch.device | None = None) -> dict[str, Any]:
    """Return what transformers has to be told to load the model in `directory` with weights as `wanted` on a `device`.

    `wanted` is `as_stored`, `nf4` or `none`. What cannot be computed with as it is stored is unpacked, which is said.
    Raises InputError where the checkpoint cannot be had that way.
    """
    stored = stored_as(directory)
    if wanted == "as_stored" and stored == "mxfp4" and device and (reason := why_unpacked(device)):
        logger.warning("%s: weights stored as mxfp4 are unpacked to four times their size: %s", directory.name, reason)
        return {"quantization_config": _unpacking(stored)}
    if wanted == "as_stored" or (wanted == "nf4" and stored == "bitsandbytes nf4"):
        return {}
    if stored == UNQUANTIZED:
        return {"quantization_config": four_bits(dtype)} if wanted == "nf4" else {}
    if wanted == "none" and stored in UNPACKED:
        return {"quantization_config": _unpacking(stored)}
    lost = "its full precision is gone" if wanted == "none" else "nf4 is made of plain numbers alone"
    raise InputError(
        f"quantization: {wanted}: the weights of {directory.name} are stored as {stored}: {lost}; allowed: as_stored"
    )


def why_unpacked(device: torch.device) -> str:
    """Return in words why nothing can be computed with weights in MXFP4 on a `device`; nothing where it can.

    transformers would find out itself, and say so in a warning among many.
    """
    from transformers.utils.import_utils import (
        KERNELS_MAX_VERSION,
        KERNELS_MIN_VERSION,
        is_kernels_available,
        is_triton_available,
    )

    if device.type != "cuda":
        return "there is no GPU"
    if torch.cuda.get_device_capability(device) < MXFP4_CAPABILITY:
        return f"the GPU is of a compute capability below {'.'.join(map(str, MXFP4_CAPABILITY))}"
    if not is_triton_available(MXFP4_TRITON):
        return f"the package triton is missing or older than {MXFP4_TRITON}"
    if not is_kernels_available():
        return f"the package kernels is missing: pip install 'kernels>={KERNELS_MIN_VERSION},<{KERNELS_MAX_VERSION}'"
    return ""


def require_scales(directory: Path) -> None:
    """Raise InputError naming weights in eight bits that a checkpoint stored as fp8 has without their scales.

    transformers takes them for the weights themselves, which are thousands of times smaller, and says nothing.
    """
    if stored_as(directory) != "fp8":
        return
    types = stored_types(directory)
    lacking = [
        name
        for name, kind in sorted(types.items())
        if kind.startswith("F8_") and not any(f"{name}_{scale}" in types for scale in ("scale_inv", "scale"))
    ]
    if lacking:
        raise InputError(f"{directory}: the checkpoint has no scales for its weights in eight bits: {lacking[0]}")


def four_bits(dtype: torch.dtype) -> Any:
    """Return the quantization of QLoRA (Dettmers et al., arXiv 2305.14314, 2023): NF4 with quantized constants."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _unpacking(stored: str) -> Any:
    """Return what has transformers turn a quantized checkpoint into plain numbers."""
    from transformers import FineGrainedFP8Config, Mxfp4Config

    return {"fp8": FineGrainedFP8Config, "mxfp4": Mxfp4Config}[stored](dequantize=True)


def compute_as_told(model: Any) -> None:
    """Keep bitsandbytes to the compute type that it was given.

    On a CPU with AVX512-BF16 its layers repack their weights in evaluation mode and compute in bfloat16 whatever the
    compute type, so that one adapter would score differently from one machine to the next, and in training and after.
    """
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def left_out(model: Any) -> list[str]:
    """Return the names of weight matrices that four-bit quantization left as they were, embeddings and heads apart.

    bitsandbytes replaces linear layers alone: experts that a model keeps as one tensor stay in full precision.
    """
    embeddings = [model.get_input_embeddings(), model.get_output_embeddings()]
    known = {id(module.weight) for module in embeddings if module is not None and hasattr(module, "weight")}
    return [
        name
        for name, value in model.named_parameters()
        if value.ndim == STACKED and value.dtype.is_floating_point and id(value) not in known and "conv" not in name
    ]
