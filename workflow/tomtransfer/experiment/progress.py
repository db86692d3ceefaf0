"""Progress and time left of long work, as lines in the log."""

import logging
import time

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 10.0


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
        elapsed = now - self.started
        left = elapsed / self.done * (self.total - self.done)
        logger.info(
            "%d of %d %s, %s elapsed, %s left%s",
            *(self.done, self.total, self.unit, clock(elapsed), clock(left), note and f", {note}"),
        )


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d}"
