"""What an artifact was made from, written down beside it: settings, the content of its inputs, and its own content.

Times of change tell when a file was copied. Whether a step has to run again follows from its record alone: its
settings, the files that it read and the files that it wrote must be those of today, byte by byte.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from os.path import relpath
from pathlib import Path
from typing import Any

from tomtransfer.experiment.files import write_text


@dataclass(frozen=True)
class JobRecord:
    """What one job read and wrote."""

    settings: Mapping[str, Any]
    """Its parameters by name, as JSON holds them."""
    inputs: Mapping[str, Sequence[str]]
    """The sha256 of its input files, by the name of the input."""
    outputs: Mapping[str, str]
    """The sha256 of its output files, by their path from the folder of the record."""


def read_record(path: Path) -> JobRecord | None:
    """Return the record in `path`, or None where none can be read."""
    try:
        return JobRecord(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(path: Path, record: JobRecord) -> None:
    """Write a record, the last file of a job."""
    write_text(json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n", path)


def make_record(
    path: Path, settings: Mapping[str, Any], inputs: Mapping[str, Sequence[str]], outputs: Iterable[Path]
) -> JobRecord:
    """Return the record, to be written to `path`, of a job that has written its `outputs`."""
    return JobRecord(plain(settings), inputs, {relpath(file, path.parent): file_hash(file) for file in outputs})


def plain(settings: Mapping[str, Any]) -> Any:
    """Return settings as they come back from JSON, to be compared: lists for tuples, text for names."""
    return json.loads(json.dumps(settings, sort_keys=True))


def changes(path: Path, settings: Mapping[str, Any], inputs: Mapping[str, Sequence[Path]]) -> list[str]:
    """Return in words what differs between the record in `path` and today: nothing if its job need not run again."""
    record = read_record(path)
    if record is None:
        return ["never finished"]
    wanted, found = plain(settings), []
    names = sorted(name for name in wanted.keys() | record.settings if wanted.get(name) != record.settings.get(name))
    if names:
        found.append(f"other settings: {', '.join(names)}")
    for name, files in inputs.items():
        if [known_hash(file) for file in files] != record.inputs.get(name, []):
            found.append(f"other content: {name}")
    return [*found, *broken_outputs(path, record)]


def broken_outputs(path: Path, record: JobRecord) -> list[str]:
    """Return in words which outputs of the record in `path` are gone or are no longer what was written."""
    found = []
    for name, expected in record.outputs.items():
        actual = known_hash(path.parent / name)
        if actual != expected:
            found.append(f"{path.parent / name}: {'changed since it was written' if actual else 'gone'}")
    return found


@cache
def known_hash(file: Path) -> str:
    """Return the sha256 of a file, looked up once in a process; nothing for a file that is not there."""
    try:
        return file_hash(file)
    except OSError:
        return ""


def file_hash(file: Path) -> str:
    """Return the sha256 of a file, in hexadecimal digits; raises OSError."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
