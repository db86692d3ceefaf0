"""Which scenarios an experiment has and how they are put: the splits and the frames of its config."""

import hashlib
import unicodedata
from itertools import combinations
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tomtransfer.experiment.names import GameName, Name
from tomtransfer.experiment.validation import LABEL, FieldError, Number, Record, Text

LONGEST_LABEL = 40
"""Characters of a label, at most: an answer begins with it."""


def _composed(label: str) -> str:
    """Return a label in Unicode's composed form (NFC), whatever form a keyboard or an editor gave it."""
    return unicodedata.normalize("NFC", label)


MOST_LABELS = 100
"""Labels that a frame draws from, at most."""

Label = Annotated[str, Field(pattern=LABEL, max_length=LONGEST_LABEL), AfterValidator(_composed)]


def _folded(label: str) -> str:
    """Return what is left of a label for a reader who overlooks case, width and what joins words."""
    return unicodedata.normalize("NFKC", label).casefold().replace("-", " ").replace("_", " ")


def _refuse_alike(cooperate: str, defect: str) -> None:
    """Raise ValueError when two labels cannot be told apart in an answer."""
    both = f"{cooperate!r} and {defect!r}"
    one, other = map(_folded, (cooperate, defect))
    if one == other:
        raise ValueError(
            f"cooperate and defect must have labels that can be told apart; {both} are the same but for case, "
            "accents, width or what joins their words"
        )
    if one.startswith(other) or other.startswith(one):
        raise ValueError(
            f"no label may be the beginning of the other, as with {both}: an answer is read from its beginning"
        )
    if f" {one} " in f" {other} " or f" {other} " in f" {one} ":
        raise ValueError(
            f"no label may stand in the other, as with {both}: an answer that names the longer one names both"
        )


class Frame(Record):
    """How a scenario is put: which label means cooperation, and what is named first."""

    cooperate: Label = "C"
    """Label of the cooperative choice: a letter, a word or a phrase, in any language."""
    defect: Label = "D"
    """Label of the other choice."""
    first: Literal["cooperate", "defect"] = "cooperate"
    """The choice that is named first."""
    labels: tuple[Label, ...] | None = Field(default=None, min_length=2, max_length=MOST_LABELS)
    """Labels to draw from, a pair for every scenario by a hash of its name: `cooperate` and `defect` then stand for the
    two of the pair, the same in every frame that names them. Null takes `cooperate` and `defect` as they are."""
    held_out: bool = False
    """Keep the frame from training. With labels that no other frame is trained on, it is played in sample alone: there
    the labels are what is new."""

    @model_validator(mode="after")
    def _different(self) -> Self:
        if self.cooperate == self.defect:
            raise ValueError(f"cooperate and defect must have different labels; both are {self.cooperate!r}")
        if self.labels is None:
            _refuse_alike(self.cooperate, self.defect)
        for one, other in combinations(self.labels or (), 2):
            _refuse_alike(one, other)
        return self

    def drawn_for(self, scenario: str) -> "Frame":
        """Return the frame as a scenario is played in it: with two of `labels`, if there are any."""
        if self.labels is None:
            return self
        drawn_first, left = sorted(self.labels), len(self.labels) - 1
        number = int(hashlib.sha256(scenario.encode()).hexdigest(), 16) % (len(self.labels) * left)
        one = drawn_first.pop(number // left)
        pair = (one, drawn_first[number % left])
        drawn = dict(zip(sorted((self.cooperate, self.defect)), pair, strict=True))
        return Frame(
            cooperate=drawn[self.cooperate], defect=drawn[self.defect], first=self.first, held_out=self.held_out
        )

    @property
    def options(self) -> tuple[str, str]:
        """Return both labels in the order in which they are named."""
        return (self.cooperate, self.defect) if self.first == "cooperate" else (self.defect, self.cooperate)


class Split(Record):
    """A set of scenarios: each of its games in each of its contexts."""

    games: tuple[GameName, ...] | None = Field(default=None, min_length=1)
    """Games that this split alone has, of any kind; null stands for the games of the experiment."""
    contexts: tuple[Name, ...] = Field(min_length=1)
    """Contexts by file name, without `.yaml`, in `scenarios/contexts/` or its subfolder of the name of `templates`."""
    payoff_factor: Number = Field(default=1, ge=1e-6, le=1e6)
    """What every payoff is multiplied by."""
    where: Text | None = None
    """Which games of a plane it has: a condition on `reward`, `sucker`, `temptation`, `punishment` and `family`, as in
    `sucker >= 15 and temptation >= 15`. The splits that say nothing of games have those that no other takes."""
    share: Annotated[Number, Field(gt=0, lt=1)] | None = None
    """In place of `where`, the share of the games of a plane that it has, by a hash of their payoffs: the same games in
    every experiment."""
    frames: tuple[Name, ...] | None = Field(default=None, min_length=1)
    """The frames that it is played in. Null stands for all in sample, and for those whose labels are trained on in
    every other split."""

    @model_validator(mode="after")
    def _takes_games_in_one_way(self) -> Self:
        if self.where is not None and self.share is not None:
            raise FieldError("share", "a split has games by where or by share, and not by both")
        return self
