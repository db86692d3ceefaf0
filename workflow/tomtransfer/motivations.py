"""Drawing texts: whole answers, or motivations behind a given choice, each draw with a random stream of its own.

A prompt is computed once, and all draws behind it read the same copy of its keys and values. A draw's random numbers
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
from transformers import DynamicCache

from tomtransfer.branches import BranchCache, branching
from tomtransfer.engine import EncodedPrompt
from tomtransfer.progress import Progress

# Draws are dropped when this share of them has ended: dropping copies what the others have cached, so not at every end.
SHARE_ENDED = 0.25

# Token probabilities are summed up in blocks of this size, to look for a quantile among few numbers.
BLOCK = 256


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
    lengths = [len(prompt.tokens) for prompt in prompts]
    room = max(map(len, given), default=0) + longest
    report = Progress("drawn texts", len(draws))
    results: dict[int, Motivation] = {}
    for group in share_prompts([draw.prompt for draw in draws], lengths, room, tokens_per_batch):
        members = [draws[index] for index in group]
        before = [given[index] for index in group]
        sampled = sample_tokens(model, prompts, members, before, temperature, longest, ends, breaks)
        for index, tokens in zip(group, sampled, strict=True):
            finished = bool(tokens) and tokens[-1] in ends
            text = tokenizer.decode(tokens[:-1] if finished else tokens, skip_special_tokens=True).strip()
            results[index] = Motivation(text, len(tokens), finished)
        report.advance(len(group))
    return [results[index] for index in range(len(draws))]


def share_prompts(
    prompts: Sequence[int], lengths: Sequence[int], room: int, tokens_per_batch: int
) -> Iterator[list[int]]:
    """Yield indices into `prompts`, the prompt of each draw, in groups that are drawn together, by prompt.

    A group holds each of its prompts once, of `lengths` tokens, and `room` tokens for each draw: at most
    `tokens_per_batch`, or a single draw.
    """
    group: list[int] = []
    tokens = 0
    for index in sorted(range(len(prompts)), key=lambda index: prompts[index]):
        known = bool(group) and prompts[group[-1]] == prompts[index]
        more = room + (0 if known else lengths[prompts[index]])
        if group and tokens + more > tokens_per_batch:
            yield group
            group, tokens, more = [], 0, room + lengths[prompts[index]]
        group.append(index)
        tokens += more
    if group:
        yield group


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
def sample_tokens(
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
    last = [prompts[draw.prompt].tokens[-1] for draw in draws]
    step = torch.tensor([[token, *before] for token, before in zip(last, given, strict=True)], device=device)
    position = torch.tensor([len(prompts[draw.prompt].tokens) - 1 for draw in draws], device=device)
    cache = _prefill(model, prompts, draws, step.shape[1] + longest - 1)
    streams = [_stream(draw.key) for draw in draws]
    answers: list[list[int]] = [[] for _ in draws]
    active = list(range(len(draws)))
    with branching(model):
        for _ in range(longest):
            positions = position[:, None] + torch.arange(step.shape[1], device=device)
            output = model(input_ids=step, position_ids=positions, past_key_values=cache, logits_to_keep=1)
            uniform = [next(streams[index]) for index in active]
            chosen = pick(output.logits[:, -1].float() / temperature, uniform)
            for index, token in zip(active, chosen.tolist(), strict=True):
                if not _ended(answers[index], ends, breaks):
                    answers[index].append(token)
            going = [place for place, index in enumerate(active) if not _ended(answers[index], ends, breaks)]
            if not going:
                break
            step, position = chosen[:, None], positions[:, -1] + 1
            if len(going) < (1 - SHARE_ENDED) * len(active):
                cache.keep(going)
                active = [active[place] for place in going]
                step, position = step[going], position[going]
    return answers


def _prefill(model: Any, prompts: Sequence[EncodedPrompt], draws: Sequence[Draw], room: int) -> BranchCache:
    """Compute each prompt once, but for its last token, from which the first is drawn; return room for all draws."""
    behind = Counter(draw.prompt for draw in draws)
    caches = []
    for number in behind:
        caches.append(DynamicCache())
        tokens = torch.tensor([prompts[number].tokens[:-1]], device=model.device)
        model(input_ids=tokens, past_key_values=caches[-1], logits_to_keep=1)
    return BranchCache(caches, list(behind.values()), room)


def pick(logits: torch.Tensor, uniform: Sequence[float]) -> torch.Tensor:
    """Return for each row of `logits` (rows, vocabulary) the token at that quantile of its distribution.

    The block in which it lies is found first, then the token in the block: only the sums of blocks and one block of
    each row are added up in double precision.
    """
    weights = torch.exp(logits - logits.amax(dim=-1, keepdim=True))
    blocks = torch.nn.functional.pad(weights, (0, -weights.shape[-1] % BLOCK)).reshape(len(weights), -1, BLOCK)
    quantile = torch.tensor(uniform, dtype=torch.float64, device=logits.device)
    block, quantile = _at_quantile(blocks.sum(dim=-1, dtype=torch.float64), quantile)
    within = blocks[torch.arange(len(blocks), device=logits.device), block].double()
    token, _ = _at_quantile(within, quantile)
    return (block * BLOCK + token).clamp(max=logits.shape[-1] - 1)


def _at_quantile(weights: torch.Tensor, quantile: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each row of `weights` (rows, n) the place at that quantile, and the quantile within the place."""
    cumulative = weights.cumsum(dim=-1)
    target = quantile[:, None] * cumulative[:, -1:]
    place = torch.searchsorted(cumulative, target, right=True).clamp(max=weights.shape[-1] - 1)
    above, weight = cumulative.gather(1, place), weights.gather(1, place)
    return place[:, 0], (1 - (above - target) / weight).clamp(min=0)[:, 0]


def _stream(key: str) -> Iterator[float]:
    """Yield uniform numbers in [0, 1) that depend on `key` alone."""
    generator = np.random.Generator(np.random.Philox(int.from_bytes(hashlib.sha256(key.encode()).digest()[:16], "big")))
    while True:
        yield float(generator.random())
