"""Doing many things at once that mostly wait: as many as are allowed, handed on as they arrive."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

SECONDS_BETWEEN_PIECES = 1.0
"""What arrives is handed on at once, or so many seconds after what was handed on before."""

Answer = TypeVar("Answer")
Task = Callable[[], Awaitable[Answer]]


@dataclass
class Crew(Generic[Answer]):
    """So many workers as may be at work at once; each takes the next task until none is left or one has failed."""

    tasks: Sequence[Task[Answer]]
    size: int
    finished: list[tuple[int, Answer]] = field(default_factory=list)
    failure: Exception | None = None

    def __post_init__(self) -> None:
        """Begin with the first task."""
        self.waiting = iter(enumerate(self.tasks))
        self.something = asyncio.Event()
        """Set when something has arrived."""

    def arrived(self) -> list[tuple[int, Answer]]:
        """Return what has arrived since the last time, with the numbers of the tasks."""
        pieces, self.finished = self.finished, []
        self.something.clear()
        return pieces

    async def arrival(self, working: "asyncio.Task[None]", pause: float) -> None:
        """Wait until something has arrived or the work is done, and for a `pause` first unless it is."""
        await asyncio.wait([working], timeout=pause)
        if not working.done():
            waiting = asyncio.ensure_future(self.something.wait())
            await asyncio.wait([working, waiting], timeout=SECONDS_BETWEEN_PIECES, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()

    async def work(self) -> None:
        """Do all tasks; raises the first failure, after what was under way then has come to its end."""
        await asyncio.gather(*(self._worker() for _ in range(min(self.size, len(self.tasks)))))
        if self.failure:
            raise self.failure

    async def _worker(self) -> None:
        for number, task in self.waiting:
            try:
                answer = await task()
                self.finished.append((number, answer))  # to the list that there is by now
                self.something.set()
            except Exception as error:  # raised by `work`
                self.failure = self.failure or error
            if self.failure:
                return


def arriving(crew: Crew[Answer], around: Callable[[Task[None]], Awaitable[None]]) -> Iterator[list[tuple[int, Answer]]]:
    """Yield what a crew's tasks come to, as it arrives: at most once a second, some of it. `around` does its work.

    After a failure nothing new is begun; what is under way still arrives and is yielded before it is raised. When the
    process is told to end, what has arrived is yielded first.
    """
    with _told_to_end() as told, asyncio.Runner() as runner:
        working = runner.get_loop().create_task(_as_coroutine(around, crew.work))
        pause = 0.0
        try:
            while not working.done() and not told:
                runner.run(crew.arrival(working, pause))
                pause = 0.0
                if pieces := crew.arrived():
                    yield pieces
                    pause = SECONDS_BETWEEN_PIECES
            if not told:
                working.result()
        except (Exception, KeyboardInterrupt):
            if pieces := crew.arrived():
                yield pieces
            raise
        finally:
            working.cancel()


async def _as_coroutine(around: Callable[[Task[None]], Awaitable[None]], work: Task[None]) -> None:
    await around(work)


@contextmanager
def _told_to_end() -> Iterator[list[Any]]:
    """Note that the process is told to end, and tell it so at the end of the block.

    Raised in the midst of a request, the error would be taken for one of the connection, and the request tried again.
    """
    told: list[Any] = []
    if threading.current_thread() is not threading.main_thread():
        yield told
        return
    handler = signal.signal(signal.SIGTERM, lambda number, frame: told.append((number, frame)))
    try:
        yield told
    finally:
        signal.signal(signal.SIGTERM, handler)
        if told:
            signal.raise_signal(signal.SIGTERM)
