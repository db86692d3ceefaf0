"""A tuned student as a model of its own: the adapter's update added to the weights that it was trained on.

What was in four bits is written as the numbers that it stood for, so that the merged model answers as base and adapter
do together. Merged, a student can be a respondent of another experiment, or be served by any server.
"""

import json
from pathlib import Path

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.integrity import check_adapter

FACTS = "training.json"
"""What a training notes beside its adapter."""


def merge_student(adapter: Path, models: Path, to: Path) -> None:
    """Write the model that an adapter was trained on, with its update added, into the folder `to`.

    `models` has the fetched models. Raises InputError when there is no such adapter, its model is not the one that it
    was trained on or is not there, or `to` is in use.
    """
    import torch

    from tomtransfer.inference.loading import load_model, load_tokenizer, quantized_in_four_bits

    facts = _facts(adapter)
    base = models / facts["base_model"]
    if not base.is_dir():
        raise InputError(f"{base}: no such model, on which the adapter was trained; --models says where models are")
    if to.exists() and any(to.iterdir()):
        raise InputError(f"{to}: has files in it; give a folder of its own")
    model = load_model(base, facts["quantization"], torch.device("cpu"))
    if quantized_in_four_bits(model):
        model = model.dequantize()
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
    from peft import PeftModel

    merged = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    merged.save_pretrained(to, safe_serialization=True)
    load_tokenizer(base).save_pretrained(to)


def _facts(adapter: Path) -> dict[str, str]:
    check_adapter(adapter)
    try:
        facts: dict[str, str] = json.loads((adapter / FACTS).read_text(encoding="utf-8"))
        return {name: facts[name] for name in ("base_model", "quantization")}
    except (OSError, ValueError, KeyError):
        raise InputError(f"{adapter / FACTS}: does not say what the adapter was trained on") from None
