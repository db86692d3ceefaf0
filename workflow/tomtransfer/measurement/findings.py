"""Everything that a comparison gives: scores, rates, tests and sentences, as one record that is written and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.agreement import Agreement
from tomtransfer.measurement.assessments import Assessment, assess, headline
from tomtransfer.measurement.bias import Effect, Share
from tomtransfer.measurement.evidence import Comparison, EvidenceKind, Scenario
from tomtransfer.measurement.published_counts import Donation
from tomtransfer.measurement.rates import Difference, Rate, SplitTest, differences, rates, split_tests
from tomtransfer.measurement.scoring import Score, in_order, score


@dataclass(frozen=True)
class Choice:
    """The shares of a model's answers in one scenario: probabilities, or counts divided by their sum."""

    scenario: Scenario
    model: str
    cooperate: float
    defect: float
    other: float


@dataclass(frozen=True)
class View:
    """What a comparison gives in other frames than the scored one, alone or averaged."""

    name: str
    frames: tuple[str, ...]
    headlines: Mapping[str, str]
    """A sentence per split."""
    scores: tuple[Score, ...]
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class ArmScores:
    """The measures of the students of another arm, in one view, by split and game."""

    arm: str
    view: str
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class Findings:
    """What a comparison of teacher, base student and tuned student gives."""

    among: str
    """What cooperation rates are shares of."""
    kinds: Mapping[str, EvidenceKind]
    """Whether each model's evidence is exact or counted."""
    settings: Scoring
    headlines: Mapping[str, str]
    """A sentence per split."""
    choices: tuple[Choice, ...]
    scores: tuple[Score, ...]
    rates: tuple[Rate, ...]
    differences: tuple[Difference, ...]
    split_tests: tuple[SplitTest, ...]
    """Of the tuned student; none where its probabilities are exact, which hold no answers to test."""
    donation: Donation | None = None
    """The public-goods game, which only the published result has."""
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """Where the evidence comes from."""
    frame: str = ""
    """The frame that all of the above is in, if it has a name."""
    views: tuple[View, ...] = ()
    """Beside the scored frame: counterbalanced over all frames that are trained on, and over held-out ones."""
    bias_shares: tuple[Share, ...] = ()
    """What shares of the variance of each model's log-odds are preference and habit."""
    bias_effects: tuple[Effect, ...] = ()
    """How large preferences and habits are."""
    unanswered: tuple[str, ...] = ()
    """Scenarios in which a model gave no valid answer, each with that model; they are compared nowhere."""
    verdict: str = ""
    """One sentence on the experiment: what came across, and where else it is shown; empty for a published result."""
    assessments: tuple[Assessment, ...] = ()
    """What the sentences stand on, for every view and split."""
    agreements: tuple[Agreement, ...] = ()
    """How drawn answers agree with exact choices, for the models that have both."""
    seeds: tuple[int, ...] = ()
    """The seeds of the trainings that measures are means over, in the order of `Score.by_training`."""
    arms: tuple[ArmScores, ...] = ()
    """What the students of other arms come to; how the tuned student differs from them is in the assessments."""

    @property
    def splits(self) -> list[str]:
        """The splits, the trained one first, the others in order of appearance."""
        return sorted(self.headlines, key=lambda split: split != TRAINED_SPLIT)

    def scenarios(self, split: str) -> list[Scenario]:
        """Return the scenarios of a split, in order of appearance."""
        return [scenario for scenario in dict.fromkeys(row.scenario for row in self.rates) if scenario.split == split]

    def rate(self, scenario: Scenario, model: str) -> Rate:
        """Return a model's cooperation rate in one scenario."""
        return self._rates[scenario, model]

    def score(self, measure: str, split: str, game: str | None = None, context: str | None = None) -> Score:
        """Return a measure of a split, of one of its games or contexts, or of a single scenario."""
        return self._scores[measure, split, game, context]

    @cached_property
    def _rates(self) -> dict[tuple[Scenario, str], Rate]:
        return {(row.scenario, row.model): row for row in self.rates}

    @cached_property
    def _scores(self) -> dict[tuple[str, str, str | None, str | None], Score]:
        return {(row.measure, row.split, row.game, row.context): row for row in self.scores}


def examine(
    comparison: Comparison,
    settings: Scoring,
    games: Sequence[Score] = (),
    assessments: Sequence[Assessment] = (),
) -> Findings:
    """Return what a comparison gives, at every level from the single scenario to the split.

    The scores of games and of their scenarios, and the assessments, are computed here unless they are given.
    """
    assessed = tuple(assessments) or tuple(assess([comparison], "", [""], confidence=settings.confidence))
    scores = _scores(comparison, settings, ("split", "game", "context", "scenario"), games)
    models = comparison.models
    choices = [
        Choice(scenario, model, *(float(share) for share in shares))
        for model, evidence in models.items()
        for scenario, shares in zip(comparison.scenarios, evidence.distribution.T, strict=True)
    ]
    return Findings(
        among=comparison.among,
        kinds={model: evidence.kind for model, evidence in models.items()},
        settings=settings,
        headlines={each.split: headline(each) for each in assessed},
        assessments=assessed,
        choices=tuple(choices),
        scores=tuple(scores),
        rates=tuple(rates(comparison, settings.confidence)),
        differences=tuple(differences(comparison, settings.equivalence_margin, settings.confidence)),
        split_tests=tuple(_between_splits(comparison)),
    )


def look(
    frames: Sequence[str],
    comparison: Comparison,
    settings: Scoring,
    assessments: Sequence[Assessment],
    games: Sequence[Score] = (),
) -> View:
    """Return what a comparison in other frames gives, by split, game and context; `games` as in `examine`."""
    scores = _scores(comparison, settings, ("split", "game", "context"), games)
    headlines = {each.split: headline(each) for each in assessments}
    name = assessments[0].view
    return View(name, tuple(frames), headlines, tuple(scores), tuple(rates(comparison, settings.confidence)))


def look_at_arm(arm: str, view: str, comparison: Comparison, settings: Scoring) -> ArmScores:
    """Return what the students of another arm come to in a view."""
    return ArmScores(arm, view, tuple(_scores(comparison, settings, ("split", "game"), ())))


def _scores(comparison: Comparison, settings: Scoring, levels: Sequence[str], games: Sequence[Score]) -> list[Score]:
    """Return the scores at `levels`, those of games and scenarios taken from `games` if there are any."""
    known = [each for each in games if each.level in levels]
    missing = [level for level in levels if not known or level not in {"game", "scenario"}]
    drawing = (settings.bootstrap_draws, settings.seed, settings.confidence)
    return in_order([*score(comparison, *drawing, levels=missing), *known], comparison)


def _between_splits(comparison: Comparison) -> list[SplitTest]:
    if comparison.tuned.kind == "exact":
        return []
    return split_tests(comparison) + split_tests(comparison, by_game=True)


def write_findings(findings: Findings, path: Path) -> None:
    """Write findings as JSON; `read_findings` returns them as they were."""
    write_text(_ADAPTER.dump_json(findings, indent=1).decode() + "\n", path)


def read_findings(path: Path) -> Findings:
    """Return the findings in a file of `write_findings`; raises InputError when it is damaged."""
    try:
        return _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(f"{path}: cannot be read as findings: {error}. Delete it to have it made again") from error


_ADAPTER = TypeAdapter(Findings)
