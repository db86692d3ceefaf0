"""The prompts of planes. A game in a context is a scenario, called by context and payoffs, as in `neutral S3 T17`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.games import TWO_ACTIONS, Context, Payoffs, load_context
from tomtransfer.scenarios.planes import load_plane
from tomtransfer.scenarios.questions import Prompt, Query
from tomtransfer.scenarios.rendering import Templates, read_templates, render_payoffs, within_bounds
from tomtransfer.scenarios.shares import games_of_splits
from tomtransfer.scenarios.wording import read_wording


@dataclass(frozen=True)
class PlaneSources:
    """What the prompts of planes are made from, read once: games by split of each plane, contexts, templates."""

    games: Mapping[str, Mapping[str, Mapping[str, Payoffs]]]
    contexts: Mapping[str, Context]
    templates: Templates


def read_plane_sources(experiment: Experiment, planes: Sequence[str], contexts: Sequence[str]) -> PlaneSources:
    """Return the named planes and contexts and the templates; raises InputError naming the file that is wrong."""
    wording = read_wording(Path(experiment.paths.scenarios), experiment.templates)
    return PlaneSources(
        {plane: games_of_splits(experiment, plane) for plane in planes},
        {name: load_context(wording, name) for name in contexts},
        read_templates(wording, TWO_ACTIONS),
    )


def render_plane(experiment: Experiment, plane: str, context_name: str, sources: PlaneSources) -> list[Prompt]:
    """Return every prompt of a plane in one context: each game of each split that has it, each frame, each question."""
    prompts = []
    for split_name, games in sources.games[plane].items():
        split = experiment.splits[split_name]
        if context_name not in split.contexts:
            continue
        for game, payoffs in games.items():
            scaled = within_bounds(payoffs, game, split, split_name)
            place = (split_name, plane, scenario_name(context_name, game))
            prompts += render_payoffs(experiment, place, sources.contexts[context_name], scaled, sources.templates)
    return prompts


def scenario_name(context: str, game: str) -> str:
    """Return what a game of a plane in a context is called, where other games have the name of the context alone."""
    return f"{context} {game}"


def plane_scenarios(experiment: Experiment, split: str, plane: str) -> dict[str, dict[str, float]]:
    """Return the payoffs of the scenarios that a split has of a plane, as they are played, by their names."""
    members = experiment.splits[split]
    games = games_of_splits(experiment, plane)[split].items()
    return {
        scenario_name(context, name): payoffs.times(members.payoff_factor).model_dump()
        for context in members.contexts
        for name, payoffs in games
    }


def situation_of(context: str) -> str:
    """Return the name of the context of a scenario, without the game of a plane that it may be of."""
    return context.partition(" ")[0]


def game_of(context: str) -> str:
    """Return what the game of a plane is called that a scenario is of, such as `S3 T17`."""
    return context.partition(" ")[2]


def one_of_plane(prompts: Sequence[Prompt | Query], plane: str, game: str) -> list[Prompt | Query]:
    """Return the prompts of one game of a plane, such as `plane.S3_T17`; raises InputError if there is none."""
    wanted = game.removeprefix(f"{plane}.").replace("_", " ")
    found = [prompt for prompt in prompts if game_of(prompt.context) == wanted]
    if not found:
        first, last = (game_of(prompts[number].context).replace(" ", "_") for number in (0, -1))
        raise InputError(f"{game}: the plane has no such game; it has {plane}.{first} to {plane}.{last}")
    return found


def plane_facts(experiment: Experiment, name: str) -> dict[str, object]:
    """Return what the pages of a plane say of it: its title, and how many games each split has."""
    plane = load_plane(Path(experiment.paths.scenarios), name)
    games = games_of_splits(experiment, name)
    shares = ", ".join(f"{len(each):,} in {split}" for split, each in games.items())
    return {**plane.model_dump(mode="json"), "holds": [f"Many games, which differ in their payoffs: {shares}."]}
