"""Models without their weights: their layers by name, and what their checkpoints lack."""

import json

import pytest
from safetensors.torch import load_file, save_file

from saved_models import change_settings, save_model
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.layers import linear_layers
from tomtransfer.inference.skeleton import skeleton


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        ("llama", {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "lm_head"}),
        ("gpt2", {"c_attn", "c_proj", "c_fc", "lm_head"}),
        ("phi3", {"qkv_proj", "o_proj", "gate_up_proj", "down_proj", "lm_head"}),
    ],
    ids=["separate", "Conv1D", "fused"],
)
def test_the_layers_that_can_be_adapted_are_named_without_a_weight_being_read(tmp_path, architecture, names):
    model = skeleton(save_model(tmp_path / "small", architecture), "nf4")
    assert linear_layers(model).keys() == names
    assert {each.device.type for each in model.parameters()} == {"meta"}


def without(weights):
    name = next(name for name in weights if "layers.1." in name)
    del weights[name]


def more(weights):
    weights["model.layers.7.unknown.weight"] = next(iter(weights.values())).clone()


def of_another_shape(weights):
    name = next(name for name in weights if "layers.1.self_attn.q_proj" in name)
    weights[name] = weights[name][:-1].clone()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (without, "the checkpoint has no weights for: model.layers.1"),
        (more, "has weights that its architecture does not know: model.layers.7.unknown.weight"),
        (of_another_shape, "of another shape than its configuration says: model.layers.1.self_attn.q_proj.weight"),
    ],
)
def test_a_checkpoint_that_is_not_that_of_its_architecture_is_refused_before_it_is_loaded(tmp_path, harm, message):
    folder = save_model(tmp_path / "small")
    weights = load_file(folder / "model.safetensors")
    harm(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=message):
        skeleton(folder, "none")


def test_weights_that_others_have_quantized_are_not_looked_at_and_may_not_be_had_in_four_bits(tmp_path):
    folder = save_model(tmp_path / "small")
    change_settings(folder, quantization_config={"quant_method": "gptq", "bits": 4, "group_size": 128})
    assert "q_proj" in linear_layers(skeleton(folder, "as_stored"))
    with pytest.raises(InputError, match="quantization: nf4: the weights of small are stored as gptq"):
        skeleton(folder, "nf4")


def test_an_architecture_that_is_not_known_is_said_to_be(tmp_path):
    folder = save_model(tmp_path / "small")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "model_type": "unheard_of"}))
    with pytest.raises(InputError, match=r"config\.json: .*unheard_of"):
        skeleton(folder, "none")
