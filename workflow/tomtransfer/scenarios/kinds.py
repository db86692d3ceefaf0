"""The kinds of games, and what the workflow has to know of each: how its files are read and what is asked about it.

A kind has a module of its own and an entry here. How its answers are scored is a matter of the stages after asking.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.amounts import (
    AMOUNT,
    amount_comprehension,
    amount_facts,
    read_amount_sources,
    render_amounts,
)
from tomtransfer.scenarios.comprehension import action_comprehension
from tomtransfer.scenarios.games import TWO_ACTIONS, kind_of, load_game
from tomtransfer.scenarios.plane_prompts import one_of_plane, plane_facts, read_plane_sources, render_plane
from tomtransfer.scenarios.planes import PLANE, load_plane
from tomtransfer.scenarios.questions import Prompt, Query, prompts_hash, write_prompts
from tomtransfer.scenarios.rendering import read_sources, render_scenario
from tomtransfer.scenarios.solutions import in_sentences, solve
from tomtransfer.scenarios.wording import read_wording


@dataclass(frozen=True)
class Kind:
    """A kind of game."""

    read: Callable[[Experiment, Sequence[str], Sequence[str]], Any]
    """From the names of games and contexts to what their prompts are made from."""
    prompts: Callable[[Experiment, str, str, Any], Sequence[Prompt | Query]]
    """From a game and a context to every prompt that asks for a choice."""
    comprehension: Callable[[Experiment, str, str, Any], Sequence[Query]]
    """From a game and a context to the questions whose answers are known from the payoffs."""
    facts: Callable[[Experiment, str], dict[str, Any]]
    """From the name of a game to what its pages say of it."""
    answered: str = TWO_ACTIONS
    """The kind of answer, by which prompts are read and contexts and templates are found."""


def _action_facts(experiment: Experiment, name: str) -> dict[str, Any]:
    """Return what people wrote of a game of two actions, and what follows from its payoffs."""
    game = load_game(Path(experiment.paths.scenarios), name)
    payoffs = game.payoffs.model_dump()
    return {**game.model_dump(mode="json"), "holds": in_sentences(payoffs), "solution": asdict(solve(payoffs))}


def _ask_nothing(experiment: Experiment, game: str, context: str, sources: Any) -> list[Query]:
    """Return no question: of a plane's payoffs none is asked, each game being one of many."""
    return []


KINDS = {
    TWO_ACTIONS: Kind(read_sources, render_scenario, action_comprehension, _action_facts),
    PLANE: Kind(read_plane_sources, render_plane, _ask_nothing, plane_facts),
    AMOUNT: Kind(read_amount_sources, render_amounts, amount_comprehension, amount_facts, AMOUNT),
}


def game_kinds(experiment: Experiment) -> dict[str, str]:
    """Return the kind of every game of the experiment.

    Raises InputError for an unknown kind, and for a game among those that are trained on that has no two actions.
    """
    folder = Path(experiment.paths.scenarios) / "games"
    kinds = {game: kind_of(folder / f"{game}.yaml") for game in experiment.every_game}
    for game, kind in kinds.items():
        if kind not in KINDS:
            raise InputError(f"{folder}/{game}.yaml: kind: must be one of {', '.join(KINDS)} (got {kind!r})")
        if KINDS[kind].answered != TWO_ACTIONS and game in experiment.games:
            raise InputError(
                f"games: {game} is of the kind {kind}; only games of {TWO_ACTIONS} are trained on. "
                "Name it in the games of a split of its own"
            )
    _refuse_shares_of_single_games(experiment, kinds)
    return kinds


def _refuse_shares_of_single_games(experiment: Experiment, kinds: Mapping[str, str]) -> None:
    """Raise InputError for a split that takes some games of a plane and has a game that is none."""
    for name, split in experiment.splits.items():
        said = "where" if split.where is not None else "share" if split.share is not None else ""
        single = [game for game in experiment.games_of(name) if kinds[game] != PLANE]
        if said and single:
            raise InputError(
                f"splits.{name}.{said}: only games of a plane can be taken so, and {single[0]} is of the kind "
                f"{kinds[single[0]]}; name planes alone in splits.{name}.games"
            )


def table_of_games(experiment: Experiment, game: str) -> list[str]:
    """Return the file that a plane's payoffs stand in, if they stand in one."""
    folder = Path(experiment.paths.scenarios)
    if kind_of(folder / "games" / f"{game}.yaml") != PLANE or (table := load_plane(folder, game).table) is None:
        return []
    return [str(folder / table.path.expanduser())]


def game_facts(experiment: Experiment, game: str) -> dict[str, Any]:
    """Return what the pages of a game say of it, its name as `game`; raises InputError naming file and key."""
    kind = KINDS[kind_of(Path(experiment.paths.scenarios) / "games" / f"{game}.yaml")]
    return {"game": game, **kind.facts(experiment, game)}


def game_hashes(experiment: Experiment, games: Sequence[str]) -> dict[str, str]:
    """Return for each of `games` the hash of everything that is asked about it.

    Raises InputError naming the file that is wrong.
    """
    return {
        game: prompts_hash([*prompts, *comprehension]) for game, _, prompts, comprehension in _render(experiment, games)
    }


def game_hash(experiment: Experiment, game: str) -> str:
    """Return the hash of everything that is asked about one game, as `write_game` takes it."""
    _, prompts, comprehension = _rendered(experiment, game)
    return prompts_hash([*prompts, *comprehension])


def write_game(experiment: Experiment, game: str, path: Path) -> None:
    """Write everything that is asked about one game, or about one game of a plane, such as `plane.S3_T17`.

    Raises InputError naming the file that is wrong, or the plane that has no such game.
    """
    kind, prompts, comprehension = _rendered(experiment, game)
    write_prompts(prompts, path, KINDS[kind].answered, comprehension)


def file_of_game(experiment: Experiment, game: str) -> str:
    """Return the name of the file that a game is in: its own, or that of the plane that it is one game of."""
    planes = [each for each in experiment.every_game if game.startswith(f"{each}.")]
    return game if game in experiment.every_game else max(planes, key=len)


def _rendered(experiment: Experiment, game: str) -> tuple[str, list[Prompt | Query], list[Query]]:
    """Return the kind of one game, its prompts and the questions about its payoffs."""
    file = file_of_game(experiment, game)
    [(_, kind, prompts, comprehension)] = _render(experiment, [file])
    return kind, prompts if file == game else one_of_plane(prompts, file, game), comprehension


def _check_contexts(experiment: Experiment, kinds: Mapping[str, str]) -> None:
    """Raise InputError for a context that belongs to games of another kind than those of its split."""
    folder = read_wording(Path(experiment.paths.scenarios), experiment.templates).contexts
    contexts = dict.fromkeys(context for game in kinds for context in experiment.contexts_of(game))
    told = {context: kind_of(folder / f"{context}.yaml") for context in contexts}
    for split, members in experiment.splits.items():
        for game in experiment.games_of(split):
            for context in members.contexts:
                if game in kinds and told[context] != KINDS[kinds[game]].answered:
                    raise InputError(
                        f"splits.{split}.contexts: {context} is a context for games of {told[context]} "
                        f"({folder}/{context}.yaml: kind), and {game} is a game of {kinds[game]}"
                    )


def _render(
    experiment: Experiment, games: Sequence[str]
) -> Iterator[tuple[str, str, list[Prompt | Query], list[Query]]]:
    """Yield for each game its name, its kind, its prompts and the questions about its payoffs, context by context."""
    kinds = game_kinds(experiment)
    _check_contexts(experiment, {game: kinds[game] for game in games})
    for name, kind in KINDS.items():
        members = [game for game in games if kinds[game] == name]
        # What games have in common is read once.
        read = dict.fromkeys(context for game in members for context in experiment.contexts_of(game))
        sources = kind.read(experiment, members, list(read)) if members else None
        for game in members:
            contexts = experiment.contexts_of(game)
            asked = [context for context in contexts if context in experiment.comprehension]
            prompts = [one for context in contexts for one in kind.prompts(experiment, game, context, sources)]
            queries = [one for context in asked for one in kind.comprehension(experiment, game, context, sources)]
            yield game, name, prompts, queries
