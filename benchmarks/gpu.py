"""A 7B model on one GPU: training, choices and motivations, and how long the published experiment would take.

    PYTHONPATH=workflow python benchmarks/gpu.py            # needs a GPU with about 40 GB
    PYTHONPATH=workflow python benchmarks/gpu.py --tiny     # shows on any machine that it runs

Nothing is downloaded: the weights are random, in NF4, of the shape of Llama-2-7B. Prompts of 500 tokens and answers of
250, as published; the published training took 58 minutes on 4 GPUs for 6,000 completions x 3 epochs.

The share of the card's peak counts the floating point operations that the result needs, and no others: with N weights
that every token meets, V those of the last layer, h the width and D the number of layers, a row of T tokens with C
predicted ones needs 4NT + 4VC (forward, and backward to the activations: the weights are frozen) and 12hD for each
pair of a token and one that it sees. What is computed twice to save memory, or dequantized, is time lost.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig

import attentions
from measuring import RESULTS, Load, keep, machine, seconds
from random_nf4 import random_nf4
from tomtransfer.inference.loading import compute_type
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.rows import Row, row_lengths
from tomtransfer.inference.sampling import Drawing, sample_tokens
from tomtransfer.training.lora import add_adapter
from trainers import HAS_TRL, batched_step, shared_step, trl_step
from workload import apart, one_step, random_rows

PUBLISHED = 6_000 * 3
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "A10": 125e12}
"""Peak rates in bfloat16 without sparsity, in operations per second, as NVIDIA states them."""


@dataclass(frozen=True)
class Scale:
    """How large everything is: the model, prompts and completions in tokens, and how many of them."""

    config: LlamaConfig
    prompt: int
    completion: int
    per_row: tuple[int, ...]
    prompts: int
    texts: int


FULL = Scale(
    LlamaConfig(
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=32,
        vocab_size=32000,
        max_position_embeddings=4096,
    ),
    prompt=500,
    completion=250,
    per_row=(1, 8, 32),
    prompts=64,
    texts=64,
)
TINY = Scale(
    LlamaConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        vocab_size=100,
    ),
    prompt=20,
    completion=6,
    per_row=(1, 8),
    prompts=4,
    texts=4,
)


def operations(config: LlamaConfig, rows: Sequence[Row]) -> float:
    """Return the floating point operations that a training step over `rows` needs: see the top of this file."""
    width, depth = config.hidden_size, config.num_hidden_layers
    keys = config.num_key_value_heads / config.num_attention_heads
    weights = depth * width * (width * (2 + 2 * keys) + 3 * config.intermediate_size)
    total = 0.0
    for row in rows:
        prompt, *inner = row_lengths(row)
        predicted = sum(len(completion.tokens) for completion in row.completions)
        pairs = prompt**2 / 2 + sum(length * prompt + length**2 / 2 for length in inner)
        total += 4 * weights * (prompt + sum(inner)) + 4 * config.vocab_size * width * predicted
        total += 12 * width * depth * pairs
    return total


def peak_of(name: str) -> float | None:
    """Return the peak rate of the card of that name, if it is known."""
    return next((rate for card, rate in PEAKS.items() if card in name), None)


def train(model: Any, scale: Scale, peak: float | None) -> list[dict[str, str]]:
    """Return a row of the table for each way to train: its rate, its memory, and the time for what was published."""
    table = []
    for per_row in scale.per_row:
        rows = random_rows(max(8, per_row), per_row, scale.prompt, scale.completion, scale.config.vocab_size)
        for checkpointing in (True, False):
            name = f"shared rows, K = {per_row}, activations {'computed twice' if checkpointing else 'kept'}"
            step = lambda rows=rows, kept=not checkpointing: shared_step(model, rows, keep_activations=kept)  # noqa: E731
            table.append(_measure(name, step, rows, scale, peak))
    rows = random_rows(8, 1, scale.prompt, scale.completion, scale.config.vocab_size)
    table.append(_measure("separate rows, in batches", lambda: batched_step(model, rows), apart(rows), scale, peak))
    if HAS_TRL:
        tokenizer = placeholder_tokenizer()
        table.append(_measure("TRL", lambda: trl_step(model, rows, tokenizer), apart(rows), scale, peak))
    return table


def _measure(
    name: str, step: Callable[[], tuple[float, float]], rows: Sequence[Row], scale: Scale, peak: float | None
) -> dict[str, str]:
    """Return a row of the table: the second of two steps."""
    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        step()
        taken, _ = step()
    except torch.OutOfMemoryError:
        return _row(name, "out of memory", "", "", "")
    rate = sum(len(row.completions) for row in rows) / taken
    memory = f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB" if on_gpu else ""
    share = f"{operations(scale.config, rows) / taken / peak:.0%}" if peak else ""
    return _row(name, f"{rate:.2f}", memory, share, f"{PUBLISHED / rate / 60:.1f} min")


def _row(*cells: str) -> dict[str, str]:
    columns = ("training", "completions/s", "peak memory", "of bf16 peak", "6,000 completions x 3")
    return dict(zip(columns, cells, strict=True))


def placeholder_tokenizer() -> Any:
    """Return a tokenizer of three tokens: SFTTrainer insists on one, but the rows are tokens already."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0})))
    tokenizer.add_special_tokens({"pad_token": "<pad>", "eos_token": "</s>"})
    return tokenizer


def ask(model: Any, scale: Scale) -> list[str]:
    """Return a sentence each on how fast choices are read and motivations drawn."""
    half = scale.prompt // 2
    [row] = random_rows(1, 1, scale.prompt, 1, scale.config.vocab_size)
    ends = random_rows(scale.prompts, 1, scale.prompt - half, 1, scale.config.vocab_size)
    prompts = [[*row.prompt[:half], *end.prompt] for end in ends]
    read = min(seconds(lambda: list(prefill(model, prompts, 16_384))) for _ in range(2))

    def draw() -> None:
        texts = [(tuple(row.prompt), str(number)) for number in range(scale.texts)]
        sample_tokens(model, texts, [[1]] * scale.texts, Drawing(0.8, scale.completion), {})

    drawn = min(seconds(draw) for _ in range(2))
    return [
        f"Choices: {scale.prompts / read:.1f} prompts/s, of {scale.prompt} tokens that share half",
        f"Motivations: {scale.texts * scale.completion / drawn:.0f} tokens/s, {scale.texts} texts of "
        f"{scale.completion} after a prompt of {scale.prompt}",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiny", action="store_true", help="a tiny model, on whatever machine this is")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    if not given.tiny and not torch.cuda.is_available():
        parser.error("torch sees no GPU; --tiny shows that the script runs")
    scale = TINY if given.tiny else FULL
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    load = Load()
    model = add_adapter(random_nf4(scale.config, device), one_step(random_rows(1, 1, 1, 1, 2)))
    asked = ask(model.eval(), scale)
    config = scale.config
    shape = attentions.RowShape(
        scale.prompt, scale.completion, 8, config.num_attention_heads, config.hidden_size // config.num_attention_heads
    )
    prefix = "tiny-" if given.tiny else ""
    trained = train(model, scale, peak_of(machine()))
    notes = [f"P = {scale.prompt}, L = {scale.completion}", *asked, f"{machine()}; {load}"]
    keep(
        f"{prefix}gpu", "A 7B model in NF4" if not given.tiny else "A tiny model in NF4", trained, notes, given.results
    )
    rows = attentions.compare(shape, device, compute_type(device))
    notes = [f"P = {scale.prompt}, L = {scale.completion}, K = 8", f"{machine()}; {load}"]
    keep(f"{prefix}gpu-attentions", "Attention of a shared-prefix row, one layer", rows, notes, given.results)


if __name__ == "__main__":
    main()
