"""One architecture beside plain passes of its own: choices, drawn texts, training, adapters, four bits.

What the experiment computes with a model is held against the forward pass that its authors wrote, a text at a time,
with nothing of this program between. Each aspect is equal, refused in one sentence of this program's own, or wrong.
"""

import copy
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import torch

from architectures import VOCABULARY, NotBuiltError, build
from tomtransfer.experiment.sections import Lora, Training
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.layers import linear_layers
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.proof import prove
from tomtransfer.inference.rows import Completion, Row
from tomtransfer.inference.sampling import Drawing, _stream, end_tokens, sample_tokens
from tomtransfer.inference.sharing import Sharing
from tomtransfer.inference.token_tree import candidate_distributions
from tomtransfer.inference.vocabulary import Vocabulary
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.integrity import ADAPTER_FILES
from tomtransfer.models.registry import CORPUS
from tomtransfer.scenarios.spelling import spellings_of
from tomtransfer.training.lora import add_adapter
from tomtransfer.training.trainer import _collate, make_trainer

EQUAL_WITHIN = 1e-4
"""Largest difference of logits, and of gradients as a share of them."""

CPU = torch.device("cpu")
TEMPERATURE = 0.8
COLD = 0.3
"""For labels: what is computed anew at each token is slow, and there are fewer beginnings that matter."""

BEGUN = [*range(40, 75)]
PROMPTS = [[*BEGUN, *range(90, 99)], [*BEGUN, *range(120, 125)], [*range(130, 150)]]
"""Two prompts that begin alike, and one of its own; longer than the windows of tiny models."""

COMPLETIONS = [[77, 85, 91, 104, 110, 2], [78, 84], [77, 85, 140, 141, 142, 143, 144, 145, 146, 147, 2]]

EQUAL = "equal"
Expected = Callable[[Any, Sequence[int]], torch.Tensor]


class DifferentError(AssertionError):
    """Something is not what plain passes make it; the message says by how much."""


@dataclass
class Outcome:
    """What was found out about an architecture."""

    architecture: str
    not_built: str = ""
    """Why there is no tiny model of it."""
    sharing: Sharing | None = None
    """What its prompts and completions may share, or None where it is refused."""
    aspects: dict[str, str] = field(default_factory=dict)
    """By aspect: `equal`, `refused: ` and why, or what is wrong."""

    @property
    def wrong(self) -> dict[str, str]:
        """The aspects that are neither equal nor refused by this program."""
        return {name: each for name, each in self.aspects.items() if each != EQUAL and not each.startswith("refused: ")}

    def note(self, aspect: str, work: Callable[[], None]) -> bool:
        """Note what comes of an aspect, and tell whether it is equal."""
        try:
            work()
        except InputError as error:
            one_line = "\n" not in str(error).strip()
            self.aspects[aspect] = f"refused: {error}" if one_line else f"refused in several lines: {error!r}"
        except DifferentError as error:
            self.aspects[aspect] = str(error)
        except Exception as error:
            self.aspects[aspect] = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        else:
            self.aspects[aspect] = EQUAL
        return self.aspects[aspect] == EQUAL


@cache
def tokenizer() -> Any:
    """The tokenizer of all tiny models."""
    return train_tokenizer(CORPUS, VOCABULARY)


def plain(model: Any, tokens: Sequence[int]) -> torch.Tensor:
    """Return the logits after each token of a text, (tokens, vocabulary), in the attention that is written out."""
    if model.config._attn_implementation != "eager":
        model.set_attn_implementation("eager")
    logits: torch.Tensor = model(input_ids=torch.tensor([list(tokens)])).logits[0]
    return logits


def require_equal(what: str, found: torch.Tensor, expected: torch.Tensor) -> None:
    """Raise DifferentError where logits differ by more than rounding does."""
    difference = float((found - expected).abs().max())
    if not difference <= EQUAL_WITHIN * max(1.0, float(expected.std())):
        raise DifferentError(f"{what} differ by {difference:.2g}, where their spread is {float(expected.std()):.2g}")


@dataclass
class Tiny:
    """A tiny model of an architecture in a folder, as if it had been fetched."""

    architecture: str
    folder: Path
    sharing: Sharing | None = None

    def write(self) -> None:
        """Write it and its tokenizer."""
        self.original = build(self.architecture)
        self.original.save_pretrained(self.folder)
        tokenizer().save_pretrained(self.folder)

    @cached_property
    def loaded(self) -> Any:
        """The model as the program loads it."""
        return load_model(self.folder, "none", CPU)

    def weights(self) -> None:
        """Its weights, loaded again, answer as those that were saved."""
        with torch.no_grad():
            require_equal("logits of loaded weights", plain(self.loaded, PROMPTS[0]), plain(self.original, PROMPTS[0]))

    def examined(self) -> None:
        """What it may share is found out."""
        self.sharing, _ = prove(self.loaded, VOCABULARY)

    def choices(self, model: Any = None) -> None:
        """What follows prompts that are read together is what follows each of them alone."""
        model = model or self.loaded
        assert self.sharing is not None
        read = {number: logits for number, logits, _ in prefill(model, PROMPTS, 1_000, (), self.sharing)}
        with torch.no_grad():
            for number, prompt in enumerate(PROMPTS):
                require_equal("logits after prompts", read[number], plain(model, prompt)[-1])

    def labels(self) -> None:
        """The probabilities of labels of several tokens are those of texts computed anew at each token."""
        assert self.sharing is not None
        written = load_tokenizer(self.folder)
        known = Vocabulary(written, end_tokens(self.loaded, written), VOCABULARY)
        asked = PROMPTS[:2]
        spelled = [spellings_of(("Stag", "Hare"))] * len(asked)
        ways = (self.sharing, Sharing(rows=False, drawing="recomputed"))
        found, expected = (
            candidate_distributions(self.loaded, known, asked, spelled, COLD, 1_000, sharing=way) for way in ways
        )
        for one, other in zip(found, expected, strict=True):
            shares = (torch.tensor([*each.candidates, each.other]) for each in (one, other))
            require_equal("probabilities of labels", *shares)

    def texts(self) -> None:
        """Each token of a drawn text lies where its random number points to in a plain pass."""
        assert self.sharing is not None
        drawn = [(tuple(prompt), f"{self.architecture}/{number}") for prompt in PROMPTS for number in range(3)]
        given = [[77, 85] for _ in drawn]
        kept = {
            tuple(PROMPTS[number]): prefix
            for number, _, prefix in prefill(self.loaded, PROMPTS, 1_000, [0, 1], self.sharing)
            if prefix is not None
        }
        answers = sample_tokens(self.loaded, drawn, given, Drawing(TEMPERATURE, 5), kept, self.sharing)
        for (prompt, key), before, answer in zip(drawn, given, answers, strict=True):
            with torch.no_grad():
                logits = plain(self.loaded, [*prompt, *before, *answer[:-1]])[-len(answer) :].double()
            shares = torch.softmax(logits / TEMPERATURE, dim=-1).cumsum(-1)
            for row, token, uniform in zip(shares, answer, _stream(key), strict=False):
                low, high = float(row[token - 1]) if token else 0.0, float(row[token])
                if not low - EQUAL_WITHIN <= uniform <= high + EQUAL_WITHIN:
                    raise DifferentError(f"a text is drawn that is not at {uniform:.3f} but {low:.3f} to {high:.3f}")

    def gradients(self, model: Any) -> None:
        """Loss and gradient of a row are those of its completions in plain passes."""
        assert self.sharing is not None
        weights = [each / sum(range(1, len(COMPLETIONS) + 1)) for each in range(1, len(COMPLETIONS) + 1)]
        completions = [Completion(list(each), weight) for each, weight in zip(COMPLETIONS, weights, strict=True)]
        whole = self.sharing.fits(len(PROMPTS[0]) + sum(map(len, COMPLETIONS)))
        rows = [Row(PROMPTS[0], completions)] if whole else [Row(PROMPTS[0], [each]) for each in completions]
        settings = Training(temperature=TEMPERATURE, choice_share=0.5)
        trainer = make_trainer(model, rows, rows, settings, self.folder / "checkpoints", False, not whole)
        model.train()
        learnt = [value for value in model.parameters() if value.requires_grad]
        loss = sum(trainer.compute_loss(model, _collate(row, 0.5)) for row in rows)
        found = torch.autograd.grad(loss, learnt, allow_unused=True)
        expected_loss = sum(_plain_loss(model, completion) for completion in completions)
        expected = torch.autograd.grad(expected_loss, learnt, allow_unused=True)
        model.eval()
        require_equal("losses", loss.detach(), expected_loss.detach())
        pairs = [(one, other) for one, other in zip(found, expected, strict=True) if one is not None]
        difference = float(torch.cat([(one - other).flatten() for one, other in pairs]).norm())
        norm = float(torch.cat([other.flatten() for _, other in pairs]).norm())
        if not (norm > 0 and difference <= EQUAL_WITHIN * norm):
            raise DifferentError(f"gradients differ by {difference:.2g}, where their norm is {norm:.2g}")

    def adapted(self, model: Any) -> Any:
        """A model with an adapter whose weights are not zero."""
        model = add_adapter(model, Training(lora=Lora(targets=targets_of(model))))
        torch.manual_seed(1)
        for name, value in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(value, 0, 0.1)
        return model

    def training(self) -> None:
        """A row has the right gradient, and an adapter that is saved and loaded again is what it was."""
        model = self.adapted(copy.deepcopy(self.loaded))
        self.gradients(model)
        place = self.folder / "adapter"
        model.save_pretrained(place, safe_serialization=True, save_embedding_layers=False)
        for extra in set(place.iterdir()) - {place / name for name in ADAPTER_FILES}:
            extra.unlink()
        again = load_model(self.folder, "none", CPU, place)
        with torch.no_grad():
            untuned, tuned = (plain(each, PROMPTS[0]) for each in (self.loaded, model))
            if not float((untuned - tuned).abs().max()) > 10 * EQUAL_WITHIN:
                raise DifferentError("an adapter changes nothing")
            require_equal("logits with an adapter that was loaded", plain(again, PROMPTS[0]), tuned)
        self.choices(again)

    def four_bits(self) -> None:
        """In four bits it answers alike at each load, its prompts may be read as before, and so is its gradient."""
        first, second = (load_model(self.folder, "nf4", CPU) for _ in range(2))
        self.sharing, _ = prove(first, VOCABULARY)
        with torch.no_grad():
            # Sums are taken in another order where memory lies otherwise, so that the last bit may differ.
            if not torch.allclose(plain(first, PROMPTS[0]), plain(second, PROMPTS[0]), atol=1e-5):
                raise DifferentError("four bits answer otherwise at the next load")
        self.choices(first)
        self.gradients(self.adapted(first))


def _plain_loss(model: Any, completion: Completion) -> torch.Tensor:
    """Return the loss of a completion in a row of its own: half for its first token, half for the others."""
    count = len(completion.tokens)
    logits = plain(model, [*PROMPTS[0], *completion.tokens])[len(PROMPTS[0]) - 1 : -1] / TEMPERATURE
    each = -torch.log_softmax(logits, dim=-1)[range(count), completion.tokens]
    return completion.weight * (each[0] / 2 + each[1:].sum() / (2 * (count - 1)))


def targets_of(model: Any) -> tuple[str, ...]:
    """Return the layers of a model that are tuned: the default ones where it has them, else all that it has."""
    there = linear_layers(model)
    wanted = [name for name in Lora().targets if name in there]
    return tuple(wanted) if wanted else tuple(sorted(there))


def look_at(architecture: str, folder: Path) -> Outcome:
    """Return what is found out about an architecture, with a tiny model of it in `folder`."""
    found, tiny = Outcome(architecture), Tiny(architecture, folder)
    try:
        tiny.write()
    except NotBuiltError as error:
        found.not_built = str(error)
        return found
    try:
        if found.note("weights", tiny.weights) and found.note("examination", tiny.examined):
            found.sharing = tiny.sharing
            for name in ("choices", "labels", "texts", "training", "four_bits"):
                found.note(name.replace("_", " "), getattr(tiny, name))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found
