"""An experiment that runs in half a minute, what it left behind, and edits that people make to it."""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from polars.testing import assert_frame_equal

from project import copy_project, plan, run_snakemake

REDUCED: dict[str, Any] = {
    "games": ["prisoners_dilemma", "stag_hunt"],
    "splits": {
        "in_sample": {"contexts": ["team", "business"]},
        "new_contexts": {"contexts": ["sports"]},
        "new_game": {"games": ["donation"], "contexts": ["village_well"]},
    },
    "choices": "both",
    "comprehension": ["sports", "village_well"],
    "frames": {"canonical": {}, "swapped": {"cooperate": "D", "defect": "C"}},
    "sampling": {"answers": 2},
    # It loads no torch, so that most of a run is the student's.
    "teacher": {"model": "planted-teacher", "motivations_per_choice": 2, "motivation_tokens": 8},
    "student": {"model": "random-student"},
    "training": {"epochs": 1},
    "scoring": {"bootstrap_draws": 20},
    "compute": {"gpu": 0, "threads": 1, "memory_mb": 1000, "minutes": 10},
}
TEMPLATE = "scenarios/prompts/english/two_actions/user.j2"
FOLDERS = ("teacher", "student", "training", "alignment", "tables", "figures")
RANDOM_PARTS = ("computation",)
"""Columns that say when something was computed, and not what."""

Edit = Callable[[Path], None]


def reduced_project(folder: Path) -> Path:
    """Copy the project into `folder` and make its experiment the reduced one."""
    folder.mkdir(exist_ok=True)
    copy_project(folder)
    (folder / "config.yaml").write_text(yaml.safe_dump(REDUCED, sort_keys=False))
    return folder


def copy_with_results(project: Path, folder: Path) -> Path:
    """Copy a project with all that a run left in it, times of change and Snakemake's records included."""
    return Path(shutil.copytree(project, folder, symlinks=True))


def take_over(finished: Path, project: Path) -> None:
    """Give a project the models and the store of a finished one, so that all its jobs run and none loads a model."""
    for part in ("models", "store"):
        shutil.copytree(finished / "results" / part, project / "results" / part)


def computations(project: Path) -> dict[tuple[str, str], str]:
    """Return the computation that each row of the answer tables came from, by table and key."""
    tables = [path for name in ("teacher", "student") for path in (project / "results" / name).glob("*.parquet")]
    return {
        (f"{path.parent.name}/{path.name}", key): computation
        for path in tables
        for key, computation in pl.read_parquet(path).select("key", "computation").iter_rows()
    }


def contents(project: Path) -> dict[str, Any]:
    """Return what a run came to, by file: all but models, logs, timings, and the page that shows timings.

    Tables are tables, JSON is what it holds, Markdown is text, and the rest are bytes.
    """
    found: dict[str, Any] = {}
    for folder in FOLDERS:
        for path in sorted((project / "results" / folder).rglob("*.*")):
            name = str(path.relative_to(project / "results"))
            if path.suffix == ".parquet":
                found[name] = pl.read_parquet(path).drop(RANDOM_PARTS, strict=False)
            elif path.suffix == ".csv":
                found[name] = pl.read_csv(path, infer_schema_length=None)
            elif path.suffix == ".json":
                found[name] = json.loads(path.read_text())
            elif path.suffix == ".md":
                found[name] = path.read_text()
            elif path.is_file():
                found[name] = path.read_bytes()
    return found


def assert_same_results(project: Path, other: Path) -> None:
    """Assert that two projects came to the same, texts in every letter and numbers within rounding.

    What an answer is computed beside changes its last digits, because sums are taken in another order; measures divide
    by differences of such numbers.
    """
    first, second = contents(project), contents(other)
    assert first.keys() >= second.keys(), second.keys() - first.keys()
    for name, expected in second.items():
        found, tolerance = first[name], 1e-6 if name.startswith(("teacher", "student", "training")) else 1e-4
        if isinstance(expected, pl.DataFrame):
            try:
                assert_frame_equal(*map(with_lists, (found, expected)), abs_tol=tolerance, rel_tol=tolerance)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from None
        elif name.endswith((".json", ".md")):
            differences = list(unlike(found, expected, 1e-4))
            assert not differences, f"{name}: {differences[:5]}"


def with_lists(table: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose numbers after each training, which are one text in a CSV file, are lists of numbers."""
    if table.schema.get("by_training") != pl.String:
        return table
    numbers = pl.col("by_training").str.split(" ").list.eval(pl.element().cast(pl.Float64, strict=False))
    return table.with_columns(numbers)


NUMBER = re.compile(r"[-+−]?\d+\.\d+")


def unlike(one: Any, other: Any, tolerance: float, place: str = "") -> Iterator[str]:
    """Yield where two contents of JSON or Markdown differ, in text by a letter, in numbers by more than `tolerance`."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one.keys() | other.keys():
            yield from unlike(one.get(key), other.get(key), tolerance, f"{place}.{key}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for number, (each, its) in enumerate(zip(one, other, strict=True)):
            yield from unlike(each, its, tolerance, f"{place}[{number}]")
    elif isinstance(one, float) and isinstance(other, float):
        if abs(one - other) > tolerance * max(1, abs(other)):
            yield f"{place}: {one} and {other}"
    elif isinstance(one, str) and isinstance(other, str) and one != other:
        # What is printed may be rounded the other way.
        found, its = NUMBER.findall(one), NUMBER.findall(other)
        apart = [pair for pair in zip(found, its, strict=False) if abs(float(pair[0]) - float(pair[1])) > 0.11]
        if " ".join(NUMBER.sub("0", one).split()) != " ".join(NUMBER.sub("0", other).split()) or apart:
            yield f"{place}: {one[:200]!r} and {other[:200]!r}"
    elif one != other:
        yield f"{place}: {one} and {other}"


def setting(key: str, value: Any) -> Edit:
    """Return an edit of config.yaml: `value` under `key`, whose parts are joined by dots."""

    def edit(project: Path) -> None:
        *path, last = key.split(".")
        config = section = yaml.safe_load((project / "config.yaml").read_text())
        for part in path:
            section = section.setdefault(part, {})
        section[last] = value(section[last]) if callable(value) else value
        (project / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))

    return edit


def replacing(file: str, old: str, new: str) -> Edit:
    """Return an edit of the text of a file."""

    def edit(project: Path) -> None:
        text = (project / file).read_text()
        assert old in text, f"{file} has no {old!r}"
        (project / file).write_text(text.replace(old, new, 1))

    return edit


def renaming_a_context(project: Path) -> None:
    """Call a context by another name; what it says stays as it is."""
    folder = project / "scenarios" / "contexts"
    (folder / "business.yaml").rename(folder / "trade.yaml")
    text = (project / "config.yaml").read_text()
    (project / "config.yaml").write_text(text.replace("- business\n", "- trade\n"))
    replacing("models.yaml", "    business: 0.1\n", "    business: 0.1\n    trade: 0.1\n")(project)


EDITS: dict[str, Edit] = {
    "a payoff": replacing("scenarios/games/stag_hunt.yaml", "temptation: 5", "temptation: 6"),
    "a context's text": replacing("scenarios/contexts/team.yaml", "have both just been", "were both"),
    "the prompt template": replacing(TEMPLATE, "have the same two", "have the two same"),
    "more answers": setting("sampling.answers", 3),
    "temperature": setting("temperature", 0.9),
    "a new context": setting("splits.new_contexts.contexts", lambda contexts: [*contexts, "room_sharing"]),
    "a new game": setting("games", lambda games: [*games, "snowdrift"]),
    "a removed game": setting("games", lambda games: [game for game in games if game != "prisoners_dilemma"]),
    "LoRA rank": setting("training.lora", {"rank": 4}),
    "epochs": setting("training.epochs", 2),
    "another seed": setting("training.seeds", [2]),
    "one more seed": setting("training.seeds", [1, 2]),
    "another arm": setting("arms", ["transfer", "shuffled"]),
    "figure style": replacing("workflow/tomtransfer/report/style.py", '"axes.titlesize": 8', '"axes.titlesize": 9'),
    "a measure": replacing(
        "workflow/tomtransfer/measurement/measures.py", "return 1 - divide(after", "return 2 - divide(after"
    ),
    "the student's revision": setting("student.revision", 2),
    "the training's revision": setting("training.revision", 2),
    "the teacher's revision": setting("teacher.revision", 2),
    "the teacher's content": replacing("models.yaml", "team: 0.4", "team: 0.5"),
    "a context's name": renaming_a_context,
}


def edited_copy(project: Path, folder: Path, edits: Sequence[str]) -> Path:
    """Copy a project with its results and make `edits` in the copy."""
    copy_with_results(project, folder)
    for edit in edits:
        EDITS[edit](folder)
    return folder


def run_to_the_end(project: Path) -> str:
    """Run the experiment and return what was said."""
    done = run_snakemake(project, "--cores", "all")
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_again(project: Path) -> None:
    """Run the experiment and assert that nothing is left to do."""
    run_to_the_end(project)
    assert (left := plan(project)) == {}, f"one run left {left}"


def run_from_scratch(project: Path, folder: Path) -> None:
    """Run the experiment in an empty results folder, and assert that it comes to what `project` came to."""
    shutil.copytree(project, folder, ignore=lambda _, names: {"results", ".snakemake"} & set(names))
    shutil.copytree(project / "results" / "models", folder / "results" / "models")
    run_to_the_end(folder)
    assert_same_results(project, folder)
