"""The kinds of games, and what the workflow has to know of each: how its files are read and what is asked about it.

A kind has a module of its own and an entry here. How its answers are scored is a matter of the stages after asking.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tomtransfer.amounts import AMOUNT, amount_comprehension, read_amount_sources, render_amounts
from tomtransfer.comprehension import action_comprehension
from tomtransfer.config import Experiment
from tomtransfer.games import TWO_ACTIONS, kind_of
from tomtransfer.prompts import Prompt, Query, read_sources, render_scenario, scenario_hash, write_prompts
from tomtransfer.validation import InputError


@dataclass(frozen=True)
class Kind:
    """A kind of game."""

    read: Callable[[Experiment, Sequence[str], Sequence[str]], Any]
    """From the names of games and contexts to what their prompts are made from."""
    prompts: Callable[[Experiment, str, str, Any], Sequence[Prompt | Query]]
    """From a game and a context to every prompt that asks for a choice."""
    comprehension: Callable[[Experiment, str, str, Any], Sequence[Query]]
    """From a game and a context to the questions whose answers are known from the payoffs."""


KINDS = {
    TWO_ACTIONS: Kind(read_sources, render_scenario, action_comprehension),
    AMOUNT: Kind(read_amount_sources, render_amounts, amount_comprehension),
}


def game_kinds(experiment: Experiment) -> dict[str, str]:
    """Return the kind of every game of the experiment.

    Raises InputError for an unknown kind, and for a game among those that are trained on that has no two actions.
    """
    folder = Path(experiment.paths.scenarios)
    kinds = {game: kind_of(folder, game) for game in experiment.every_game}
    for game, kind in kinds.items():
        if kind not in KINDS:
            raise InputError(f"{folder}/games/{game}.yaml: kind: must be one of {', '.join(KINDS)} (got {kind!r})")
        if kind != TWO_ACTIONS and game in experiment.games:
            raise InputError(
                f"games: {game} is of the kind {kind}; only games of {TWO_ACTIONS} are trained on. "
                "Name it in the games of a split of its own"
            )
    return kinds


def scenario_hashes(experiment: Experiment) -> dict[tuple[str, str], str]:
    """Return for each game in each of its contexts the hash of its prompts.

    Raises InputError naming the file that is wrong.
    """
    hashes = {}
    kinds = game_kinds(experiment)
    for name in dict.fromkeys(kinds.values()):
        games = [game for game in kinds if kinds[game] == name]
        contexts = dict.fromkeys(context for game in games for context in experiment.contexts_of(game))
        sources = KINDS[name].read(experiment, games, list(contexts))
        for game in games:
            for context in experiment.contexts_of(game):
                prompts, comprehension = _render(KINDS[name], experiment, game, context, sources)
                hashes[game, context] = scenario_hash([*prompts, *comprehension])
    return hashes


def write_scenario(experiment: Experiment, game: str, context: str, path: Path) -> None:
    """Write everything that is asked about one game in one context; raises InputError naming the file that is wrong."""
    name = game_kinds(experiment)[game]
    sources = KINDS[name].read(experiment, [game], [context])
    prompts, comprehension = _render(KINDS[name], experiment, game, context, sources)
    write_prompts(prompts, path, name, comprehension)


def _render(
    kind: Kind, experiment: Experiment, game: str, context: str, sources: Any
) -> tuple[Sequence[Prompt | Query], Sequence[Query]]:
    prompts = kind.prompts(experiment, game, context, sources)
    asked = context in experiment.comprehension
    return prompts, kind.comprehension(experiment, game, context, sources) if asked else []
