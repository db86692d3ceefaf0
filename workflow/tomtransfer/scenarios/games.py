"""Games and contexts: what a person writes in `scenarios/`, checked on load.

A game here is a symmetric two-player game with two choices, given by four payoffs; a context is the social situation
that the game is set in. One game in one context is a scenario. Games of other kinds have modules of their own; every
file of a game or a context says of which kind it is, unless it is of this one.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import FieldError, InputError, Number, Record, Text, validate
from tomtransfer.scenarios.families import FAMILIES, OTHER, families_of, has_order, with_actions_exchanged
from tomtransfer.scenarios.wording import WORDS_FILE, Wording

TWO_ACTIONS: Literal["two_actions"] = "two_actions"
"""The kind of the games here."""

LARGEST_POINTS = 1e9
"""Points that an outcome may earn, at most."""

Points = Annotated[Number, Field(ge=-LARGEST_POINTS, le=LARGEST_POINTS)]


class Payoffs(Record):
    """What you earn, in points, for your choice and your coplayer's."""

    reward: Points
    """Both cooperate."""
    sucker: Points
    """You cooperate, your coplayer defects."""
    temptation: Points
    """You defect, your coplayer cooperates."""
    punishment: Points
    """Both defect."""

    def times(self, factor: float) -> "Payoffs":
        """Return the payoffs multiplied by `factor`; the ordering stays as it is."""
        return Payoffs(**{name: points * factor for name, points in self.model_dump().items()})


class Game(Record):
    """A symmetric two-player game with two choices."""

    kind: Literal["two_actions"] = TWO_ACTIONS
    """What is chosen: one of two actions."""
    title: Text
    """The game's name as people read it."""
    family: str
    """The order of payoffs that the game claims to have, by its name in `families`; `other` claims none."""
    payoffs: Payoffs

    @field_validator("family")
    @classmethod
    def _known(cls, family: str) -> str:
        if family not in (*FAMILIES, OTHER):
            own = [name for name, known in FAMILIES.items() if family.lower().replace(" ", "_") in known.also]
            hint = "".join(f"here it is called {name}; " for name in own)
            raise ValueError(f"unknown family; {hint}allowed: {', '.join([*FAMILIES, OTHER])}")
        return family

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        points = self.payoffs.model_dump()
        if self.family != OTHER and not has_order(points, FAMILIES[self.family]):
            order = FAMILIES[self.family].order
            found = ", ".join(f"{name} {points[name]:g}" for name in order)
            raise FieldError(
                "payoffs",
                f"those of the family {self.family} must satisfy {' > '.join(order)}, or be equal; they are {found}: "
                f"{_order_in_words(points)}",
            )
        return self


def _order_in_words(points: Mapping[str, float]) -> str:
    """Say whose order payoffs have."""
    if found := families_of(points):
        return f"the order of {' and '.join(found)}"
    found = families_of(with_actions_exchanged(points))
    return f"the order of {' and '.join(found)} if cooperating is called defecting and the other way round"


class Context(Record):
    """The social situation that a game is set in: six sentences, in the order of a prompt."""

    kind: Literal["two_actions"] = TWO_ACTIONS
    """The kind of game that can be told so."""
    title: Text
    """The context's name as people read it."""
    relation: Text | None = None
    """What the other person is to you, in a word such as friend; told to no model, for whoever analyses the results."""
    you: Text
    """Who you are."""
    other: Text
    """Who the other person is."""
    choice: Text
    """What the two choices are choices of."""
    points: Text
    """What the points stand for."""
    independence: Text
    """That your coplayer decides independently and unseen."""
    once: Text
    """That this happens only once."""


def kind_of(path: Path) -> str:
    """Return the kind of the game, or of games for the context, in a file; raises InputError if it cannot be read."""
    return str(read_yaml(path).get("kind", TWO_ACTIONS))


def load_game(folder: Path, name: str) -> Game:
    """Return the game in `folder/games/name.yaml`; raises InputError naming file and key."""
    path = folder / "games" / f"{name}.yaml"
    return validate(Game, read_yaml(path), path)


def load_context(wording: Wording, name: str) -> Context:
    """Return the context of this name in a wording.

    Raises InputError naming file and key, also where the other person is not called what the wording calls them.
    """
    path = wording.contexts / f"{name}.yaml"
    context = validate(Context, read_yaml(path), path)
    coplayer = wording.words.coplayer
    if coplayer.casefold() not in context.independence.casefold():
        raise InputError(
            f"{path}: independence: the other person must be called the {coplayer!r} here, as in "
            f"{wording.prompts / WORDS_FILE} (got {context.independence!r})"
        )
    return context
