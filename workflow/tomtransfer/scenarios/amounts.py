"""Games whose choice is an amount: how much of an endowment each of several people gives to what all of them share.

What is in the fund is multiplied and divided equally. Between one and the number of people, the multiplier makes it a
dilemma: a unit that is given returns less than a unit to who gives it, and more than a unit to all (the voluntary
contribution mechanism; Ledyard 1995, Public goods, in The Handbook of Experimental Economics).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.framing import Label
from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import FieldError, InputError, Number, Record, Text, validate
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.questions import Query, content_hash
from tomtransfer.scenarios.rendering import Templates, read_templates, render_templates
from tomtransfer.scenarios.wording import Wording, read_wording

AMOUNT: Literal["amount"] = "amount"
"""The kind of the games here."""

UNLABELLED = "amount"
"""The frame of a game whose choices have no labels to swap."""


class AmountGame(Record):
    """A public-goods game: everyone gives from an endowment to a fund that all profit from alike."""

    kind: Literal["amount"]
    """What is chosen: an amount."""
    title: Text
    """The game's name as people read it."""
    unit: Label
    """What is given, in the plural, such as dollars; a wording may have another word for it."""
    endowment: int = Field(ge=1, le=1000)
    """The most that may be given; the least is nothing."""
    people: int = Field(ge=2, le=1000)
    """How many give, you among them."""
    multiplier: Number
    """What the fund is multiplied by before it is divided."""

    @model_validator(mode="after")
    def _is_a_dilemma(self) -> Self:
        if not 1 < self.multiplier < self.people:
            raise FieldError(
                "multiplier",
                f"must be above 1 and below the {self.people} people, or there is no dilemma (got {self.multiplier:g})",
            )
        return self

    @property
    def amounts(self) -> tuple[str, ...]:
        """Return every amount that may be given, as it is written."""
        return tuple(str(amount) for amount in range(self.endowment + 1))

    @property
    def holds(self) -> tuple[str, str]:
        """Return what holds of the game in two sentences: what earns one the most, and what earns all the most."""
        kept, shared = (in_digits(self.earned(given, given)) for given in (0, self.endowment))
        multiplier = in_digits(self.multiplier)
        return (
            f"A unit that is given returns {multiplier}/{self.people} of a unit to its giver and {multiplier} to all "
            "together: giving nothing earns most, whatever the others do, and in the only equilibrium nobody gives.",
            f"Everyone would earn more if all gave everything ({shared} each, not {kept}).",
        )

    @property
    def payoffs(self) -> dict[str, float]:
        """Return the numbers that say what is earned."""
        return {"endowment": self.endowment, "people": self.people, "multiplier": self.multiplier}

    def earned(self, own: float, each_other: float) -> float:
        """Return what you end up with, in units, when you give `own` and everyone else gives `each_other`."""
        fund = own + (self.people - 1) * each_other
        return self.endowment - own + self.multiplier * fund / self.people


class AmountContext(Record):
    """The social situation that a game of amounts is set in, in the order of a prompt."""

    kind: Literal["amount"]
    """The kind of game that can be told so."""
    title: Text
    """The context's name as people read it."""
    relation: Text | None = None
    """What the others are to you, in a word such as stranger; told to no model, for whoever analyses the results."""
    you: Text
    """Who you are."""
    others: Text
    """Who the others are."""
    fund: Text
    """What is given to."""
    benefit: Text
    """What becomes of what was given, and who enjoys it."""
    independence: Text
    """That everyone decides independently and unseen."""
    once: Text
    """That this happens only once."""


@dataclass(frozen=True)
class AmountSources:
    """What prompts are made from, read once: games and contexts by name, and the templates."""

    games: dict[str, AmountGame]
    contexts: dict[str, AmountContext]
    templates: Templates


def load_amount_game(folder: Path, name: str) -> AmountGame:
    """Return the game in `folder/games/name.yaml`; raises InputError naming file and key."""
    path = folder / "games" / f"{name}.yaml"
    return validate(AmountGame, read_yaml(path), path)


def load_amount_context(wording: Wording, name: str) -> AmountContext:
    """Return the context of this name in a wording; raises InputError naming file and key."""
    path = wording.contexts / f"{name}.yaml"
    return validate(AmountContext, read_yaml(path), path)


def read_amount_sources(experiment: Experiment, games: Sequence[str], contexts: Sequence[str]) -> AmountSources:
    """Return the named games and contexts and the templates; raises InputError naming the file that is wrong."""
    wording = read_wording(Path(experiment.paths.scenarios), experiment.templates)
    return AmountSources(
        {name: load_amount_game(wording.scenarios, name) for name in games},
        {name: load_amount_context(wording, name) for name in contexts},
        read_templates(wording, AMOUNT),
    )


def amount_facts(experiment: Experiment, name: str) -> dict[str, Any]:
    """Return what people wrote of a game, its unit as prompts call it, and what holds of it.

    Raises InputError naming file and key.
    """
    wording = read_wording(Path(experiment.paths.scenarios), experiment.templates)
    game = load_amount_game(wording.scenarios, name)
    return {**game.model_dump(mode="json"), "unit": wording.words.unit(game.unit), "holds": game.holds}


def render_amounts(experiment: Experiment, game_name: str, context_name: str, sources: AmountSources) -> list[Query]:
    """Return every prompt of one game in one context: each split that has it, each question.

    Raises InputError for a template that is wrong and for a split that multiplies payoffs, which a fund has not.
    """
    questions = dict.fromkeys(experiment.questions.values())
    return [
        ask_amount(sources, split, game_name, context_name, question, sources.games[game_name].amounts)
        for split in _splits(experiment, game_name, context_name)
        for question in questions
    ]


def ask_amount(
    sources: AmountSources,
    split: str,
    game_name: str,
    context_name: str,
    question: str,
    candidates: tuple[str, ...],
    right: str | None = None,
) -> Query:
    """Return one prompt of a game in a context; raises InputError when a template is wrong."""
    game, context, words = sources.games[game_name], sources.contexts[context_name], sources.templates.words
    variables = {
        "context": context.model_dump(),
        "game": {**game.model_dump(), "multiplier": in_digits(game.multiplier), "unit": words.unit(game.unit)},
        "question": question,
    }
    system, user = render_templates(sources.templates, variables)
    digest = content_hash([system, user, *candidates])
    place = (split, game_name, context_name, UNLABELLED, question)
    return Query(*place, candidates, right, game.payoffs, system, user, digest, words.unit(game.unit), words.phrases)


def _splits(experiment: Experiment, game: str, context: str) -> list[str]:
    """Return the splits that have a game in a context."""
    found = []
    for name, split in experiment.splits.items():
        if game in experiment.games_of(name) and context in split.contexts:
            if split.payoff_factor != 1:
                raise InputError(f"splits.{name}.payoff_factor: {game} is a game of amounts; its factor must be 1")
            found.append(name)
    return found


def amount_comprehension(
    experiment: Experiment, game_name: str, context_name: str, sources: AmountSources
) -> list[Query]:
    """Return the questions about what is earned, with the answers that the game's numbers give."""
    game = sources.games[game_name]
    all_give = game.earned(game.endowment, game.endowment)
    answers = {
        "all_give": in_digits(all_give),
        "none_gives": in_digits(game.earned(0, 0)),
        "only_you_give": in_digits(game.earned(game.endowment, 0)),
        "best_for_you": "0",
    }
    numbers = tuple(str(number) for number in range(int(max(all_give, game.earned(0, game.endowment))) + 1))
    candidates = tuple(dict.fromkeys([*numbers, *answers.values()]))
    return [
        ask_amount(sources, split, game_name, context_name, question, candidates, right)
        for split in _splits(experiment, game_name, context_name)
        for question, right in answers.items()
    ]
