"""Drawing texts: whole answers, or motivations behind a given choice, each draw with a random stream of its own.

The prompt is computed once, and so are draws that have said the same so far, until they part. A draw's random numbers
depend on its key alone, so the same seed gives the same text whatever else is drawn beside it, and more draws leave
earlier ones as they are.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from tomtransfer.engine import EncodedPrompt, batches
from tomtransfer.prefill import Prefix, Prefixes, go_on, prefill
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


@dataclass(frozen=True)
class _Settings:
    """How texts are drawn, and which tokens end them: anywhere, or behind the first token of an answer of one line."""

    temperature: float
    longest: int
    ends: set[int]
    breaks: set[int]

    def ended(self, answer: Sequence[int]) -> bool:
        """Tell whether an answer has come to its end, or to the end of its first line."""
        return answer[-1] in self.ends or (len(answer) > 1 and answer[-1] in self.breaks)


def draw_motivations(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[EncodedPrompt],
    draws: Sequence[Draw],
    temperature: float,
    longest: int,
    tokens_per_batch: int,
    one_line: bool = False,
    prefixes: Prefixes | None = None,
) -> list[Motivation]:
    """Return one text of at most `longest` tokens for each draw, in the order of `draws`.

    With `one_line` a text may end with its first line break, unless it begins with it. Prompts that are not among
    `prefixes` are computed, within `tokens_per_batch` at a time.
    """
    line_break = tokenizer.encode("\n", add_special_tokens=False)
    given = [[] if draw.label_token is None else [draw.label_token, *line_break] for draw in draws]
    breaks = line_break_tokens(tokenizer) if one_line else set()
    settings = _Settings(temperature, longest, end_tokens(model, tokenizer), breaks)
    lengths = [
        len(prompts[draw.prompt].tokens) + len(before) + longest for draw, before in zip(draws, given, strict=True)
    ]
    report = Progress("drawn texts", len(draws))
    results: dict[int, Motivation] = {}
    for group in batches(lengths, tokens_per_batch):
        behind = _prefixes(model, prompts, {draws[index].prompt for index in group}, tokens_per_batch, prefixes or {})
        beginnings = [
            (behind[draws[index].prompt], (prompts[draws[index].prompt].tokens[-1], *given[index])) for index in group
        ]
        sampled = _sample(model, beginnings, [draws[index].key for index in group], settings)
        for index, tokens in zip(group, sampled, strict=True):
            finished = bool(tokens) and tokens[-1] in settings.ends
            text = tokenizer.decode(tokens[:-1] if finished else tokens, skip_special_tokens=True).strip()
            results[index] = Motivation(text, len(tokens), finished)
        report.advance(len(group))
    return [results[index] for index in range(len(draws))]


def _prefixes(
    model: Any, prompts: Sequence[EncodedPrompt], wanted: set[int], tokens_per_batch: int, known: Prefixes
) -> dict[int, Prefix]:
    """Return what is kept of the `wanted` prompts, computed where it is not `known`, but for the last token of each.

    From that token the first is drawn, with what is given behind it.
    """
    found = {number: known[key] for number in wanted if (key := tuple(prompts[number].tokens)) in known}
    missing = sorted(wanted - found.keys())
    tokens = [prompts[number].tokens for number in missing]
    for place, _, prefix in prefill(model, tokens, tokens_per_batch, range(len(missing))):
        if prefix is not None:
            found[missing[place]] = prefix
    return {number: prefix.without_last() for number, prefix in found.items()}


def end_tokens(model: Any, tokenizer: Any) -> set[int]:
    """Return the tokens that end an answer: the model's own and the tokenizer's."""
    named = model.generation_config.eos_token_id
    return {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id} - {None}


def line_break_tokens(tokenizer: Any) -> set[int]:
    """Return the tokens whose text has a line break."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    return {token for token, text in enumerate(texts) if "\n" in text}


@torch.inference_mode()
def _sample(
    model: Any,
    beginnings: Sequence[tuple[Prefix, tuple[int, ...]]],
    keys: Sequence[str],
    settings: _Settings,
) -> list[list[int]]:
    """Return the sampled tokens of each draw, with the token that ended it.

    A draw begins with what is kept of its prompt and with tokens that are given. Draws that have said the same so far
    are one row, until they part.
    """
    begun = list(dict.fromkeys(beginnings))
    row_of = [begun.index(beginning) for beginning in beginnings]
    cache, mask, position = go_on([prefix for prefix, _ in begun], model.device)
    step = torch.tensor([given for _, given in begun], device=model.device)
    streams = [_stream(key) for key in keys]
    answers: list[list[int]] = [[] for _ in keys]
    going = list(range(len(keys)))
    for _ in range(settings.longest):
        mask = torch.cat([mask, torch.ones_like(step)], dim=1)
        positions = position[:, None] + 1 + torch.arange(step.shape[1], device=model.device)
        output = model(
            input_ids=step, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
        )
        position = positions[:, -1]
        logits = output.logits[:, -1].float() / settings.temperature
        chosen = pick(logits, [row_of[draw] for draw in going], [next(streams[draw]) for draw in going])
        for draw, token in zip(going, chosen, strict=True):
            answers[draw].append(token)
        going = [draw for draw in going if not settings.ended(answers[draw])]
        branches = list(dict.fromkeys((row_of[draw], answers[draw][-1]) for draw in going))
        if not branches:
            break
        rows = torch.tensor([row for row, _ in branches], device=model.device)
        tokens = torch.tensor([token for _, token in branches], device=model.device)[:, None]
        parted = len({row for row, _ in branches}) < len(branches)
        if parted or len(branches) < (1 - SHARE_ENDED) * len(step):
            cache.batch_select_indices(rows)
            mask, position, step = mask[rows], position[rows], tokens
            places = {branch: place for place, branch in enumerate(branches)}
            for draw in going:
                row_of[draw] = places[row_of[draw], answers[draw][-1]]
        else:
            step = torch.zeros_like(step[:, :1]).index_copy(0, rows, tokens)
    return answers


def pick(logits: torch.Tensor, rows: Sequence[int], uniform: Sequence[float]) -> list[int]:
    """Return for each draw the token at its `uniform` quantile of the distribution in its row of `logits`.

    `logits` is (rows, vocabulary).
    """
    cumulative = torch.softmax(logits, dim=-1).double().cumsum(dim=-1)
    # The draws of a row stand beside each other, so that each row is searched once for all of its draws.
    numbers: Counter[int] = Counter()
    columns = []
    for row in rows:
        columns.append(numbers[row])
        numbers[row] += 1
    targets = torch.zeros(len(logits), max(numbers.values()), dtype=torch.float64, device=logits.device)
    targets[list(rows), columns] = torch.tensor(uniform, dtype=torch.float64, device=logits.device)
    found = torch.searchsorted(cumulative, targets * cumulative[:, -1:], right=True)[list(rows), columns]
    return [int(token) for token in found.clamp(max=logits.shape[-1] - 1).tolist()]


def _stream(key: str) -> Iterator[float]:
    """Yield uniform numbers in [0, 1) that depend on `key` alone."""
    generator = np.random.Generator(np.random.Philox(int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")))
    while True:
        yield float(generator.random())
