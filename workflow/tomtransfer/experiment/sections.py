"""The parts of an experiment, typed: each a section of the config, with its defaults and what they mean."""

import datetime
import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from tomtransfer.experiment.names import Name
from tomtransfer.experiment.validation import WITH_EXPONENT, FieldError, Number, Record, Seed

Fraction = Annotated[float, Field(ge=0, le=1), WITH_EXPONENT]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Quantization = Literal["as_stored", "nf4", "none"]


def _with_a_day(variables: dict[str, bool | int | float | str]) -> dict[str, bool | int | float | str]:
    """Return variables of a chat template whose `date`, if there is one, is a day."""
    try:
        datetime.date.fromisoformat(str(variables.get("date", "2026-01-01")))
    except ValueError:
        raise ValueError(f"date: a day is written as '2026-01-31', in quotes (got {variables['date']!r})") from None
    return variables


ChatVariables = Annotated[
    dict[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], bool | int | float | str],
    AfterValidator(_with_a_day),
]
Question = Literal["answer_first", "answer_only", "reason_first"]
Arm = Literal["transfer", "shuffled", "choices_only"]


PROJECT_FOLDERS = ("workflow", "envs", "profiles", "presets", "tests", "docs", "benchmarks", ".git", ".snakemake")
"""Folders of the project that hold no results."""

RESULT_FOLDERS = frozenset(
    {
        "prompts",
        "teacher",
        "student",
        "training",
        "alignment",
        "tables",
        "figures",
        "published",
        "records",
        "logs",
        "benchmarks",
    }
)
"""What stands in the folder of results."""


class Paths(Record):
    """Where things are, relative to the folder that Snakemake runs in."""

    results: str = "results"
    """Folder for the artifacts of this experiment."""
    models: str = "results/models"
    """Folder for fetched models; experiments may share it."""
    store: str = "results/store"
    """Folder for what is too expensive to be computed twice: answers and adapters. Experiments should share it."""
    scenarios: str = "scenarios"
    """Folder with games, contexts and folders of prompt templates."""
    registry: str = "models.yaml"
    """The model registry: where each named model comes from."""

    @field_validator("*")
    @classmethod
    def _is_a_place(cls, text: str) -> str:
        """Return a path with `~` and environment variables put in, in its shortest form."""
        place = os.path.expandvars(Path(text).expanduser()) if text.strip() else ""
        if not place or any(not character.isprintable() for character in place):
            raise ValueError("must name a file or folder")
        if "{" in place or "}" in place:
            raise ValueError("may have no braces, which Snakemake takes for wildcards")
        if "$" in place:
            raise ValueError("names an environment variable that is not set")
        return os.path.normpath(place)

    @model_validator(mode="after")
    def _are_apart(self) -> Self:
        """Refuse folders in which results would stand among what people write, or over each other."""
        here = Path.cwd().resolve()
        written = [Path(self.scenarios), Path(self.registry), *map(Path, PROJECT_FOLDERS)]
        made = {name: Path(getattr(self, name)).resolve() for name in ("results", "models", "store")}
        for name, folder in made.items():
            if folder in (here, *here.parents):
                raise FieldError(name, f"must be a folder of its own (got {folder}, which holds the working folder)")
            for other in written:
                place = other.resolve()
                if folder == place or folder in place.parents or (place in folder.parents and other.suffix == ""):
                    raise FieldError(
                        name, f"must be apart from {other}, which people write (got {getattr(self, name)!r})"
                    )
        if len(set(made.values())) < len(made):
            raise FieldError("results", "results, models and store must be different folders")
        for name in ("models", "store"):
            if made[name].parent == made["results"] and made[name].name in RESULT_FOLDERS:
                raise FieldError(name, f"results/{made[name].name} holds results of its own; take another folder")
        return self


class Teacher(Record):
    """The large model whose behaviour is transferred."""

    model: Name
    """A name in the model registry."""
    quantization: Quantization = "as_stored"
    """Precision of the weights: as the checkpoint stores them, four-bit NormalFloat, or none: what is quantized is
    unpacked."""
    chat: ChatVariables | None = None
    """Variables of its chat template, such as `enable_thinking: false`; `date` is the day that it is told."""
    question: Question = "answer_first"
    """What the prompt asks for: the answer and then reasons, the answer alone, or reasons and then the answer. A model
    that always thinks can be asked for reasons first alone: its thoughts are among them."""
    motivations_per_choice: int = Field(default=3, ge=2, le=100_000)
    """Motivations drawn for each choice of each in-sample scenario in the scored frame."""
    motivations_in_other_frames: Count = 1
    """Motivations drawn for each choice of each in-sample scenario in every other frame that is trained on."""
    motivation_tokens: Count = 48
    """A motivation is cut off after this many tokens."""
    seed: Seed = 1
    """Seed of the drawn motivations."""
    revision: Count = 1
    """Raise it to have every answer of the teacher computed again."""


class Sampling(Record):
    """How answers are drawn, where choices are counted."""

    answers: Count = 10
    """Answers drawn for each scenario and model. Raising it draws only those that are missing."""
    answer_tokens: Count = 12
    """An answer that is read from its first line is cut off after this many tokens."""
    reason_tokens: Count = 160
    """An answer that follows its reasons, or thoughts, is cut off, with them, after this many tokens."""
    seed: Seed = 1
    """Seed of the drawn answers."""


class Student(Record):
    """The small model that is tuned, or a pair of respondents of which one was tuned elsewhere. It may be left out, or
    be null: then only the teacher can be asked, with `snakemake teacher`."""

    model: Name | None = None
    """A name in the model registry: the model that is tuned here."""
    base: Name | None = None
    """In place of `model`, with `tuned`: who is asked as the student before training, a name of any source in the model
    registry. Nothing is trained."""
    tuned: Name | None = None
    """In place of `model`, with `base`: who is asked as the student after training."""
    quantization: Quantization = "nf4"
    """Precision of the weights under the adapter, tuned and untuned alike: four-bit NormalFloat makes it QLoRA."""
    chat: ChatVariables | None = None
    """Variables of its chat template, as for the teacher."""
    question: Question = "answer_first"
    """What the prompt asks for when the student's choices are measured; the words are the teacher's."""
    revision: Count = 1
    """Raise it to have every answer of the student computed again."""

    @model_validator(mode="after")
    def _is_one_or_a_pair(self) -> Self:
        given = [name for name in ("model", "base", "tuned") if getattr(self, name) is not None]
        if given not in (["model"], ["base", "tuned"]):
            raise FieldError(
                "model",
                f"must be given, or both base and tuned in its place (got {', '.join(given) or 'none of them'}); "
                "what a file laid under this one gives is taken back with null",
            )
        return self

    @property
    def trained(self) -> bool:
        """Return whether it is tuned here, and not elsewhere."""
        return self.model is not None

    def respondent(self, variant: str) -> str:
        """Return the name in the registry of who is asked as the student, `base` or `tuned`."""
        return str(self.model or getattr(self, variant))


class Lora(Record):
    """The low-rank adapter (Hu et al., LoRA, arXiv 2106.09685, 2021)."""

    rank: Count = 8
    """Rank r of the update."""
    alpha: Number = Field(default=16, gt=0)
    """The update is scaled by alpha / rank."""
    dropout: Number = Field(default=0, ge=0, lt=1)
    """Share of the adapter's inputs that is dropped in training."""
    targets: tuple[str, ...] = Field(default=("q_proj", "v_proj"), min_length=1)
    """Names of the linear layers that are adapted."""


class Training(Record):
    """How the student is tuned."""

    lora: Lora = Lora()
    learning_rate: Number = Field(default=2e-3, gt=0)
    """Highest learning rate of AdamW."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup_share: Fraction = 0.05
    """Share of the steps over which the learning rate rises."""
    weight_decay: Number = Field(default=0, ge=0)
    """Weight decay of AdamW."""
    max_gradient_norm: Number = Field(default=1, gt=0)
    """Gradients are clipped to this norm."""
    epochs: Count = 5
    """Passes over the examples."""
    completions_per_row: Count = 4
    """Completions that are trained after one copy of their prompt."""
    rows_per_step: Count = 1
    """Rows per step of the optimizer; the effective batch is this many times `completions_per_row`."""
    counterbalanced_steps: bool = False
    """Train all rows of a scenario, in every frame that is trained on, in one step, so that what one frame would teach
    of a letter or a position is taken back by another at once; `rows_per_step` then counts scenarios."""
    choice_share: Fraction | None = 0.7
    """Share of the choice in a completion's loss; the reasons have the rest. Null counts every token of all
    completions of a prompt the same."""
    temperature: Number = Field(default=0.8, ge=0.01, le=100)
    """Temperature of the policy that is fitted. That of the answers fits what is measured;
    1 is ordinary maximum likelihood."""
    held_back_share: Number = Field(default=0.2, gt=0, lt=1)
    """Share of the completions of each scenario and choice that is kept from training for the evaluation loss."""
    seeds: tuple[Seed, ...] = Field(default=(1,), min_length=1)
    """A training for each seed, of the adapter's weights and of the order of the examples, which are the same in all.
    Every measure is the mean over them; a single one does not say what another would have given."""
    revision: Count = 1
    """Raise it to have the training done again."""

    @field_validator("seeds")
    @classmethod
    def _no_seed_twice(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("each seed may stand here once: the same seed gives the same training")
        return seeds


class Scoring(Record):
    """How alignment is measured, and how sure it is."""

    confidence: Number = Field(default=0.95, gt=0, lt=1)
    """Confidence of every interval and test."""
    bootstrap_draws: Count = 2000
    """Draws of the bootstrap behind the intervals of single scenarios and contexts whose answers were counted."""
    equivalence_margin: Number = Field(default=0.1, gt=0, le=1)
    """Largest difference in cooperation rate that counts as no difference in the test of equivalence."""
    seed: Seed = 0
    """Seed of the bootstrap."""


class Report(Record):
    """What the report shows beside the results."""

    motivations_per_choice: int = Field(default=1, ge=0, le=1000)
    """Motivations of each choice of each in-sample scenario that can be read in the report."""


class Compute(Record):
    """How the work is done on this machine. Nothing here reruns anything, or changes a result beyond rounding."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the models run; auto takes a GPU where there is one."""
    gpu: int = Field(default=1, ge=0, le=1024)
    """GPUs that each step with a model asks for and has to itself; such steps share what the profile offers, also on a
    CPU. With 0 no GPU is used."""
    threads: Count = 8
    """CPU threads of each step with a model, at most the cores that Snakemake has."""
    memory_mb: int = Field(default=6000, ge=500, le=100_000_000)
    """Memory, in MB, that each step with a model asks a cluster for."""
    minutes: Count = 60
    """Time, in minutes, that each step with a model asks a cluster for."""
    tokens_per_batch: int = Field(default=16384, ge=1, le=100_000_000)
    """Tokens that are held at once when a model answers: prompts with what is drawn after them."""
    gradient_checkpointing: bool | None = None
    """Compute activations twice instead of keeping them: less memory, more time. Null does so on a GPU alone."""
