"""The low-rank adapter of a student."""

import re
from typing import Any

from peft import LoraConfig, get_peft_model
from transformers import set_seed

from tomtransfer.experiment.sections import Training
from tomtransfer.inference.layers import linear_layers, towers_of
from tomtransfer.training.preparation import require_targets


def add_adapter(model: Any, settings: Training, seed: int = 1) -> Any:
    """Return `model` with a fresh low-rank adapter, whose first weights hang on `seed`; its own weights are frozen.

    Raises InputError when the model has no layer of a name in `settings.lora.targets`.
    """
    require_targets(settings.lora.targets, linear_layers(model))
    set_seed(seed)
    towers = "|".join(re.escape(tower) for tower in towers_of(model))
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
