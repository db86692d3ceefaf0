"""Exact choice distributions of a whole experiment, against a forward pass per prompt and against drawing answers.

    PYTHONPATH=workflow python benchmarks/choices.py

The same model in float32 reads every scenario and frame of config.yaml in four ways: as the product does, every
spelling of a label followed to where it ends; the first token alone, prompts that begin alike computed together; the
same with one plain forward pass per prompt, eight at a time, sorted by length; and with answers of one token drawn by
`generate`. Drawing takes long: it is timed on some prompts alone, and rates are compared.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from measuring import RESULTS, Load, interleave, keep, machine, seconds, times
from tomtransfer.experiment.origins import read_experiment
from tomtransfer.inference.encoding import encode_prompts
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.sampling import end_tokens
from tomtransfer.inference.token_tree import candidate_distributions
from tomtransfer.inference.vocabulary import Vocabulary
from tomtransfer.scenarios.questions import Prompt
from tomtransfer.scenarios.rendering import render_scenario
from tomtransfer.scenarios.spelling import spellings_of

TEMPERATURE = 0.8
BATCH = 8
TOKENS_PER_BATCH = 16_384


def all_prompts(config: Path) -> list[Prompt]:
    """Return the prompt of every scenario in every frame, as the student is asked."""
    experiment = read_experiment(yaml.safe_load(config.read_text(encoding="utf-8")), [config])
    rendered = [
        prompt
        for context in experiment.contexts
        for game in experiment.games
        for prompt in render_scenario(experiment, game, context)
    ]
    return [prompt for prompt in rendered if prompt.question == experiment.student.question]


@torch.inference_mode()
def shared_beginnings(model: Any, prompts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """Return the distributions of the first token, prompts that begin alike computed together."""
    logits = {number: each for number, each, _ in prefill(model, prompts, TOKENS_PER_BATCH)}
    return [torch.softmax(logits[number] / TEMPERATURE, dim=-1) for number in range(len(prompts))]


@torch.inference_mode()
def plain_forward(model: Any, prompts: Sequence[Sequence[int]]) -> list[torch.Tensor]:
    """Return the same from one forward pass over each prompt, padded on the left to the longest of a batch."""
    order = sorted(range(len(prompts)), key=lambda index: len(prompts[index]))
    results: dict[int, torch.Tensor] = {}
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        longest = max(len(prompts[index]) for index in batch)
        padding = [longest - len(prompts[index]) for index in batch]
        rows = [[0] * more + list(prompts[index]) for index, more in zip(batch, padding, strict=True)]
        mask = torch.tensor([[0] * more + [1] * (longest - more) for more in padding], device=model.device)
        logits = model(
            torch.tensor(rows, device=model.device),
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            logits_to_keep=1,
            use_cache=False,
        ).logits[:, -1]
        results |= zip(batch, torch.softmax(logits.float() / TEMPERATURE, dim=-1), strict=True)
    return [results[index] for index in range(len(prompts))]


def draw_answers(model: Any, prompts: Sequence[Sequence[int]], answers: int, at_once: int) -> None:
    """Draw answers of one token for each prompt with `generate`, from the whole distribution."""
    for prompt in prompts:
        tokens = torch.tensor([prompt], device=model.device)
        for start in range(0, answers, at_once):
            model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                do_sample=True,
                temperature=TEMPERATURE,
                top_k=0,
                top_p=1.0,
                max_new_tokens=1,
                num_return_sequences=min(at_once, answers - start),
                pad_token_id=0,
            )


def largest_difference(one: Sequence[torch.Tensor], other: Sequence[torch.Tensor]) -> float:
    """Return the largest difference between two readings of a probability."""
    return max(float((first - second).abs().max()) for first, second in zip(one, other, strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("results/models/smollm2-135m-instruct"))
    parser.add_argument("--config", type=Path, default=Path("config.yaml"))
    parser.add_argument("--prompts", type=int, help="take this many prompts instead of all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--answers", type=int, default=300)
    parser.add_argument("--drawn-prompts", type=int, default=2, help="prompts that answers are drawn for")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    load = Load()
    model = load_model(given.model, "none", torch.device("cpu"))
    tokenizer = load_tokenizer(given.model)
    asked = all_prompts(given.config)[: given.prompts]
    prompts = encode_prompts(tokenizer, asked, given.model)
    vocabulary = Vocabulary(tokenizer, end_tokens(model, tokenizer))
    labels = [spellings_of(tuple(sorted(each.labels))) for each in asked]
    some = prompts[:: max(1, len(prompts) // given.drawn_prompts)][: given.drawn_prompts]
    readings = {
        "product": lambda: candidate_distributions(model, vocabulary, prompts, labels, TEMPERATURE, TOKENS_PER_BATCH),
        "shared": lambda: shared_beginnings(model, prompts),
        "plain": lambda: plain_forward(model, prompts),
    }
    difference = largest_difference(shared_beginnings(model, prompts), plain_forward(model, prompts))
    taken = interleave({name: lambda read=read: seconds(read) for name, read in readings.items()}, given.rounds)
    drawing = seconds(lambda: draw_answers(model, some, given.answers, 50)) / len(some)
    rates = {name: len(prompts) / took for name, took in taken.items()}
    rows = [
        {"method": method, "prompts/s": f"{rate:.3g}", "the product is": times(rates["product"] / rate)}
        for method, rate in (
            ("labels to where they end (the product)", rates["product"]),
            ("first token, shared beginnings", rates["shared"]),
            (f"first token, one plain forward pass per prompt, {BATCH} at a time", rates["plain"]),
            (f"{given.answers} answers of one token by `generate`", 1 / drawing),
        )
    ]
    notes = [
        f"{given.model.name} in float32, {len(prompts)} prompts of {sum(map(len, prompts))} tokens",
        f"Largest difference of a probability from the plain forward pass: {difference:.1e}",
        f"Median of {given.rounds} rounds in turns; answers drawn once, 50 at a time, for {len(some)} of the prompts",
        f"{machine()}; {load}",
    ]
    keep("choices", "Choices: exact distributions of all scenarios and frames", rows, notes, given.results)


if __name__ == "__main__":
    main()
