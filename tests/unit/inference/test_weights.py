"""Weights as checkpoints store them: right, or refused with what is wrong; the same at each load."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM
from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING

from architectures import build
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.loading import load_model
from tomtransfer.inference.plain import plain_logits
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.quantization import compute_as_told, four_bits, loaded_with, stored_as
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


def test_eight_bits_of_bitsandbytes_are_read_as_they_are_and_alike_at_each_load(tmp_path, plain):
    whole = written(tmp_path / "whole", plain)
    eight = AutoModelForCausalLM.from_pretrained(
        whole, quantization_config=BitsAndBytesConfig(load_in_8bit=True), dtype=torch.float32
    )
    folder = written(tmp_path / "eight", eight)
    assert stored_as(folder) == "bitsandbytes int8"
    first, second = (logits(load_model(folder, "as_stored", CPU)) for _ in range(2))
    assert torch.allclose(first, logits(eight), atol=1e-5)
    assert torch.equal(first, second)
    for quantization in ("nf4", "none"):
        with pytest.raises(InputError, match=rf"quantization: {quantization}: .* stored as bitsandbytes int8"):
            load_model(folder, quantization, CPU)


FOUR_BIT_NUMBERS = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
"""What a number of four bits, one for the sign, two for the exponent and one for the fraction, stands for."""


def in_microscaled_blocks(tensors):
    """The experts of a checkpoint in blocks of 32 numbers of four bits, two in a byte, with an exponent (MXFP4)."""
    found, draw = {}, torch.Generator().manual_seed(0)
    for name, value in tensors.items():
        if name.endswith(("gate_up_proj", "down_proj")):
            experts, width, out = value.shape
            shape = (experts, out, width // 32)
            found[f"{name}_blocks"] = torch.randint(256, (*shape, 16), generator=draw, dtype=torch.uint8)
            found[f"{name}_scales"] = torch.randint(122, 126, shape, generator=draw, dtype=torch.uint8)
        else:
            found[name] = value
    return found


def unpacked(tensors):
    """The plain numbers that such blocks are."""
    found = {}
    for name, value in tensors.items():
        if name.endswith("_blocks"):
            numbers = torch.stack([FOUR_BIT_NUMBERS[(value & 15).long()], FOUR_BIT_NUMBERS[(value >> 4).long()]], -1)
            exponents = tensors[name.replace("_blocks", "_scales")].float() - 127
            blocks = numbers.flatten(-2) * 2 ** exponents[..., None]
            found[name.removesuffix("_blocks")] = blocks.flatten(-2).transpose(1, 2).contiguous()
        elif not name.endswith("_scales"):
            found[name] = value
    return found


@pytest.fixture(scope="module")
def microscaled(tmp_path_factory):
    """A tiny gpt-oss as it is released, and the same in plain numbers."""
    model = build("gpt_oss")
    quantization = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "lm_head"]}
    folder = written(tmp_path_factory.mktemp("mxfp4"), model, in_microscaled_blocks, quantization)
    expected = type(model)(model.config).eval()
    expected.load_state_dict(unpacked(load_file(folder / "model.safetensors")), strict=True)
    return folder, expected


@pytest.mark.parametrize("quantization", ["as_stored", "none"])
def test_experts_in_microscaled_blocks_are_read_with_their_exponents_and_alike_at_each_load(microscaled, quantization):
    folder, expected = microscaled
    first, second = (logits(load_model(folder, quantization, CPU)) for _ in range(2))
    assert torch.allclose(first, logits(expected), atol=1e-4)
    assert torch.equal(first, second)


def test_where_nothing_computes_with_microscaled_blocks_they_are_unpacked_and_it_is_said(microscaled, caplog):
    folder, _ = microscaled
    load_model(folder, "as_stored", CPU)
    assert (
        f"{folder.name}: weights stored as mxfp4 are unpacked to four times their size: there is no GPU" in caplog.text
    )
    assert "We will default to dequantizing" not in caplog.text
    caplog.clear()
    load_model(folder, "none", CPU)
    assert "unpacked" not in caplog.text  # that was asked for


@pytest.mark.parametrize(
    ("capability", "triton", "kernels", "said"),
    [
        ((7, 0), True, True, "the GPU is of a compute capability below 7.5"),
        ((8, 0), False, True, "the package triton is missing or older than 3.4.0"),
        ((8, 0), True, False, "the package kernels is missing: pip install 'kernels>="),
        ((8, 0), True, True, ""),
    ],
)
def test_what_a_gpu_lacks_for_microscaled_blocks_is_named(
    microscaled, monkeypatch, caplog, capability, triton, kernels, said
):
    """No GPU is needed to see what is told to transformers for one."""
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    monkeypatch.setattr("transformers.utils.import_utils.is_triton_available", lambda version: triton)
    monkeypatch.setattr("transformers.utils.import_utils.is_kernels_available", lambda: kernels)
    told = loaded_with(microscaled[0], "as_stored", torch.bfloat16, torch.device("cuda"))
    assert said in caplog.text
    assert [config.dequantize for config in told.values()] == ([True] if said else [])


def test_experts_in_microscaled_blocks_cannot_be_made_nf4(microscaled):
    with pytest.raises(InputError, match=r"quantization: nf4: .* stored as mxfp4: nf4 is made of plain numbers alone"):
        load_model(microscaled[0], "nf4", CPU)


def without(ending):
    return lambda tensors: {name: each for name, each in tensors.items() if not name.endswith(ending)}


@pytest.mark.parametrize("quantization", ["as_stored", "none"])
@pytest.mark.parametrize("ending", ["0.mlp.experts.gate_up_proj_scales", "0.mlp.experts.down_proj_blocks"])
def test_experts_without_their_exponents_or_blocks_are_refused(tmp_path, microscaled, ending, quantization):
    folder, _ = microscaled
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    tensors = without(ending)(load_file(folder / "model.safetensors"))
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    require_refused(tmp_path, quantization)


@pytest.mark.parametrize("quantization", ["as_stored", "none"])
def test_eight_bits_without_a_scale_are_refused(tmp_path, plain, quantization):
    lacking = without("1.mlp.up_proj.weight_scale_inv")
    folder = written(tmp_path / "fp8", plain, lambda tensors: lacking(in_eight_bits(tensors)), BLOCKS)
    require_refused(folder, quantization)


def test_four_bits_without_what_unpacks_them_are_refused(tmp_path, plain):
    whole = written(tmp_path / "whole", plain)
    four = AutoModelForCausalLM.from_pretrained(
        whole, quantization_config=four_bits(torch.float32), dtype=torch.float32
    )
    folder = written(tmp_path / "four", four, without("1.mlp.up_proj.weight.absmax"))
    require_refused(folder, "as_stored")


def require_refused(folder, quantization):
    """Assert that a checkpoint is refused in one sentence that names its folder."""
    with pytest.raises(InputError) as refused:
        load_model(folder, quantization, CPU)
    assert str(folder) in str(refused.value) or folder.name in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("method", sorted({*AUTO_QUANTIZATION_CONFIG_MAPPING, "brand_new"}))
@pytest.mark.parametrize("quantization", ["as_stored", "nf4", "none"])
def test_weights_that_are_not_what_their_configuration_says_are_refused_in_one_sentence(
    tmp_path, plain, method, quantization
):
    """Plain numbers, said to be quantized by each method that transformers knows, packed as GPTQ packs them."""
    packed = written(tmp_path / "packed", plain, in_integers, {"quant_method": method, "bits": 4, "group_size": 128})
    require_refused(packed, quantization)


def in_integers(tensors):
    """The layers of a checkpoint as integers, as GPTQ and AWQ name them."""
    return {
        name.replace(".weight", ".qweight") if "_proj" in name else name: value.to(torch.int32)
        if "_proj" in name
        else value
        for name, value in tensors.items()
    }


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
