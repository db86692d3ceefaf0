"""The experiment, typed: the one source of its validation, defaults, descriptions, JSON schema and documentation."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tomtransfer.validation import Record

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Label = Annotated[str, Field(pattern=r"^\w+$")]
Share = Annotated[float, Field(ge=0, le=1)]
Quantization = Literal["none", "nf4"]
Question = Literal["answer_first", "answer_only", "reason_first"]

TRAINED_SPLIT = "in_sample"
"""The split that is trained on."""


class Paths(Record):
    """Where things are, relative to the folder that Snakemake runs in."""

    results: str = "results"
    """Folder for the artifacts of this experiment."""
    models: str = "results/models"
    """Folder for fetched models; experiments may share it."""
    scenarios: str = "scenarios"
    """Folder with games, contexts and prompt templates."""
    registry: str = "models.yaml"
    """The model registry: where each named model comes from."""


class Frame(Record):
    """How a scenario is put: which label means cooperation, and what is named first."""

    cooperate: Label = "C"
    """Label of the cooperative choice."""
    defect: Label = "D"
    """Label of the other choice."""
    first: Literal["cooperate", "defect"] = "cooperate"
    """The choice that is named first."""

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.cooperate == self.defect:
            raise ValueError(f"cooperate and defect must have different labels; both are {self.cooperate!r}")
        return self

    @property
    def options(self) -> tuple[str, str]:
        """Return both labels in the order in which they are named."""
        return (self.cooperate, self.defect) if self.first == "cooperate" else (self.defect, self.cooperate)


class Split(Record):
    """A set of scenarios: each of its games in each of its contexts."""

    games: tuple[Name, ...] | None = Field(default=None, min_length=1)
    """Games that this split alone has, of any kind; null stands for the games of the experiment."""
    contexts: tuple[Name, ...] = Field(min_length=1)
    """Contexts by file name, without `.yaml`, in `scenarios/contexts/`."""
    payoff_factor: float = Field(default=1, gt=0)
    """What every payoff is multiplied by."""


class Teacher(Record):
    """The large model whose behaviour is transferred."""

    model: Name
    """A name in the model registry."""
    quantization: Quantization = "none"
    """Precision of the weights: as stored, or four-bit NormalFloat."""
    question: Question = "answer_first"
    """What the prompt asks for: the answer and then reasons, the answer alone, or reasons and then the answer."""
    motivations_per_choice: int = Field(default=3, ge=2)
    """Motivations drawn for each choice of each in-sample scenario."""
    motivation_tokens: int = Field(default=48, ge=1)
    """A motivation is cut off after this many tokens."""
    seed: int = Field(default=1, ge=0)
    """Seed of the drawn motivations."""
    revision: int = Field(default=1, ge=1)
    """Raise it to have every answer of the teacher computed again."""


class Sampling(Record):
    """How answers are drawn, where choices are counted."""

    answers: int = Field(default=20, ge=1)
    """Answers drawn for each scenario and model. Raising it draws only those that are missing."""
    answer_tokens: int = Field(default=12, ge=1)
    """An answer that is read from its first line is cut off after this many tokens."""
    reason_tokens: int = Field(default=160, ge=1)
    """An answer that follows its reasons is cut off, with them, after this many tokens."""
    seed: int = Field(default=1, ge=0)
    """Seed of the drawn answers."""


class Student(Record):
    """The small model that is tuned."""

    model: Name
    """A name in the model registry."""
    quantization: Quantization = "nf4"
    """Precision of the weights under the adapter, tuned and untuned alike: four-bit NormalFloat makes it QLoRA."""
    question: Question = "answer_first"
    """What the prompt asks for when the student's choices are measured; the words are the teacher's."""
    revision: int = Field(default=1, ge=1)
    """Raise it to have every answer of the student computed again."""


class Lora(Record):
    """The low-rank adapter (Hu et al., LoRA, arXiv 2106.09685, 2021)."""

    rank: int = Field(default=8, ge=1)
    """Rank r of the update."""
    alpha: float = Field(default=16, gt=0)
    """The update is scaled by alpha / rank."""
    dropout: float = Field(default=0, ge=0, lt=1)
    """Share of the adapter's inputs that is dropped in training."""
    targets: tuple[str, ...] = Field(default=("q_proj", "v_proj"), min_length=1)
    """Names of the linear layers that are adapted."""


class Training(Record):
    """How the student is tuned."""

    lora: Lora = Lora()
    learning_rate: float = Field(default=3e-3, gt=0)
    """Highest learning rate of AdamW."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup_share: Share = 0.05
    """Share of the steps over which the learning rate rises."""
    weight_decay: float = Field(default=0, ge=0)
    """Weight decay of AdamW."""
    max_gradient_norm: float = Field(default=1, gt=0)
    """Gradients are clipped to this norm."""
    epochs: int = Field(default=8, ge=1)
    """Passes over the examples."""
    completions_per_row: int = Field(default=4, ge=1)
    """Completions that are trained behind one copy of their prompt."""
    rows_per_step: int = Field(default=2, ge=1)
    """Rows per step of the optimizer; the effective batch is this many times `completions_per_row`."""
    choice_share: Share | None = 0.7
    """Share of the choice in a completion's loss; the reasons have the rest. Null counts every token the same."""
    temperature: float = Field(default=0.8, gt=0)
    """Temperature of the policy that is fitted. That of the answers fits what is measured;
    1 is ordinary maximum likelihood."""
    held_back_share: float = Field(default=0.2, gt=0, lt=1)
    """Share of the completions of each scenario and choice that is kept from training for the evaluation loss."""
    seed: int = Field(default=1, ge=0)
    """Seed of the adapter's weights and of the order of the examples."""
    revision: int = Field(default=1, ge=1)
    """Raise it to have the training done again."""


class Scoring(Record):
    """How alignment is measured, and how sure it is."""

    confidence: float = Field(default=0.95, gt=0, lt=1)
    """Confidence of every interval and test."""
    bootstrap_draws: int = Field(default=2000, ge=1)
    """Draws of the bootstrap behind the intervals of measures."""
    equivalence_margin: float = Field(default=0.1, gt=0, le=1)
    """Largest difference in cooperation rate that counts as no difference in the test of equivalence."""
    seed: int = Field(default=0, ge=0)
    """Seed of the bootstrap."""


class Report(Record):
    """What the report shows beside the results."""

    motivations_per_choice: int = Field(default=1, ge=0)
    """Motivations of each choice of each in-sample scenario that can be read in the report."""


class Compute(Record):
    """How the work is done on this machine. Nothing here reruns anything, or changes a result beyond rounding."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the models run; auto takes a GPU where there is one."""
    gpu: int = Field(default=1, ge=0)
    """GPUs that each step with a model asks for; such steps share what the profile offers, also on a CPU."""
    threads: int = Field(default=8, ge=1)
    """CPU threads of each step with a model, at most the cores that Snakemake has."""
    memory_mb: int = Field(default=6000, ge=500)
    """Memory, in MB, that each step with a model asks a cluster for."""
    minutes: int = Field(default=60, ge=1)
    """Time, in minutes, that each step with a model asks a cluster for."""
    tokens_per_batch: int = Field(default=16384, ge=1)
    """Tokens that are held at once when a model answers: prompts with what is drawn behind them."""
    gradient_checkpointing: bool | None = None
    """Compute activations twice instead of keeping them: less memory, more time. Null does so on a GPU alone."""


class Experiment(Record):
    """One experiment: which scenarios, which models, how the student is tuned, and how it all is computed."""

    paths: Paths = Paths()
    games: tuple[Name, ...] = Field(min_length=1)
    """Games by file name, without `.yaml`, in `scenarios/games/`."""
    splits: dict[Name, Split]
    """Sets of scenarios. Only `in_sample` is trained on; every other one is held out."""
    frames: dict[Name, Frame] = Field(default={"canonical": Frame()}, min_length=1)
    """Frames that each scenario is played in; the first is the one that alignment is scored in."""
    temperature: float = Field(default=0.8, gt=0)
    """Temperature of every answer: choices and motivations."""
    choices: Literal["exact", "sampled", "both"] = "exact"
    """How choices are known: from the probabilities of the next token, from drawn answers that are counted, or both.
    Where reasons come first there is nothing exact to read, and both means drawn answers."""
    sampling: Sampling = Sampling()
    comprehension: tuple[Name, ...] = ()
    """Contexts in which the models are asked what the payoffs are, before what they choose; empty asks nothing."""
    teacher: Teacher
    student: Student
    training: Training = Training()
    scoring: Scoring = Scoring()
    report: Report = Report()
    compute: Compute = Compute()

    @field_validator("games")
    @classmethod
    def _no_game_twice(cls, games: tuple[str, ...]) -> tuple[str, ...]:
        return _each_once(games)

    @model_validator(mode="after")
    def _held_out_is_held_out(self) -> Self:
        if "in_sample" not in self.splits:
            raise ValueError("splits must have in_sample: it is the one that is trained on")
        if self.splits["in_sample"].games is not None:
            raise ValueError("splits.in_sample has the games of the experiment; name them in games")
        seen: dict[tuple[str, str, float], str] = {}
        for name, split in self.splits.items():
            games = self.games_of(name)
            for game, context in product(_each_once(games), _each_once(split.contexts)):
                other = seen.setdefault((game, context, split.payoff_factor), name)
                if other != name:
                    raise ValueError(
                        f"splits.{name} repeats {context} of splits.{other} with the same payoff_factor; "
                        "a scenario may belong to one split only"
                    )
        return self

    @model_validator(mode="after")
    def _choices_can_be_read(self) -> Self:
        questions = {"teacher": self.teacher.question, "student": self.student.question}
        for name, question in questions.items():
            if self.choices == "exact" and question == "reason_first":
                raise ValueError(
                    f"{name}.question: reason_first leaves nothing exact to read; choices must be sampled or both"
                )
        return self

    @model_validator(mode="after")
    def _comprehension_is_asked_where_there_is_play(self) -> Self:
        every = dict.fromkeys(context for split in self.splits.values() for context in split.contexts)
        if unknown := [context for context in self.comprehension if context not in every]:
            raise ValueError(f"comprehension: no split has {', '.join(unknown)}; allowed: {', '.join(every)}")
        return self

    @property
    def contexts(self) -> tuple[str, ...]:
        """Return every context that the games of the experiment are told as, each once, in order of appearance."""
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
        """Return every context that a game is told as, each once, in order of appearance."""
        splits = [split for name, split in self.splits.items() if game in self.games_of(name)]
        return tuple(dict.fromkeys(context for split in splits for context in split.contexts))

    @property
    def scored_frame(self) -> str:
        """Return the frame that alignment is scored in."""
        return next(iter(self.frames))


@dataclass(frozen=True)
class Scenario:
    """One game in one context, in the split that it belongs to."""

    split: str
    game: str
    context: str


def scenarios(experiment: Experiment) -> Iterator[Scenario]:
    """Yield every scenario of the experiment."""
    for split, members in experiment.splits.items():
        for game in experiment.games_of(split):
            for context in members.contexts:
                yield Scenario(split, game, context)


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"each name may stand here once; repeated: {', '.join(repeated)}")
    return names
