"""Drawing motivations: many texts after one prompt, against `generate` with `num_return_sequences`.

    PYTHONPATH=workflow python benchmarks/motivations.py

Both draw the same number of tokens after the same prompt, label and line break, from the whole distribution at
temperature 0.8. Nothing ends early: the end of an answer is kept from `generate` and is like any other token to us.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from measuring import RESULTS, Load, interleave, keep, machine, seconds, times
from tomtransfer.inference.loading import load_model
from tomtransfer.inference.sampling import Drawing, sample_tokens

TEMPERATURE = 0.8


def draw_branches(model: Any, prompt: list[int], given: list[int], texts: int, longest: int) -> int:
    """Draw as the product does; return how many tokens were drawn."""
    begun = [(tuple(prompt), str(number)) for number in range(texts)]
    drawn = sample_tokens(model, begun, [given] * texts, Drawing(TEMPERATURE, longest), {})
    return sum(map(len, drawn))


def draw_by_generate(model: Any, prompt: list[int], given: list[int], texts: int, longest: int) -> int:
    """Draw with `generate`; return how many tokens were drawn."""
    tokens = torch.tensor([prompt + given], device=model.device)
    drawn = model.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        do_sample=True,
        temperature=TEMPERATURE,
        top_k=0,
        top_p=1.0,
        min_new_tokens=longest,
        max_new_tokens=longest,
        num_return_sequences=texts,
        pad_token_id=0,
    )
    return int(drawn[:, tokens.shape[1] :].numel())


def compare(model: Any, prompt: list[int], texts: int, longest: int, rounds: int) -> dict[str, str]:
    """Return a row of the table: tokens per second of both, and their ratio."""
    given = prompt[:2]
    methods = {"branches": draw_branches, "generate": draw_by_generate}
    counts = {name: draw(model, prompt, given, texts, min(2, longest)) for name, draw in methods.items()}
    if counts["branches"] != counts["generate"]:
        raise RuntimeError(f"not the same number of tokens: {counts}")
    taken = interleave(
        {
            f"{texts} {name}": lambda draw=draw: seconds(lambda: draw(model, prompt, given, texts, longest))
            for name, draw in methods.items()
        },
        rounds,
    )
    rates = {name: texts * longest / taken[f"{texts} {name}"] for name in methods}
    return {
        "texts": str(texts),
        "the product, tokens/s": f"{rates['branches']:.0f}",
        "generate, tokens/s": f"{rates['generate']:.0f}",
        "the product is": times(rates["branches"] / rates["generate"]),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("results/models/smollm2-135m-instruct"))
    parser.add_argument("--prompt-tokens", type=int, default=300)
    parser.add_argument("--new-tokens", type=int, default=60)
    parser.add_argument("--texts", type=int, nargs="+", default=[16, 64])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    load = Load()
    model = load_model(given.model, "none", torch.device("cpu"))
    generator = torch.Generator().manual_seed(0)
    prompt = torch.randint(model.config.vocab_size, (given.prompt_tokens,), generator=generator).tolist()
    rows = [compare(model, prompt, texts, given.new_tokens, given.rounds) for texts in given.texts]
    notes = [
        f"{given.model.name} in float32, a prompt of {given.prompt_tokens} tokens, {given.new_tokens} new per text",
        f"Median of {given.rounds} rounds in turns",
        f"{machine()}; {load}",
    ]
    keep("motivations", "Motivations: many texts after one prompt", rows, notes, given.results)


if __name__ == "__main__":
    main()
