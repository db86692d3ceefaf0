"""Four-bit weights by bitsandbytes, computing in the type that it is told."""

from typing import Any

import torch


def four_bits(dtype: torch.dtype) -> Any:
    """Return the quantization of QLoRA (Dettmers et al., arXiv 2305.14314, 2023): NF4 with quantized constants."""
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def compute_as_told(model: Any) -> None:
    """Keep bitsandbytes to the compute type that it was given.

    On a CPU with AVX512-BF16 its layers repack their weights in evaluation mode and compute in bfloat16 whatever the
    compute type, so that one adapter would score differently from one machine to the next, and in training and after.
    """
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False
