"""Reading an experiment from the files that a config was merged from, and naming the file that is wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError, read_yaml, validate


def read_experiment(config: Mapping[str, Any], files: Sequence[Path]) -> Experiment:
    """Return `config`, which Snakemake merged from `files` and the command line, as a checked experiment.

    Raises InputError with a line for each mistake, which names the file that it is in.
    """
    try:
        return validate(Experiment, config, "config")
    except InputError as error:
        lines = str(error).splitlines()
        raise InputError("\n".join(_name_the_file(line, config, files) for line in lines)) from None


def _name_the_file(line: str, config: Mapping[str, Any], files: Sequence[Path]) -> str:
    """Put in front of a mistake the last of `files` that says what is wrong, or `--config` where none does."""
    key = line.removeprefix("config: ").split(":", 1)[0]
    place = [] if key.startswith("(") else key.split(".")
    while place and _at(config, place) is None:
        place.pop()  # a missing key, or an item of a list: what was given is above it
    if not place:
        return line.replace("config", " + ".join(str(file) for file in files) or "--config", 1)
    contents = [read_yaml(file) for file in files]
    number = _blame(place, config, contents)
    return line.replace("config", str(files[number]) if number < len(files) else "--config", 1)


def _blame(place: Sequence[str], config: Mapping[str, Any], contents: Sequence[Mapping[str, Any]]) -> int:
    """Return the number of the file that what stands at `place` is from, or how many files there are if from none.

    A mapping may come from several, in parts; the one that overrules the others is to blame.
    """
    given = _at(config, place)
    sayers = [number for number, content in enumerate(contents) if _at(content, place) == given]
    if sayers:
        return sayers[-1]
    if isinstance(given, Mapping):
        return max(_blame([*place, key], config, contents) for key in given)
    return len(contents)


def _at(content: Any, place: Sequence[str]) -> Any:
    """Return what stands at `place` in nested mappings, or None where nothing does."""
    for part in place:
        if not isinstance(content, Mapping):
            return None
        content = content.get(part)
    return content
