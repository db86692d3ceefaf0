"""Where adapters stand: beside layers that a text reaches, and whose weights nothing else reads."""

import pytest
import torch

from architectures import build
from tomtransfer.experiment.sections import Lora, Training
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.layers import linear_layers
from tomtransfer.training.lora import add_adapter


def adapted(architecture, *targets):
    """The names of those parameters of a tiny model that are tuned."""
    model = add_adapter(build(architecture), Training(lora=Lora(targets=targets)))
    return [name for name, value in model.named_parameters() if value.requires_grad]


@pytest.mark.parametrize("architecture", ["gemma3", "llama4", "phi4_multimodal"])
def test_what_sees_images_or_hears_is_not_tuned(architecture):
    text = {"phi4_multimodal": "qkv_proj"}.get(architecture, "q_proj")
    names = adapted(architecture, text)
    assert names
    assert not [name for name in names if "vision" in name or "audio" in name]


def test_layers_that_only_images_reach_are_none_to_choose_from():
    with pytest.raises(InputError, match=r"no layer is called q_proj, v_proj; allowed: .*qkv_proj"):
        adapted("phi4_multimodal", "q_proj", "v_proj")


def test_of_a_state_space_the_first_layer_alone_can_be_tuned():
    assert "in_proj" in linear_layers(build("mamba"))
    with pytest.raises(InputError, match="no layer is called out_proj, x_proj"):
        adapted("mamba", "x_proj", "out_proj")


def test_a_name_that_other_layers_have_too_is_none_to_choose_from():
    gates = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.GELU())
    names = torch.nn.ModuleDict({"gates": gates, "up": torch.nn.Linear(2, 2), "norms": torch.nn.ModuleList([gates[1]])})
    assert linear_layers(names).keys() == {"up"}


def test_a_linear_layer_that_does_more_than_multiply_is_none_to_choose_from():
    class Grouped(torch.nn.Linear):
        def forward(self, given):
            return super().forward(given.flatten(-2))

    Grouped.__module__ = "transformers.models.somewhere"
    assert linear_layers(torch.nn.ModuleDict({"grouped": Grouped(2, 2), "up": torch.nn.Linear(2, 2)})).keys() == {"up"}
