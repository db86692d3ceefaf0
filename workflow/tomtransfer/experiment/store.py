"""The store: results that are too expensive to be computed twice, each under the hash of what it was made from.

Files are written whole under a name of their own and never changed, so that jobs that share a file system need no
lock. The name of a part is the sha256 of its bytes: what was cut short, damaged or put there by somebody else is known
for it, set aside, and computed again.
"""

import hashlib
import json
import logging
import shutil
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomtransfer.experiment.files import write_text, write_whole

logger = logging.getLogger(__name__)

SET_ASIDE = "set_aside"
"""The folder of a store that holds what cannot be trusted, for a person to look at."""


def digest_of(content: Any) -> str:
    """Return the sha256 of anything that JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Store:
    """A folder of results that experiments share."""

    folder: Path

    def note_use(self, results: Path) -> None:
        """Note that a folder of results takes from this store, so that what it uses is not taken for unused."""
        place = str(results.resolve())
        note = self.folder / "used_by" / f"{digest_of(place)[:16]}.json"
        if not note.exists():
            write_text(json.dumps({"results": place}) + "\n", note)

    def shelf(self, stage: str, owner: str, identity: Mapping[str, Any]) -> Path:
        """Return the folder for parts of a `stage` that belong to an `owner` of an identity, which is noted there."""
        shelf = self.folder / stage / f"{owner}-{digest_of(identity)[:16]}"
        note = shelf / "identity.json"
        if not note.exists():
            write_text(json.dumps(identity, indent=1, ensure_ascii=False) + "\n", note)
        return shelf

    def put(self, shelf: Path, content: bytes, suffix: str) -> Path:
        """Keep a part on a shelf, under the hash of its bytes, and return where it is."""
        part = shelf / f"{hashlib.sha256(content).hexdigest()}{suffix}"
        if not part.exists():
            write_whole(part, lambda partial: partial.write_bytes(content))
        return part

    def parts(self, shelf: Path, suffix: str) -> Iterator[tuple[Path, bytes]]:
        """Yield the parts on a shelf by name, each with its bytes; what is not what its name says is set aside."""
        for part in sorted(shelf.glob(f"*{suffix}")):
            if part.name.startswith("."):
                continue  # being written
            try:
                content = part.read_bytes()
            except FileNotFoundError:
                continue  # set aside by another job in the meantime
            if hashlib.sha256(content).hexdigest() == part.name.removesuffix(suffix):
                yield part, content
            else:
                self.set_aside(part, "its content is not what its name says")

    def adopt(self, made: Path, place: Path) -> None:
        """Move a folder that was made beside it to its place, unless another job was first; then drop it."""
        place.parent.mkdir(parents=True, exist_ok=True)
        write_text(json.dumps(folder_hashes(made), indent=1) + "\n", made / "manifest.json")
        try:
            made.rename(place)
        except OSError:
            if not place.exists():
                raise
            shutil.rmtree(made)

    def whole(self, place: Path) -> bool:
        """Tell whether a folder that was adopted is there and whole; one that is not whole is set aside."""
        if not place.exists():
            return False
        if is_whole(place):
            return True
        self.set_aside(place, "its files are not those that were written")
        return False

    def set_aside(self, path: Path, reason: str) -> None:
        """Move what cannot be trusted out of the way, and say so."""
        place = self.folder / SET_ASIDE / f"{path.name}.{uuid.uuid4().hex[:8]}"
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.replace(place)
        except FileNotFoundError:
            return
        logger.warning("%s: %s; set aside as %s and computed again", path, reason, place)


def is_whole(place: Path) -> bool:
    """Tell whether the files of a folder are those that its manifest names, byte by byte."""
    try:
        expected = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(expected == folder_hashes(place))


def folder_hashes(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file in a folder by name, without its manifest."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.iterdir())
        if file.is_file() and file.name != "manifest.json"
    }
