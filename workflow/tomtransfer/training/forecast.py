"""What an experiment still has to ask and to train: what is asked, counted against what the store holds.

It is told before anything is spent: nothing is loaded, fetched or sent, and nothing is written but in a folder that is
thrown away. The same code that asks says what it would ask (`Elicitation`), so that a row counts as held if, and only
if, it would not be asked for.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.sections import Student, Teacher
from tomtransfer.experiment.store import Store, digest_of, is_whole
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.examination import EXAMINED
from tomtransfer.models.costs import ZERO, Cost, Range, Tokens, cost
from tomtransfer.models.registry import Planted, Recorded, Source, find, revision
from tomtransfer.respondents.asking import Asking, ask_student, ask_teacher, read_questions_of, the_student
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.respondents.foreseen import Foreseen
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.respondents.opening import respondent_from
from tomtransfer.respondents.recorded import RecordedRespondent
from tomtransfer.respondents.served import ServedRespondent
from tomtransfer.respondents.spending import read_spent, spent_folder
from tomtransfer.scenarios.kinds import write_game
from tomtransfer.scenarios.questions import read_prompts
from tomtransfer.training.adapter import Lesson, adapter_hash
from tomtransfer.training.arms import examples_of
from tomtransfer.training.examples import assemble, assemble_drawn

NO_ADAPTER = "an adapter that is still to be trained"
"""What stands for the hash of the weights of an adapter that there is not."""


OF_A_LESSON = frozenset({"choices", "motivations", "answers"})
"""Stages whose rows may be what the student is taught."""


@dataclass(frozen=True)
class Missing:
    """What one stage asks of a respondent, and what of it the store lacks."""

    role: str
    respondent: str
    """Its name in the registry."""
    stage: str
    rows: int
    missing: int
    """Rows that the store lacks."""
    prompts: int
    """Different prompts among these."""
    requests: Range
    tokens: Tokens


@dataclass(frozen=True)
class Forecast:
    """What is missing of an experiment."""

    stages: tuple[Missing, ...]
    trainings: Mapping[str, str]
    """In words, whether the adapter of each student that is trained is there."""
    costs: Mapping[str, Cost]
    """What is missing costs, by the name of a respondent that has prices or a budget."""


@dataclass(frozen=True)
class ReadOnlyStore(Store):
    """A store that nothing is put into."""

    def shelf(self, stage: str, owner: str, identity: Mapping[str, Any]) -> Path:
        """Return the folder for parts of a stage, which need not be there."""
        return self.folder / stage / f"{owner}-{digest_of(identity)[:16]}"

    def put(self, shelf: Path, content: bytes, suffix: str) -> Path:
        """Put nothing anywhere."""
        return shelf

    def set_aside(self, path: Path, reason: str) -> None:
        """Leave what cannot be trusted where it is: it counts as missing."""


def forecast(experiment: Experiment, registry: Mapping[str, Source]) -> Forecast:
    """Return what is missing of an experiment; raises InputError for an entry, a game or a context that is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        return _Foresight(experiment, registry, Path(folder)).all()


@dataclass(frozen=True)
class _Foresight:
    experiment: Experiment
    registry: Mapping[str, Source]
    folder: Path
    """A folder for prompts and tables, to be thrown away."""

    def all(self) -> Forecast:
        prompts = [self.folder / f"{game}.json" for game in self.experiment.every_game]
        for game, path in zip(self.experiment.every_game, prompts, strict=True):
            write_game(self.experiment, game, path)
        stages = list(self._ask("teacher", self.experiment.teacher, ask_teacher(self.experiment), prompts))
        trainings: dict[str, str] = {}
        if student := self.experiment.student:
            asking = ask_student(self.experiment)
            stages += self._ask("base", student, asking, prompts)
            adapters = {"tuned": ""}
            if student.trained:
                found = dict(self._trained(prompts, complete=not any(map(_is_unknown_lesson, stages))))
                trainings = {name: said for name, (said, _) in found.items()}
                adapters = {name: adapter for name, (_, adapter) in found.items()}
            for name, adapter in adapters.items():
                stages += self._ask(name, student, asking, prompts, adapter)
        return Forecast(tuple(stages), trainings, dict(self._costs(stages)))

    def _source(self, name: str) -> Source:
        return find(name, self.registry, Path(self.experiment.paths.registry))

    def _settings(self, settings: Teacher | Student, name: str) -> dict[str, Any]:
        """Return what a respondent is opened with; what does not change answers is as small as may be."""
        return {
            "model_revision": revision(name, self._source(name)),
            "quantization": settings.quantization,
            "chat": settings.chat or {},
            "temperature": self.experiment.temperature,
            "stage_revision": settings.revision,
            "device": "cpu",
            "tokens_per_batch": 1,
            "examinations": Path(self.experiment.paths.store) / EXAMINED,
        }

    def _ask(
        self, role: str, settings: Teacher | Student, asking: Asking, prompts: Sequence[Path], adapter: str = ""
    ) -> Iterator[Missing]:
        """Yield what each stage asks of a respondent; a policy or a table answers, which costs nothing.

        Students that are trained here have roles of their own, which are their names.
        """
        name = self.experiment.respondents.get(role) or self.experiment.respondents["tuned"]
        source, place = self._source(name), Path(self.experiment.paths.models) / name
        respondent = respondent_from(source, place, adapter_key=adapter, **self._settings(settings, name))
        if isinstance(source, Recorded) and isinstance(respondent, RecordedRespondent):
            respondent = replace(respondent, files=_tables(name, source, respondent.files))
        served = respondent if isinstance(respondent, ServedRespondent) else None
        asked = Foreseen(respondent, isinstance(source, Planted | Recorded), asking, served)
        elicitation = Elicitation(asked, asking, ReadOnlyStore(Path(self.experiment.paths.store)))
        questions = asked.known(read_questions_of(prompts, asking))
        drawn_after = [*questions.reasoned, *questions.drawn]
        tables: dict[str, Callable[[Path], pl.DataFrame]] = {
            "choices": lambda path: elicitation.choices(path, questions.chosen, drawn_after),
            "motivations": lambda path: elicitation.motivations(path, questions.reasoned),
            "answers": lambda path: elicitation.answers(path, questions.drawn),
            "amounts": lambda path: elicitation.readings(path, questions.amounts, "amounts"),
            "comprehension": lambda path: elicitation.readings(path, questions.comprehension, "comprehension"),
        }
        for stage, ask in tables.items():
            asked.begin()
            rows = len(ask(self.folder / f"{role}.{stage}.parquet"))
            if rows:
                yield Missing(role, name, stage, rows, asked.rows, len(asked.prompts), asked.requests, asked.tokens)

    def _trained(self, prompts: Sequence[Path], complete: bool) -> Iterator[tuple[str, tuple[str, str]]]:
        """Yield each student that is trained, in words whether the store has its adapter, and the hash of its weights.

        What the teacher says decides what is trained: `complete` is whether the store has all of it.
        """
        examples = self._examples(prompts) if complete else None
        for arm, names in self.experiment.students.items():
            taught = None if examples is None else examples_of(arm, examples)
            for name, seed in zip(names, self.experiment.training.seeds, strict=True):
                said = "to be trained, unless the teacher says what it said before", NO_ADAPTER
                yield name, said if taught is None else self._adapter(taught, seed)

    def _adapter(self, examples: pl.DataFrame, seed: int) -> tuple[str, str]:
        """Return in words whether the store has the adapter of examples and a seed, and the hash of its weights."""
        name, settings = self.experiment.respondents["tuned"], the_student(self.experiment)
        student = LocalModel(Path(self.experiment.paths.models) / name, **self._settings(settings, name))
        lesson = Lesson(student, examples, self.experiment.training, seed)
        store = Store(Path(self.experiment.paths.store))
        place = store.folder / "adapters" / lesson.key
        if is_whole(place):
            return f"in the store, key {lesson.key[:12]}", adapter_hash(place)
        checkpoints = (store.folder / "unfinished" / lesson.key).is_dir()
        return "to be trained" + (", on from a checkpoint" if checkpoints else ""), NO_ADAPTER

    def _examples(self, files: Sequence[Path]) -> pl.DataFrame:
        """Return what the student is trained on, from the teacher's tables in the folder."""
        prompts, frames = read_prompts(files), list(self.experiment.trained_frames)
        share = self.experiment.training.held_back_share
        choices, motivations, answers = (
            self.folder / f"teacher.{stage}.parquet" for stage in ("choices", "motivations", "answers")
        )
        if ask_teacher(self.experiment).exact:
            return assemble([choices], [motivations], prompts, frames, share)
        return assemble_drawn([answers], prompts, frames, share)

    def _costs(self, stages: Sequence[Missing]) -> Iterator[tuple[str, Cost]]:
        for name in dict.fromkeys(each.respondent for each in stages):
            own = [each for each in stages if each.respondent == name]
            requests = sum((each.requests for each in own), ZERO)
            source, store = self._source(name), Path(self.experiment.paths.store)
            spent = read_spent(spent_folder(store, name, revision(name, source)))
            tokens = sum((each.tokens for each in own), Tokens())
            found = cost(source, requests, tokens, (spent.requests, spent.tokens, spent.money))
            if found:
                yield name, found


def _is_unknown_lesson(stage: Missing) -> bool:
    """Return whether a stage lacks answers that the student may be taught and that are not known without asking."""
    return stage.role == "teacher" and bool(stage.requests.high) and stage.stage in OF_A_LESSON


def _tables(name: str, source: Recorded, kept: Mapping[str, Path]) -> dict[str, Path]:
    """Return where the tables of a record are before they were copied to where they are kept.

    Raises InputError when one is elsewhere and was not downloaded.
    """
    found = {table: kept[table] if kept[table].exists() else each.path for table, each in source.tables.items()}
    if lacking := [table for table, path in found.items() if path is None]:
        raise InputError(
            f"{name}: {', '.join(lacking)}: not downloaded yet; `snakemake --cores 1 results/models/{name}.json` does"
        )
    return {table: path for table, path in found.items() if path}
