"""Loading a model: device, type, four-bit weights."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from made import make_prompt

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.encoding import encode_prompts
from tomtransfer.inference.loading import choose_device, compute_type, load_model, load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(random_model: Path):
    return load_tokenizer(random_model)


@pytest.fixture(scope="module")
def model(random_model: Path):
    return load_model(random_model, "none", torch.device("cpu"))


@pytest.fixture(scope="module")
def encoded(tokenizer, random_model: Path):
    prompts = [make_prompt(context) for context in ("team", "business", "sports")]
    return encode_prompts(tokenizer, prompts, random_model)


def test_four_bit_weights_compute_alike_in_training_and_evaluation(random_model, encoded):
    """On a CPU with AVX512-BF16, bitsandbytes alone would compute in bfloat16 in one mode and float32 in the other."""
    model = load_model(random_model, "nf4", torch.device("cpu"))
    tokens = torch.tensor([encoded[0]])
    with torch.no_grad():
        evaluated = model(tokens).logits
        trained = model.train()(tokens).logits
    assert torch.allclose(evaluated, trained, atol=1e-5)


def test_a_gpu_that_is_not_there_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch sees no GPU"):
        choose_device("cuda")
    assert choose_device("auto").type == "cpu"


def test_a_cpu_computes_in_single_precision_and_a_gpu_in_brain_float_where_it_has_it(monkeypatch):
    assert compute_type(torch.device("cpu")) is torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert compute_type(torch.device("cuda")) is torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert compute_type(torch.device("cuda")) is torch.float32


def test_modules_of_models_import_neither_four_bit_weights_nor_tables_nor_the_workflow():
    code = (
        "import sys; sys.path.insert(0, 'workflow')\n"
        "import tomtransfer.inference.loading, tomtransfer.inference.token_tree\n"
        "print('bitsandbytes' in sys.modules, 'polars' in sys.modules, 'snakemake' in sys.modules)\n"
        "import tomtransfer.training.trainer\n"
        "print('polars' in sys.modules, 'snakemake' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False"] * 5


def test_four_bit_weights_are_imported_only_where_they_are_asked_for(random_model):
    code = (
        "import sys, torch; sys.path.insert(0, 'workflow')\n"
        "from pathlib import Path\n"
        "from tomtransfer.inference.loading import load_model\n"
        "for quantization in ('none', 'nf4'):\n"
        "    load_model(Path(sys.argv[1]), quantization, torch.device('cpu'))\n"
        "    print('bitsandbytes' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code, random_model], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "True"]
