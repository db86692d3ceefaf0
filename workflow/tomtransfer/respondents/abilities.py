"""What a server was found to be able to do: noted in the store, cited by every answer, read again without asking."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.store import digest_of
from tomtransfer.inference.examination import place_of

Continuing = Literal["", "last message", "continue_final_message", "prefix"]
"""How a server is told to go on with an answer that is begun; empty where it cannot."""


@dataclass(frozen=True)
class Abilities:
    """What a server does, as a few requests have shown."""

    server: str
    """What it is: vllm, sglang, llama.cpp, ollama, or what it calls itself."""
    version: str
    """Its version, where it says; empty otherwise."""
    model: str
    """What it calls the model."""
    logprobs: int
    """How many of the likeliest tokens it gives with their log-probabilities; 0 where it gives none."""
    before_temperature: bool
    """Whether these are before temperature: the same at any."""
    vocabulary: int
    """How many tokens the model has, where the server says; 0 otherwise."""
    continuing: Continuing
    keeps_line: bool
    """Whether a line break at the end of what is begun reaches the model; some chat templates strip it."""
    echoes: bool
    """Whether it repeats what was begun in front of what it adds."""
    length: str
    """What the server calls the most tokens that an answer may have."""
    neutral: Mapping[str, Any] = field(default_factory=dict)
    """What keeps its own defaults of sampling from changing anything."""

    @property
    def key(self) -> str:
        """The sha256 of all of it, by which answers cite it."""
        return digest_of(asdict(self))

    @property
    def whole_vocabulary(self) -> bool:
        """Whether the probability of every token is seen."""
        return 0 < self.vocabulary <= self.logprobs

    @property
    def said(self) -> str:
        """What it does, in words."""
        if not self.logprobs:
            return "no log-probabilities: answers are drawn"
        when = "before temperature" if self.before_temperature else "after temperature"
        seen = "all tokens" if self.whole_vocabulary else f"the {self.logprobs} likeliest tokens"
        begun = f"answers are continued ({self.continuing})" if self.continuing else "answers cannot be continued"
        overridden = ", ".join(f"{name} {value}" for name, value in self.neutral.items())
        return f"log-probabilities of {seen}, {when}; {begun}; sampling: {overridden}"

    def noted(self) -> dict[str, Any]:
        """Return it as JSON holds it, with its key and in words, as examinations of models are noted."""
        about = {"served": asdict(self), "device": "a server", "software": f"{self.server} {self.version}".strip()}
        return {"key": self.key, "about": about, "in_words": self.said}


def note_abilities(found: Abilities, folder: Path, address: str) -> None:
    """Note what was found in a folder: under its key, where answers cite it, and as the latest of an address."""
    text = json.dumps(found.noted(), indent=1, ensure_ascii=False) + "\n"
    write_text(text, place_of(found.key, folder))
    write_text(text, place_of(address, folder))


def read_abilities(folder: Path, address: str) -> Abilities | None:
    """Return what was last noted of an address, or None where nothing can be read."""
    try:
        noted = json.loads(place_of(address, folder).read_text(encoding="utf-8"))
        return Abilities(**noted["about"]["served"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
