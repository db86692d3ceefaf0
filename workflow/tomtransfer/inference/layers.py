"""The layers of a model that an adapter may stand beside."""

from collections import Counter
from typing import Any

import torch
from transformers.pytorch_utils import Conv1D


def linear_layers(model: Any) -> Counter[str]:
    """Return how many linear layers of each name a model has that can be tuned, by the last part of their names.

    Not those that see images or hear, nor those whose name another kind of layer has as well. Of a state space (Mamba)
    the first alone: fused kernels read the weights of the others past any adapter.
    """
    linear: Counter[str] = Counter()
    others: set[str] = set()
    towers = tuple(f"{tower}." for tower in towers_of(model))
    for place, module in model.named_modules():
        if f"{place}.".startswith(towers):
            continue
        fused = hasattr(module, "A_log") and hasattr(module, "D")
        for name, layer in module.named_children():
            tunable = _is_linear(layer) and not (fused and not name.startswith("in_proj"))
            if tunable:
                linear[name] += 1
            else:
                others.add(name)
    return Counter({name: count for name, count in linear.items() if name not in others})


def towers_of(model: Any) -> list[str]:
    """Return the names of those parts of a model that take images or sounds, which no prompt reaches."""
    return [
        name
        for name, module in model.named_modules()
        if name and "text" not in getattr(module, "input_modalities", "text")
    ]


def _is_linear(layer: Any) -> bool:
    """Tell whether a layer multiplies with a matrix and does nothing else, so that an adapter can stand beside it."""
    library = type(layer).__module__.split(".")[0]
    return isinstance(layer, Conv1D) or (isinstance(layer, torch.nn.Linear) and library in {"torch", "bitsandbytes"})
