"""Every scenario of an experiment, as tests count them."""

from collections.abc import Iterator
from typing import NamedTuple

from tomtransfer.experiment.config import Experiment


class Played(NamedTuple):
    """One game in one context, in the split that it belongs to."""

    split: str
    game: str
    context: str


def scenarios(experiment: Experiment) -> Iterator[Played]:
    """Yield every scenario of an experiment."""
    for split, members in experiment.splits.items():
        for game in experiment.games_of(split):
            for context in members.contexts:
                yield Played(split, game, context)
