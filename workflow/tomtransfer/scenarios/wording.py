"""How prompts are worded: the language, and what it calls the coplayer and what is earned.

`scenarios/prompts/NAME/` holds everything that a wording is made of: `words.yaml`, and for each kind of game a folder
with the two templates of its prompts, sentence for sentence. Contexts are written in the words of a wording. They stand
in `scenarios/contexts/NAME/` or, where there is no such folder, in `scenarios/contexts/`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import InputError, Record, Text, validate

WORDS_FILE = "words.yaml"
"""The file of a wording beside its templates."""


class Counted(Record):
    """What is counted, of which there may be one or several."""

    singular: Text
    """What one of it is called."""
    plural: Text
    """What several, none, and parts of one are called."""


class Words(Record):
    """The words that templates and contexts have in common, and how the language writes numbers."""

    language: Text
    """The language, as people read its name in a report."""
    coplayer: Text
    """What the other person is called, in every context and every template."""
    points: Counted
    """What an outcome earns."""
    decimal_mark: Literal[".", ","] = "."
    """What stands between units and tenths."""
    units: dict[Text, Text] = Field(default={})
    """What is given in games of amounts, by the unit in the game's file; a unit that is not here stays as it is."""
    phrases: Literal["english", "german"] | None = None
    """The language whose phrases of choosing the parser of drawn answers knows; null reads labels and amounts alone."""

    def number(self, digits: str) -> str:
        """Return a number as the language writes it."""
        return digits.replace(".", self.decimal_mark)

    def earned(self, digits: str) -> str:
        """Return a number of points as the language writes it: `1 point`, `10 points`."""
        return f"{self.number(digits)} {self.points.singular if digits == '1' else self.points.plural}"

    def unit(self, unit: str) -> str:
        """Return what a unit of a game of amounts is called."""
        return self.units.get(unit, unit)

    @property
    def reading(self) -> str:
        """Return what a report has to say of how drawn answers are read; nothing where sentences are read too."""
        if self.phrases:
            return ""
        return (
            f"Answers are drawn in {self.language}, for which the parser has no phrases: an answer counts where it "
            "begins or ends with its label or amount, and sentences are not read."
        )


@dataclass(frozen=True)
class Wording:
    """A folder of templates by its name, with its words."""

    scenarios: Path
    name: str
    words: Words

    @property
    def prompts(self) -> Path:
        """Return the folder of its words and templates."""
        return self.scenarios / "prompts" / self.name

    @property
    def contexts(self) -> Path:
        """Return the folder of the contexts that are written in it."""
        own = self.scenarios / "contexts" / self.name
        return own if own.is_dir() else own.parent


def read_wording(scenarios: Path, name: str) -> Wording:
    """Return the wording in `scenarios/prompts/name/`; raises InputError if there is none, or naming file and key."""
    folder = scenarios / "prompts" / name
    if not folder.is_dir():
        known = ", ".join(sorted(each.name for each in folder.parent.glob("*/"))) or "nothing"
        raise InputError(f"templates: there is no folder {folder}; {folder.parent} has: {known}")
    path = folder / WORDS_FILE
    return Wording(scenarios, name, validate(Words, read_yaml(path), path))
