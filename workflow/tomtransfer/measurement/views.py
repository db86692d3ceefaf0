"""Views of the answers: one choice per scenario, from a single frame or averaged over several."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.bias import Decomposition, decompose
from tomtransfer.measurement.evidence import ROLES, Comparison, Evidence, Scenario
from tomtransfer.respondents.counting import read_choices

SCENARIO = ["split", "game", "context"]


@dataclass(frozen=True)
class Answers:
    """The choices of teacher, base and tuned student in every frame, and which frames are looked at together."""

    tables: Mapping[str, pl.DataFrame]
    """By the model's role."""
    views: Mapping[str, Sequence[str]]
    """The frames of each view; the first view is the scored frame's."""
    designs: Mapping[str, Sequence[str]]
    """The four frames of each pair of labels that is fully crossed with order (`frames.designs`)."""

    def compare(self) -> Iterator[tuple[str, Comparison]]:
        """Yield for each view its name and the comparison of the models over the scenarios that its frames have.

        Raises InputError when nothing can be compared, because answers were counted and none is valid.
        """
        for name, frames in self.views.items():
            found = [average(self.tables[model], frames) for model in ROLES]
            left = found[0].select(SCENARIO)
            for table in found:
                left = left.join(table.filter(_is_valid()), on=SCENARIO, how="semi", maintain_order="left")
            if not len(left):
                raise InputError(
                    f"{name}: in no scenario did teacher, base and tuned student all give a valid answer; "
                    "draw more (sampling.answers) or read choices exactly (choices: exact)"
                )
            teacher, base, tuned = (
                _evidence(
                    left.join(table, on=SCENARIO, how="inner", maintain_order="left"), _is_exact(self.tables[model])
                )
                for model, table in zip(ROLES, found, strict=True)
            )
            yield name, Comparison(teacher, base, tuned)

    def unanswered(self) -> tuple[str, ...]:
        """Return the scenarios of the scored frame in which a model gave no valid answer, each with that model.

        They have no cooperation rate and stand in no comparison.
        """
        [frames, *_] = self.views.values()
        return tuple(
            f"{'/'.join(row)} ({model})"
            for model in ROLES
            for row in average(self.tables[model], frames).filter(~_is_valid()).select(SCENARIO).iter_rows()
        )

    def decompose(self, settings: Scoring, game: str | None = None) -> Decomposition:
        """Return what moves each model's choices in all games or in one, where choices are read exactly.

        Counts have no log-odds where all answers are the same.
        """
        parts = [
            decompose(own, model, self.designs, settings.bootstrap_draws, settings.seed, settings.confidence)
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
) -> Answers:
    """Return the answers of teacher, base and tuned student, in the teacher's order."""
    place = [*SCENARIO, "frame"]
    tables = [pl.concat([read_choices(path) for path in teacher]), read_choices(base), read_choices(tuned)]
    order = tables[0].select(place)
    ordered = (order.join(table, on=place, how="inner", maintain_order="left") for table in tables)
    return Answers(dict(zip(ROLES, ordered, strict=True)), views, designs)


def average(table: pl.DataFrame, frames: Sequence[str]) -> pl.DataFrame:
    """Return a row per scenario that all of `frames` have: cooperate, defect and other over the frames.

    Of exact choices it is the cooperation rates that are averaged, and the shares of other: a frame in which a model
    hardly answers with a label would else count less than the frame that balances it. Counted answers are added up.
    """
    played = table.filter(pl.col("frame").is_in(frames)).group_by(SCENARIO, maintain_order=True)
    in_all = pl.len() == len(frames)
    if not _is_exact(table):
        return played.agg(pl.sum("cooperate", "defect", "other"), in_all=in_all).filter("in_all").drop("in_all")
    rate = pl.col("cooperate") / (pl.col("cooperate") + pl.col("defect"))
    return (
        played.agg(rate.mean().alias("rate"), pl.mean("other"), in_all=in_all)
        .filter("in_all")
        .select(
            *SCENARIO,
            cooperate=pl.col("rate") * (1 - pl.col("other")),
            defect=(1 - pl.col("rate")) * (1 - pl.col("other")),
            other="other",
        )
    )


def _is_valid() -> pl.Expr:
    """Return whether there is a valid answer, of which a share is cooperative."""
    return pl.col("cooperate") + pl.col("defect") > 0


def _is_exact(table: pl.DataFrame) -> bool:
    """Tell whether choices are known from probabilities, not from drawn answers that were counted."""
    return bool((table["evidence"] == "exact").all())


def _evidence(table: pl.DataFrame, exact: bool) -> Evidence:
    scenarios = [Scenario(*row) for row in table.select(SCENARIO).iter_rows()]
    known = Evidence.from_probabilities if exact else Evidence.from_counts
    return known(scenarios, *(table[name].to_numpy() for name in ("cooperate", "defect", "other")))
