"""Everything that a comparison gives: scores, rates, tests and sentences, as one record that is written and read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tomtransfer.config import Scoring
from tomtransfer.evidence import Comparison, Donation, Kind, Scenario
from tomtransfer.rates import Difference, Rate, SplitTest, differences, rates, split_tests
from tomtransfer.scoring import Score, headline, score
from tomtransfer.tables import write_text
from tomtransfer.validation import InputError


@dataclass(frozen=True)
class Choice:
    """The shares of a model's answers in one scenario: probabilities, or counts divided by their sum."""

    scenario: Scenario
    model: str
    cooperate: float
    defect: float
    other: float


@dataclass(frozen=True)
class Findings:
    """What a comparison of teacher, base student and tuned student gives."""

    title: str
    among: str
    """What cooperation rates are shares of."""
    kinds: Mapping[str, Kind]
    """Whether each model's evidence is exact or counted."""
    settings: Scoring
    headlines: Mapping[str, str]
    """A sentence per split."""
    choices: tuple[Choice, ...]
    scores: tuple[Score, ...]
    rates: tuple[Rate, ...]
    differences: tuple[Difference, ...]
    split_tests: tuple[SplitTest, ...]
    """Empty where the tuned student's probabilities are exact: they hold no answers to test."""
    donation: Donation | None = None
    """The published public-goods game."""
    provenance: Mapping[str, Any] = field(default_factory=dict)

    @property
    def splits(self) -> list[str]:
        """The splits, in order of appearance."""
        return list(self.headlines)

    @property
    def scenarios(self) -> list[Scenario]:
        """The scenarios, in order of appearance."""
        return list(dict.fromkeys(choice.scenario for choice in self.choices))

    def rate(self, scenario: Scenario, model: str) -> Rate:
        """Return a model's cooperation rate in one scenario."""
        return self._rates[scenario, model]

    def score(self, measure: str, split: str, game: str | None = None, context: str | None = None) -> Score:
        """Return a measure of a split, or of a game or context of it, or of one scenario."""
        return self._scores[measure, split, game, context]
