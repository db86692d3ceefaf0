"""Examining a model once: what it is, how its weights are stored, and what its prompts and completions may share."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.store import digest_of
from tomtransfer.inference.sharing import Sharing

logger = logging.getLogger(__name__)

EXAMINED = "examined"
"""The folder of a store that holds examinations."""

KEY_SHOWN = 16
"""Digits of a key that are enough for the name of a file."""


@dataclass(frozen=True)
class Examination:
    """What was found out about a model."""

    about: Mapping[str, Any]
    """Of which model this holds: its name, revision and precision, the device, the versions of the libraries."""
    architecture: str
    weights: str
    """How the checkpoint stores them."""
    sharing: Sharing
    differences: Mapping[str, float | str]
    """By how much each way that was tried differs from plain passes, in standard deviations of the logits, or why it
    could not be tried."""

    @property
    def key(self) -> str:
        """The sha256 of what it holds of, by which answers and adapters cite it."""
        return digest_of(self.about)

    @property
    def said(self) -> str:
        """What prompts and completions share, in words."""
        rows = "prompts and completions share rows" if self.sharing.rows else "each prompt and completion by itself"
        window = f" of at most {self.sharing.longest} tokens" if self.sharing.longest else ""
        return f"{rows}{window}; drawn texts: {self.sharing.drawing}"

    def noted(self) -> dict[str, Any]:
        """Return it as JSON holds it, with its key and in words."""
        return {"key": self.key, **asdict(self), "in_words": self.said}


def examine_model(
    load: Callable[[], Any], directory: Path, place: Path | None, about: Mapping[str, Any] | None = None
) -> Examination:
    """Return what is noted in `place` about the model in `directory`, or load it, examine it and note that.

    `about` says of which model and software this holds. Raises InputError for a model that cannot be used.
    """
    if place is not None and (known := read_examination(place)):
        return known
    from tomtransfer.inference.proof import prove
    from tomtransfer.models.quantization import stored_as

    model = load()
    # That of the model itself, with or without an adapter.
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    sharing, differences = prove(model, model.get_input_embeddings().weight.shape[0])
    found = Examination(about or {}, type(plain).__name__, stored_as(directory), sharing, differences)
    logger.info(
        "%s examined: %s, weights stored as %s; %s", directory.name, found.architecture, found.weights, found.said
    )
    if not sharing.rows:
        logger.warning("%s: its prompts cannot share rows, so that it takes longer", directory.name)
    if place is not None:
        write_text(json.dumps(found.noted(), indent=1) + "\n", place)
    return found


def place_of(key: str, folder: Path) -> Path:
    """Return where an examination is noted in a folder of them."""
    return folder / f"{key[:KEY_SHOWN]}.json"


def read_examination(place: Path) -> Examination | None:
    """Return what is noted in `place`, or None where nothing can be read."""
    try:
        noted = json.loads(place.read_text(encoding="utf-8"))
        names = ("about", "architecture", "weights", "differences")
        return Examination(**{name: noted[name] for name in names}, sharing=Sharing(**noted["sharing"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def cited_examinations(keys: Iterable[str], folder: Path) -> list[dict[str, Any]]:
    """Return the examinations that answers cite by their keys, be it of models or of servers.

    Of one that is gone, or was none, it is the key alone.
    """
    return [_noted(place_of(key, folder), key) for key in sorted(set(keys) - {""})]


def _noted(place: Path, key: str) -> dict[str, Any]:
    try:
        noted = json.loads(place.read_text(encoding="utf-8"))
        return dict(noted) if noted["key"] == key and "served" in noted["about"] else _examined(place, key)
    except (OSError, ValueError, TypeError, KeyError):
        return {"key": key}


def _examined(place: Path, key: str) -> dict[str, Any]:
    found = read_examination(place)
    return found.noted() if found else {"key": key}
