"""Models are proven on themselves: what may be shared is, and what may not is done one by one or refused."""

import pytest
import torch
from transformers import Lfm2Config, Lfm2ForCausalLM

from architectures import VOCABULARY, build
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.examination import examine_model
from tomtransfer.inference.loading import load_model
from tomtransfer.inference.plain import plain_logits
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.proof import prove
from tomtransfer.inference.sharing import Sharing
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.registry import CORPUS

PROMPTS = [[*range(40, 70)], [*range(40, 60), *range(100, 125)], [*range(150, 170)]]


def with_convolutions():
    """A tiny LFM2 as it is released, which its default settings are not: layers of convolutions beside attention."""
    shape = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2}
    torch.manual_seed(0)
    config = Lfm2Config(vocab_size=VOCABULARY, num_hidden_layers=2, layer_types=["conv", "full_attention"], **shape)
    return Lfm2ForCausalLM(config).eval()


@pytest.mark.parametrize(
    ("architecture", "rows", "drawing"),
    [
        ("llama", True, "branches"),
        ("gpt_oss", True, "branches"),
        ("gemma2", True, "branches"),
        ("deepseek_v3", True, "flat branches"),
        ("qwen3_5", False, "copies"),
        ("lfm2 with convolutions", False, "copies"),
    ],
)
def test_what_may_be_shared_is_found_out_and_prompts_are_read_as_in_plain_passes(architecture, rows, drawing):
    model = build(architecture) if " " not in architecture else with_convolutions()
    sharing, differences = prove(model, VOCABULARY)
    assert (sharing.rows, sharing.drawing) == (rows, drawing), differences
    for number, logits, _ in prefill(model, PROMPTS, 1_000, (), sharing):
        with torch.inference_mode():
            plain = plain_logits(model, PROMPTS[number])[-1]
        assert torch.allclose(logits, plain, atol=1e-4)


def test_a_model_that_looks_ahead_is_no_causal_language_model():
    with pytest.raises(InputError, match="looks at what comes later"):
        prove(build("bert"), VOCABULARY)


def test_a_model_that_does_not_run_in_four_bits_is_refused_with_what_may_do(tmp_path):
    build("mamba").save_pretrained(tmp_path)
    train_tokenizer(CORPUS, VOCABULARY).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="MambaForCausalLM cannot be used in four bits; quantization: none may do: "):
        prove(load_model(tmp_path, "nf4", torch.device("cpu")), VOCABULARY)
    assert prove(load_model(tmp_path, "none", torch.device("cpu")), VOCABULARY)[0].drawing == "copies"


def test_an_examination_is_noted_and_the_model_is_not_loaded_for_it_again(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    place, loads = tmp_path / "examined.json", []

    def load():
        loads.append(1)
        return build("llama")

    first = examine_model(load, tmp_path, place)
    assert first.sharing == Sharing()
    assert examine_model(load, tmp_path, place) == first
    assert len(loads) == 1
    place.write_text("{")
    assert examine_model(load, tmp_path, place) == first
