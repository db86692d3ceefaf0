"""Training: completions that share a row with their prompt, against rows apart and against TRL's SFTTrainer.

    PYTHONPATH=workflow python benchmarks/train.py

The student in four-bit NormalFloat, the published adapter (rank 8 on q_proj and v_proj), the same completions in one
step of the optimizer: K of them after one prompt in one row (shared); or each after its own copy of the prompt, as
the product trains with one completion per row (one per row), by the same loss in ordinary batches of eight rows
(batched), or by TRL, in such batches as well. The loss tells that all did the same.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from measuring import RESULTS, Load, interleave, keep, machine, times
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.training.lora import add_adapter
from trainers import BATCH, HAS_TRL, batched_step, one_per_row_step, shared_step, trl_step
from workload import one_step, random_rows

STEPS = {"shared": shared_step, "one per row": one_per_row_step, "batched": batched_step} | (
    {"TRL": trl_step} if HAS_TRL else {}
)


def compare(
    models: dict[str, Any], tokenizer: Any, per_row: int, lengths: tuple[int, int], rounds: int
) -> dict[str, str]:
    """Return a row of the table: completions per second of each method with `per_row` completions after a prompt."""
    completions = max(BATCH, per_row)
    losses: dict[str, list[float]] = {name: [] for name in models}
    rows = random_rows(completions, per_row, *lengths, models["shared"].config.vocab_size)

    def measure(name: str) -> float:
        taken, loss = STEPS[name](models[name], rows, tokenizer)
        losses[name].append(loss)
        return taken

    taken = interleave({name: lambda name=name: measure(name) for name in models}, rounds)
    rates = {name: completions / taken[name] for name in models}
    unlike = max(abs(loss[0] / losses["shared"][0] - 1) for loss in losses.values())
    others = [name for name in models if name != "shared"]
    return {
        "K": str(per_row),
        **{f"{name}, completions/s": f"{rate:.2f}" for name, rate in rates.items()},
        **{f"shared to {name}": times(rates["shared"] / rates[name]) for name in others},
        "largest difference of the loss": f"{unlike:.0e}",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("results/models/smollm2-135m-instruct"))
    parser.add_argument("--prompt-tokens", type=int, default=300)
    parser.add_argument("--completion-tokens", type=int, default=60)
    parser.add_argument("--completions-per-row", type=int, nargs="+", default=[1, 2, 4, 8, 16, 32])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    load = Load()
    tokenizer = load_tokenizer(given.model)
    lengths = (given.prompt_tokens, given.completion_tokens)
    warm_up = random_rows(2, 2, 8, 4, 40)
    models = {
        name: add_adapter(load_model(given.model, "nf4", torch.device("cpu")), one_step(warm_up)) for name in STEPS
    }
    rows = [compare(models, tokenizer, per_row, lengths, given.rounds) for per_row in given.completions_per_row]
    notes = [
        f"{given.model.name} in NF4, P = {lengths[0]} tokens of prompt, L = {lengths[1]} of completion, "
        f"max({BATCH}, K) completions in a step of the optimizer",
        f"Median of {given.rounds} rounds in turns; all begin at the same adapter and go on with their own",
        _trl_note(),
        f"{machine()}; {load}",
    ]
    keep("train", "Training: K completions after one copy of their prompt", rows, notes, given.results)


def _trl_note() -> str:
    if not HAS_TRL:
        return "TRL is not installed: pip install .[benchmarks]"
    import trl

    return f"TRL {trl.__version__}, SFTTrainer, its loss on completions alone, adapter in bfloat16 as it decides itself"


if __name__ == "__main__":
    main()
