"""Weights as checkpoints store them: right, or refused with what is wrong; the same at each load."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.loading import load_model
from tomtransfer.inference.plain import plain_logits
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.quantization import compute_as_told, four_bits, stored_as
from tomtransfer.models.registry import CORPUS

CPU = torch.device("cpu")
TOKENS = list(range(40, 60))
BLOCKS = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}


@pytest.fixture(scope="module")
def plain():
    torch.manual_seed(0)
    settings = {"hidden_size": 128, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    return LlamaForCausalLM(LlamaConfig(vocab_size=400, initializer_range=0.2, **settings)).eval()


def written(folder, model, change=None, quantization=None):
    model.save_pretrained(folder)
    train_tokenizer(CORPUS, 400).save_pretrained(folder)
    if change:
        tensors = load_file(folder / "model.safetensors")
        save_file(change(tensors), folder / "model.safetensors", metadata={"format": "pt"})
    if quantization:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"quantization_config": quantization}))
    return folder


def in_eight_bits(tensors):
    found = {}
    for name, value in tensors.items():
        found[name] = value
        if name.endswith("_proj.weight"):
            scale = value.abs().max() / 448
            found[name] = (value / scale).to(torch.float8_e4m3fn)
            found[f"{name}_scale_inv"] = torch.full((1, 1), float(scale))
    return found


def logits(model):
    with torch.inference_mode():
        return plain_logits(model, TOKENS)


@pytest.mark.parametrize("quantization", ["as_stored", "none"])
def test_eight_bits_are_read_with_their_scales_and_alike_at_each_load(tmp_path, plain, quantization):
    folder = written(tmp_path / "fp8", plain, in_eight_bits, BLOCKS)
    tensors = load_file(folder / "model.safetensors")
    unpacked = {
        name: value.float() * tensors.get(f"{name}_scale_inv", torch.ones(1, 1))[0, 0]
        for name, value in tensors.items()
        if not name.endswith("_scale_inv")
    }
    expected = LlamaForCausalLM(plain.config).eval()
    expected.load_state_dict(unpacked, strict=True)
    first, second = (logits(load_model(folder, quantization, CPU)) for _ in range(2))
    assert torch.allclose(first, logits(expected), atol=1e-5)
    assert torch.equal(first, second)


def test_four_bits_are_read_as_they_are_and_have_no_full_precision(tmp_path, plain):
    whole = written(tmp_path / "whole", plain)
    four = AutoModelForCausalLM.from_pretrained(
        whole, quantization_config=four_bits(torch.float32), dtype=torch.float32
    )
    folder = written(tmp_path / "four", four)
    compute_as_told(four)
    assert stored_as(folder) == "bitsandbytes nf4"
    for quantization in ("as_stored", "nf4"):
        assert torch.allclose(logits(load_model(folder, quantization, CPU)), logits(four), atol=1e-5)
    with pytest.raises(InputError, match="quantization: none: the weights of four are stored as bitsandbytes nf4: its"):
        load_model(folder, "none", CPU)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda tensors: {name: each for name, each in tensors.items() if "1.self_attn.q_proj" not in name},
         r"has no weights for: model\.layers\.1\.self_attn\.q_proj\.weight"),
        (lambda tensors: tensors | {"model.layers.0.extra.weight": torch.ones(2)},
         r"has weights that its architecture does not know: model\.layers\.0\.extra\.weight"),
        (lambda tensors: tensors | {"model.norm.weight": torch.ones(64)},
         r"another shape than its configuration says: model\.norm\.weight"),
    ],
    ids=["missing", "unexpected", "mismatched"],
)  # fmt: skip
@pytest.mark.parametrize("quantization", ["as_stored", "nf4"])
def test_a_checkpoint_that_is_not_its_architectures_is_refused_with_the_tensors_name(
    tmp_path, plain, change, said, quantization
):
    with pytest.raises(InputError, match=said):
        load_model(written(tmp_path / "odd", plain, change), quantization, CPU)


def test_a_quantization_whose_package_is_not_there_is_refused_with_its_name(tmp_path, plain):
    folder = written(tmp_path / "gptq", plain, None, {"quant_method": "gptq", "bits": 4, "group_size": 128})
    with pytest.raises(InputError, match=r"weights stored as gptq, quantization as_stored.*optimum"):
        load_model(folder, "as_stored", CPU)
    for quantization in ("nf4", "none"):
        with pytest.raises(InputError, match=rf"quantization: {quantization}: .* stored as gptq.*allowed: as_stored"):
            load_model(folder, quantization, CPU)


def test_another_architecture_than_transformers_knows_is_refused(tmp_path, plain):
    folder = written(tmp_path / "new", plain)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "brand_new"}))
    with pytest.raises(InputError, match=r"config\.json: .*brand_new"):
        load_model(folder, "none", CPU)
