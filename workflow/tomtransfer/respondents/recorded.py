"""A respondent whose answers somebody has recorded: what it cannot answer is not asked, and nothing is made up.

Its choices are counts of answers, with the sampling error of counts. Reading them needs neither torch nor polars.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.models.integrity import sha256
from tomtransfer.models.registry import Recorded, Source
from tomtransfer.respondents.answer_record import AnswerRecord, Place, in_letters, read_answer_record
from tomtransfer.respondents.asking import Asking, Questions, ask_student, ask_teacher
from tomtransfer.respondents.protocol import Drawn, Reasons
from tomtransfer.scenarios.games import TWO_ACTIONS
from tomtransfer.scenarios.kinds import KINDS
from tomtransfer.scenarios.plane_prompts import plane_scenarios
from tomtransfer.scenarios.planes import PLANE
from tomtransfer.scenarios.questions import Prompt, Query
from tomtransfer.scenarios.template_reasons import TEMPLATE, write_reasons


@dataclass(frozen=True)
class RecordedRespondent:
    """The recorded answers of a registry entry as a respondent; `files` are where each of its tables stands."""

    source: Recorded
    files: Mapping[str, Path]
    identity: Mapping[str, Any]

    @cached_property
    def record(self) -> AnswerRecord:
        """What is recorded, read when it is first needed."""
        return read_answer_record(self.source, self.files)

    @property
    def examined(self) -> str:
        """Nothing: tables have no weights to examine; see `Respondent`."""
        return ""

    def known(self, questions: Questions) -> Questions:
        """Return the questions in recorded frames; comprehension is not asked, and nothing is drawn."""
        chosen = [prompt for prompt in questions.chosen if prompt.frame in self.source.frames]
        reasoned = [prompt for prompt in questions.reasoned if self.author(prompt) or self._gave_reasons(prompt)]
        return replace(questions, chosen=chosen, reasoned=reasoned, drawn=[], comprehension=[])

    def evidence(self, prompt: Prompt | Query) -> str:
        """Counted choices, mean amounts; see `Respondent`."""
        return "counted" if isinstance(prompt, Prompt) else "mean"

    def check(self, questions: Questions, asking: Asking) -> dict[str, Any]:
        """Return what is recorded and what it is not asked for; see `Respondent`."""
        refuse_drawing(str(self.identity["model"]), asking)
        asked = self.known(questions)
        self.record.require(
            str(self.identity["model"]),
            map(recorded_place, asked.chosen),
            [recorded_place(query) for query in asked.amounts],
        )
        for query in asked.amounts:
            self._amount(query)
        return {
            "model": self.identity["model"],
            "tables": {name: f"sha256 {sha256(file)}" for name, file in self.files.items()},
            "choices": f"counted in {len(asked.chosen)} scenarios",
            "amounts": f"a mean in {len(asked.amounts)} scenarios",
            "motivations": f"in {len(asked.reasoned)} of {len(questions.reasoned)} scenarios that are trained on",
            **({"reasons": f"written by a {TEMPLATE}: {self.source.reasons}"} if self.source.reasons else {}),
            "not asked": "questions about the payoffs, and other frames than " + ", ".join(self.source.frames),
        }

    def asked(self, prompt: Prompt | Query) -> dict[str, Any]:
        """Return the hash of a prompt and the place of its record, of which the text says nothing."""
        return {"prompt": prompt.sha256, "place": list(recorded_place(prompt)[:4])}

    def choose(
        self, prompts: Sequence[Prompt], room: int, drawn_after: Collection[str] = ()
    ) -> list[ChoiceDistribution]:
        """Return how many recorded answers cooperate, defect and are neither; see `Respondent`."""
        places = [recorded_place(prompt) for prompt in prompts]
        self.record.require(str(self.identity["model"]), places, ())
        found = [self.record.choice(place) for place in places]
        return [ChoiceDistribution(each.cooperate, each.defect, each.invalid) for each in found]

    def motivate(self, wanted: Sequence[Reasons], longest: int) -> list[DrawnText]:
        """Return reasons for each choice, recorded ones by the key of the draw, or a template's; see `Respondent`."""
        return [DrawnText(self._reasons(each), 0, True) for each in wanted]

    def _reasons(self, wanted: Reasons) -> str:
        if self.source.reasons and self.author(wanted.prompt):
            return write_reasons(self.source.reasons, wanted.prompt, wanted.choice)
        texts = self.record.reasons(recorded_place(wanted.prompt), wanted.choice)
        return texts[int(wanted.key, 16) % len(texts)]

    def author(self, prompt: Prompt) -> str | None:
        """Return who writes its reasons where it is not the teacher itself: the registry's template, if it has one."""
        return TEMPLATE if self.source.reasons and not self._gave_reasons(prompt) else None

    def _gave_reasons(self, prompt: Prompt) -> bool:
        return self.record.has_reasons(recorded_place(prompt))

    def draw(self, wanted: Sequence[Drawn], asking: Asking) -> list[DrawnText]:
        """Refuse: recorded answers are counted and not drawn again; see `Respondent`."""
        raise InputError(f"{self.identity['model']}: recorded answers are counted as they are; none can be drawn")

    def read(self, queries: Sequence[Query]) -> list[CandidateDistribution]:
        """Return for each query the mass on the amounts next to the recorded mean; it says nothing but that mean."""
        return [CandidateDistribution(self._amount(query), 0.0) for query in queries]

    def _amount(self, query: Query) -> list[float]:
        place = recorded_place(query)
        self.record.require(str(self.identity["model"]), (), [place])
        where, mean = self.record.mean(place)
        amounts = [float(candidate) for candidate in query.candidates]
        if not amounts[0] <= mean <= amounts[-1]:
            raise InputError(f"{where}: mean: must be between {amounts[0]:g} and {amounts[-1]:g} (got {mean:g})")
        above = next(number for number, amount in enumerate(amounts) if amount >= mean)
        below = max(above - 1, 0)
        width = amounts[above] - amounts[below]
        upper = (mean - amounts[below]) / width if width else 1.0
        shares = [0.0] * len(amounts)
        shares[below] += 1 - upper
        shares[above] += upper
        return shares


def recorded_place(prompt: Prompt | Query) -> Place:
    """Return where the answer to a prompt is recorded; amounts have no frame."""
    if not isinstance(prompt, Prompt):
        return Place(prompt.split, prompt.game, prompt.context, "")
    return Place(prompt.split, prompt.game, prompt.context, prompt.frame, in_letters(prompt.payoffs))


def check_record(experiment: Experiment, registry: Mapping[str, Source], path: Path, kinds: Mapping[str, str]) -> None:
    """Make sure that whoever is recorded can be asked what an experiment asks; anybody else is taken as they are.

    Tables that are elsewhere are looked at when they were fetched. Raises InputError naming a frame that is trained on
    or scored without a record, all scenarios that have none, and what is wrong in the tables.
    """
    for role, name in experiment.respondents.items():
        source = registry.get(name)
        if not isinstance(source, Recorded):
            continue
        _refuse_unrecorded_frames(experiment, f"{path}: {name}", source)
        refuse_drawing(name, ask_teacher(experiment) if role == "teacher" else ask_student(experiment))
        files = {table: each.path for table, each in source.tables.items() if each.path}
        if len(files) == len(source.tables):
            read_answer_record(source, files).require(name, *wanted_places(experiment, source, kinds))


def _refuse_unrecorded_frames(experiment: Experiment, where: str, source: Recorded) -> None:
    """Raise InputError when there are no answers in a frame that a student is trained in, or in the scored one."""
    trained, recorded = experiment.trained_frames, ", ".join(source.frames)
    if experiment.trains and (lacking := [frame for frame in trained if frame not in source.frames]):
        raise InputError(
            f"{where}: frames: the student is trained in {', '.join(lacking)}, in which no answers are recorded "
            f"(there are in {recorded}); hold these frames out, or add their answers"
        )
    if experiment.scored_frame not in source.frames:
        raise InputError(
            f"{where}: frames: scored_frame is {experiment.scored_frame}, in which no answers are recorded (there are "
            f"in {recorded})"
        )


def wanted_places(
    experiment: Experiment, source: Recorded, kinds: Mapping[str, str]
) -> tuple[list[Place], list[Place]]:
    """Return the places of all choices, and those of all amounts, that an experiment asks a recorded teacher for."""
    chosen, amounts = [], []
    for split, content in experiment.splits.items():
        frames = [frame for frame in experiment.frames_of(split) if frame in source.frames]
        for game in experiment.games_of(split):
            kind = kinds.get(game, TWO_ACTIONS)
            if kind == PLANE:
                scenarios = {name: in_letters(each) for name, each in plane_scenarios(experiment, split, game).items()}
            else:
                scenarios = dict.fromkeys(content.contexts, "")
            if KINDS[kind].answered == TWO_ACTIONS:
                named = scenarios.items()
                chosen += [Place(split, game, name, frame, points) for name, points in named for frame in frames]
            else:
                amounts += [Place(split, game, context, "") for context in scenarios]
    return chosen, amounts


def refuse_drawing(name: str, asking: Asking) -> None:
    """Raise InputError where recorded answers are to be known from answers that are drawn."""
    if not asking.exact:
        raise InputError(
            f"{name}: its answers are recorded and none can be drawn; set choices: exact (or both, for the student), "
            "and its question (teacher.question, student.question): answer_first or answer_only"
        )
