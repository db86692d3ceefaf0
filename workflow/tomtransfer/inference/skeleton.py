"""A model without its weights: which layers it has, and whether its checkpoint has the tensors that they need.

It is built from the configuration and the headers of the weights, on no device: in a moment, whatever its size.
"""

from pathlib import Path
from typing import Any

import torch

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.layers import linear_layers
from tomtransfer.inference.loading import model_class, require_all_weights
from tomtransfer.models.quantization import UNQUANTIZED, loaded_with, stored_as


def anatomy(directory: Path, quantization: str) -> dict[str, Any]:
    """Return what the model in `directory` is made of, as JSON holds it; raises InputError as `skeleton` does.

    Its architecture, the number of its parameters, and how many linear layers of each name an adapter may stand beside.
    """
    model = skeleton(directory, quantization)
    return {
        "architecture": type(model).__name__,
        "parameters": sum(each.numel() for each in model.parameters()),
        "linear_layers": dict(sorted(linear_layers(model).items())),
    }


def skeleton(directory: Path, quantization: str) -> Any:
    """Return the model in `directory` on no device, after a look at what its weights are called and how large they are.

    What a checkpoint has that is quantized by others cannot be told before it is loaded. Raises InputError when the
    architecture is not known, when its weights cannot be had in that `quantization`, or when some are missing, unknown
    or of another shape.
    """
    from transformers import AutoConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    loads = model_class(directory)
    loaded_with(directory, quantization, torch.float32)
    try:
        if stored_as(directory) == UNQUANTIZED:
            model, found = loads.from_pretrained(
                directory,
                device_map="meta",
                use_safetensors=True,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,  # named below
                output_loading_info=True,
            )
        else:
            with torch.device("meta"):
                model, found = loads.from_config(AutoConfig.from_pretrained(directory, trust_remote_code=False)), {}
    except (ImportError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{directory}: cannot be built: {' '.join(str(error).split())[:300]}") from error
    require_all_weights(directory, found)
    return model
