"""The experiment, typed: the one source of its validation, defaults, descriptions, JSON schema and documentation."""

from itertools import product
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from tomtransfer.experiment.framing import Frame, Split
from tomtransfer.experiment.names import FrameName, GameName, Name
from tomtransfer.experiment.sections import Arm, Compute, Paths, Report, Sampling, Scoring, Student, Teacher, Training
from tomtransfer.experiment.validation import FieldError, Number, Record

TRAINED_SPLIT = "in_sample"
"""The split that is trained on."""

TRANSFER: Arm = "transfer"
"""The arm whose students are measured; those of the others stand beside it."""


class Experiment(Record):
    """One experiment: which scenarios, which models, how the student is tuned, and how it all is computed."""

    paths: Paths = Paths()
    games: tuple[GameName, ...] = Field(min_length=1)
    """Games by file name, without `.yaml`, in `scenarios/games/`."""
    splits: dict[Name, Split]
    """Sets of scenarios. Only `in_sample` is trained on; every other one is held out."""
    templates: Name = "english"
    """Folder of prompt templates in `scenarios/prompts/`: the language of the prompts, and what they call the coplayer
    and what is earned."""
    frames: dict[FrameName, Frame] = Field(default={"canonical": Frame()}, min_length=1)
    """Frames that each scenario is played in."""
    scored_frame: Name = "canonical"
    """The frame that alignment is scored in; other frames stand beside it."""
    temperature: Number = Field(default=0.8, ge=0.01, le=100)
    """Temperature of every answer: choices and motivations."""
    choices: Literal["exact", "sampled", "both"] = "exact"
    """How choices are known: from the probabilities of tokens, from drawn answers that are counted, or both.
    Where reasons come first there is nothing exact to read, and both means drawn answers."""
    sampling: Sampling = Sampling()
    comprehension: tuple[Name, ...] = ()
    """Contexts in which the models are asked what the payoffs are, before what they choose; empty asks nothing."""
    teacher: Teacher
    student: Student | None = None
    training: Training = Training()
    arms: tuple[Arm, ...] = Field(default=(TRANSFER,), min_length=1)
    """What students are trained on: the teacher's answers (transfer), and beside it what only training can show: the
    answers of other scenarios (shuffled), which teach everything but which scenario is which, and the teacher's choices
    without its reasons (choices_only)."""
    scoring: Scoring = Scoring()
    report: Report = Report()
    compute: Compute = Compute()

    @field_validator("games")
    @classmethod
    def _no_game_twice(cls, games: tuple[str, ...]) -> tuple[str, ...]:
        return _each_once(games)

    @field_validator("arms")
    @classmethod
    def _transfer_is_an_arm(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        if TRANSFER not in arms:
            raise ValueError(f"{TRANSFER} must be among the arms: the others are measured against it")
        _each_once(arms)
        return (TRANSFER, *(arm for arm in arms if arm != TRANSFER))

    @field_validator("frames")
    @classmethod
    def _frames_differ(cls, frames: dict[str, Frame]) -> dict[str, Frame]:
        seen: dict[tuple[str, str, str], str] = {}
        for name, frame in frames.items():
            other = seen.setdefault((frame.cooperate, frame.defect, frame.first), name)
            if other != name:
                raise FieldError(name, f"repeats {other}: same labels, same order")
        return frames

    @model_validator(mode="after")
    def _scored_frame_is_trained_on(self) -> Self:
        trained = [name for name, frame in self.frames.items() if not frame.held_out]
        if self.scored_frame not in trained:
            allowed = ", ".join(trained) or "none is left"
            raise FieldError(
                "scored_frame", f"must be one of the frames that are trained on: {allowed} (got {self.scored_frame!r})"
            )
        return self

    @model_validator(mode="after")
    def _held_out_is_held_out(self) -> Self:
        if TRAINED_SPLIT not in self.splits:
            raise FieldError("splits", f"must have {TRAINED_SPLIT}, the one that is trained on")
        if self.splits[TRAINED_SPLIT].games is not None:
            raise FieldError(
                f"splits.{TRAINED_SPLIT}.games", "it has the games of the experiment; name them in `games`"
            )
        seen: dict[tuple[str, str, float], str] = {}
        for name, split in self.splits.items():
            if unknown := [frame for frame in split.frames or () if frame not in self.frames]:
                raise FieldError(
                    f"splits.{name}.frames", f"no frame {', '.join(unknown)}; allowed: {', '.join(self.frames)}"
                )
            if split.where is not None or split.share is not None:
                continue  # which games of a plane it has is known when the plane is read
            games = self.games_of(name)
            for game, context in product(_each_once(games), _each_once(split.contexts)):
                other = seen.setdefault((game, context, split.payoff_factor), name)
                if other != name:
                    raise FieldError(
                        f"splits.{name}",
                        f"repeats {context} of splits.{other} with the same payoff_factor; "
                        "a scenario may belong to one split only",
                    )
        return self

    @model_validator(mode="after")
    def _choices_can_be_read(self) -> Self:
        for name, question in self.questions.items():
            if self.choices == "exact" and question == "reason_first":
                raise FieldError(
                    f"{name}.question", "reason_first leaves nothing exact to read; choices must be sampled or both"
                )
        return self

    @model_validator(mode="after")
    def _comprehension_is_asked_where_there_is_play(self) -> Self:
        every = dict.fromkeys(context for split in self.splits.values() for context in split.contexts)
        if unknown := [context for context in self.comprehension if context not in every]:
            raise FieldError("comprehension", f"no split has {', '.join(unknown)}; allowed: {', '.join(every)}")
        return self

    @property
    def questions(self) -> dict[str, str]:
        """Return what each of the models that there are is asked for, by its role."""
        models = {"teacher": self.teacher, "student": self.student}
        return {role: model.question for role, model in models.items() if model}

    @property
    def respondents(self) -> dict[str, str]:
        """Return who is asked, by role: teacher, base and tuned, each a name in the model registry."""
        students = {role: self.student.respondent(role) for role in ("base", "tuned")} if self.student else {}
        return {"teacher": self.teacher.model, **students}

    @property
    def trains(self) -> bool:
        """Return whether a student is tuned here."""
        return self.student is not None and self.student.trained

    @property
    def students(self) -> dict[Arm, tuple[str, ...]]:
        """Return the names of the tuned students of each arm, one for each seed, the students of transfer first.

        A student that was tuned elsewhere is one of transfer, by the name of its role.
        """
        if not self.trains:
            return {TRANSFER: ("tuned",)}
        return {arm: tuple(f"{arm}-{seed}" for seed in self.training.seeds) for arm in self.arms}

    @property
    def contexts(self) -> tuple[str, ...]:
        """Return every context that frames the games of the experiment, each once, in order of appearance."""
        splits = [split for split in self.splits.values() if split.games is None]
        return tuple(dict.fromkeys(context for split in splits for context in split.contexts))

    @property
    def every_game(self) -> tuple[str, ...]:
        """Return every game of any split, each once; those of the experiment come first."""
        own = (game for split in self.splits.values() for game in split.games or ())
        return tuple(dict.fromkeys([*self.games, *own]))

    def games_of(self, split: str) -> tuple[str, ...]:
        """Return the games that a split has."""
        return self.splits[split].games or self.games

    def contexts_of(self, game: str) -> tuple[str, ...]:
        """Return every context that frames a game, each once, in order of appearance."""
        splits = [split for name, split in self.splits.items() if game in self.games_of(name)]
        return tuple(dict.fromkeys(context for split in splits for context in split.contexts))

    @property
    def ordered_frames(self) -> dict[str, Frame]:
        """Return the frames, the scored one first, whatever order the files of the config were merged in."""
        return {self.scored_frame: self.frames[self.scored_frame], **self.frames}

    @property
    def trained_frames(self) -> dict[str, int]:
        """Return the frames that are trained on, each with its number of motivations per choice."""
        scored, others = self.teacher.motivations_per_choice, self.teacher.motivations_in_other_frames
        trained = [name for name, frame in self.ordered_frames.items() if not frame.held_out]
        return {name: scored if name == self.scored_frame else others for name in trained}

    def frames_of(self, split: str) -> dict[str, Frame]:
        """Return the frames that a split is played in, in order.

        A split may say which. The split that is trained on is otherwise played in all. The others are played in all
        whose labels are trained on, so that a liking for one shows everywhere as what it is; with new labels, a
        scenario would be new in two ways.
        """
        trained = {frozenset(frame.options) for frame in self.frames.values() if not frame.held_out}
        chosen = self.splits[split].frames
        if chosen is not None:
            return {name: frame for name, frame in self.ordered_frames.items() if name in chosen}
        return {
            name: frame
            for name, frame in self.ordered_frames.items()
            if split == TRAINED_SPLIT or frozenset(frame.options) in trained
        }

    @property
    def held_out_frames(self) -> tuple[str, ...]:
        """Return the frames that are kept from training."""
        return tuple(name for name, frame in self.frames.items() if frame.held_out)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"each name may stand here once; repeated: {', '.join(repeated)}")
    return names
