"""Files that are written as a whole or not at all, so that a kill leaves what was there before."""

import uuid
from collections.abc import Callable
from pathlib import Path


def write_text(text: str, path: Path) -> None:
    """Write `text` to `path`, as a whole or not at all."""
    write_whole(path, lambda partial: partial.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in place; a kill leaves what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    try:
        write(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
