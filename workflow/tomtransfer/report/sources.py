"""What a report shows beside the findings: prompts, motivations, frames, timings, versions; read from the artifacts."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.config import TRANSFER
from tomtransfer.experiment.tables import read_table
from tomtransfer.measurement.evidence import read_csv, read_number
from tomtransfer.measurement.findings import Findings
from tomtransfer.report.figures import Loss
from tomtransfer.report.style import MOST_SHOWN
from tomtransfer.report.trust import Checks
from tomtransfer.report.typesetting import Column, Table
from tomtransfer.scenarios.questions import Prompt

FIRST_SHOWN = 10
"""Contexts of a split whose prompts are shown, where there are more than a page shows."""

SOFTWARE = ("jinja2", "matplotlib", "numpy", "polars", "pydantic", "scipy", "statsmodels")
"""What a report is computed and drawn with; the models' own software stands with their answers."""


@dataclass(frozen=True)
class ReportSources:
    """The artifacts of an experiment that a report reads, beside findings and figures."""

    prompts: Sequence[Path]
    teacher: Sequence[Path]
    motivations: Sequence[Path]
    base: Path
    students: Mapping[str, Sequence[Path]]
    """The tuned students by arm, one after each training."""
    checks: Checks
    training: Mapping[str, Path]
    """The records of what adapters were made from, by what their students are called (`views.labels_of`); none where
    nothing was trained.
    """
    benchmarks: Path
    """The folder of the timings."""
    games: Sequence[Mapping[str, Any]]
    """What is known of each game (`scenarios.kinds.game_facts`)."""
    reading: str
    """What has to be said of how drawn answers are read, if anything."""
    experiment: Mapping[str, Any]
    """The config, less what only says how the work is done."""
    snakemake: str
    """The version of Snakemake."""
    models: Sequence[Path] = ()
    """What is known of teacher and student before they are loaded, each in the folder of its role."""
    examined: Sequence[Path] = ()
    """What was found out about them by running them, as their answers cite it, in the same folders."""
    planes: Sequence[Path] = ()
    """What was measured of every plane of games."""

    @property
    def answers(self) -> dict[str, Sequence[Path]]:
        """The tables of each model's choices, of tuned students after every training."""
        tuned = {"tuned" if arm == TRANSFER else arm: paths for arm, paths in self.students.items()}
        return {"teacher": self.teacher, "base": [self.base], **tuned}


@dataclass(frozen=True)
class Motivation:
    """A reason that the teacher gave for a choice."""

    choice: str
    label: str
    text: str
    finished: bool
    """Whether it ended by itself and was not cut off."""
    author: str | None = None
    """Who wrote it, where that was not the teacher."""


@dataclass(frozen=True)
class Asked:
    """A prompt with a sample of the motivations that the teacher gave to it."""

    prompt: Prompt
    motivations: tuple[Motivation, ...]


def read_losses(path: Path) -> list[Loss]:
    """Return the training log; raises InputError when it cannot be read."""
    rows = read_csv(path, ["step", "loss", "evaluation_loss"])
    losses = []
    for row in rows:
        numbers = [read_number(row, name, f"{path}: step {row['step']}") for name in ("step", "loss")]
        held_back = read_number(row, "evaluation_loss", str(path)) if row["evaluation_loss"] else None
        losses.append(Loss(int(numbers[0]), numbers[1], held_back))
    return losses


def first_prompts(prompts: Sequence[Prompt]) -> list[Prompt]:
    """Return the prompts of as many games, and of as many contexts of each split, as are shown: of the first."""
    games = list(dict.fromkeys(prompt.game for prompt in prompts))[:MOST_SHOWN]
    contexts: dict[str, dict[str, None]] = {}
    for prompt in prompts:
        contexts.setdefault(prompt.split, {})[prompt.context] = None
    shown = {
        split: list(names)[: FIRST_SHOWN if len(names) > MOST_SHOWN else None] for split, names in contexts.items()
    }
    return [prompt for prompt in prompts if prompt.game in games and prompt.context in shown[prompt.split]]


def asked(prompts: Sequence[Prompt], motivations: Iterable[Path], per_choice: int) -> list[Asked]:
    """Return every prompt with the first `per_choice` motivations of each choice, which are draws like all others."""
    known: dict[str, list[Motivation]] = {}
    for path in motivations:
        table = read_table(path).filter(pl.col("draw") < per_choice)
        columns = ["prompt", "choice", "label", "motivation", "finished", *(["author"] * ("author" in table.columns))]
        for digest, *fields in table.select(columns).iter_rows():
            known.setdefault(digest, []).append(Motivation(*fields))
    return [Asked(prompt, tuple(known.get(prompt.sha256, ()))) for prompt in prompts]


def cut_off(motivations: Iterable[Path]) -> tuple[int, int]:
    """Return how many motivations were cut off for their length, and how many there are."""
    finished = pl.concat([read_table(path).select("finished") for path in motivations])["finished"]
    return int((~finished).sum()), len(finished)


def written_for_the_teacher(motivations: Iterable[Path]) -> list[str]:
    """Return a sentence on reasons that a template wrote in place of a recorded teacher, if there are any."""
    authors = [read_table(path)["author"] for path in motivations if "author" in read_table(path).columns]
    if not authors:
        return []
    count = sum(len(each.drop_nulls()) for each in authors)
    return [f"{count} motivations were written by a template of the registry, in the place of a teacher who gave none."]


def gave_reasons(sources: ReportSources) -> bool:
    """Return whether the teacher gave reasons; recorded choices may have none. Drawn answers hold their own."""
    return cut_off(sources.motivations)[1] > 0 or not any(len(read_table(path)) for path in sources.teacher)


def lead_of(findings: Findings, sources: ReportSources) -> str:
    """Return what the page is about: a student that was trained here, or two that are compared as they are."""
    teacher, base, tuned = (", ".join(findings.provenance[role]["model"]) for role in ("teacher", "base", "tuned"))
    if not sources.training:
        return (
            f"How much nearer {tuned} is to {teacher} than {base} is, in how they choose in two-player games. Nothing "
            f"was trained here. Teacher: {teacher}. Student before training: {base}. After it: {tuned}."
        )
    lesson = "choices and reasons" if gave_reasons(sources) else "choices"
    if written_for_the_teacher(sources.motivations):
        lesson = "choices, with reasons of which a template wrote some or all"
    return (
        "How far a small model took over how a large one chooses in two-player games, after it was trained on the "
        f"large one's {lesson}. Teacher: {teacher}. Student: {tuned}."
    )


def frames_table(answers: Mapping[str, Sequence[Path]]) -> Table:
    """Return how often each model cooperates in every frame, over all scenarios; without rows if there is one frame.

    What a model does alike in frames that swap labels and order is its choice; what turns round is liking for a letter.
    """
    rate = pl.col("cooperate") / (pl.col("cooperate") + pl.col("defect"))
    other = pl.col("other") / (pl.col("cooperate") + pl.col("defect") + pl.col("other"))  # recorded choices are counts
    prompts = pl.struct("split", "game", "context", "frame").n_unique()  # of several students each was asked the same
    means = [rate.mean().alias("cooperation"), other.mean().alias("other"), prompts.alias("scenarios")]
    rows = []
    for model, paths in answers.items():
        table = pl.concat([read_table(path) for path in paths])
        groups = [table.group_by("split", "frame", maintain_order=True).agg(means)]
        groups.append(table.group_by("split", maintain_order=True).agg(*means).with_columns(frame=pl.lit("all frames")))
        rows += [
            {"model": model, **row} for row in pl.concat(groups, how="diagonal").sort("split").iter_rows(named=True)
        ]
    frames = {row["frame"] for row in rows} - {"all frames"}
    columns = (
        *(Column("model", "model"), Column("split", "split", "name"), Column("frame", "frame", "name")),
        *(Column("cooperation", "cooperation", "number"), Column("other", "other", "number")),
        Column("scenarios", "prompts", "whole"),
    )
    caption = (
        "Mean cooperation by frame: which label means cooperation, and which choice is named first. Cooperation that "
        "turns round with the frame is a liking for a letter or a position, and no strategy."
    )
    return Table("frames", "Cooperation by frame", caption, columns, tuple(rows) if len(frames) > 1 else ())


def examined_models(models: Iterable[Path], examined: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """Return what is known of teacher and student, by role: what they get, and what running them has shown.

    Each file is in the folder of its role.
    """
    found: dict[str, dict[str, Any]] = {path.parent.name: _read_json(path) for path in models}
    for facts in found.values():
        for name in ("key", "anatomy"):  # by which the store keeps them
            facts.pop(name, None)
        if layers := facts.get("adapted_layers"):
            facts["adapted_layers"] = [f"{name} in {count} layers" for name, count in layers.items()]
    for path in examined:
        for each in _read_json(path)["examinations"]:
            found[path.parent.name].setdefault("examinations", {})[each["key"]] = _said(each)
    return found


def _said(examination: Mapping[str, Any]) -> dict[str, Any]:
    """Return an examination in words and short numbers; of one that is not in the store any more, that alone."""
    if "in_words" not in examination:
        return {"note": "not in the store any more"}
    about = {name: examination["about"].get(name, "") for name in ("device", "software")}
    if "differences" not in examination:
        return {"answered": examination["in_words"], **about, "found": examination["about"]["served"]}
    differences = {
        name: value if isinstance(value, str) else f"{value:.1e}" for name, value in examination["differences"].items()
    }
    return {
        "computed": examination["in_words"],
        "differences from plain passes, in standard deviations of the logits": differences,
        **about,
    }


def _read_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def versions(snakemake: str) -> dict[str, Any]:
    """Return the versions of what the report was made with."""
    found = {name: version(name) for name in SOFTWARE}
    return {"Python": platform.python_version(), "system": platform.system(), "Snakemake": snakemake, **found}
