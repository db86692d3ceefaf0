"""The training stage: the adapter that the student learns from its examples, trained unless the store has it."""

import json
import logging
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock

from tomtransfer.experiment.files import write_text, write_whole
from tomtransfer.experiment.records import file_hash
from tomtransfer.experiment.sections import Training
from tomtransfer.experiment.software import model_software
from tomtransfer.experiment.store import Store, digest_of
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.encoding import WRITING_REVISION
from tomtransfer.models.integrity import ADAPTER_FILES
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.training.card import model_card

logger = logging.getLogger(__name__)

LOG_FILE, CARD_FILE, RECORD_FILE = "training_log.csv", "README.md", "training.json"

EXAMINED_FILE = "examined.txt"
"""The file beside an adapter in the store that cites the examination of the student it was trained by, by its key."""

LOSS = 2
"""Raised when the loss changes, so that adapters of another loss are not taken for these. 2: where `choice_share` is
null, tokens weigh alike over all completions of a prompt; a choice without reasons weighs as one with them."""


@dataclass(frozen=True)
class Lesson:
    """What an adapter is made from: a student without adapter, its examples, and how it is trained on them."""

    student: LocalModel
    examples: pl.DataFrame
    settings: Training
    seed: int = 1
    """Which of the seeds of the settings it is trained with."""

    @property
    def key(self) -> str:
        """The sha256 of everything that the adapter depends on."""
        names = ("system", "user", "label", "motivation", "finished", "weight", "question", "held_back")
        return digest_of(
            {
                "examples": self.examples.select(names).write_ndjson(),
                "loss": LOSS,
                "settings": self._settings,
                "model_revision": self.student.model_revision,
                "quantization": self.student.quantization,
                **({"chat": dict(self.student.chat)} if self.student.chat else {}),
                "writing_revision": WRITING_REVISION,
            }
        )

    @property
    def _settings(self) -> dict[str, Any]:
        """The settings, and which examples are trained together, if any: of an older adapter none are."""
        settings = self.replicate
        if not settings.pop("counterbalanced_steps"):
            return settings
        scenarios = self.examples.select(pl.concat_str("game", "context", separator="/")).to_series()
        first = {scenario: number for number, scenario in enumerate(scenarios.unique(maintain_order=True))}
        return {**settings, "together": scenarios.replace_strict(first).to_list()}

    @property
    def replicate(self) -> dict[str, Any]:
        """The settings of this one training: other seeds of the experiment have no part in it."""
        return {**self.settings.model_dump(mode="json", exclude={"seeds"}), "seed": self.seed}


def write_adapter(folder: Path, lesson: Lesson, arm: str, store: Store, checkpointing: bool | None) -> None:
    """Write the adapter of a student, its log, its card and the record of what it was made from into `folder`.

    Nothing is loaded when the store has it. `arm` is what its examples are; `checkpointing` is whether activations are
    computed twice.
    """
    place = store.folder / "adapters" / lesson.key
    unfinished = store.folder / "unfinished" / lesson.key
    unfinished.mkdir(parents=True, exist_ok=True)
    # Two trainings of one adapter would share checkpoints: the second waits, and finds it done.
    with FileLock(f"{unfinished}.lock"):
        if store.whole(place):
            logger.info("the adapter is in the store")
        else:
            store.adopt(_train(lesson, unfinished, checkpointing), place)
        shutil.rmtree(unfinished, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*ADAPTER_FILES, LOG_FILE):
        write_whole(folder / name, partial(shutil.copyfile, place / name))
    facts = {"arm": arm, **_facts(lesson), "examination": _cited(place), "weights": adapter_hash(folder)}
    write_text(model_card(facts, pl.read_csv(place / LOG_FILE, infer_schema_length=None)), folder / CARD_FILE)
    write_text(json.dumps(facts, indent=2) + "\n", folder / RECORD_FILE)


def adapter_hash(folder: Path) -> str:
    """Return the sha256 of an adapter's files: what the answers of a tuned student depend on."""
    return digest_of({name: file_hash(folder / name) for name in ADAPTER_FILES})


def _train(lesson: Lesson, checkpoints: Path, checkpointing: bool | None) -> Path:
    """Train an adapter, and return the folder that holds its files and its log."""
    from tomtransfer.inference.rows import row_lengths
    from tomtransfer.training.lora import add_adapter
    from tomtransfer.training.together import LONGEST_TOGETHER
    from tomtransfer.training.trainer import train

    student, settings = lesson.student, lesson.settings
    parts = [_examples(lesson.examples.filter(held_back)) for held_back in (~pl.col("held_back"), pl.col("held_back"))]
    by_token = settings.choice_share is None
    rows, held_back = (_rows(student, part, settings.completions_per_row, by_token) for part in parts)
    _require_room(student, [*rows, *held_back])
    plain = not all(student.sharing.fits(sum(row_lengths(row))) for row in (*rows, *held_back))
    if plain:
        rows, held_back = (_rows(student, part, 1, by_token) for part in parts)
    model = add_adapter(student.loaded, settings, lesson.seed)
    together = 0 if plain else min(LONGEST_TOGETHER, student.sharing.longest or LONGEST_TOGETHER)
    log = train(model, rows, held_back, settings, checkpoints, checkpointing, plain, lesson.seed, together)
    # A path is of this machine, a name is in the registry of every machine. No embeddings are saved: to find out
    # whether they changed, peft would look for that name on a hub.
    model.peft_config["default"].base_model_name_or_path = student.name
    # peft keeps them as a set, which each process orders in its own way.
    model.peft_config["default"].target_modules = sorted(settings.lora.targets)
    saved = checkpoints / "saved"
    model.save_pretrained(saved, safe_serialization=True, save_embedding_layers=False)
    finished = checkpoints.with_name(f"{checkpoints.name}.{uuid.uuid4().hex[:8]}")
    finished.mkdir()
    for name in ADAPTER_FILES:
        shutil.copyfile(saved / name, finished / name)
    write_text(student.examined + "\n", finished / EXAMINED_FILE)
    pl.DataFrame([asdict(step) for step in log], infer_schema_length=None).write_csv(finished / LOG_FILE)
    return finished


def _require_room(student: LocalModel, rows: Sequence[Any]) -> None:
    """Raise InputError when a prompt with one of its completions is longer than the student's context."""
    from tomtransfer.inference.encoding import read_context

    limit = read_context(student.directory)
    longest = max((len(row.prompt) + len(each.tokens) for row in rows for each in row.completions), default=0)
    if longest > limit:
        raise InputError(
            f"an example to train on has {longest} tokens, and {student.name} can attend to {limit:.0f}: lower "
            "teacher.motivation_tokens, or sampling.reason_tokens where reasons come first"
        )


def _cited(place: Path) -> str:
    """Return the key of the examination that an adapter in the store cites; older ones cite none."""
    noted = place / EXAMINED_FILE
    return noted.read_text(encoding="utf-8").strip() if noted.exists() else ""


def _rows(student: LocalModel, examples: Sequence[Any], per_row: int, by_token: bool) -> Sequence[Any]:
    from tomtransfer.training.completions import make_rows

    return make_rows(student.tokenizer, examples, per_row, student.name, by_token, student.variables)


def _examples(part: pl.DataFrame) -> Sequence[Any]:
    from tomtransfer.training.completions import Example

    names = ("system", "user", "label", "motivation", "finished", "weight", "question")
    return [
        Example(**{name: row[name] for name in names}, scenario=f"{row['game']}/{row['context']}")
        for row in part.iter_rows(named=True)
    ]


def _facts(lesson: Lesson) -> Mapping[str, Any]:
    """Return what an adapter was made from."""
    examples, student = lesson.examples, lesson.student
    return {
        "key": lesson.key,
        "base_model": student.name,
        "base_model_revision": student.model_revision,
        "quantization": student.quantization,
        "training": lesson.replicate,
        "games": examples["game"].unique(maintain_order=True).to_list(),
        "contexts": examples["context"].unique(maintain_order=True).to_list(),
        "split": examples["split"].unique().to_list(),
        "prompts": examples["prompt"].n_unique(),
        "completions": len(examples.filter(~pl.col("held_back"))),
        "held_back_completions": len(examples.filter("held_back")),
        **_reasons_of(examples),
        "software": model_software(),
    }


def _reasons_of(examples: pl.DataFrame) -> dict[str, str]:
    """Return who wrote the reasons that were learnt, where it was not the teacher."""
    if "author" not in examples.columns:
        return {}
    authors = examples.filter(pl.col("motivation") != "")["author"].drop_nulls().unique(maintain_order=True)
    return {"reasons_written_by": ", ".join(authors)} if len(authors) else {}
