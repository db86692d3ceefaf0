"""Plain passes: one prompt in a row of its own, with the attention that the model's authors wrote.

Slow, and right for every causal language model: it is what all faster ways are held against, and what a model is run
with whose rows cannot be shared.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tomtransfer.inference.general_attention import attending

PLAIN = "eager"
"""The attention of a plain pass, as transformers calls it: written out, with everything that the model asks for."""


def plain_logits(model: Any, tokens: Sequence[int]) -> torch.Tensor:
    """Return the logits after each token of one sequence, (tokens, vocabulary), in float32."""
    with attending(model, PLAIN):
        inputs = {"input_ids": torch.tensor([list(tokens)], device=model.device), "use_cache": False}
        logits: torch.Tensor = model(**accepted(model, inputs)).logits[0].float()
    return logits


def accepted(model: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `inputs` that a model's forward pass takes; input_ids it always takes."""
    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    known = inspect.signature(base.forward).parameters
    return {name: value for name, value in inputs.items() if name == "input_ids" or name in known}
