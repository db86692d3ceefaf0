"""The report of a teacher alone: its play, what it is, what it was asked, and what of its answers could not be read."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from tomtransfer.experiment.tables import read_table
from tomtransfer.measurement.play import TEACHER, Play
from tomtransfer.report.page import OF_EXACT_CHOICES, Page, first_hashes, read_drawings
from tomtransfer.report.solo import solo_headlines, solo_tables
from tomtransfer.report.sources import (
    asked,
    cut_off,
    examined_models,
    first_prompts,
    versions,
    written_for_the_teacher,
)
from tomtransfer.report.timings import read_timings, timings_table
from tomtransfer.report.typesetting import CONTEXT, GAME, SPLIT, Column, Table
from tomtransfer.respondents.counting import parse_choices
from tomtransfer.scenarios.questions import read_prompts

MOST_UNREAD = 10
"""Answers of each kind that are shown of those that could not be read."""

LONGEST_UNREAD = 300
"""Characters of such an answer that are shown."""


@dataclass(frozen=True)
class SoloSources:
    """The artifacts that the report of a teacher alone reads, beside its play and the figures."""

    prompts: Sequence[Path]
    motivations: Sequence[Path]
    answers: Sequence[Path]
    """Its drawn answers in games of two actions."""
    checked: Path
    """What is known of it before it is loaded, in the folder `teacher`."""
    examined: Sequence[Path]
    """What was found out about it by running it, in the same folder."""
    benchmarks: Path
    games: Sequence[Mapping[str, Any]]
    reading: str
    experiment: Mapping[str, Any]
    snakemake: str


def unread_table(files: Sequence[Path]) -> Table:
    """Return drawn answers that could not be read, word for word: the first of each kind."""
    answers = pl.concat([read_table(path) for path in files]).filter("labelled")
    rows: list[dict[str, Any]] = []
    if len(answers):
        unread = parse_choices(answers).filter(pl.col("choice").is_null())
        first = unread.filter(pl.int_range(pl.len()).over("kind") < MOST_UNREAD).sort("kind", maintain_order=True)
        shown = first.with_columns(pl.col("answer").str.slice(0, LONGEST_UNREAD))
        rows = shown.select("kind", "split", "game", "context", "frame", "answer").to_dicts()
    caption = (
        f"Drawn answers from which no choice could be read, the first {MOST_UNREAD} of each kind; all are in teacher/. "
        "They are counted as neither choice."
    )
    columns = (
        Column("kind", "kind"),
        SPLIT,
        GAME,
        CONTEXT,
        Column("frame", "frame", "name"),
        Column("answer", "answer"),
    )
    return Table("unread", "Answers that could not be read", caption, columns, tuple(rows), file="teacher/")


def solo_page(play: Play, sources: SoloSources, figures: Sequence[Path]) -> Page:
    """Return the report of a teacher alone."""
    prompts = read_prompts(sources.prompts)
    tables = [*solo_tables(play), unread_table(sources.answers), timings_table(read_timings(sources.benchmarks))]
    provenance = {**play.provenance, "prompts": first_hashes(play.provenance["prompts"], "in teacher/summary.json")}
    return Page(
        title=f"{play.model}, by itself",
        lead=(
            f"How {play.model} chooses in two-player games: how often it cooperates and where, what moves its choices, "
            "what it knows of the payoffs, and which of its answers could not be read. It is compared with nobody, and "
            "nothing was trained."
        ),
        findings=None,
        sentences=solo_headlines(play),
        drawings=read_drawings(figures),
        tables=[table for table in tables if table.rows],
        remarks=list(_remarks(play, sources)),
        games=sources.games,
        asked=asked(
            first_prompts(prompts), sources.motivations, sources.experiment["report"]["motivations_per_choice"]
        ),
        prompts=len(prompts),
        provenance={
            "What it is": examined_models([sources.checked], sources.examined)[TEACHER],
            "Its answers": provenance,
            "Experiment": sources.experiment,
            "Software": versions(sources.snakemake),
        },
    )


def _remarks(play: Play, sources: SoloSources) -> Iterator[str]:
    """Yield what a reader has to know before trusting a number."""
    if play.kinds[TEACHER] == "exact":
        yield (f"{OF_EXACT_CHOICES} Intervals say how far a mean depends on which contexts there happen to be.")
    elif play.bias_effects:
        yield (
            "Choices are counted: the parts of the log-odds have means, and no shares of the variance, of which a part "
            "is noise."
        )
    if not play.bias_effects:
        yield (
            "No pair of labels was played in all four frames. Cooperation cannot be told from liking a letter or a "
            "position; more frames in the config can tell."
        )
    if sources.reading and sources.experiment["choices"] != "exact":
        yield sources.reading
    yield from written_for_the_teacher(sources.motivations)
    unfinished, drawn = cut_off(sources.motivations)
    if unfinished:
        yield f"{unfinished} of {drawn} motivations were cut off at the length that the config sets."
    if not play.understandings:
        yield (
            "It was asked no questions about the payoffs: comprehension names no context, or its answers are recorded."
        )
