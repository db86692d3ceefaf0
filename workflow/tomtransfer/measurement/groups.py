"""Scenarios that are scored together: their measures, intervals and ceilings, over frames or averaged over them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tomtransfer.measurement.ceilings import ceilings, scenario_ceilings
from tomtransfer.measurement.clusters import Positions, estimate
from tomtransfer.measurement.distances import why_no_gap, within_noise
from tomtransfer.measurement.evidence import Among, Comparison, Scenario, cooperation_rates
from tomtransfer.measurement.framed import Framed
from tomtransfer.measurement.intervals import Interval, Outcomes, bootstrap, split_in_half, with_both_errors
from tomtransfer.measurement.measures import (
    ADVANTAGE,
    MEASURES,
    OF_FRAME_AVERAGES,
    Array,
    Measure,
    best_constant,
    fair_coin,
    own_mean,
)

LEVELS = {"split": ("split",), "game": ("split", "game"), "context": ("split", "context"), "scenario": Scenario._fields}
"""The levels of a table, and the labels that scenarios of one row share: games and contexts never mix splits."""

CLUSTERED = frozenset({"split", "game"})
"""Levels with several contexts, whose intervals are for other contexts."""

HALVED_SCENARIOS = 10_000
"""Halvings times scenarios, for those ceilings that are not worked out: 500 halvings of 20 scenarios."""

FEWEST_HALVINGS, MOST_HALVINGS = 200, 1_000


def evaluate(measures: Sequence[Measure], among: Among, teacher: Array, base: Array, tuned: Array) -> dict[str, Array]:
    """Return measures of distributions (3, ..., cells) by name, each of shape (...)."""
    distributions = (teacher, base, tuned)
    rates = [cooperation_rates(each, among) for each in distributions]
    return {each.name: each(*(rates if each.reads == "rates" else distributions)) for each in measures}


def distributions(frames: Sequence[Comparison]) -> dict[str, Array]:
    """Return distributions (3, scenarios, frames) of the models and of the floors, by name.

    A floor is one policy per split, which no scenario and no frame can change.
    """
    models = {role: np.stack([each.models[role].distribution for each in frames], axis=-1) for role in frames[0].models}
    teacher, _, tuned = (np.stack(rates, axis=-1) for rates in zip(*(each.rates for each in frames), strict=True))
    floors = {name: np.empty_like(teacher) for name in ("best_constant", "own_mean", "fair_coin")}
    for members in frames[0].groups("split").values():
        floors["best_constant"][members] = best_constant(teacher[members].ravel())[0]
        floors["own_mean"][members] = own_mean(tuned[members].ravel())[0]
        floors["fair_coin"][members] = fair_coin(teacher[members])
    return models | {name: np.stack([rates, 1 - rates, np.zeros_like(rates)]) for name, rates in floors.items()}


@dataclass(frozen=True)
class Group:
    """Scenarios that are scored together: distributions (3, scenarios, frames) by name, and averaged over frames.

    There is one of each for every training. Measures are taken after each training, and averaged.
    """

    level: str
    comparison: Comparison
    averaged: Sequence[Mapping[str, Array]]
    framed: Sequence[Mapping[str, Array]]
    redrawn: Sequence[Outcomes]
    """The answers of each model drawn anew, (3, draws, scenarios); none where no level needs them."""

    @property
    def per_scenario(self) -> bool:
        """Whether each scenario is scored by itself."""
        return self.level == "scenario"

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that are taken at this level."""
        if self.per_scenario:
            return tuple(measure for measure in MEASURES if measure.of_one_scenario)
        beside = (OF_FRAME_AVERAGES,) if self.comparison.by_frame else ()
        return (*MEASURES, *beside, ADVANTAGE) if self.level == "split" else (*MEASURES, *beside)

    @property
    def trainings(self) -> int:
        """How many trainings there are."""
        return len(self.framed)

    def measure(
        self, student: str, some: NDArray[np.bool_] | slice = slice(None), trainings: Positions | None = None
    ) -> dict[str, Array]:
        """Return the measures of a student or of a policy over `some` scenarios; of each, where that is the level.

        They are means over `trainings`, over all if None.
        """
        chosen = range(self.trainings) if trainings is None else trainings
        return _mean([self._after(student, some, training) for training in chosen])

    def _after(self, student: str, some: NDArray[np.bool_] | slice, training: int) -> dict[str, Array]:
        """Return the measures of a student, or of a policy, after one training."""
        found: dict[str, Array] = {}
        for choices, by_frame in ((self.framed[training], True), (self.averaged[training], False)):
            models = [choices[name][:, some] for name in ("teacher", "base", student)]
            found |= self.evaluate([each for each in self.measures if each.by_frame == by_frame], *models)
        return found

    def evaluate(self, measures: Sequence[Measure], *models: Array) -> dict[str, Array]:
        """Return measures of distributions (3, ..., scenarios, frames): (...), or (..., scenarios) of each scenario."""
        cells = models if self.per_scenario else [each.reshape(*each.shape[:-2], -1) for each in models]
        teacher, base, tuned = cells
        return evaluate(measures, self.comparison.among, teacher, base, tuned)

    def intervals(self, confidence: float) -> dict[str, Interval]:
        """Return an interval for each measure by name; none where there is nothing to resample (`why_no_interval`).

        That of several contexts is for other contexts and trainings. That of a single scenario or context is for its
        answers drawn anew and for other trainings: both stand in it as independent errors, though the answers of the
        tuned student are in either, so that it is a little too wide where there are both.
        """
        contexts = self._contexts if self.level in CLUSTERED else [""] * len(self._contexts)
        names = {name: number for number, name in enumerate(dict.fromkeys(contexts))}
        numbers = np.array([names[name] for name in contexts])

        def over_both(contexts: Positions, trainings: Positions) -> Array:
            measured = self.measure("tuned", np.isin(numbers, contexts), trainings)
            return np.stack([measured[each.name] for each in self.measures])

        several = len(names) > 1 or self.trainings > 1
        found = estimate(over_both, len(names), self.trainings, confidence) if several else None
        clustered = {each.name: found.row(row).interval for row, each in enumerate(self.measures)} if found else {}
        if self.level in CLUSTERED or self.comparison.by_frame or self._is_exact:
            return clustered
        drawn = bootstrap(self.redrawn, self._of_redrawn, confidence)
        if found is None:
            return drawn
        values = self.measure("tuned")
        return {name: with_both_errors(values[name], drawn[name], clustered[name]) for name in drawn}

    def _of_redrawn(self, teacher: Array, base: Array, *students: Array) -> dict[str, Array]:
        models = ([each[..., np.newaxis] for each in (teacher, base, tuned)] for tuned in students)
        return _mean([self.evaluate(self.measures, *each) for each in models])

    @property
    def _contexts(self) -> list[str]:
        return [scenario.context for scenario in self.comparison.scenarios]

    @property
    def _is_exact(self) -> bool:
        return all(evidence.kind == "exact" for evidence in self.comparison.models.values())

    @property
    def why_no_interval(self) -> str:
        """Why there is nothing to resample; empty where there is."""
        if self.trainings > 1:
            return ""
        if self.level in CLUSTERED:
            alone = len(set(self._contexts)) == 1
            return "a single context, with no others to compare it with" if alone else ""
        if self._is_exact:
            return "the probabilities are exact, without sampling error"
        return "answers are not drawn anew in several frames at once" if self.comparison.by_frame else ""

    def ceilings(self, seed: int) -> dict[str, Array]:
        """Return the ceiling of each measure: of shares of the gap worked out, of the others over random halvings."""
        frames = self.comparison.frames
        halvings = int(np.clip(HALVED_SCENARIOS // len(self.comparison.scenarios), FEWEST_HALVINGS, MOST_HALVINGS))
        found: dict[str, Array] = {}
        for comparisons, base, by_frame in (
            (frames, self.framed[0]["base"], True),
            ((self.comparison,), self.averaged[0]["base"], False),
        ):
            measures = [each for each in self.measures if each.by_frame == by_frame]
            halves = [split_in_half(each.teacher, halvings, seed + number) for number, each in enumerate(comparisons)]
            first, second = (np.stack(each, axis=-1) for each in zip(*halves, strict=True))
            bases = np.broadcast_to(base[:, np.newaxis], first.shape)
            dealt = self.evaluate(measures, second, bases, first)
            found |= {name: values.mean(axis=0) for name, values in dealt.items()}
        known = scenario_ceilings(self.comparison) if self.per_scenario else [ceilings(*frames)]
        for name in ("gap_closed", "improvement", "bridging"):
            found[name] = np.array([getattr(each, name) for each in known])
        if self.comparison.by_frame:
            found["gap_closed_of_frame_averages"] = np.array([ceilings(self.comparison).gap_closed])
        return found


def _mean(measured: Sequence[Mapping[str, Array]]) -> dict[str, Array]:
    """Return the means of measures by name."""
    return {name: np.mean([each[name] for each in measured], axis=0) for name in measured[0]}


def noise_of_the_gap(comparison: Comparison, members: NDArray[np.intp], confidence: float) -> tuple[str, int, int]:
    """Return why no share of the gap is given, if so, and how many of how many ratios are within their noise."""
    teacher, base = (_in_a_row(comparison, role, members) for role in ("teacher", "base"))
    counted = not (teacher.answers is None and base.answers is None)
    within = int(within_noise(teacher, base, confidence).sum()) if counted else 0
    return why_no_gap(teacher, base, confidence), within, teacher.cooperate.size


def _in_a_row(comparison: Comparison, role: str, members: NDArray[np.intp]) -> Framed:
    """Return a model's choices in all frames of some scenarios, one after the other as if in one context."""
    cooperate = np.concatenate([each.models[role].cooperate[members] for each in comparison.frames])
    answers = np.concatenate([each.answers(role)[members] for each in comparison.frames])
    counts, asked = (each.reshape(1, 1, -1, 1) for each in (cooperate, answers))
    return Framed(counts / asked) if comparison.models[role].kind == "exact" else Framed(counts, asked)
