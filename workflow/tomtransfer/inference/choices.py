"""Exact choices: the distribution of the first token of an answer, prompt by prompt, without drawing any.

Needs torch and transformers, and neither tables nor Snakemake.
"""

from collections.abc import Collection, Sequence
from typing import Any

import torch

from tomtransfer.inference.answers import ChoiceDistribution
from tomtransfer.inference.encoding import EncodedPrompt
from tomtransfer.inference.prefill import Prefixes, prefill
from tomtransfer.inference.sharing import SHARED, Sharing


def choice_distributions(
    model: Any,
    prompts: Sequence[EncodedPrompt],
    temperature: float,
    tokens_per_batch: int,
    kept: Collection[int] = (),
    prefixes: Prefixes | None = None,
    sharing: Sharing = SHARED,
) -> list[ChoiceDistribution]:
    """Return the exact distribution of the first token after each prompt, at `temperature`, without drawing any.

    What the model keeps of the prompts whose numbers are `kept` joins `prefixes`, to draw texts after them later.
    """
    results: dict[int, ChoiceDistribution] = {}
    for index, logits, prefix in prefill(model, [prompt.tokens for prompt in prompts], tokens_per_batch, kept, sharing):
        row = torch.softmax(logits / temperature, dim=-1).cpu()
        cooperate = float(row[prompts[index].cooperate].sum())
        defect = float(row[prompts[index].defect].sum())
        results[index] = ChoiceDistribution(cooperate, defect, max(0.0, 1 - cooperate - defect))
        if prefix is not None and prefixes is not None:
            prefixes[tuple(prompts[index].tokens)] = prefix
    return [results[index] for index in range(len(prompts))]
