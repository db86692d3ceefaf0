"""Whether a model can be asked what it is to be asked, by its configuration, tokenizer and headers of weights.

No weights are read. What would end an experiment late ends it here, before the first answer: a label that the tokenizer
cannot write, a prompt that is too long, a chat template that loses a message, a checkpoint that is not whole.
"""

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.records import file_hash
from tomtransfer.experiment.software import model_software
from tomtransfer.experiment.store import digest_of
from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.asking import Asking, Questions, read_questions_of
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.respondents.protocol import Respondent
from tomtransfer.scenarios.questions import Prompt

logger = logging.getLogger(__name__)

CHECKED = "checked"
"""The folder of a store that holds what models were found to be before they were loaded."""

SYSTEM, USER = "{system message}", "{user message}"
"""What stands for the messages where the template around them is shown."""


def check_model(model: LocalModel, questions: Questions, asking: Asking) -> dict[str, Any]:
    """Return what a person may want to know of a model before it is asked `questions` as `asking` says.

    Raises InputError naming the model and what is wrong: labels, lengths, chat template, end of an answer, weights.
    """
    from tomtransfer.inference.chat import chat_of
    from tomtransfer.inference.encoding import label_tokens, longest_encoded, read_context
    from tomtransfer.models.quantization import stored_as

    prompts = [each for each in (*questions.chosen, *questions.drawn) if isinstance(each, Prompt)]
    labels = dict.fromkeys(label for each in prompts for label in each.labels)
    written = label_tokens(model.tokenizer, labels, model.name, model.variables)
    longest = max(
        longest_encoded(model.tokenizer, asked, model.directory, room, model.variables)
        for asked, room in rooms(model, questions, asking)
    )
    logger.info("%s: prompts with their answers take at most %d tokens", model.name, longest)
    chat, context = chat_of(model.tokenizer, model.variables, may_think=True), read_context(model.directory)
    pieces = model.tokenizer.convert_ids_to_tokens
    return {
        "model": model.name,
        "anatomy": model.anatomy.get("key", ""),
        "architecture": model.anatomy["architecture"],
        "parameters": model.anatomy["parameters"],
        "weights": stored_as(model.directory),
        "quantization": model.quantization,
        "longest_context": None if math.isinf(context) else int(context),
        "longest_prompt_and_answer": longest,
        "around_the_messages": chat.thinking_prompt(SYSTEM, USER) if chat.thinks else chat.prompt(SYSTEM, USER),
        "labels": {label: " ".join(pieces(tokens)) for label, tokens in written.items()},
        "an_answer_ends_with": " ".join(pieces(list(chat.end))),
        "thinks_first": chat.thinks,
    }


def rooms(model: LocalModel, questions: Questions, asking: Asking) -> list[tuple[Sequence[Any], int]]:
    """Return what is asked in groups, each with the most tokens that an answer to it may have."""
    from tomtransfer.inference.encoding import label_tokens

    labels = dict.fromkeys(f"{label}\n" for each in questions.chosen for label in each.labels)
    label = max(map(len, label_tokens(model.tokenizer, labels, model.name, model.variables).values()), default=1)
    read = [*questions.amounts, *questions.comprehension]
    candidates = {text for each in read for text in each.candidates}
    lengths = (len(model.tokenizer.encode(text, add_special_tokens=False)) for text in candidates)
    return [
        (questions.chosen, label),
        (questions.reasoned, label + asking.motivation_tokens),
        (questions.drawn, asking.longest),
        (read, max(lengths, default=1)),
    ]


def check_respondents(
    prompts: Sequence[Path], about: Mapping[str, Any], asked: Mapping[str, tuple[Respondent, Asking]], folder: Path
) -> dict[str, Mapping[str, Any]]:
    """Return what is known of respondents before they are asked about `prompts`, by role; it is noted in `folder`.

    `about` is by role what tells each from any other. Nobody is trained. Raises InputError with a line for each that
    cannot be asked.
    """

    def check_of(respondent: Respondent, asking: Asking) -> Callable[[], Mapping[str, Any]]:
        return lambda: respondent.check(read_questions_of(prompts, asking), asking)

    content = [file_hash(path) for path in prompts]
    checks = {
        role: (
            {**about[role], "asking": asdict(asking), "prompts": content, "software": model_software()},
            respondent,
            check_of(respondent, asking),
        )
        for role, (respondent, asking) in asked.items()
    }
    return noted_checks(checks, folder)


def noted_checks(
    checks: Mapping[str, tuple[Mapping[str, Any], Respondent, Callable[[], Mapping[str, Any]]]], folder: Path
) -> dict[str, Mapping[str, Any]]:
    """Return what the checks find by role, each given as what it is about, who is checked, and how.

    Raises InputError with a line for each that finds a mistake.
    """
    found, mistakes = {}, []
    for role, (about, respondent, check) in checks.items():
        try:
            found[role] = noted_check({**about, "role": role, "model": respondent.identity["model"]}, folder, check)
        except InputError as error:
            mistakes.append(f"{role}: {error}")
    if mistakes:
        raise InputError("\n".join(mistakes))
    return found


def noted_check(about: Mapping[str, Any], folder: Path, check: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return what a `check` finds, or what is noted of it in `folder`, with its key.

    It depends on what it is `about` alone, and its key is the sha256 of that.
    """
    key = digest_of(about)
    place = folder / f"{key[:16]}.json"
    found = read_check(place)
    if not found:
        found = check()
        write_text(json.dumps({"key": key, **found}, indent=1, ensure_ascii=False) + "\n", place)
    return {"key": key, **found}


def read_check(place: Path) -> Mapping[str, Any]:
    """Return what is noted in `place`, with its key; nothing where nothing can be read."""
    try:
        noted = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}
