"""Views of the answers: one choice per scenario, from a single frame or averaged over several, and each frame's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.agreement import PLACE, Agreement, agreement, counted_rates, disagreement
from tomtransfer.measurement.assessments import Assessment, assess
from tomtransfer.measurement.bias import Decomposition, decompose
from tomtransfer.measurement.evidence import ROLES, Comparison, Evidence, Scenario
from tomtransfer.respondents.counting import read_choices, read_drawn

SCENARIO = ["split", "game", "context"]

MOST_MISSING = 5
"""Scenarios that an error names one by one."""


@dataclass(frozen=True)
class Answers:
    """The choices of teacher, base and tuned student in every frame, and which frames are looked at together."""

    tables: Mapping[str, pl.DataFrame]
    """By the model's role."""
    views: Mapping[str, Sequence[str]]
    """The frames of each view; the first view is the scored frame's."""
    designs: Mapping[str, Sequence[str]]
    """The four frames of each pair of labels that is fully crossed with order (`frames.designs`)."""
    drawn: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """Drawn answers, counted, of the models whose choices are read exactly as well."""
    agreements: Mapping[str, Agreement] = field(default_factory=dict)
    """How these two agree; where they do not, the drawn answers are what is measured."""

    def compare(self) -> Iterator[tuple[str, Comparison]]:
        """Yield for each view its name and the comparison of the models over the scenarios that its frames have.

        Raises InputError naming what a model lacks, and when nothing can be compared, because answers were counted and
        none is valid.
        """
        for name, frames in self.views.items():
            tables = {role: self.known(role, frames) for role in ROLES}
            _refuse_gaps(tables, frames)
            compared = _answered_by_all(tables)
            if not len(compared):
                raise InputError(
                    f"{name}: in no scenario did teacher, base and tuned student all give a valid answer; "
                    "draw more (sampling.answers) or read choices exactly (choices: exact)"
                )
            by_frame = tuple(_compared(tables, compared, [frame]) for frame in frames)
            yield name, replace(_compared(tables, compared, frames), by_frame=by_frame if len(frames) > 1 else ())

    def known(self, role: str, frames: Sequence[str]) -> pl.DataFrame:
        """Return a model's choices in some frames: drawn ones where exact ones disagree and they were drawn in all."""
        drawn = self.drawn.get(role)
        if drawn is not None and self.agreements[role].disagree and set(frames) <= set(drawn["frame"]):
            return drawn.filter(pl.col("frame").is_in(frames))
        return self.tables[role].filter(pl.col("frame").is_in(frames))

    def assess(self, view: str, comparison: Comparison, confidence: float) -> list[Assessment]:
        """Return what training did in each split of a view."""
        frames = list(self.views[view])
        crossed = frames in [list(each) for each in self.designs.values()]
        students = [self.drawn[role] for role in ROLES[1:] if role in self.drawn]
        shown = len(students) == len(ROLES[1:]) and all(set(frames) <= set(each["frame"]) for each in students)
        drawn = {role: evidence_of(average(self.drawn[role], frames)) for role in ROLES[1:]} if shown else {}
        return assess([comparison], view, frames, crossed, confidence, drawn)

    def disagreements(self, view: str) -> list[str]:
        """Return a sentence for each model whose drawn answers and exact choices disagree."""
        return [
            disagreement(found, used=not _is_exact(self.known(role, self.views[view])))
            for role, found in self.agreements.items()
            if found.disagree
        ]

    def not_compared(self) -> list[str]:
        """Return a sentence on the frames in which somebody whose answers are recorded has none, if there are any."""
        asked = {role: table["frame"].unique(maintain_order=True).to_list() for role, table in self.tables.items()}
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
            f"{'/'.join(row)} ({model})"
            for model in ROLES
            for row in self.known(model, frames).filter(~_is_valid()).select(SCENARIO).iter_rows()
        )

    def decompose(self, confidence: float, game: str | None = None) -> Decomposition:
        """Return what moves each model's choices in all games or in one, where choices are read exactly.

        Counts have no log-odds where all answers are the same.
        """
        parts = [
            decompose(own, model, self.designs, confidence)
            for model, table in self.tables.items()
            if _is_exact(table) and len(own := table if game is None else table.filter(game=game))
        ]
        return Decomposition(
            tuple(share for part in parts for share in part.shares),
            tuple(effect for part in parts for effect in part.effects),
        )


def read_answers(
    teacher: Sequence[Path],
    base: Path,
    tuned: Path,
    views: Mapping[str, Sequence[str]],
    designs: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
) -> Answers:
    """Return the answers of teacher, base and tuned student, in the teacher's order.

    Whoever's answers are recorded may have none in frames that no view has; what the teacher does not have stands after
    what it has. Raises InputError naming the scenarios that one of them lacks.
    """
    files = {"teacher": list(teacher), "base": [base], "tuned": [tuned]}
    tables = {role: pl.concat([read_choices(path) for path in paths]) for role, paths in files.items()}
    viewed = {frame for frames in views.values() for frame in frames}
    for role, table in tables.items():
        frames = viewed | set(table["frame"])
        for other, others in tables.items():
            name = "teacher" if other == "teacher" else f"{other} student"
            _refuse_missing(role, others.filter(pl.col("frame").is_in(frames)).select(PLACE), table, f"the {name} has")
    order = pl.concat([table.select(PLACE) for table in tables.values()]).unique(maintain_order=True)
    ordered = {
        role: order.join(each, on=PLACE, how="inner", maintain_order="left", validate="1:1")
        for role, each in tables.items()
    }
    return _with_drawn(files, ordered, views, designs, confidence)


def read_lone_answers(
    teacher: Sequence[Path],
    views: Mapping[str, Sequence[str]],
    designs: Mapping[str, Sequence[str]],
    confidence: float = 0.95,
) -> Answers:
    """Return the answers of the teacher alone, which can be looked at and not compared."""
    table = pl.concat([read_choices(path) for path in teacher])
    _refuse_missing("teacher", table.select(PLACE), table, "it has")
    return _with_drawn({"teacher": list(teacher)}, {"teacher": table}, views, designs, confidence)


def _with_drawn(
    files: Mapping[str, Sequence[Path]],
    ordered: Mapping[str, pl.DataFrame],
    views: Mapping[str, Sequence[str]],
    designs: Mapping[str, Sequence[str]],
    confidence: float,
) -> Answers:
    """Return answers together with those that were drawn beside exact ones, and how they agree."""
    drawn, agreements = {}, {}
    for role, paths in files.items():
        counts = pl.concat([read_drawn(path) for path in paths])
        found = agreement(counted_rates(role, counts, ordered[role], confidence), confidence) if len(counts) else None
        if found and _is_exact(ordered[role]):
            drawn[role], agreements[role] = counts, found
    return Answers(ordered, views, designs, drawn, agreements)


def average(table: pl.DataFrame, frames: Sequence[str]) -> pl.DataFrame:
    """Return a row per scenario: cooperate, defect and other over `frames`, all of which it has.

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


def _refuse_gaps(tables: Mapping[str, pl.DataFrame], frames: Sequence[str]) -> None:
    """Raise InputError naming the scenarios of a split that have some of its frames and not the others."""
    for role, table in tables.items():
        every = pl.DataFrame({"frame": list(frames)})
        wanted = (
            table.select(SCENARIO).unique(maintain_order=True).join(every, how="cross", maintain_order="left_right")
        )
        _refuse_missing(role, wanted, table, "are played in other frames")


def _named(places: pl.DataFrame) -> str:
    rows = [f"{'/'.join(row[:-1])} in frame {row[-1]}" for row in places.select(PLACE).head(MOST_MISSING).iter_rows()]
    more = len(places) - len(rows)
    return ", ".join(rows) + (f" and {more:,} more" if more else "")


def _answered_by_all(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the scenarios in which every model gave a valid answer in every frame, in the teacher's order."""
    compared = tables["teacher"].select(SCENARIO).unique(maintain_order=True)
    for table in tables.values():
        unanswered = table.filter(~_is_valid())
        compared = compared.join(unanswered, on=SCENARIO, how="anti", maintain_order="left")
    return compared


def _is_valid() -> pl.Expr:
    """Return whether there is a valid answer, of which a share is cooperative."""
    return pl.col("cooperate") + pl.col("defect") > 0


def _is_exact(table: pl.DataFrame) -> bool:
    """Tell whether choices are known from probabilities, not from drawn answers that were counted."""
    return bool((table["evidence"] == "exact").all())


def _compared(tables: Mapping[str, pl.DataFrame], scenarios: pl.DataFrame, frames: Sequence[str]) -> Comparison:
    """Return the comparison over some scenarios, averaged over frames."""
    teacher, base, tuned = (
        evidence_of(scenarios.join(average(tables[role], frames), on=SCENARIO, how="inner", maintain_order="left"))
        for role in ROLES
    )
    return Comparison(teacher, base, tuned)


def evidence_of(table: pl.DataFrame) -> Evidence:
    """Return the choices of a table, a row per scenario, as evidence."""
    scenarios = [Scenario(*row) for row in table.select(SCENARIO).iter_rows()]
    known = Evidence.from_probabilities if _is_exact(table) else Evidence.from_counts
    return known(scenarios, *(table[name].to_numpy() for name in ("cooperate", "defect", "other")))
