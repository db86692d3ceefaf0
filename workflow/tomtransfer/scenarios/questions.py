"""Prompts and questions as records: what is put to whom, a hash that tells when it changed, and the files of a game."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.games import TWO_ACTIONS


@dataclass(frozen=True)
class Prompt:
    """One scenario in one frame, as it is put to a model."""

    split: str
    game: str
    context: str
    frame: str
    question: str
    cooperate: str
    defect: str
    payoffs: dict[str, float]
    system: str
    user: str
    sha256: str
    phrases: str | None = None
    """The language whose phrases of choosing a drawn answer may use; null where labels alone are read."""

    @property
    def labels(self) -> tuple[str, str]:
        """Return the labels of cooperation and defection."""
        return self.cooperate, self.defect

    @property
    def options(self) -> tuple[str, ...]:
        """Return what may be answered: the labels of cooperation and defection."""
        return self.labels

    @property
    def labelled(self) -> bool:
        """Return that the options are labels of the two actions."""
        return True


@dataclass(frozen=True)
class Query:
    """A prompt that is answered by one of several texts, such as amounts of a `unit`; `right` is the true one."""

    split: str
    game: str
    context: str
    frame: str
    question: str
    candidates: tuple[str, ...]
    right: str | None
    payoffs: dict[str, float]
    system: str
    user: str
    sha256: str
    unit: str = ""
    phrases: str | None = None
    """The language whose phrases of choosing a drawn answer may use; null where labels alone are read."""

    @property
    def options(self) -> tuple[str, ...]:
        """Return what may be answered: the candidates."""
        return self.candidates

    @property
    def labelled(self) -> bool:
        """Return that the options are texts of their own, and no labels of two actions."""
        return False


def prompts_hash(prompts: Sequence[Prompt | Query]) -> str:
    """Return the sha256 of everything that prompts say, and of where they belong."""
    return content_hash([vars(prompt) for prompt in prompts])


def write_prompts(
    prompts: Sequence[Prompt | Query], path: Path, kind: str = TWO_ACTIONS, comprehension: Sequence[Query] = ()
) -> None:
    """Write the prompts of one game, and the questions about its payoffs, as JSON that a person can read."""
    content = {
        "game": prompts[0].game,
        "kind": kind,
        "sha256": prompts_hash([*prompts, *comprehension]),
        "prompts": [asdict(prompt) for prompt in prompts],
        "comprehension": [asdict(query) for query in comprehension],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_prompts(paths: Sequence[Path], question: str | None = None) -> list[Prompt]:
    """Return the prompts of two-action games in files that `write_prompts` wrote, of one question or of all."""
    contents = [content for content in _read(paths) if content["kind"] == TWO_ACTIONS]
    prompts = [Prompt(**prompt) for content in contents for prompt in content["prompts"]]
    return [prompt for prompt in prompts if question in (None, prompt.question)]


def read_queries(paths: Sequence[Path], question: str | None = None) -> list[Query]:
    """Return the prompts of games of other kinds in files that `write_prompts` wrote, of one question or of all."""
    contents = [content for content in _read(paths) if content["kind"] != TWO_ACTIONS]
    queries = [_query(query) for content in contents for query in content["prompts"]]
    return [query for query in queries if question in (None, query.question)]


def read_comprehension(paths: Sequence[Path]) -> list[Query]:
    """Return the questions about payoffs in files that `write_prompts` wrote."""
    return [_query(query) for content in _read(paths) for query in content["comprehension"]]


def _read(paths: Sequence[Path]) -> list[Mapping[str, Any]]:
    contents: list[Mapping[str, Any]] = []
    for path in paths:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            contents.append({name: content[name] for name in ("kind", "prompts", "comprehension")})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be read as prompts: {error}. Delete it to have it made again") from error
    return contents


def _query(content: Mapping[str, Any]) -> Query:
    return Query(**{**content, "candidates": tuple(content["candidates"])})


def content_hash(content: Any) -> str:
    """Return the sha256 of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
