"""Batches that may not fit into memory: where one does not, its halves are done one after the other."""

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

from tomtransfer.experiment.validation import InputError

logger = logging.getLogger(__name__)

Piece = TypeVar("Piece")
Result = TypeVar("Result")


class TooLargeError(InputError):
    """Memory does not suffice for the least that can be computed at once."""


def in_halves(work: Callable[[Sequence[Piece]], Sequence[Result]], batch: Sequence[Piece]) -> list[Result]:
    """Return what `work` makes of `batch`, which is cut in half, and again, wherever memory does not suffice.

    Raises TooLargeError when it does not suffice for one piece.
    """
    try:
        return list(work(batch))
    except (torch.OutOfMemoryError, TooLargeError) as error:
        if len(batch) == 1:
            raise TooLargeError(
                f"out of memory on a single prompt; the model needs a larger device: {error}"
            ) from error
    # Not in the handler above: the error holds on to everything that was allocated when it was raised.
    logger.warning("out of memory on %d prompts or texts at once; they are done in halves", len(batch))
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(batch) // 2
    return in_halves(work, batch[:middle]) + in_halves(work, batch[middle:])
