"""Where the time goes: how long each job ran and what memory it took, from the files that Snakemake left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tomtransfer.report.typesetting import Column, Table, as_markdown


@dataclass(frozen=True)
class Timing:
    """The last run of one job: its rule, what it was about, seconds, and megabytes at most where they were measured."""

    rule: str
    about: str
    seconds: float
    memory: float | None


def read_timings(folder: Path) -> list[Timing]:
    """Return what Snakemake noted of each job in `folder`, a file per job."""
    found = []
    for path in sorted(folder.rglob("*.tsv")):
        heading, *lines = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
        rule, *about = path.relative_to(folder).with_suffix("").parts
        for line in lines:
            measured = dict(zip(heading, line, strict=True))
            found.append(Timing(rule, "/".join(about), float(measured["s"]), _number(measured["max_rss"])))
    return found


def timings_table(timings: Sequence[Timing]) -> Table:
    """Return a row per job."""
    columns = (
        *(Column("rule", "rule"), Column("about", "of")),
        *(Column("seconds", "seconds", "number"), Column("memory", "memory, MB", "number")),
    )
    caption = "The last run of each job. One that finds all its rows computed takes a second or two."
    rows = tuple(vars(timing) for timing in timings)
    return Table("timings", "Time and memory by job", caption, columns, rows)


def timings_page(timings: Sequence[Timing]) -> str:
    """Return a page in Markdown: time and memory by rule, in the order of their names, and the time of all."""
    cells = []
    for rule in dict.fromkeys(timing.rule for timing in timings):
        own = [timing for timing in timings if timing.rule == rule]
        memory = max((timing.memory for timing in own if timing.memory is not None), default=None)
        seconds = sum(timing.seconds for timing in own)
        cells.append([rule, str(len(own)), f"{seconds:z.0f}", "-" if memory is None else f"{memory:z.0f}"])
    cells.append(["**all**", str(len(timings)), f"{sum(timing.seconds for timing in timings):z.0f}", ""])
    table = as_markdown(["rule", "jobs", "seconds", "memory at most, MB"], cells)
    return f"Time and memory, the last run of each job:\n\n{table}\n"


def _number(text: str) -> float | None:
    """Return a number, or None for a job that was too short to be measured."""
    try:
        return float(text)
    except ValueError:
        return None
