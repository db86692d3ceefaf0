"""Examining a model once: what it is, how its weights are stored, and what its prompts and completions may share."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tomtransfer.experiment.files import write_text
from tomtransfer.inference.proof import prove
from tomtransfer.inference.sharing import Sharing
from tomtransfer.models.quantization import stored_as

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examination:
    """What was found out about a model."""

    architecture: str
    weights: str
    """How the checkpoint stores them."""
    sharing: Sharing
    differences: Mapping[str, float | str]
    """By how much each way that was tried differs from plain passes, in standard deviations of the logits, or why it
    could not be tried."""

    @property
    def said(self) -> str:
        """What prompts and completions share, in words."""
        rows = "prompts and completions share rows" if self.sharing.rows else "each prompt and completion by itself"
        window = f" of at most {self.sharing.longest} tokens" if self.sharing.longest else ""
        return f"{rows}{window}; drawn texts: {self.sharing.drawing}"


def examine_model(load: Callable[[], Any], directory: Path, place: Path | None) -> Examination:
    """Return what is noted in `place` about the model in `directory`, or load it, examine it and note that.

    Raises InputError for a model that cannot be used.
    """
    if place is not None and (known := read_examination(place)):
        return known
    model = load()
    vocabulary = model.get_input_embeddings().weight.shape[0]
    sharing, differences = prove(model, vocabulary)
    found = Examination(type(model).__name__, stored_as(directory), sharing, differences)
    logger.info(
        "%s examined: %s, weights stored as %s; %s", directory.name, found.architecture, found.weights, found.said
    )
    if not sharing.rows:
        logger.warning("%s: its prompts cannot share rows, so that it takes longer", directory.name)
    if place is not None:
        write_text(json.dumps(asdict(found), indent=1) + "\n", place)
    return found


def read_examination(place: Path) -> Examination | None:
    """Return what is noted in `place`, or None where nothing can be read."""
    try:
        noted = json.loads(place.read_text(encoding="utf-8"))
        return Examination(**{**noted, "sharing": Sharing(**noted["sharing"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
