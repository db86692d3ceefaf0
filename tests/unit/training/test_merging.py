"""A merged student answers as its base model with its adapter does, and what cannot be merged is named."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tomtransfer.command_line import app
from tomtransfer.experiment.sections import Lora, Training
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.loading import load_model
from tomtransfer.training.lora import add_adapter
from tomtransfer.training.merging import merge_student

TOKENS = torch.tensor([[5, 9, 17, 40, 3]])


@pytest.fixture
def adapter(random_model: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An adapter that changes answers, on the random model in a precision, as a training leaves it."""
    quantization = getattr(request, "param", "nf4")
    shutil.copytree(random_model, tmp_path / "models" / "student")
    model = load_model(tmp_path / "models" / "student", quantization, torch.device("cpu"))
    tuned = add_adapter(model, Training(lora=Lora(rank=4, targets=("q_proj", "down_proj"))))
    for name, value in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.2)
    folder = tmp_path / "transfer-1"
    tuned.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
    facts = {"base_model": "student", "quantization": quantization}
    (folder / "training.json").write_text(json.dumps(facts))
    return folder


@pytest.mark.parametrize("adapter", ["nf4", "none"], indirect=True)
def test_a_merged_student_has_the_logits_of_base_and_adapter(adapter: Path, tmp_path: Path) -> None:
    base, quantization = tmp_path / "models" / "student", json.loads((adapter / "training.json").read_text())
    result = CliRunner().invoke(
        app, ["merge", str(adapter), "--models", str(base.parent), "--to", str(tmp_path / "merged")]
    )
    assert result.exit_code == 0, result.output
    cpu = torch.device("cpu")
    with torch.no_grad():
        merged = load_model(tmp_path / "merged", "as_stored", cpu)(TOKENS).logits
        tuned = load_model(base, quantization["quantization"], cpu, adapter)(TOKENS).logits
        untuned = load_model(base, quantization["quantization"], cpu)(TOKENS).logits
    assert torch.allclose(merged, tuned, atol=1e-4)
    assert not torch.allclose(merged, untuned, atol=1e-2)
    assert not list((tmp_path / "merged").glob("*.bin"))
    assert "quantization_config" not in json.loads((tmp_path / "merged" / "config.json").read_text())


def test_what_cannot_be_merged_is_named(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="elsewhere/student: no such model"):
        merge_student(adapter, tmp_path / "elsewhere", tmp_path / "merged")
    with pytest.raises(InputError, match="has files in it; give a folder of its own"):
        merge_student(adapter, tmp_path / "models", adapter)
    (adapter / "training.json").unlink()
    with pytest.raises(InputError, match="does not say what the adapter was trained on"):
        merge_student(adapter, tmp_path / "models", tmp_path / "merged")
    with pytest.raises(InputError):
        merge_student(tmp_path / "none", tmp_path / "models", tmp_path / "merged")
