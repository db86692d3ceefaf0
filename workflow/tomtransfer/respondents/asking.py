"""How each model is asked: which of its choices are read exactly, what is drawn, and how long it may be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from tomtransfer.experiment.config import TRAINED_SPLIT, Experiment
from tomtransfer.experiment.sections import Student, Teacher
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.questions import Prompt, Query, read_comprehension, read_prompts, read_queries


@dataclass(frozen=True)
class Asking:
    """How one model is asked."""

    question: str
    exact: bool
    """Whether its choices are read from the probabilities of tokens."""
    answers: int
    """How many answers are drawn for each scenario and frame; 0 draws none."""
    frames: tuple[str, ...]
    """The frames that answers are drawn in; empty stands for all."""
    longest: int
    """How many tokens an answer may have."""
    one_line: bool
    """Whether an answer may end with its first line, because nothing after it is read."""
    seed: int
    motivations: Mapping[str, int] = field(default_factory=dict)
    """How many motivations are drawn for each choice of an in-sample scenario, by the frames that are trained on."""
    motivation_tokens: int = 0
    """How many tokens a motivation may have."""
    motivation_seed: int = 0

    def drawn(self, prompts: Sequence[Prompt]) -> list[Prompt]:
        """Return those of `prompts` that answers are drawn to."""
        return [prompt for prompt in prompts if not self.frames or prompt.frame in self.frames]

    def once(self) -> Self:
        """Return the same asking for one text of each kind: whoever can be asked so can be asked for more."""
        motivations = dict.fromkeys(self.motivations, 1)
        return replace(self, answers=min(self.answers, 1), motivations=motivations, seed=0, motivation_seed=0)


@dataclass(frozen=True)
class Questions:
    """What a model is asked, by how its answers are known."""

    chosen: Sequence[Prompt]
    """Prompts whose choices are read exactly."""
    reasoned: Sequence[Prompt]
    """Those among them after whose choices reasons are drawn."""
    drawn: Sequence[Prompt | Query]
    """Prompts to which answers are drawn."""
    amounts: Sequence[Query]
    """Prompts whose amounts are read exactly."""
    comprehension: Sequence[Query]
    """Questions about the payoffs, whose answers are read exactly."""


def read_questions_of(files: Sequence[Path], asking: Asking) -> Questions:
    """Return what the prompts in `files` ask of a model that is asked as `asking` says."""
    prompts, amounts = read_prompts(files, asking.question), read_queries(files, asking.question)
    exact, exact_amounts = (prompts, amounts) if asking.exact else ([], [])
    return Questions(
        chosen=exact,
        reasoned=[each for each in exact if each.split == TRAINED_SPLIT and each.frame in asking.motivations],
        drawn=[*asking.drawn(prompts), *amounts] if asking.answers else [],
        amounts=exact_amounts,
        comprehension=read_comprehension(files),
    )


def ask_teacher(experiment: Experiment) -> Asking:
    """Return how the teacher is asked.

    A teacher whose choices are not read exactly is trained on what it answered, reasons included. Where nobody is
    trained, it is asked for no motivations.
    """
    teacher, sampling = experiment.teacher, experiment.sampling
    exact = _is_exact(experiment, teacher)
    reasons_first = teacher.question == "reason_first"
    longest = sampling.reason_tokens if reasons_first else sampling.answer_tokens
    if not (exact or reasons_first):
        longest += teacher.motivation_tokens
    return Asking(
        question=teacher.question,
        exact=exact,
        longest=longest,
        one_line=exact,
        motivations=experiment.trained_frames if experiment.trains else {},
        motivation_tokens=teacher.motivation_tokens,
        motivation_seed=teacher.seed,
        **_drawing(experiment, exact),
    )


def ask_student(experiment: Experiment) -> Asking:
    """Return how the student is asked; raises InputError where there is none."""
    student, sampling = the_student(experiment), experiment.sampling
    exact = _is_exact(experiment, student)
    reasons_first = student.question == "reason_first"
    return Asking(
        question=student.question,
        exact=exact,
        longest=sampling.reason_tokens if reasons_first else sampling.answer_tokens,
        one_line=not reasons_first,
        **_drawing(experiment, exact),
    )


def the_student(experiment: Experiment) -> Student:
    """Return the student of an experiment; raises InputError where there is none."""
    if experiment.student is None:
        raise InputError(
            "config: student: missing, so that only the teacher can be asked: `snakemake --cores all teacher`"
        )
    return experiment.student


def _is_exact(experiment: Experiment, model: Teacher | Student) -> bool:
    return model.question != "reason_first" and experiment.choices != "sampled"


def _drawing(experiment: Experiment, exact: bool) -> Any:
    """Return how many answers are drawn, in which frames, from which seed.

    Drawn besides exact choices, answers check how these are read, for which the scored frame is enough; where they are
    the only evidence they are drawn in every frame.
    """
    return {
        "answers": 0 if experiment.choices == "exact" else experiment.sampling.answers,
        "frames": (experiment.scored_frame,) if exact else (),
        "seed": experiment.sampling.seed,
    }
