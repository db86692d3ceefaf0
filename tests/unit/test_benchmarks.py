"""The benchmarks run: on tiny random models, in seconds; how fast does not matter here, but that methods agree does."""

import re
from pathlib import Path

import pytest
import torch
from transformers import LlamaForCausalLM

import choices
import endpoint
import gpu
import motivations
import readings
import train
from measuring import interleave
from random_nf4 import random_nf4
from tomtransfer.training.lora import add_adapter
from trainers import batched_step, shared_step
from workload import apart, random_rows


def table(file: Path) -> list[dict[str, str]]:
    """The rows of the only table in a file."""
    lines = [line.strip("| ").split(" | ") for line in file.read_text().splitlines() if line.startswith("|")]
    return [dict(zip(lines[0], line, strict=False)) for line in lines[2:]]


def test_training_is_compared_and_all_did_the_same(random_model, tmp_path):
    lengths = ["--prompt-tokens", "12", "--completion-tokens", "4", "--rounds", "1"]
    train.main(["--model", str(random_model), *lengths, "--completions-per-row", "1", "4", "--results", str(tmp_path)])
    rows = table(tmp_path / "train.md")
    assert [row["K"] for row in rows] == ["1", "4"]
    for row in rows:
        assert float(row["shared, completions/s"]) > 0
        assert float(row["largest difference of the loss"]) < 1e-4


def test_rows_apart_have_the_loss_of_shared_rows():
    rows = random_rows(8, 4, 10, 5, 90)
    assert [len(row.completions) for row in rows] == [4, 4]
    assert [row.completions[0].tokens for row in apart(rows)] == [one.tokens for row in rows for one in row.completions]
    losses = []
    for step in (shared_step, batched_step):
        model = add_adapter(random_nf4(gpu.TINY.config, torch.device("cpu")), train.one_step(rows))
        losses.append(step(model, rows)[1])
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


def test_choices_are_compared_and_equal(random_model, tmp_path):
    few = ["--prompts", "6", "--rounds", "1", "--answers", "2", "--drawn-prompts", "1"]
    choices.main(["--model", str(random_model), *few, "--results", str(tmp_path)])
    assert len(table(tmp_path / "choices.md")) == 4
    [difference] = re.findall(r"plain forward pass: (\S+)", (tmp_path / "choices.md").read_text())
    assert float(difference) < 1e-5


def test_readings_are_compared_and_are_not_below_one_spelling_of_them(random_model, tmp_path):
    readings.main(["--models", str(random_model), "--answers", "4", "--tokens", "3", "--results", str(tmp_path)])
    rows = table(tmp_path / "readings.md")
    assert len(rows) == 2 * (len(readings.LABELS) + len(readings.NUMBERS))
    for row in rows:
        if not row["asked"].startswith("number"):
            assert float(row["exact"]) >= float(row["and an end"]) - 1e-4


def test_motivations_are_compared(random_model, tmp_path):
    few = ["--prompt-tokens", "10", "--new-tokens", "3", "--texts", "2", "3", "--rounds", "1"]
    motivations.main(["--model", str(random_model), *few, "--results", str(tmp_path)])
    assert [row["texts"] for row in table(tmp_path / "motivations.md")] == ["2", "3"]


def test_the_gpu_script_runs_on_a_cpu(tmp_path):
    gpu.main(["--tiny", "--results", str(tmp_path)])
    rows = table(tmp_path / "tiny-gpu.md")
    assert {"separate rows, in batches", "shared rows, K = 8, activations kept"} <= {row["training"] for row in rows}
    assert all(float(row["completions/s"]) > 0 for row in rows)
    [_, side_by_side, *_] = table(tmp_path / "tiny-gpu-attentions.md")
    assert float(side_by_side["largest difference"]) < 1e-5


def test_the_gpu_script_wants_a_gpu_for_the_large_model(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "torch sees no GPU" in capsys.readouterr().err


def test_the_weights_that_operations_are_counted_for_are_those_of_the_model():
    with torch.device("meta"):
        model = LlamaForCausalLM(gpu.TINY.config)
    linear = sum(module.weight.numel() for module in model.modules() if isinstance(module, torch.nn.Linear))
    head = model.lm_head.weight.numel()
    [row] = random_rows(1, 1, 1, 1, 10)
    width, depth = gpu.TINY.config.hidden_size, gpu.TINY.config.num_hidden_layers
    assert gpu.operations(gpu.TINY.config, [row]) == 4 * (linear - head) + 4 * head + 12 * width * depth / 2


def test_requests_to_a_server_are_compared_and_no_row_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    few = ["--requests", "200", "--concurrency", "8", "--rounds", "1"]
    endpoint.main([*few, "--results", str(tmp_path)])
    assert len(table(tmp_path / "endpoint.md")) == 2
    assert "0 rows lost" in (tmp_path / "endpoint.md").read_text()


def test_methods_take_turns_and_the_median_counts():
    order = []
    times = {"a": iter([1.0, 9.0, 2.0]), "b": iter([5.0, 5.0, 5.0])}
    taken = interleave({name: lambda name=name: order.append(name) or next(times[name]) for name in times}, 3)
    assert order == ["a", "b"] * 3
    assert taken == {"a": 2.0, "b": 5.0}
