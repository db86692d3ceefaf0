"""Drawing texts: whole answers, or motivations after a given choice, each draw with a random stream of its own.

The prompt is computed once, all texts after it read the same copy of its keys and values, and texts that have said the
same so far are computed once, until they part. A draw's random numbers depend on its key alone, so the same seed gives
the same text whatever else is drawn beside it, and more draws leave earlier ones as they are.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from tomtransfer.experiment.progress import Progress
from tomtransfer.inference.answers import DrawnText
from tomtransfer.inference.chat import Variables, chat_of
from tomtransfer.inference.continuation import Continuation, go_on, may_branch
from tomtransfer.inference.memory import in_halves
from tomtransfer.inference.prefill import Prefixes, prefill
from tomtransfer.inference.sharing import SHARED, Sharing

# Branches are dropped when this share of them has ended: dropping copies what the others keep, so not at every end.
SHARE_ENDED = 0.25

# Token probabilities are summed up in blocks of this size, to look for a quantile among few numbers.
BLOCK = 256


@dataclass(frozen=True)
class Draw:
    """One text to draw: after which prompt, for which choice (its label and the line break), from which random stream.

    Without a label the whole answer is drawn.
    """

    prompt: int
    label: Sequence[int] | None
    key: str


@dataclass(frozen=True)
class Drawing:
    """How texts are drawn, and which tokens end them: anywhere, or after the first token of an answer of one line."""

    temperature: float
    longest: int
    ends: Collection[int] = ()
    breaks: Collection[int] = ()

    def ended(self, answer: Sequence[int]) -> bool:
        """Tell whether an answer has come to its end, or to the end of its first line."""
        return answer[-1] in self.ends or (len(answer) > 1 and answer[-1] in self.breaks)


def draw_texts(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    draws: Sequence[Draw],
    temperature: float,
    longest: int,
    tokens_per_batch: int,
    one_line: bool = False,
    prefixes: Prefixes | None = None,
    sharing: Sharing = SHARED,
    chat: Variables = (),
) -> list[DrawnText]:
    """Return one text of at most `longest` tokens for each draw, in the order of `draws`.

    With `one_line` a text may end with its first line break, unless it begins with it. Prompts that are not among
    `prefixes` are computed.
    """
    given = [list(draw.label or ()) for draw in draws]
    ends, written = end_tokens(model, tokenizer, chat), chat_of(tokenizer, chat, may_think=True)
    drawing = Drawing(temperature, longest, ends, line_break_tokens(tokenizer) if one_line else set())
    lengths = [len(prompt) for prompt in prompts]
    room = max(map(len, given), default=0) + longest
    texts = [(tuple(prompts[draw.prompt]), draw.key) for draw in draws]
    report = Progress("drawn texts", len(draws))
    results: dict[int, DrawnText] = {}
    for group in _alike(draws, given, lengths, room, tokens_per_batch):
        sampled = in_halves(partial(_sample, model, texts, given, drawing, prefixes or {}, sharing), group)
        for index, tokens in zip(group, sampled, strict=True):
            finished = bool(tokens) and tokens[-1] in ends
            text = written.read(tokens[:-1] if finished else tokens)
            results[index] = DrawnText(text, len(tokens), finished)
        report.advance(len(group))
    return [results[index] for index in range(len(draws))]


def _sample(
    model: Any,
    texts: Sequence[tuple[tuple[int, ...], str]],
    given: Sequence[list[int]],
    drawing: Drawing,
    known: Prefixes,
    sharing: Sharing,
    group: Sequence[int],
) -> list[list[int]]:
    """Return the sampled tokens of those `texts` whose numbers are in `group`."""
    chosen, before = [texts[index] for index in group], [given[index] for index in group]
    return sample_tokens(model, chosen, before, drawing, known, sharing)


def _alike(
    draws: Sequence[Draw], given: Sequence[list[int]], lengths: Sequence[int], room: int, tokens_per_batch: int
) -> Iterator[list[int]]:
    """Yield indices into `draws` in groups that are drawn together: of these, what is given is of one length."""
    for length in sorted({len(each) for each in given}):
        same = [index for index, each in enumerate(given) if len(each) == length]
        for group in share_prompts([draws[index].prompt for index in same], lengths, room, tokens_per_batch):
            yield [same[place] for place in group]


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


def end_tokens(model: Any, tokenizer: Any, chat: Variables = ()) -> set[int]:
    """Return the tokens that end an answer: the model's own, the tokenizer's and that of its chat template.

    `chat` are variables of the template.
    """
    named = model.generation_config.eos_token_id
    end = chat_of(tokenizer, chat, may_think=True).end
    written = set(end) if len(end) == 1 else set()
    return {*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id, *written} - {None}


def line_break_tokens(tokenizer: Any) -> set[int]:
    """Return the tokens whose text has a line break."""
    texts = tokenizer.batch_decode([[token] for token in range(len(tokenizer))])
    return {token for token, text in enumerate(texts) if "\n" in text}


@torch.inference_mode()
def sample_tokens(
    model: Any,
    texts: Sequence[tuple[tuple[int, ...], str]],
    given: Sequence[list[int]],
    drawing: Drawing,
    known: Prefixes,
    sharing: Sharing = SHARED,
) -> list[list[int]]:
    """Return the sampled tokens of each text, with the token that ended it.

    `texts` are the tokens of each one's prompt and the key of its random stream. What is `given` of an answer comes
    before what is drawn, and is as long for all. Texts that have said the same so far are one branch, which parts when
    they do.
    """
    # Branches of one prompt stand side by side.
    begun = sorted({(prompt, tuple(before)) for (prompt, _), before in zip(texts, given, strict=True)})
    numbers = {beginning: number for number, beginning in enumerate(begun)}
    branch_of = [numbers[prompt, tuple(before)] for (prompt, _), before in zip(texts, given, strict=True)]
    # The last token of a prompt is the first of the step that the first draw follows.
    step = torch.tensor([[prompt[-1], *before] for prompt, before in begun], device=model.device)
    continuation = _begin(model, begun, step.shape[1] + drawing.longest - 1, known, sharing)
    streams = [_stream(key) for _, key in texts]
    answers: list[list[int]] = [[] for _ in texts]
    going = list(range(len(texts)))
    for _ in range(drawing.longest):
        logits = continuation.step(step) / drawing.temperature
        chosen = pick(logits, [branch_of[text] for text in going], [next(streams[text]) for text in going])
        for text, token in zip(going, chosen, strict=True):
            answers[text].append(token)
        going = [text for text in going if not drawing.ended(answers[text])]
        if not going:
            break
        parts = sorted({(branch_of[text], answers[text][-1]) for text in going})
        branches = [branch for branch, _ in parts]
        tokens = torch.tensor([token for _, token in parts], device=model.device)[:, None]
        if len(set(branches)) < len(parts) or len(parts) < (1 - SHARE_ENDED) * len(step):
            continuation.keep(branches)
            step = tokens
            numbered = {part: number for number, part in enumerate(parts)}
            for text in going:
                branch_of[text] = numbered[branch_of[text], answers[text][-1]]
        else:
            step = torch.zeros_like(step[:, :1])
            step[branches] = tokens
    return answers


def _begin(
    model: Any, begun: Sequence[tuple[tuple[int, ...], tuple[int, ...]]], room: int, known: Prefixes, sharing: Sharing
) -> Continuation:
    """Return what goes on after the prompts of `begun`, but for their last tokens."""
    counts = Counter(prompt for prompt, _ in begun)
    seen = {prompt[:-1]: known[prompt].without_last() for prompt in counts if prompt in known}
    missing = [prompt for prompt in counts if prompt not in known]
    if missing and may_branch(sharing, list(counts), room):
        # Computed with their last token, so that what is kept of them is the same as where their choice was read.
        for number, _, prefix in prefill(model, missing, sum(map(len, missing)), range(len(missing)), sharing):
            if prefix is not None:
                seen[missing[number][:-1]] = prefix.without_last()
    return go_on(model, sharing, [prompt[:-1] for prompt in counts], list(counts.values()), room, seen)


def pick(logits: torch.Tensor, rows: Sequence[int], uniform: Sequence[float]) -> list[int]:
    """Return for each draw the token at its `uniform` quantile of the distribution in its row of `logits`.

    `logits` is (rows, vocabulary). The block in which the token lies is found first, then the token in the block: only
    the sums of blocks and one block of each draw are added up in double precision.
    """
    weights = torch.exp(logits - logits.amax(dim=-1, keepdim=True))
    blocks = torch.nn.functional.pad(weights, (0, -weights.shape[-1] % BLOCK)).reshape(len(weights), -1, BLOCK)
    row = torch.tensor(rows, device=logits.device)
    quantile = torch.tensor(uniform, dtype=torch.float64, device=logits.device)
    block, quantile = _at_quantile(blocks.sum(dim=-1, dtype=torch.float64)[row], quantile)
    token, _ = _at_quantile(blocks[row, block].double(), quantile)
    return [int(number) for number in (block * BLOCK + token).clamp(max=logits.shape[-1] - 1).tolist()]


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
