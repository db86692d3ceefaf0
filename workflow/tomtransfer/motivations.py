"""Drawing texts: whole answers, or motivations behind a given choice, each draw with a random stream of its own.

The prompt is prefilled once and its cache shared by all draws behind it. A draw's random numbers depend on its key
alone, so the same seed gives the same text whatever else is drawn beside it, and more draws leave earlier ones as
they are.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tomtransfer.engine import EncodedPrompt, batches, pad_left
from tomtransfer.progress import Progress

# Cached rows are dropped when this share of them has ended: dropping copies the cache, so not at every end.
SHARE_ENDED = 0.25


@dataclass(frozen=True)
class Draw:
    """One text to draw: behind which prompt, for which choice (its label token), from which random stream.

    Without a label the whole answer is drawn. Draws that are made together all have one or all have none.
    """

    prompt: int
    label_token: int | None
    key: str


@dataclass(frozen=True)
class Motivation:
    """What was drawn: the text after the label and its line break, or all of it, and whether it came to its own end."""

    text: str
    tokens: int
    finished: bool


def draw_motivations(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[EncodedPrompt],
    draws: Sequence[Draw],
    temperature: float,
    longest: int,
    tokens_per_batch: int,
    one_line: bool = False,
) -> list[Motivation]:
    """Return one text of at most `longest` tokens for each draw, in the order of `draws`.

    With `one_line` a text may end with its first line break, unless it begins with it.
    """
    line_break = tokenizer.encode("\n", add_special_tokens=False)
    given = [[] if draw.label_token is None else [draw.label_token, *line_break] for draw in draws]
    ends = end_tokens(model, tokenizer)
    breaks = line_break_tokens(tokenizer) if one_line else set()
    lengths = [
        len(prompts[draw.prompt].tokens) + len(before) + longest for draw, before in zip(draws, given, strict=True)
    ]
    report = Progress("drawn texts", len(draws))
    results: dict[int, Motivation] = {}
    for group in batches(lengths, tokens_per_batch):
        members = [draws[index] for index in group]
        before = [given[index] for index in group]
        sampled = _sample(model, prompts, members, before, temperature, longest, ends, breaks)
        for index, tokens in zip(group, sampled, strict=True):
            finished = bool(tokens) and tokens[-1] in ends
            text = tokenizer.decode(tokens[:-1] if finished else tokens, skip_special_tokens=True).strip()
            results[index] = Motivation(text, len(tokens), finished)
        report.advance(len(group))
    return [results[index] for index in range(len(draws))]


def end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """Return the tokens that end an answer: the model's own and the tokenizer's."""
    named = model.generation_config.eos_token_id
    return {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id} - {None}


def _ended(answer: Sequence[int], ends: set[int], breaks: set[int]) -> bool:
    """Tell whether an answer has come to its end, or to the end of its first line."""
    return bool(answer) and (answer[-1] in ends or (len(answer) > 1 and answer[-1] in breaks))


def line_break_tokens(tokenizer: Any) -> set[int]:
    """Return the tokens whose text has a line break."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    return {token for token, text in enumerate(texts) if "\n" in text}


@torch.inference_mode()
def _sample(
    model: Any,
    prompts: Sequence[EncodedPrompt],
    draws: Sequence[Draw],
    given: Sequence[list[int]],
    temperature: float,
    longest: int,
    ends: set[int],
    breaks: set[int],
) -> list[list[int]]:
    """Return the sampled tokens of each draw behind what is `given` of its answer, with the token that ended it."""
    device = model.device
    cache, mask, position = _prefill(model, prompts, draws)
    last = [prompts[draw.prompt].tokens[-1] for draw in draws]
    step = torch.tensor([[token, *before] for token, before in zip(last, given, strict=True)], device=device)
    streams = [_stream(draw.key) for draw in draws]
    answers: list[list[int]] = [[] for _ in draws]
    active = torch.arange(len(draws), device=device)
    for _ in range(longest):
        mask = torch.cat([mask, torch.ones_like(step)], dim=1)
        positions = position[:, None] + 1 + torch.arange(step.shape[1], device=device)
        output = model(
            input_ids=step, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
        )
        position = positions[:, -1]
        uniform = [next(streams[index]) for index in active.tolist()]
        chosen = pick(output.logits[:, -1].float() / temperature, uniform)
        for index, token in zip(active.tolist(), chosen.tolist(), strict=True):
            if not _ended(answers[index], ends, breaks):
                answers[index].append(token)
        going = torch.tensor([not _ended(answers[index], ends, breaks) for index in active.tolist()], device=device)
        if not going.any():
            break
        step = chosen[:, None]
        if going.float().mean() < 1 - SHARE_ENDED:
            keep = going.nonzero()[:, 0]
            cache.batch_select_indices(keep)
            active, mask, position, step = active[keep], mask[keep], position[keep], step[keep]
    return answers


def _prefill(
    model: Any, prompts: Sequence[EncodedPrompt], draws: Sequence[Draw]
) -> tuple[Any, torch.Tensor, torch.Tensor]:
    """Compute each prompt once, but for its last token, from which the first is drawn.

    Return for every draw its cache, its mask and the position of the last token in it.
    """
    distinct = sorted({draw.prompt for draw in draws})
    inputs = pad_left([prompts[index].tokens[:-1] for index in distinct], model.device)
    cache = model(**inputs, use_cache=True, logits_to_keep=1).past_key_values
    rows = torch.tensor([distinct.index(draw.prompt) for draw in draws], device=model.device)
    cache.batch_select_indices(rows)
    return cache, inputs["attention_mask"][rows], inputs["position_ids"][rows, -1]


def pick(logits: torch.Tensor, uniform: Sequence[float]) -> torch.Tensor:
    """Return for each row of `logits` (rows, vocabulary) the token at that quantile of its distribution."""
    cumulative = torch.softmax(logits, dim=-1).double().cumsum(dim=-1)
    target = torch.tensor(uniform, dtype=torch.float64, device=logits.device)[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)


def _stream(key: str) -> Iterator[float]:
    """Yield uniform numbers in [0, 1) that depend on `key` alone."""
    generator = np.random.Generator(np.random.Philox(int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")))
    while True:
        yield float(generator.random())
