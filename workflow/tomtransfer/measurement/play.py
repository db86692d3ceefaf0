"""What a teacher does by itself, compared with nobody: how often it cooperates and where, and what moves it.

The functions are those of a comparison: rates with Wilson's intervals where answers are counted, means with intervals
for other contexts, the parts of the log-odds over four frames, drawn answers beside exact ones, comprehension, amounts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from pydantic import TypeAdapter, ValidationError

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.agreement import PLACE, Agreement, CountedRate
from tomtransfer.measurement.amount_scores import AmountChoice
from tomtransfer.measurement.bias import Effect, Share, contrasts, mean_effects
from tomtransfer.measurement.clusters import Positions, estimate
from tomtransfer.measurement.evidence import EvidenceKind
from tomtransfer.measurement.framed import Framed, frame_grid
from tomtransfer.measurement.intervals import wilson
from tomtransfer.measurement.measures import Array
from tomtransfer.measurement.understanding import Understanding
from tomtransfer.measurement.views import Answers, evidence_of

TEACHER = "teacher"


@dataclass(frozen=True)
class PlayedRate:
    """How often the teacher cooperates in one scenario and frame, as a share of its valid answers."""

    split: str
    game: str
    context: str
    frame: str
    rate: float | None
    """None where no answer was valid."""
    low: float | None
    high: float | None
    """The ends of Wilson's interval; exact rates have none."""
    answers: int | None
    """How many valid answers were counted; None where the rate is exact."""
    other: float
    """The share of all answers that are neither choice."""


@dataclass(frozen=True)
class PlayedMean:
    """Mean cooperation over the contexts of a split in some frames, of one game or of all."""

    split: str
    view: str
    """A frame, or the name of a view of several."""
    game: str | None
    """None for all games."""
    rate: float | None
    low: float | None
    high: float | None
    """The ends of the interval for other contexts, no further than 0 and 1."""
    other: float
    contexts: int


@dataclass(frozen=True)
class Play:
    """Everything that a teacher's answers give by themselves."""

    model: str
    """Its name in the registry."""
    kinds: Mapping[str, EvidenceKind]
    """Whether its choices are exact or counted, under its role, as in findings."""
    settings: Scoring
    views: Mapping[str, Sequence[str]]
    """The frames of each view; the first is the scored frame's."""
    rates: tuple[PlayedRate, ...]
    means: tuple[PlayedMean, ...]
    bias_shares: tuple[Share, ...]
    """Of choices that are read exactly: noise of counted answers would be taken for a part of them."""
    bias_effects: tuple[Effect, ...]
    disagreements: tuple[str, ...]
    """Sentences on drawn answers that differ from exact choices, which are then used in their place."""
    counted: tuple[CountedRate, ...] = ()
    """Drawn answers by scenario and frame, with how many of each kind there are."""
    agreements: tuple[Agreement, ...] = ()
    understandings: tuple[Understanding, ...] = ()
    amounts: tuple[AmountChoice, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def splits(self) -> list[str]:
        """The splits, the one that may be trained on first."""
        return sorted(dict.fromkeys(each.split for each in self.rates), key=lambda split: split != TRAINED_SPLIT)

    @property
    def main_view(self) -> str:
        """The view that tells a preference from a habit best: counterbalanced where there is one."""
        return "counterbalanced" if "counterbalanced" in self.views else next(iter(self.views))

    def mean(self, split: str, view: str, game: str | None = None) -> PlayedMean | None:
        """Return the mean of a split in a view, or None where it is not played in all of its frames."""
        found = [each for each in self.means if (each.split, each.view, each.game) == (split, view, game)]
        return found[0] if found else None


def play_of(answers: Answers, settings: Scoring, **beside: Any) -> Play:
    """Return what the teacher's answers give; `beside` are those fields of `Play` that others compute."""
    (table,) = answers.tables[TEACHER]
    frames = table["frame"].unique(maintain_order=True).to_list()
    looks: dict[str, Sequence[str]] = {**answers.views, **{frame: [frame] for frame in frames}}
    bias = answers.decompose(settings.confidence)
    exact = bool((table["evidence"] == "exact").all())
    counted_effects = () if exact else tuple(_counted_effects(table, answers.designs, settings.confidence))
    first = next(iter(answers.views))
    return Play(
        model=", ".join(table["model"].unique(maintain_order=True)),
        kinds={TEACHER: "exact" if exact else "counted"},
        settings=settings,
        views={name: list(each) for name, each in answers.views.items()},
        rates=tuple(
            rate for frame in frames for rate in _rates(answers.known(TEACHER, [frame])[0], settings.confidence)
        ),
        means=tuple(
            mean
            for view, members in looks.items()
            for mean in _means(view, members, answers.known(TEACHER, members)[0], settings.confidence)
        ),
        bias_shares=bias.shares,
        bias_effects=bias.effects or counted_effects,
        disagreements=tuple(answers.disagreements(first)),
        agreements=tuple(answers.agreements.values()),
        **beside,
    )


def _rates(table: pl.DataFrame, confidence: float) -> Iterator[PlayedRate]:
    for row in table.iter_rows(named=True):
        valid = row["cooperate"] + row["defect"]
        counted = row["evidence"] != "exact"
        low, high = wilson(row["cooperate"], valid, confidence) if counted and valid else (None, None)
        yield PlayedRate(
            **{name: str(row[name]) for name in PLACE},
            rate=row["cooperate"] / valid if valid else None,
            low=None if low is None else float(low),
            high=None if high is None else float(high),
            answers=int(valid) if counted else None,
            other=row["other"] / (valid + row["other"]),
        )


def _grid(table: pl.DataFrame, split: str, frames: Sequence[str], among: Any = "valid answers") -> Framed | None:
    """Return the choices of a split with axes (1, frames, games, contexts), or None where a frame is not played."""
    own = table.filter(split=split)
    if set(frames) - set(own["frame"]):
        return None
    return frame_grid([[evidence_of(own.filter(frame=frame)) for frame in frames]], among)


def _means(view: str, frames: Sequence[str], table: pl.DataFrame, confidence: float) -> Iterator[PlayedMean]:
    for split in table["split"].unique(maintain_order=True):
        grid, invalid = (_grid(table, split, frames, among) for among in ("valid answers", "invalid answers"))
        if grid is None or invalid is None:
            continue
        games = table.filter(split=split)["game"].unique(maintain_order=True).to_list()
        parts: dict[str | None, slice] = {game: slice(number, number + 1) for number, game in enumerate(games)}
        for game, part in {**parts, None: slice(None)}.items():
            mean = estimate(partial(_mean_of, grid.rates[..., part, :]), grid.contexts, 1, confidence).at()
            other = float(np.nanmean(invalid.rates[..., part, :]))
            low, high = (None if end is None else min(max(end, 0.0), 1.0) for end in (mean.low, mean.high))
            yield PlayedMean(split, view, game, mean.value, low, high, other, grid.contexts)


def _mean_of(rates: Array, contexts: Positions, _: Positions) -> Array:
    """Return the mean of rates (1, frames, games, contexts) over some contexts; nan where none is known."""
    kept = rates[..., contexts]
    known = kept[np.isfinite(kept)]
    return np.asarray(known.mean() if len(known) else np.nan)


def _counted_effects(table: pl.DataFrame, designs: Mapping[str, Sequence[str]], confidence: float) -> Iterator[Effect]:
    """Yield the parts of the log-odds of counted answers, for every pair of labels that is played in four frames."""
    for labels, crossed in designs.items():
        for split in table["split"].unique(maintain_order=True):
            grid = _grid(table, split, crossed)
            if grid is not None and np.isfinite(grid.log_odds).all():
                games = table.filter(split=split)["game"].unique(maintain_order=True).to_list()
                place = (TEACHER, split, labels)
                yield from mean_effects(place, games, contrasts(grid.log_odds[0])[:, None], confidence)


def write_play(play: Play, path: Path) -> None:
    """Write a play as JSON; `read_play` returns it as it was."""
    write_text(_ADAPTER.dump_json(play, indent=1).decode() + "\n", path)


def read_play(path: Path) -> Play:
    """Return the play in a file of `write_play`; raises InputError when it is damaged."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"{path}: cannot be read as a teacher's play: {error}. Delete it to have it made anew"
        ) from error


_ADAPTER = TypeAdapter(Play)
