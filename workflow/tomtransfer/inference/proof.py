"""Proving on a model itself what its prompts and completions may share: every faster way against plain passes.

Lists of architectures are out of date when they are written, and flags of a library miss some. So the model is run:
two prompts with a common beginning, two completions in one row, and texts that go on after their prompts, each beside
plain passes of the same tokens. What is equal is used. What is not is done one by one, which is slower. What differs
even then is no causal language model.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.continuation import go_on
from tomtransfer.inference.general_attention import attending
from tomtransfer.inference.loading import quantized_in_four_bits
from tomtransfer.inference.plain import plain_logits
from tomtransfer.inference.prefill import Prefixes, read_together
from tomtransfer.inference.row_attention import SHARED_ROWS
from tomtransfer.inference.rows import Completion, Row, row_inputs, row_lengths
from tomtransfer.inference.sharing import Sharing, TextsGoOn

EQUAL_WITHIN = {torch.float32: 1e-3, torch.float16: 0.02, torch.bfloat16: 0.1}
"""Largest difference that counts as equal, in standard deviations of the logits: sums are taken in another order."""

BEGINNING, ENDS, TEXTS = 24, (7, 4), (6, 3)
"""Tokens that both prompts share, tokens that each has of its own, tokens of the texts after them."""

WINDOW_NAMES = re.compile(r"\w*window(_size)?|attention_chunk_size")
"""What settings of models are called that say how far attention reaches."""

NARROW = 8
"""Windows are narrowed to so many tokens, so that they matter in a short text."""

WAYS: tuple[TextsGoOn, ...] = ("branches", "flat branches", "copies", "recomputed")


@dataclass
class Proof:
    """A model beside its plain passes: by how much each way differs, in standard deviations of the logits."""

    model: Any
    texts: list[list[int]]
    """Two texts that begin alike: prompts, and what comes after them."""
    differences: dict[str, float | str] = field(default_factory=dict)
    """By way; a text says why it could not be tried."""

    def __post_init__(self) -> None:
        """Take the plain passes that everything is held against; raises InputError where there are none."""
        self.prompts = [text[:-new] for text, new in zip(self.texts, TEXTS, strict=True)]
        try:
            self.plain = [plain_logits(self.model, text) for text in self.texts]
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a model raises that does not run as it was loaded
            four = " in four bits; quantization: none may do" if quantized_in_four_bits(self.model) else ""
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{type(self.model).__name__} cannot be used{four}: a plain pass ends in "
                f"{type(error).__name__}: {reason}"
            ) from error
        self.spread = float(self.plain[0].std())
        self.tolerance = EQUAL_WITHIN.get(self.plain_type, EQUAL_WITHIN[torch.float32])

    @property
    def plain_type(self) -> torch.dtype:
        """The type that the model computes in."""
        found: torch.dtype = next(each.dtype for each in self.model.parameters() if each.dtype.is_floating_point)
        return found

    def off(self, found: torch.Tensor, expected: torch.Tensor) -> float:
        """Return the largest difference between logits, in standard deviations of them."""
        return float((found.float() - expected).abs().max()) / self.spread

    def holds(self, name: str, way: Any, *settings: Any) -> bool:
        """Try a way, note what comes of it, and tell whether it is equal to plain passes."""
        try:
            found = self.differences[name] = way(self, *settings)
        except Exception as error:  # whatever a model raises where it does not know a way
            self.differences[name] = f"{type(error).__name__}: {str(error)[:200]}"
            return False
        return bool(found <= self.tolerance)


@torch.inference_mode()
def prove(model: Any, vocabulary: int) -> tuple[Sharing, dict[str, float | str]]:
    """Return what prompts and completions of `model` may share, and by how much each way that was tried differed.

    `vocabulary` is the number of tokens to take some from. Raises InputError when two passes over the same tokens
    differ, or what follows a token changes what came before it.
    """
    texts, windows = _texts(vocabulary), attention_windows(model)
    with narrowed(model, windows):
        narrow = Proof(model, texts)
        _require_causal(narrow)
        proofs = [narrow]
        rows = narrow.holds("prompts in one row", prompts_in_a_row) and narrow.holds(
            "completions in one row", completions_in_a_row
        )
    longest = None
    if not rows and windows:
        # Perhaps it is only the window that is lost: then rows within it are right.
        wide = Proof(model, texts)
        rows = wide.holds("prompts in one row, within a window", prompts_in_a_row) and wide.holds(
            "completions in one row, within a window", completions_in_a_row
        )
        longest = min(windows.values()) if rows else None
        proofs.append(wide)
    for way in WAYS:
        sharing = Sharing(rows, way, longest)
        if sharing.branches and not rows:
            continue
        with narrowed(model, {} if sharing.branches and longest else windows):
            proof = proofs[-1] if sharing.branches else narrow
            if proof.holds(f"texts, {way}", going_on, sharing):
                return sharing, {name: found for each in proofs for name, found in each.differences.items()}
    raise InputError(f"{type(model).__name__} cannot be used: no text can go on after a prompt: {narrow.differences}")


def _texts(vocabulary: int) -> list[list[int]]:
    """Return two texts that begin alike."""
    draw = torch.Generator().manual_seed(0)
    # Neither control tokens, which often come first, nor those of images, which often come last.
    drawn = torch.randint(vocabulary // 10, max(vocabulary // 2, vocabulary // 10 + 2), (60,), generator=draw).tolist()
    first, second = (end + new for end, new in zip(ENDS, TEXTS, strict=True))
    begun = drawn[:BEGINNING]
    return [[*begun, *drawn[BEGINNING : BEGINNING + first]], [*begun, *drawn[-second:]]]


def _require_causal(proof: Proof) -> None:
    """Raise InputError when the model answers differently each time, or looks at what comes later."""
    pairs = list(zip(proof.prompts, proof.texts, proof.plain, strict=True))
    again = max(proof.off(plain_logits(proof.model, text), plain) for _, text, plain in pairs)
    alone = max(proof.off(plain_logits(proof.model, prompt)[-1], plain[len(prompt) - 1]) for prompt, _, plain in pairs)
    for found, what in ((again, "answers differently each time it is asked"), (alone, "looks at what comes later")):
        if not found <= proof.tolerance:
            raise InputError(
                f"{type(proof.model).__name__} cannot be used: it {what} (logits differ by {found:.2g} of their "
                "standard deviations); a causal language model is needed"
            )


def prompts_in_a_row(proof: Proof) -> float:
    """Return how far the logits after two prompts that share a row are from those of plain passes."""
    found = {number: logits for number, logits, _ in read_together(proof.model, proof.prompts, BEGINNING, (), (0, 1))}
    return max(
        proof.off(found[number], proof.plain[number][len(prompt) - 1]) for number, prompt in enumerate(proof.prompts)
    )


def completions_in_a_row(proof: Proof) -> float:
    """Return how far the logits along two completions that share a row are from those of plain passes."""
    ends = [text[BEGINNING:] for text in proof.texts]
    row = Row(proof.texts[0][:BEGINNING], [Completion([*end, 0], 1) for end in ends])
    inputs = {name: values.to(proof.model.device) for name, values in row_inputs(row).items()}
    with attending(proof.model, SHARED_ROWS):
        logits = proof.model(**inputs, row_lengths=row_lengths(row), use_cache=False).logits[0]
    parts = torch.split(logits, list(row_lengths(row)))
    differences = [proof.off(parts[0], proof.plain[0][:BEGINNING])]
    differences += [proof.off(part, plain[BEGINNING:]) for part, plain in zip(parts[1:], proof.plain, strict=True)]
    return max(differences)


def going_on(proof: Proof, sharing: Sharing) -> float:
    """Return how far the logits along texts that go on after their prompts are from those of plain passes.

    The first prompt's text parts into two branches; then one of all branches is left.
    """
    prompts = [tuple(prompt) for prompt in proof.prompts]
    known: Prefixes = {}
    if sharing.branches:
        read = read_together(proof.model, prompts, BEGINNING, (0, 1), (0, 1))
        known = {prompts[number]: prefix for number, _, prefix in read if prefix is not None}
    continuation = go_on(proof.model, sharing, prompts, [1, 1], max(TEXTS), known)
    differences, said = [], 0
    for kept, owners, new in ((None, (0, 1), 2), ((0, 0, 1), (0, 0, 1), 1), ((1,), (0,), 1)):
        if kept is not None:
            continuation.keep(kept)
        texts = [proof.texts[owner][len(prompts[owner]) :] for owner in owners]
        step = torch.tensor([text[said : said + new] for text in texts], device=proof.model.device)
        said += new
        for owner, found in zip(owners, continuation.step(step), strict=True):
            differences.append(proof.off(found, proof.plain[owner][len(prompts[owner]) + said - 1]))
    return max(differences)


def attention_windows(model: Any) -> dict[tuple[int, str], int]:
    """Return the windows that a model's settings and modules speak of, by where they stand."""
    places = {id(place): place for place in _places(model)}
    return {
        (number, name): value
        for number, place in places.items()
        for name, value in vars(place).items()
        if WINDOW_NAMES.fullmatch(name) and isinstance(value, int) and not isinstance(value, bool) and value > 0
    }


def _places(model: Any) -> Iterator[Any]:
    """Yield all objects of a model that hold settings."""
    for module in model.modules():
        yield module
        config = getattr(module, "config", None)
        if config is not None:
            yield config


@contextmanager
def narrowed(model: Any, windows: dict[tuple[int, str], int]) -> Iterator[None]:
    """Have the windows of a model reach over a few tokens alone."""
    places = {id(place): place for place in _places(model)}
    for number, name in windows:
        setattr(places[number], name, NARROW)
    try:
        yield
    finally:
        for (number, name), value in windows.items():
            setattr(places[number], name, value)
