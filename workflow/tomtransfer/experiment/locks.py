"""Locks that end with their process, however that ends."""

import logging
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

logger = logging.getLogger(__name__)


def hold(file: Path, meanwhile: str) -> BaseFileLock:
    """Return the lock on `file` once it is held; `meanwhile` is said if that takes a while.

    Within a process it is one lock, however often it is asked for. Some file systems have no locks: then that is said,
    and nothing is held.
    """
    lock = try_to_hold(file)
    if lock is None:
        logger.warning("%s", meanwhile)
        lock = _lock(file)
        lock.acquire()
    return lock


def try_to_hold(file: Path) -> BaseFileLock | None:
    """Return the lock on `file`, or None where another process holds it; see `hold`."""
    lock = _lock(file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        return None
    except OSError as error:
        logger.warning("cannot make sure that no other run is doing this: no locks on this file system: %s", error)
    return lock


def _lock(file: Path) -> BaseFileLock:
    return FileLock(file, is_singleton=True)
