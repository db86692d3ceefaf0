"""Whose strategy is it? Students of different teachers beside all teachers, in games that no student was trained on.

A student has taken over its own teacher's strategy, and not any that reads payoffs, if it is nearer to its teacher than
to every other one, and nearer than every other teacher's student is. Both are differences of errors over the same
games, with intervals for other games and other trainings (`clusters`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.clusters import Measured, Positions, estimate
from tomtransfer.measurement.measures import Array, best_constant
from tomtransfer.measurement.surfaces import mean_correlation

OWN = "its own teacher's"
ANYBODY = "anybody's who reads payoffs"
NEITHER = "neither"
VERDICTS_OF_WHOSE: Mapping[str, str] = {
    OWN: "nearer to its teacher than to every other, and than every other student is; all intervals exclude 0",
    ANYBODY: "not so, but nearer to its teacher than the best constant, and the interval excludes 0",
    NEITHER: "none of both",
}
"""What is said of a student, and when."""


@dataclass(frozen=True, eq=False)
class Pupil:
    """A teacher and its student in the games of one split, over frames."""

    name: str
    teacher: Array
    """(games,)."""
    student: Array
    """(trainings, games)."""


@dataclass(frozen=True)
class Nearness:
    """How near a student, or somebody in its place, is to a teacher."""

    who: str
    teacher: str
    error: Measured
    correlation: Measured


@dataclass(frozen=True)
class Whose:
    """The table of students and teachers, and what is said of each student."""

    games: int
    rows: tuple[Nearness, ...]
    verdicts: Mapping[str, str]


def read_pupils(folders: Sequence[Path], split: str, view: str) -> list[Pupil]:
    """Return teacher and student of each results folder in the games of a split that all of them have.

    Raises InputError where a folder has no plane, or not this split in these frames, or nothing in common.
    """
    known = [_rates_by_payoffs(folder, split, view) for folder in folders]
    shared = [payoffs for payoffs in known[0] if all(payoffs in each for each in known)]
    if not shared:
        raise InputError(f"{split}: no game of it is in all of {', '.join(map(str, folders))}")
    return [
        Pupil(
            folder.name,
            np.array([rates[payoffs][0] for payoffs in shared]),
            np.array([rates[payoffs][1] for payoffs in shared]).T,
        )
        for folder, rates in zip(folders, known, strict=True)
    ]


def _rates_by_payoffs(folder: Path, split: str, view: str) -> dict[tuple[float, ...], tuple[float, list[float]]]:
    """Return the teacher's rate and the students' by payoffs."""
    found: dict[tuple[float, ...], tuple[float, list[float]]] = {}
    files = sorted((folder / "alignment").glob("*.plane.json"))
    for path in files:
        for each in json.loads(path.read_text(encoding="utf-8"))["surfaces"]:
            if (each["split"], each["view"]) == (split, view):
                tuned = np.array(each["rates"]["tuned"]).T.tolist()
                keys = map(tuple, each["payoffs"])
                found |= dict(zip(keys, zip(each["rates"]["teacher"][0], tuned, strict=True), strict=True))
    if not files:
        raise InputError(f"{folder}: no plane was measured there; run its experiment first")
    if not found:
        raise InputError(f"{folder}: no games of {split} in the frames {view}")
    return found


def whose(pupils: Sequence[Pupil], confidence: float = 0.95) -> Whose:
    """Return how near every student is to every teacher, with teachers in the place of students, and verdicts."""
    constant = {each.name: np.full_like(each.teacher, best_constant(each.teacher)[0]) for each in pupils}
    people = {each.name: each.student for each in pupils}
    stand_ins: dict[str, Array] = {f"teacher of {each.name}": each.teacher[np.newaxis] for each in pupils}
    rows = [
        nearness(who, rates, other, confidence)
        for who, rates in {**people, **stand_ins}.items()
        for other in pupils
        if who != f"teacher of {other.name}"
    ]
    rows += [nearness("best constant", constant[each.name][np.newaxis], each, confidence) for each in pupils]
    verdicts = {each.name: _verdict(each, pupils, constant[each.name], confidence) for each in pupils}
    return Whose(len(pupils[0].teacher), tuple(rows), verdicts)


def nearness(who: str, rates: Array, pupil: Pupil, confidence: float) -> Nearness:
    """Return how near rates (trainings, games) are to the teacher of a pupil."""

    def statistics(games: Positions, trainings: Positions) -> Array:
        own, right = rates[trainings][:, games], pupil.teacher[games]
        return np.array([np.abs(own - right).mean(), mean_correlation(own, right)])

    found = estimate(statistics, len(pupil.teacher), len(rates), confidence)
    return Nearness(who, pupil.name, found.at(0).within(0, 1), found.at(1).within(-1, 1))


def _verdict(pupil: Pupil, pupils: Sequence[Pupil], constant: Array, confidence: float) -> str:
    others = [each for each in pupils if each.name != pupil.name]
    if others and all(each.positive for each in _leads(pupil, others, confidence)):
        return OWN
    floor = difference(pupil.student, pupil.teacher, constant[np.newaxis], pupil.teacher, confidence)
    return ANYBODY if floor.positive else NEITHER


def _leads(pupil: Pupil, others: Sequence[Pupil], confidence: float) -> Iterator[Measured]:
    """Yield by how much a student is nearer to its teacher than to each other, and than each other student is."""
    for other in others:
        yield difference(pupil.student, pupil.teacher, pupil.student, other.teacher, confidence)
        yield difference(pupil.student, pupil.teacher, other.student, pupil.teacher, confidence)


def difference(nearer: Array, to: Array, farther: Array, from_: Array, confidence: float) -> Measured:
    """Return by how much rates (trainings, games) are nearer `to` rates (games,) than others are to theirs."""

    def statistic(games: Positions, trainings: Positions) -> Array:
        # Trainings are taken by their numbers, which pair nothing: another student may have others.
        far = farther[trainings] if len(farther) == len(nearer) else farther
        near_error = np.abs(nearer[trainings][:, games] - to[games]).mean()
        far_error = np.abs(far[:, games] - from_[games]).mean()
        return np.array([far_error - near_error])

    return estimate(statistic, len(to), len(nearer), confidence).at(0)


def plain_rows(found: Whose) -> list[dict[str, Any]]:
    """Return the table as rows of plain values."""
    return [
        {
            "who": row.who,
            "teacher": row.teacher,
            **{
                f"{name}{end}": getattr(getattr(row, name), part)
                for name in ("error", "correlation")
                for end, part in (("", "value"), ("_low", "low"), ("_high", "high"))
            },
        }
        for row in found.rows
    ]
