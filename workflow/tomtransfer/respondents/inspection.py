"""Looking at a model as the experiment sees it: what it gets, how its answers begin and end, what was found out.

And how long it takes: a few tokens are drawn after one prompt, and the time is multiplied.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tomtransfer.models.integrity import model_files
from tomtransfer.respondents.asking import Asking
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.respondents.protocol import Drawn
from tomtransfer.scenarios.questions import Prompt

TIMED_TEXTS, TIMED_TOKENS = 4, 16
"""Texts that are drawn to see how long a token takes, and the tokens that each may have."""


@dataclass(frozen=True)
class Speed:
    """How long a model took here and now."""

    reading: float
    """Seconds for one prompt."""
    drawing: float
    """Seconds for each token of a text that is drawn by itself."""


def measured_speed(model: LocalModel, prompt: Prompt) -> Speed:
    """Return how long a model takes for a prompt and for tokens after it, which are drawn and thrown away."""

    def seconds(texts: int, longest: int) -> tuple[float, int]:
        asking = Asking(prompt.question, False, texts, (), longest, one_line=False, seed=1)
        start = time.perf_counter()
        drawn = [model.draw([Drawn(prompt, str(key))], asking) for key in range(texts)]
        return time.perf_counter() - start, sum(each.tokens for [each] in drawn)

    seconds(1, 1)  # whatever is done once only
    first, _ = seconds(TIMED_TEXTS, 1)
    longer, tokens = seconds(TIMED_TEXTS, TIMED_TOKENS)
    return Speed(first / TIMED_TEXTS, max(longer - first, 0) / max(tokens - TIMED_TEXTS, 1))


def expected_time(speed: Speed, prompts: int) -> str:
    """Return in words how long a number of prompts will take, by the speed that was seen with one."""
    return (
        f"expected time, estimated from one prompt here and now: {_seconds(speed.reading * prompts)} at most to read "
        f"the choices of all {prompts} prompts of this game, less where they begin alike, and "
        f"{_seconds(100 * speed.drawing)} for a drawn text of 100 tokens, less for each where several are drawn at once"
    )


def _seconds(seconds: float) -> str:
    """Return seconds in two digits, or as minutes or hours where there are many."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{float(f'{seconds / size:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} seconds"


def inspection_page(model: LocalModel, prompts: Sequence[Prompt]) -> str:
    """Return what a person may want to know of a model before it is asked `prompts`, in Markdown; shows the first.

    Loads the model. Raises InputError for a model that cannot be used.
    """
    prompt = prompts[0]
    from tomtransfer.inference.chat import chat_of
    from tomtransfer.inference.encoding import encode_prompts, label_tokens

    chat = chat_of(model.tokenizer, model.variables, may_think=True)
    asked = replace(prompt, question="reason_first") if chat.thinks else prompt
    (tokens,) = encode_prompts(model.tokenizer, [asked], model.directory, 1, model.variables)
    written = label_tokens(model.tokenizer, [f"{label}\n" for label in prompt.labels], model.name, model.variables)
    examined = model.examination
    memory = sum(each.numel() * each.element_size() for each in model.loaded.parameters())
    disk = sum(file.stat().st_size for file in model_files(model.directory) if file.suffix == ".safetensors")
    thoughts = ["- it always thinks first: its choices can be drawn after its thoughts alone"] if chat.thinks else []
    differences = [f"- {name}: {_said(found)}" for name, found in examined.differences.items()]
    return "\n".join(
        [
            f"# {model.name}",
            "",
            f"- architecture: {examined.architecture}",
            f"- {model.anatomy['parameters']:,} parameters in {disk / 1e9:.1f} GB",
            f"- weights stored as {examined.weights}, loaded {model.quantization}: {memory / 1e9:.1f} GB of memory",
            f"- {expected_time(measured_speed(model, asked), len(prompts))}",
            f"- {examined.said}",
            f"- labels: {'; '.join(f'{label.strip()} as {_shown(model, found)}' for label, found in written.items())}",
            f"- an answer ends with {_shown(model, list(chat.end))}",
            *thoughts,
            "",
            "Largest differences from plain passes, in standard deviations of the logits:",
            "",
            *differences,
            "",
            f"What it gets in {prompt.game}, {prompt.context}, {len(tokens)} tokens:",
            "",
            "```",
            model.tokenizer.decode(tokens, skip_special_tokens=False),
            "```",
        ]
    )


def _said(found: float | str) -> str:
    return found if isinstance(found, str) else f"{found:.1e}"


def _shown(model: LocalModel, tokens: list[int]) -> str:
    return " ".join(f"`{token!r}`" for token in model.tokenizer.convert_ids_to_tokens(tokens))
