"""The low-rank adapter of a student: which of its layers one may stand beside, and putting it there."""

import re
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import set_seed
from transformers.pytorch_utils import Conv1D

from tomtransfer.experiment.sections import Training
from tomtransfer.experiment.validation import InputError


def add_adapter(model: Any, settings: Training) -> Any:
    """Return `model` with a fresh, seeded low-rank adapter; its own weights are frozen.

    Raises InputError when the model has no layer of a name in `settings.lora.targets`.
    """
    linear = linear_layers(model)
    unknown = sorted(set(settings.lora.targets) - linear)
    if unknown:
        raise InputError(
            f"training.lora.targets: no layer is called {', '.join(unknown)}; allowed: {', '.join(sorted(linear))}"
        )
    set_seed(settings.seed)
    towers = "|".join(re.escape(tower) for tower in _towers(model))
    return get_peft_model(
        model,
        LoraConfig(
            exclude_modules=rf"({towers})\..*" if towers else None,
            r=settings.lora.rank,
            lora_alpha=settings.lora.alpha,
            lora_dropout=settings.lora.dropout,
            target_modules=list(settings.lora.targets),
            task_type="CAUSAL_LM",
        ),
    )


def linear_layers(model: Any) -> set[str]:
    """Return what the linear layers of a model are called that can be tuned, by the last part of their names.

    Not those that see images or hear, nor those whose name another kind of layer has as well. Of a state space (Mamba)
    the first alone: fused kernels read the weights of the others past any adapter.
    """
    linear: set[str] = set()
    others: set[str] = set()
    towers = tuple(f"{tower}." for tower in _towers(model))
    for place, module in model.named_modules():
        if f"{place}.".startswith(towers):
            continue
        fused = hasattr(module, "A_log") and hasattr(module, "D")
        for name, layer in module.named_children():
            tunable = _is_linear(layer) and not (fused and not name.startswith("in_proj"))
            (linear if tunable else others).add(name)
    return linear - others


def _towers(model: Any) -> list[str]:
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
