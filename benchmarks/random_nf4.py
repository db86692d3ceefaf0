"""A Llama of any shape with random weights in NF4, made layer by layer: nothing is downloaded, no more is held."""

from typing import Any

import torch
from bitsandbytes.nn import Linear4bit, Params4bit
from transformers import LlamaConfig, LlamaForCausalLM

from tomtransfer.inference import row_attention
from tomtransfer.inference.loading import compute_type

SPREAD = 0.02
"""Standard deviation of the weights, as such models are initialized."""


def random_nf4(config: LlamaConfig, device: torch.device) -> Any:
    """Return a model of the shape of `config` whose linear layers, but for the last, are in four bits."""
    dtype = compute_type(device)
    config._attn_implementation = row_attention.SHARED_ROWS
    with torch.device("meta"):
        model = LlamaForCausalLM(config).to(dtype)
    torch.manual_seed(0)
    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, _linear(module, device, dtype))
    for name, parameter in list(model.named_parameters()):
        if parameter.is_meta:
            parent, _, last = name.rpartition(".")
            flat = parameter.ndim == 1  # the scale of a norm
            values = torch.ones if flat else lambda *size, **kind: torch.randn(*size, **kind).mul_(SPREAD)
            weights = torch.nn.Parameter(values(*parameter.shape, device=device, dtype=dtype), requires_grad=False)
            setattr(model.get_submodule(parent), last, weights)
    with torch.device(device):
        model.model.rotary_emb = type(model.model.rotary_emb)(config)
    model.is_loaded_in_4bit = True
    return model.eval()


def _linear(like: torch.nn.Linear, device: torch.device, dtype: torch.dtype) -> Linear4bit:
    """Return a layer of the shape of `like` with random weights that are quantized at once."""
    weights = torch.randn(like.out_features, like.in_features, device=device, dtype=dtype).mul_(SPREAD)
    with torch.device("meta"):
        layer = Linear4bit(
            like.in_features,
            like.out_features,
            bias=False,
            compute_dtype=dtype,
            compress_statistics=True,
            quant_type="nf4",
        )
    quantized = Params4bit(weights.cpu(), requires_grad=False, quant_type="nf4", compress_statistics=True)
    layer.weight = quantized.to(device)
    layer.support_avx512bf16_for_cpu = False
    return layer
