"""The GPUs of this machine: each job claims as many as it asks for, so that no two jobs share one by accident.

Snakemake counts GPUs and hands none out, and torch takes the first ones that it sees. A claim is a lock that the system
gives up when the process ends, however it ends.
"""

import logging
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir

from filelock import FileLock, Timeout

from tomtransfer.experiment.validation import InputError

logger = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"
NONE = ("-1", "NoDevFiles")
"""What may stand for no GPU in CUDA_VISIBLE_DEVICES; whatever follows it is not seen either."""

SECONDS_BETWEEN_TRIES = 0.5
SECONDS_TO_LIST = 60


@contextmanager
def claimed_gpus(count: int) -> Iterator[tuple[str, ...]]:
    """Let this process see `count` GPUs of its own while it is inside, waiting until so many are free.

    They are chosen among those in CUDA_VISIBLE_DEVICES, where a cluster's scheduler puts those that it gave the job,
    or among all. A machine without any gives none, and its jobs run on the CPU. To be called before torch looks.

    Raises InputError when the machine has GPUs, but fewer than `count`.
    """
    there = visible_gpus()
    if there and len(there) < count:
        raise InputError(f"compute.gpu: {count} GPUs are asked for, but only {len(there)} can be seen here")
    before = os.environ.get(VISIBLE)
    with ExitStack() as stack:
        mine = tuple(_claim(list(there), count, there, stack)) if there else ()
        if there:
            os.environ[VISIBLE] = ",".join(mine)
            logger.info("GPUs of this job: %s", ", ".join(mine) or "none")
        try:
            yield mine
        finally:
            os.environ.pop(VISIBLE, None)
            if before is not None:
                os.environ[VISIBLE] = before


def visible_gpus() -> dict[str, str]:
    """Return the GPUs that this process may use, as CUDA_VISIBLE_DEVICES calls them, each with a name of its card.

    That name is the same in every process and container of the machine: a scheduler may call each job's own card 0.
    """
    cards = _cards()
    allowed = os.environ.get(VISIBLE)
    if allowed is None:
        return {card: card for card in cards.values()}
    names = [name.strip() for name in allowed.split(",") if name.strip()]
    end = next((place for place, name in enumerate(names) if name in NONE), len(names))
    return {name: cards.get(name, name) for name in names[:end]}


def _cards() -> dict[str, str]:
    """Return the identity of each card of this machine by its number, or nothing where there is no driver to ask."""
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, text=True, capture_output=True, check=True, timeout=SECONDS_TO_LIST)
    except (OSError, subprocess.SubprocessError):
        return {}
    rows = [line.partition(", ") for line in done.stdout.splitlines()]
    return {number: identity for number, comma, identity in rows if comma}


def _claim(names: Sequence[str], count: int, cards: Mapping[str, str], stack: ExitStack) -> list[str]:
    """Return `count` of the GPUs with these names, locked until `stack` is left."""
    folder = Path(gettempdir()) / f"tomtransfer-gpus-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    waiting = False
    while True:
        # All or none: two jobs that each keep half of what the other waits for would wait for ever.
        with ExitStack() as tried:
            mine: list[str] = []
            for name in names:
                if len(mine) < count and _lock(folder / cards[name].replace("/", "_"), tried):
                    mine.append(name)
            if len(mine) == count:
                stack.enter_context(tried.pop_all())
                return mine
        if not waiting:
            logger.info("waiting for %d of the GPUs %s: other jobs have them", count, ", ".join(names))
            waiting = True
        time.sleep(SECONDS_BETWEEN_TRIES)


def _lock(path: Path, stack: ExitStack) -> bool:
    """Lock a file until `stack` is left; tell whether it was free."""
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return False
    stack.callback(lock.release)
    return True
