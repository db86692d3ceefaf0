"""What the store holds, by respondent and stage, and what of it no results folder uses."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.records import broken_outputs, file_hash, read_record
from tomtransfer.experiment.store import SET_ASIDE, Store, is_whole
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.examination import EXAMINED, place_of, read_examination
from tomtransfer.respondents.checking import CHECKED, read_check
from tomtransfer.training.adapter import RECORD_FILE

HASH_SHOWN = 12
"""Digits of a hash that are enough to tell it from others."""


@dataclass(frozen=True)
class Holding:
    """What the store holds of one respondent at one stage.

    Answers (rows), an adapter, what was found out about a model, or what was left unfinished.
    """

    stage: str
    owner: str
    """Who answered, or the base model of an adapter."""
    about: str
    """What tells it from others of the same name."""
    folder: Path
    rows: int
    bytes: int
    unused: int
    """Rows that no results folder uses."""


@dataclass(frozen=True)
class Used:
    """What results folders use of a store."""

    keys: frozenset[str]
    adapters: frozenset[str]
    examinations: frozenset[str]
    """The keys of the examinations that answers and adapters cite."""
    checks: frozenset[str]


def results_folders(store: Store) -> list[Path]:
    """Return the results folders that have used the store and are still there."""
    notes = sorted((store.folder / "used_by").glob("*.json"))
    folders = [Path(json.loads(note.read_text(encoding="utf-8"))["results"]) for note in notes]
    return [folder for folder in folders if folder.is_dir()]


def read_used(folders: Sequence[Path]) -> Used:
    """Return the keys of all that results folders use; raises InputError for a table that is damaged."""
    keys: set[str] = set()
    adapters: set[str] = set()
    examinations: set[str] = set()
    checks: set[str] = set()
    for folder in folders:
        for path in [*folder.glob("teacher/*.parquet"), *folder.glob("student/*.parquet")]:
            try:
                named: list[str] = [name for name in ("key", "examination") if name in pl.read_parquet_schema(path)]
                table = pl.read_parquet(path, columns=named)
            except (OSError, pl.exceptions.PolarsError) as error:
                raise InputError(f"{path}: cannot be read as a table: {error}") from None
            keys.update(table["key"])
            examinations.update(table["examination"] if "examination" in named else [])
        for path in folder.glob(f"student/**/{RECORD_FILE}"):
            record = json.loads(path.read_text(encoding="utf-8"))
            adapters.add(record["key"])
            examinations.add(record.get("examination", ""))
        for path in folder.glob("*/checked.json"):
            found = read_check(path)
            checks.update(found.get(name, "") for name in ("key", "anatomy"))
    return Used(*map(frozenset, (keys, adapters, examinations, checks)))


def holdings(store: Store, used: Used) -> list[Holding]:
    """Return what the store holds, answers first."""
    return [
        *_answers(store, used),
        *_adapters(store, used),
        *_examinations(store, used),
        *_checks(store, used),
        *_unfinished(store),
    ]


def _answers(store: Store, used: Used) -> Iterator[Holding]:
    for shelf in sorted(store.folder.glob("answers/*/*/")):
        identity = _identity(shelf)
        keys = [key for _, part in store.parts(shelf, ".parquet") for key in _keys(part)]
        size = sum(file.stat().st_size for file in shelf.iterdir())
        about = _said({name: value for name, value in identity.items() if name != "model"})
        unused = sum(key not in used.keys for key in keys)
        yield Holding(shelf.parent.name, str(identity.get("model", shelf.name)), about, shelf, len(keys), size, unused)


def _adapters(store: Store, used: Used) -> Iterator[Holding]:
    for place in sorted(store.folder.glob("adapters/*/")):
        if not store.whole(place):
            continue
        config = json.loads((place / "adapter_config.json").read_text(encoding="utf-8"))
        size = sum(file.stat().st_size for file in place.iterdir())
        about = f"rank {config['r']}, alpha {config['lora_alpha']:g}, key {place.name[:HASH_SHOWN]}"
        unused = int(place.name not in used.adapters)
        yield Holding("adapters", str(config["base_model_name_or_path"]), about, place, 1, size, unused)


def _examinations(store: Store, used: Used) -> Iterator[Holding]:
    """Yield what models were found to be when they were first loaded, a file each."""
    places = {place_of(key, store.folder / EXAMINED) for key in used.examinations}
    for place in sorted((store.folder / EXAMINED).glob("*.json")):
        found = read_examination(place)
        about = dict(found.about) if found else {}
        owner = str(about.pop("model", place.stem))
        about.pop("software", None)
        yield _note(EXAMINED, owner, _said(about), place, place in places)


def _checks(store: Store, used: Used) -> Iterator[Holding]:
    """Yield what models were found to be before they were loaded, a file each."""
    for place in sorted((store.folder / CHECKED).glob("*.json")):
        found = read_check(place)
        about = {name: found[name] for name in ("quantization", "key") if name in found}
        yield _note(CHECKED, str(found.get("model", place.stem)), _said(about), place, found.get("key") in used.checks)


def _note(stage: str, owner: str, about: str, place: Path, used: bool) -> Holding:
    return Holding(stage, owner, about, place, 1, place.stat().st_size, int(not used))


def _said(about: Mapping[str, Any]) -> str:
    """Return in words what tells a respondent from others of its name."""
    return ", ".join(
        f"{name.replace('_', ' ')} {str(value)[:HASH_SHOWN]}"
        for name, value in about.items()
        if value not in {"", None}
    )


def _unfinished(store: Store) -> Iterator[Holding]:
    for stage in ("unfinished", SET_ASIDE):
        for place in sorted((store.folder / stage).glob("*")):
            files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
            if place.suffix != ".lock":
                size = sum(file.stat().st_size for file in files)
                yield Holding(stage.replace("_", " "), place.name[:24], "", place, 1, size, 1)


def remove_unused(store: Store, used: Used) -> int:
    """Remove what no results folder uses, and return how many bytes that were.

    Parts with rows that are used are written anew without the others, before the old part is removed.
    """
    removed = 0
    for holding in holdings(store, used):
        if not holding.unused:
            continue
        before = holding.bytes
        if holding.unused == holding.rows:
            _remove(holding.folder)
            removed += before
            continue
        for path, content in list(store.parts(holding.folder, ".parquet")):
            rows = pl.read_parquet(BytesIO(content))
            kept = rows.filter(pl.col("key").is_in(list(used.keys)))
            if len(kept) < len(rows):
                if len(kept):
                    buffer = BytesIO()
                    kept.write_parquet(buffer)
                    store.put(holding.folder, buffer.getvalue(), ".parquet")
                path.unlink()
        removed += before - sum(file.stat().st_size for file in holding.folder.iterdir())
    return removed


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()


def _identity(shelf: Path) -> Mapping[str, Any]:
    try:
        identity: Mapping[str, Any] = json.loads((shelf / "identity.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return identity


def _keys(part: bytes) -> list[str]:
    try:
        return pl.read_parquet(BytesIO(part), columns=["key"])["key"].to_list()
    except pl.exceptions.PolarsError:
        return []


def broken(results: Path, store: Store) -> tuple[int, list[str]]:
    """Return how many artifacts a results folder and a store have, and in words which are not what was written.

    Nothing is changed: what is broken in the store is set aside by the next job that comes upon it.
    """
    count, mistakes = 0, []
    for path in sorted((results / "records").rglob("*.json")):
        record = read_record(path)
        if record is None:
            mistakes.append(f"{path}: cannot be read as a record")
        else:
            count += len(record.outputs)
            mistakes += broken_outputs(path, record)
    for part in sorted(store.folder.glob("answers/*/*/*.parquet")):
        count += 1
        if file_hash(part) != part.stem:
            mistakes.append(f"{part}: its content is not what its name says")
    for place in sorted(store.folder.glob("adapters/*/")):
        count += 1
        if not is_whole(place):
            mistakes.append(f"{place}: its files are not those that were written")
    for place in sorted(store.folder.glob(f"{EXAMINED}/*.json")):
        count += 1
        found = read_examination(place)
        if found is None or place_of(found.key, place.parent) != place:
            mistakes.append(f"{place}: its content is not what its name says")
    for place in sorted(store.folder.glob(f"{CHECKED}/*.json")):
        count += 1
        if not read_check(place):
            mistakes.append(f"{place}: cannot be read as what is known of a model")
    return count, mistakes
