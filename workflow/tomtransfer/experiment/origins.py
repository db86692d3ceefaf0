"""Reading an experiment from the files that a config was merged from, and naming the file that is wrong."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import InputError, validate


def read_experiment(config: Mapping[str, Any], files: Sequence[Path]) -> Experiment:
    """Return `config`, which Snakemake merged from `files` and the command line, as a checked experiment.

    Top-level keys that begin with `x-` are for anchors and are left out, and so are splits and frames that a later file
    has set to null, with what `comprehension` names of such a split.

    Raises InputError with a line for each mistake, which names the file that it is in; where there are no files, since
    another workflow's config was given, it says `config`.
    """
    for file in files:
        read_yaml(file)  # what was lost before the files were merged can be seen in the files alone
    try:
        return _deployed(validate(Experiment, _said(config), "config"))
    except InputError as error:
        if not files:
            raise
        lines = str(error).splitlines()
        raise InputError("\n".join(_name_the_file(line, config, files) for line in lines)) from None


def merged_config(files: Sequence[Path], values: Sequence[str] = ()) -> dict[str, Any]:
    """Return what config files say, each laid over those before it as Snakemake does: keys are merged, lists replaced.

    `values` are laid over them all, each KEY=VALUE with a value in YAML, as `--config` has them. Raises InputError for
    a file that cannot be read, and for a value that is none.
    """
    merged: dict[str, Any] = {}
    for said in (*map(read_yaml, files), *map(_given, values)):
        merged = _laid_over(merged, said)
    return merged


def _given(value: str) -> dict[str, Any]:
    key, sign, said = value.partition("=")
    try:
        if sign and key.isidentifier():
            return {key: yaml.safe_load(said)}
    except yaml.YAMLError:
        pass
    raise InputError(f"--config {value}: expected KEY=VALUE, such as temperature=1 or 'training={{epochs: 4}}'")


def _laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        held = merged.get(key)
        merged[key] = _laid_over(held, value) if isinstance(held, Mapping) and isinstance(value, Mapping) else value
    return merged


def _deployed(experiment: Experiment) -> Experiment:
    """Return an experiment that finds scenarios and registry in config/, where a deployment has them."""
    found = {}
    for name in ("scenarios", "registry"):
        place = Path(getattr(experiment.paths, name))
        if name not in experiment.paths.model_fields_set and not place.exists() and (Path("config") / place).exists():
            found[name] = str(Path("config") / place)
    return experiment.model_copy(update={"paths": experiment.paths.model_copy(update=found)})


def _said(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without what was taken back and without what is not for us."""
    said = {key: value for key, value in config.items() if not str(key).startswith("x-")}
    for section in ("splits", "frames"):
        if isinstance(members := said.get(section), Mapping):
            said[section] = {name: member for name, member in members.items() if member is not None}
    asked, splits = said.get("comprehension"), said.get("splits")
    if isinstance(asked, list) and isinstance(splits, Mapping) and len(splits) < len(config["splits"]):
        left = [split.get("contexts") for split in splits.values() if isinstance(split, Mapping)]
        played = {context for contexts in left if isinstance(contexts, list) for context in contexts}
        said["comprehension"] = [context for context in asked if context in played]
    return said


def _name_the_file(line: str, config: Mapping[str, Any], files: Sequence[Path]) -> str:
    """Put in front of a mistake the last of `files` that says what is wrong, or `--config` where none does."""
    key = line.removeprefix("config: ").split(":", 1)[0]
    place = [] if key.startswith("(") else key.split(".")
    while place and _at(config, place) is None:
        place.pop()  # a missing key, or an item of a list: what was given is above it
    if not place:
        return line.replace("config", " + ".join(str(file) for file in files), 1)
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
