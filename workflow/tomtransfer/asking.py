"""How each model is asked: which of its choices are read exactly, which answers are drawn, and how long they may be."""

from collections.abc import Sequence
from dataclasses import dataclass

from tomtransfer.config import Experiment
from tomtransfer.prompts import Prompt
from tomtransfer.settings import Student, Teacher


@dataclass(frozen=True)
class Asking:
    """How one model is asked for its choices."""

    question: str
    exact: bool
    """Whether its choices are read from the probabilities of the next token."""
    answers: int
    """How many answers are drawn for each scenario and frame; 0 draws none."""
    frames: tuple[str, ...]
    """The frames that answers are drawn in; empty stands for all."""
    longest: int
    """How many tokens an answer may have."""
    one_line: bool
    """Whether an answer may end with its first line, because nothing after it is read."""
    seed: int


def how_asked(experiment: Experiment, model: Teacher | Student) -> Asking:
    """Return how the teacher or the student of an experiment is asked.

    Drawn beside exact choices, answers check how these are read, for which the scored frame is enough; where they stand
    alone they are drawn in every frame. A teacher whose choices are not read exactly is trained on what it answered,
    reasons included.
    """
    sampling = experiment.sampling
    exact = model.question != "reason_first" and experiment.choices != "sampled"
    longest, trained_on = sampling.answer_tokens, False
    if model.question == "reason_first":
        longest = sampling.reason_tokens
    elif isinstance(model, Teacher) and not exact:
        longest, trained_on = longest + model.motivation_tokens, True
    return Asking(
        question=model.question,
        exact=exact,
        answers=0 if experiment.choices == "exact" else sampling.answers,
        frames=(experiment.scored_frame,) if exact else (),
        longest=longest,
        one_line=model.question != "reason_first" and not trained_on,
        seed=sampling.seed,
    )


def to_draw(prompts: Sequence[Prompt], asking: Asking) -> list[Prompt]:
    """Return those of `prompts` that answers are drawn to."""
    return [prompt for prompt in prompts if not asking.frames or prompt.frame in asking.frames]
