"""Progress and time left of long work, as lines in the log."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

Part = TypeVar("Part", bound=Sequence[object])

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


@dataclass
class _Whole:
    """Work that is done in parts: how much of it there is and is done, and the size of the part that is being done."""

    unit: str
    total: int
    started: float
    done: int = 0
    part: int = 0


_whole: ContextVar[_Whole | None] = ContextVar("whole", default=None)


def each_part(unit: str, parts: Sequence[Part]) -> Iterator[Part]:
    """Yield the parts of a work. What counts its own progress within one then says how long all of them will take."""
    whole = _Whole(unit, sum(map(len, parts)), time.monotonic())
    for part in parts:
        whole.part = len(part)
        before = _whole.set(whole if len(parts) > 1 else None)
        try:
            yield part
        finally:
            _whole.reset(before)
        whole.done += len(part)


class Progress:
    """Counts finished pieces of work and says, now and then, how many there are and how long the rest will take."""

    def __init__(self, unit: str, total: int) -> None:
        self.unit = unit
        self.total = total
        self.done = 0
        self.started = time.monotonic()
        self.last_line = self.started

    def advance(self, pieces: int = 1, note: str = "") -> None:
        """Count `pieces` more as done."""
        self.done += pieces
        now = time.monotonic()
        if self.done < self.total and now - self.last_line < SECONDS_BETWEEN_LINES:
            return
        self.last_line = now
        counted = f"{self.done} of {self.total} {self.unit}"
        done, total, started = float(self.done), self.total, self.started
        if (whole := _whole.get()) is not None:
            done, total, started = whole.done + whole.part * done / total, whole.total, whole.started
            counted += f", {done:.0f} of {total} {whole.unit}"
        elapsed = now - started
        left = elapsed / done * (total - done)
        logger.info("%s, %s elapsed, %s left%s", counted, clock(elapsed), clock(left), note and f", {note}")


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
