"""Which modules of the package a script runs: the closure of its imports."""

import hashlib
import re
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
"""The folder of this package."""

# As text: to parse all modules would take most of the time that a finished experiment needs to be found finished.
IMPORT = re.compile(rf"^\s*(?:from ({PACKAGE.name}[\w.]*) import (\([^)]*\)|.*)|import ({PACKAGE.name}[\w.]*))", re.M)


def closure(script: Path) -> list[Path]:
    """Return `script` and every file of this package that it imports, directly or not, in the order of their paths.

    Imports inside functions count: what is imported late decides what comes out as well.
    """
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += imported(file)
    return sorted(found)


def code_hash(script: Path, *folders: str) -> str:
    """Return the sha256 of a script, of all that it imports of this package, and of the files in `folders` of it."""
    digest = hashlib.sha256()
    data = [file for folder in folders for file in sorted((PACKAGE / folder).iterdir())]
    for file in [*closure(script), *data]:
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


@cache
def imported(file: Path) -> tuple[Path, ...]:
    """Return the files of this package that a file imports: modules, and the packages around them."""
    found: dict[Path, None] = {}
    for module, names, alone in IMPORT.findall(file.read_text(encoding="utf-8")):
        for name in re.findall(r"\w+", names) or [""]:
            parts = f"{module or alone}.{name}".rstrip(".").split(".")
            for end in range(1, len(parts) + 1):
                place = PACKAGE.joinpath(*parts[1:end])
                for source in (place / "__init__.py", place.with_suffix(".py")):
                    if source.is_file():
                        found[source] = None
    return tuple(found)
