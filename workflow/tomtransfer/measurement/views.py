"""Views of the answers: one choice per scenario, from a single frame or averaged over several, and each frame's."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

import polars as pl

from tomtransfer.experiment.config import TRANSFER
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.agreement import (
    PLACE,
    Agreement,
    adjusted_for_trainings,
    agreements_of,
    counted_rates,
    disagreement,
)
from tomtransfer.measurement.assessments import Assessment, assess
from tomtransfer.measurement.bias import Decomposition, decompose
from tomtransfer.measurement.evidence import ROLES, Comparison, Evidence, Scenario
from tomtransfer.respondents.counting import read_choices, read_drawn

SCENARIO = ["split", "game", "context"]

ONE_ARM: Mapping[str, Comparison] = MappingProxyType({})

MOST_MISSING = 5
"""Scenarios that an error names one by one."""


@dataclass(frozen=True)
class Answers:
    """The choices of teacher, base and tuned students in every frame, and which frames are looked at together."""

    tables: Mapping[str, Sequence[pl.DataFrame]]
    """By model: one of teacher and of base, and one after each training of the tuned student and of every other arm."""
    views: Mapping[str, Sequence[str]]
    """The frames of each view; the first view is the scored frame's."""
    designs: Mapping[str, Sequence[str]]
    """The four frames of each pair of labels that is fully crossed with order (`frames.designs`)."""
    drawn: Mapping[str, Sequence[pl.DataFrame]] = field(default_factory=dict)
    """Drawn answers, counted, of the models whose choices are read exactly as well."""
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    """How these two agree; where they do not, the drawn answers are what is measured."""

    @property
    def arms(self) -> list[str]:
        """The arms beside transfer, whose students are none of the three models that are compared."""
        return [model for model in self.tables if model not in ROLES]

    def compare(self, student: str = "tuned") -> Iterator[tuple[str, Comparison]]:
        """Yield for each view its name and the comparison of the models over the scenarios that its frames have.

        `student` is the tuned one, or that of another arm. All are compared over the same scenarios.

        Raises InputError naming what a model lacks, and when nothing can be compared, because answers were counted and
        none is valid.
        """
        for name, frames in self.views.items():
            known = {model: self.known(model, frames) for model in self.tables}
            _refuse_gaps(known, frames)
            scenarios = _answered_by_all(known)
            if not len(scenarios):
                raise InputError(
                    f"{name}: in no scenario did teacher, base and tuned student all give a valid answer; "
                    "draw more (sampling.answers) or read choices exactly (choices: exact)"
                )
            models = [known["teacher"][0], known["base"][0]]
            after = [_over_frames([*models, table], scenarios, frames) for table in known[student]]
            together = _over_frames([*models, pl.concat(known[student])], scenarios, frames)
            yield name, replace(together, by_training=tuple(after) if len(after) > 1 else ())

    def known(self, model: str, frames: Sequence[str]) -> list[pl.DataFrame]:
        """Return a model's choices in some frames: drawn ones where exact ones disagree and they were drawn in all."""
        drawn = self.drawn.get(model)
        disagree = drawn is not None and self.agreements[model].disagree and set(frames) <= set(drawn[0]["frame"])
        tables = drawn if drawn is not None and disagree else self.tables[model]
        return [table.filter(pl.col("frame").is_in(frames)) for table in tables]

    def assess(
        self, view: str, comparison: Comparison, confidence: float, arms: Mapping[str, Comparison] = ONE_ARM
    ) -> list[Assessment]:
        """Return what training did in each split of a view, beside the students of other `arms` in the same view."""
        frames = list(self.views[view])
        crossed = frames in [list(each) for each in self.designs.values()]
        students = [table for role in ROLES[1:] for table in self.drawn.get(role, ())]
        shown = all(role in self.drawn for role in ROLES[1:]) and all(
            set(frames) <= set(each["frame"]) for each in students
        )
        drawn = {role: [evidence_of(average(each, frames)) for each in self.drawn[role]] for role in ROLES[1:] if shown}
        others = {arm: each.trainings for arm, each in arms.items()}
        return assess(comparison.trainings, view, frames, crossed, confidence, drawn, others)

    @property
    def as_read(self) -> "Answers":
        """The same answers with exact choices everywhere, whatever was drawn beside them."""
        return replace(self, drawn={}, agreements={})

    def uses_drawn(self, view: str) -> bool:
        """Tell whether the drawn answers of a model are measured in a view, because its exact choices disagree."""
        frames = self.views[view]
        return any(not _is_exact(self.known(model, frames)[0]) for model in self.drawn)

    def disagreements(self, view: str) -> list[str]:
        """Return a sentence for each model whose drawn answers and exact choices disagree."""
        return [
            disagreement(found, used=not _is_exact(self.known(role, self.views[view])[0]))
            for role, found in self.agreements.items()
            if found.disagree
        ]

    def not_compared(self) -> list[str]:
        """Return a sentence on the frames in which somebody whose answers are recorded has none, if there are any."""
        asked = {role: self.tables[role][0]["frame"].unique(maintain_order=True).to_list() for role in ROLES}
        every = dict.fromkeys(frame for frames in asked.values() for frame in frames)
        lacking = {role: [frame for frame in every if frame not in frames] for role, frames in asked.items()}
        said = []
        if lacking["teacher"]:
            said.append(
                f"The teacher has no record in the frames {', '.join(lacking['teacher'])}: there the student alone was "
                "asked, which shows its habits, and nothing is compared."
            )
        said += [
            f"The {role} student has no record in the frames {', '.join(lacking[role])}: there nothing is compared."
            for role in ROLES[1:]
            if lacking[role]
        ]
        return said

    def unanswered(self) -> tuple[str, ...]:
        """Return the scenarios of the scored frame in which a model gave no valid answer, each with that model.

        They have no cooperation rate and stand in no comparison.
        """
        [frames, *_] = self.views.values()
        return tuple(
            dict.fromkeys(
                f"{'/'.join(row)} ({model})"
                for model in self.tables
                for table in self.known(model, frames)
                for row in table.filter(~_is_valid()).select(SCENARIO).iter_rows()
            )
        )

    def decompose(self, confidence: float, game: str | None = None) -> Decomposition:
        """Return what moves each model's choices in all games or in one, where choices are read exactly.

        Other arms are left out. Counts have no log-odds where all answers are the same.
        """
        parts = [
            decompose(own, role, self.designs, confidence)
            for role in ROLES
            if role in self.tables
            and all(map(_is_exact, self.tables[role]))
            and len((own := [table if game is None else table.filter(game=game) for table in self.tables[role]])[0])
        ]
        return Decomposition(
            tuple(share for part in parts for share in part.shares),
            tuple(effect for part in parts for effect in part.effects),
        )


def read_answers(
    teacher: Sequence[Path],
    base: Path,
    students: Mapping[str, Sequence[Path]],
    views: Mapping[str, Sequence[str]],
    designs: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
) -> Answers:
    """Return the answers of teacher, base and tuned students, in the teacher's order.

    `students` are by arm, a file for each training. Whoever's answers are recorded may have none in frames that no
    view has; what the teacher does not have stands after what it has. Raises InputError naming the scenarios that one
    of them lacks.
    """
    own = {"tuned" if arm == TRANSFER else arm: [[path] for path in paths] for arm, paths in students.items()}
    files = {"teacher": [list(teacher)], "base": [[base]], **own}
    tables = {model: [pl.concat(map(read_choices, paths)) for paths in each] for model, each in files.items()}
    _refuse_holes(tables, {frame for frames in views.values() for frame in frames})
    every = [table.select(PLACE) for each in tables.values() for table in each]
    order = pl.concat(every).unique(maintain_order=True)
    ordered = {
        model: [order.join(table, on=PLACE, how="inner", maintain_order="left", validate="1:1") for table in each]
        for model, each in tables.items()
    }
    return _with_drawn(files, ordered, views, designs, confidence)


def _refuse_holes(tables: Mapping[str, Sequence[pl.DataFrame]], viewed: Collection[str]) -> None:
    """Raise InputError naming what one model lacks and another has, in the frames `viewed` or in any of its own."""
    for model, own in tables.items():
        for table in own:
            frames = {*viewed, *table["frame"]}
            for other, others in tables.items():
                name = "teacher" if other == "teacher" else f"{other} student"
                for each in others:
                    asked = each.filter(pl.col("frame").is_in(frames)).select(PLACE)
                    _refuse_missing(model, asked, table, f"the {name} has")


def read_lone_answers(
    teacher: Sequence[Path],
    views: Mapping[str, Sequence[str]],
    designs: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
) -> Answers:
    """Return the answers of the teacher alone, which can be looked at and not compared."""
    table = pl.concat([read_choices(path) for path in teacher])
    _refuse_missing("teacher", table.select(PLACE), table, "it has")
    return _with_drawn({"teacher": [list(teacher)]}, {"teacher": [table]}, views, designs, confidence)


def _with_drawn(
    files: Mapping[str, Sequence[Sequence[Path]]],
    ordered: Mapping[str, Sequence[pl.DataFrame]],
    views: Mapping[str, Sequence[str]],
    designs: Mapping[str, Sequence[str]],
    confidence: float,
) -> Answers:
    """Return answers together with those that were drawn beside exact ones, and how they agree."""
    drawn, rates = {}, {}
    for model, each in files.items():
        counts = [pl.concat(map(read_drawn, paths)) for paths in each]
        if all(map(len, counts)) and all(map(_is_exact, ordered[model])):
            own = [counted_rates(model, *both, confidence) for both in zip(counts, ordered[model], strict=True)]
            drawn[model], rates[model] = counts, adjusted_for_trainings(own)
    agreements = agreements_of(rates, confidence)
    return Answers(ordered, views, designs, {model: drawn[model] for model in agreements}, agreements)


def by_arm(files: Sequence[str], students: Mapping[str, Sequence[str]]) -> dict[str, list[Path]]:
    """Return the files of tuned students by arm, given the names of the students of each arm, in the same order."""
    paths = iter([Path(file) for file in files])
    return {arm: [next(paths) for _ in names] for arm, names in students.items()}


def labels_of(students: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return what each tuned student is called in tables, by its name: its arm, and its seed where there are several.

    A student of transfer is called tuned.
    """
    arms = {arm: "tuned" if arm == TRANSFER else arm for arm in students}
    return {
        name: f"{arms[arm]}, seed {name.removeprefix(f'{arm}-')}" if len(names) > 1 else arms[arm]
        for arm, names in students.items()
        for name in names
    }


def average(table: pl.DataFrame, frames: Sequence[str]) -> pl.DataFrame:
    """Return a row per scenario: cooperate, defect and other over `frames` and trainings, all of which it has.

    Of exact choices it is the cooperation rates that are averaged, and the shares of other: a frame in which a model
    hardly answers with a label would else count less than the frame that balances it. Counted answers are added up.
    """
    played = table.filter(pl.col("frame").is_in(frames)).group_by(SCENARIO, maintain_order=True)
    if not _is_exact(table):
        return played.agg(pl.sum("cooperate", "defect", "other"), evidence=pl.lit("counted"))
    rate = pl.col("cooperate") / (pl.col("cooperate") + pl.col("defect"))
    return played.agg(rate.mean().alias("rate"), pl.mean("other")).select(
        *SCENARIO,
        cooperate=pl.col("rate") * (1 - pl.col("other")),
        defect=(1 - pl.col("rate")) * (1 - pl.col("other")),
        other="other",
        evidence=pl.lit("exact"),
    )


def _refuse_missing(role: str, wanted: pl.DataFrame, table: pl.DataFrame, others: str) -> None:
    """Raise InputError naming the scenarios and frames in `wanted` that a table lacks, and those it has twice."""
    if len(twice := table.filter(pl.struct(PLACE).is_duplicated()).select(PLACE).unique(maintain_order=True)):
        raise InputError(f"{role}: given more than once: {_named(twice)}")
    if len(missing := wanted.join(table, on=PLACE, how="anti", maintain_order="left").select(PLACE)):
        raise InputError(f"{role}: missing scenarios that {others}: {_named(missing)}")


def _refuse_gaps(tables: Mapping[str, Sequence[pl.DataFrame]], frames: Sequence[str]) -> None:
    """Raise InputError naming the scenarios of a split that have some of its frames and not the others."""
    for role, table in ((model, table) for model, each in tables.items() for table in each):
        every = pl.DataFrame({"frame": list(frames)})
        wanted = (
            table.select(SCENARIO).unique(maintain_order=True).join(every, how="cross", maintain_order="left_right")
        )
        _refuse_missing(role, wanted, table, "are played in other frames")


def _named(places: pl.DataFrame) -> str:
    rows = [f"{'/'.join(row[:-1])} in frame {row[-1]}" for row in places.select(PLACE).head(MOST_MISSING).iter_rows()]
    more = len(places) - len(rows)
    return ", ".join(rows) + (f" and {more:,} more" if more else "")


def _answered_by_all(tables: Mapping[str, Sequence[pl.DataFrame]]) -> pl.DataFrame:
    """Return the scenarios in which every model gave a valid answer in every frame, in the teacher's order."""
    compared = tables["teacher"][0].select(SCENARIO).unique(maintain_order=True)
    for table in (table for each in tables.values() for table in each):
        unanswered = table.filter(~_is_valid())
        compared = compared.join(unanswered, on=SCENARIO, how="anti", maintain_order="left")
    return compared


def _is_valid() -> pl.Expr:
    """Return whether there is a valid answer, of which a share is cooperative."""
    return pl.col("cooperate") + pl.col("defect") > 0


def _is_exact(table: pl.DataFrame) -> bool:
    """Tell whether choices are known from probabilities, not from drawn answers that were counted."""
    return bool((table["evidence"] == "exact").all())


def _over_frames(tables: Sequence[pl.DataFrame], scenarios: pl.DataFrame, frames: Sequence[str]) -> Comparison:
    """Return the comparison of teacher, base and student over some scenarios: averaged over frames, and in each."""
    by_frame = tuple(_compared(tables, scenarios, [frame]) for frame in frames)
    return replace(_compared(tables, scenarios, frames), by_frame=by_frame if len(frames) > 1 else ())


def _compared(tables: Sequence[pl.DataFrame], scenarios: pl.DataFrame, frames: Sequence[str]) -> Comparison:
    """Return the comparison of teacher, base and student over some scenarios, averaged over frames and trainings."""
    teacher, base, tuned = (
        evidence_of(scenarios.join(average(table, frames), on=SCENARIO, how="inner", maintain_order="left"))
        for table in tables
    )
    return Comparison(teacher, base, tuned)


def evidence_of(table: pl.DataFrame) -> Evidence:
    """Return the choices of a table, a row per scenario, as evidence."""
    scenarios = [Scenario(*row) for row in table.select(SCENARIO).iter_rows()]
    known = Evidence.from_probabilities if _is_exact(table) else Evidence.from_counts
    return known(scenarios, *(table[name].to_numpy() for name in ("cooperate", "defect", "other")))
