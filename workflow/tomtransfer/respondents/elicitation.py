"""Eliciting answers: each kind of answer as a table, a row per question; only what the store lacks is asked for.

A row is keyed by everything that its content depends on. Nothing is loaded when the store has all rows of a table.
"""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

import polars as pl

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.store import Store, digest_of
from tomtransfer.experiment.tables import write_table
from tomtransfer.inference.encoding import WRITING_REVISION
from tomtransfer.inference.examination import EXAMINED, cited_examinations
from tomtransfer.respondents.asking import Asking, read_questions_of
from tomtransfer.respondents.elicited import ROW_COLUMNS, complete_rows
from tomtransfer.respondents.protocol import Drawn, Reasons, Respondent
from tomtransfer.respondents.recorded import RecordedRespondent
from tomtransfer.respondents.served import Arrivals, ServedRespondent
from tomtransfer.scenarios.beginnings import READING_REVISION
from tomtransfer.scenarios.questions import Prompt, Query

logger = logging.getLogger(__name__)

CHOICE_COLUMNS = dict.fromkeys(("cooperate", "defect", "other"), pl.Float64)
TEXT_COLUMNS = {"tokens": pl.Int64, "finished": pl.Boolean}
READ_BY_TYPE = {"reading_revision": pl.Int64}
READING_COLUMNS = {"probabilities": pl.List(pl.Float64), "other": pl.Float64}
SPENT_COLUMNS = {**dict.fromkeys(("requests", "prompt_tokens", "answer_tokens"), pl.Int64), "money": pl.Float64}
"""What every answer of a server says of its cost."""
UNSEEN_COLUMN = {"unseen": pl.Float64}
"""What a reading of a server says of what it did not see: a part of other that may belong to an option."""


@dataclass(frozen=True)
class Elicitation:
    """Who is asked, how, and where the answers are kept."""

    respondent: Respondent
    asking: Asking
    store: Store

    def tables(self, files: Sequence[Path], paths: Mapping[str, Path]) -> None:
        """Ask everything about the games in prompt `files` that has a place in `paths`, and write it there.

        `paths` may name choices, motivations, amounts, answers and comprehension, and as `examined` what these were
        computed by. Raises InputError before a model is
        loaded when a prompt does not fit it.
        """
        asked = self.respondent.known(read_questions_of(files, self.asking))
        tables = []
        if "choices" in paths:
            tables.append(self.choices(paths["choices"], asked.chosen, [*asked.reasoned, *asked.drawn]))
        if "motivations" in paths:
            tables.append(self.motivations(paths["motivations"], asked.reasoned))
        if "amounts" in paths:
            tables.append(self.readings(paths["amounts"], asked.amounts, "amounts"))
        if "answers" in paths:
            tables.append(self.answers(paths["answers"], asked.drawn))
        if "comprehension" in paths:
            tables.append(self.readings(paths["comprehension"], asked.comprehension, "comprehension"))
        if "examined" in paths:
            self.examinations(paths["examined"], tables)

    def examinations(self, path: Path, tables: Sequence[pl.DataFrame]) -> None:
        """Write the examinations of the model that the rows of `tables` cite, from the store."""
        keys = {key for table in tables for key in table["examination"].unique()}
        content = {
            "model": self.respondent.identity["model"],
            "examinations": cited_examinations(keys, self.store.folder / EXAMINED),
        }
        write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", path)

    def choices(
        self, path: Path, prompts: Sequence[Prompt], drawn_after: Sequence[Prompt | Query] = ()
    ) -> pl.DataFrame:
        """Write the choice distributions of prompts, a row each, in their order.

        Texts will be drawn after the prompts `drawn_after`.
        """
        room = self.asking.motivation_tokens if self.asking.motivations else 1
        kept = {prompt.sha256 for prompt in drawn_after}

        def choose(part: Sequence[int]) -> Sequence[Any]:
            return self.respondent.choose([prompts[number] for number in part], room, kept)

        def arrive(part: Sequence[int]) -> Arrivals[Any]:
            return self._served.each_choice([prompts[number] for number in part])

        rows = [self._row(prompt, _read_by(prompt), self._evidence(prompt)) for prompt in prompts]
        columns = {**self._evidence_column(prompts), **READ_BY_TYPE}
        return self._write(path, "choices", rows, columns, _Answers(CHOICE_COLUMNS, choose, arrive))

    def motivations(self, path: Path, prompts: Sequence[Prompt]) -> pl.DataFrame:
        """Write motivations: for each prompt and each choice, the number that `asking` has for its frame.

        Both choices get the same number, whatever their probabilities: these are known exactly, so that drawing the
        choice would only add noise. A motivation counts with the probability of its choice divided by that number,
        which leaves every expectation as it is (stratified sampling). A draw's key does not depend on their number.
        """
        longest = self.asking.motivation_tokens
        drawing = {
            "motivation_tokens": longest,
            "seed": self.asking.motivation_seed,
            "writing_revision": WRITING_REVISION,
        }
        rows, wanted = [], []
        for prompt in prompts:
            for choice, label in zip(("cooperate", "defect"), prompt.labels, strict=True):
                for draw in range(self.asking.motivations[prompt.frame]):
                    shown = {"choice": choice, **self._author(prompt)}
                    rows.append(self._row(prompt, {"label": label, "draw": draw, **drawing}, shown))
                    wanted.append(Reasons(prompt, choice, rows[-1]["key"]))
        columns = {"choice": pl.String, "label": pl.String, **dict.fromkeys(("draw", *drawing), pl.Int64)}
        if any(map(self._author, prompts)):
            columns["author"] = pl.String

        def motivate(part: Sequence[int]) -> Sequence[Any]:
            return self.respondent.motivate([wanted[number] for number in part], longest)

        def arrive(part: Sequence[int]) -> Arrivals[Any]:
            return self._served.each_reason([wanted[number] for number in part], longest)

        answers = _Answers({"motivation": pl.String, **TEXT_COLUMNS}, motivate, arrive, {"motivation": "text"})
        return self._write(path, "motivations", rows, columns, answers)

    def answers(self, path: Path, prompts: Sequence[Prompt | Query]) -> pl.DataFrame:
        """Write drawn answers: for each prompt as many as `asking` says, in their order.

        A draw's key, which is also the seed of its random stream, does not depend on how many there are: asking for
        more draws only the additional ones.
        """
        drawing = {name: getattr(self.asking, name) for name in ("longest", "one_line", "seed")}
        rows, wanted = [], []
        for prompt in prompts:
            shown = {"options": list(prompt.options), "labelled": prompt.labelled, "phrases": prompt.phrases}
            for draw in range(self.asking.answers):
                rows.append(self._row(prompt, {"draw": draw, **drawing}, shown))
                wanted.append(Drawn(prompt, rows[-1]["key"]))
        columns = {"options": pl.List(pl.String), "labelled": pl.Boolean, "phrases": pl.String, "draw": pl.Int64}
        columns |= {"longest": pl.Int64, "one_line": pl.Boolean, "seed": pl.Int64}

        def draw_part(part: Sequence[int]) -> Sequence[Any]:
            return self.respondent.draw([wanted[number] for number in part], self.asking)

        def arrive(part: Sequence[int]) -> Arrivals[Any]:
            return self._served.each_answer([wanted[number] for number in part], self.asking.longest)

        answers = _Answers({"answer": pl.String, **TEXT_COLUMNS}, draw_part, arrive, {"answer": "text"})
        return self._write(path, "answers", rows, columns, answers)

    def readings(self, path: Path, queries: Sequence[Query], stage: str) -> pl.DataFrame:
        """Write exact answers that are one of several texts: a row per query, a probability for each candidate."""
        rows = [
            self._row(
                query,
                _read_by(query),
                {"candidates": list(query.candidates), "right": query.right, **self._evidence(query)},
            )
            for query in queries
        ]

        def read(part: Sequence[int]) -> Sequence[Any]:
            return self.respondent.read([queries[number] for number in part])

        def arrive(part: Sequence[int]) -> Arrivals[Any]:
            return self._served.each_reading([queries[number] for number in part])

        columns = {"candidates": pl.List(pl.String), "right": pl.String}
        columns |= {**self._evidence_column(queries), **READ_BY_TYPE}
        answers = _Answers(READING_COLUMNS, read, arrive, {"probabilities": "candidates"})
        return self._write(path, stage, rows, columns, answers)

    def _author(self, prompt: Prompt) -> dict[str, str]:
        """Return who wrote the reasons, where it was not the respondent: tables of others have no such column."""
        author = self.respondent.author(prompt) if isinstance(self.respondent, RecordedRespondent) else None
        return {"author": author} if author else {}

    def _evidence(self, prompt: Prompt | Query) -> dict[str, str]:
        """Return what an answer says, where that is no exact probability: tables of these have no such column."""
        found = self.respondent.evidence(prompt)
        return {} if found == "exact" else {"evidence": found}

    def _evidence_column(self, prompts: Sequence[Prompt | Query]) -> dict[str, Any]:
        return {"evidence": pl.String} if any(map(self._evidence, prompts)) else {}

    @property
    def _served(self) -> ServedRespondent:
        return cast("ServedRespondent", self.respondent)

    def _write(
        self,
        path: Path,
        stage: str,
        rows: Sequence[Mapping[str, Any]],
        columns: Mapping[str, Any],
        answers: "_Answers",
    ) -> pl.DataFrame:
        """Write the table in `path`, and return it: `rows`, with computed columns from the store or from `answers`."""
        wanted = pl.DataFrame(rows, schema=ROW_COLUMNS | dict(columns))
        computed: dict[str, Any] = dict(answers.columns)
        served: dict[str, Any] = {}
        if isinstance(self.respondent, ServedRespondent):
            computed |= SPENT_COLUMNS | (UNSEEN_COLUMN if "other" in computed else {})
            served = {"software": lambda: self._served.software, "arrive": partial(answers.arriving, computed)}
        table, count = complete_rows(
            wanted,
            self.store,
            stage,
            self.respondent.identity,
            computed,
            lambda part: answers.as_columns(answers.ask(part), computed),
            lambda: self.respondent.examined,
            **served,
        )
        logger.info("%s: %d of %d rows computed, the others were in the store", path.name, count, len(table))
        write_table(table, path)
        return table

    def _row(
        self, prompt: Prompt | Query, settings: Mapping[str, Any] | None = None, shown: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return a row: its key, of prompt, respondent and `settings`; these; and what else is `shown` of it."""
        identity, settings = self.respondent.identity, settings or {}
        names = ("split", "game", "context", "frame", "question")
        place = {**{name: getattr(prompt, name) for name in names}, "prompt": prompt.sha256}
        asked = self.respondent.asked(prompt)
        key = digest_of({**asked, **settings, **identity})
        return {"key": key, **place, **(shown or {}), **settings, **identity}


def _read_by(prompt: Prompt | Query) -> dict[str, Any]:
    """Return what an exact answer depends on besides prompt and respondent: by what it is read.

    English is not named, so that what was read before other languages had phrases is not read again.
    """
    language = {} if prompt.phrases == "english" else {"phrases": prompt.phrases}
    return {"reading_revision": READING_REVISION, **language}


@dataclass(frozen=True)
class _Answers:
    """How the answers of a table are asked for, from the numbers of its rows, and what columns they make."""

    columns: Mapping[str, Any]
    ask: Callable[[Sequence[int]], Sequence[Any]]
    each: Callable[[Sequence[int]], Arrivals[Any]]
    """The same of a respondent whose answers arrive one by one."""
    names: Mapping[str, str] = field(default_factory=dict)
    """What an answer calls what a column calls otherwise."""

    def as_columns(self, found: Sequence[Any], columns: Iterable[str]) -> dict[str, list[Any]]:
        """Return answers as columns."""
        read = {
            name: attrgetter(self.names.get(name, f"spent.{name}" if name in SPENT_COLUMNS else name))
            for name in columns
        }
        return {name: [get(each) for each in found] for name, get in read.items()}

    def arriving(
        self, columns: Iterable[str], part: Sequence[int]
    ) -> Iterator[tuple[Sequence[int], Mapping[str, Sequence[Any]]]]:
        """Yield the numbers of rows with their columns as they arrive."""
        for pieces in self.each(part):
            yield [part[number] for number, _ in pieces], self.as_columns([answer for _, answer in pieces], columns)
