"""What every script has around its work: a log, also seen on the terminal, errors said in one line, GPUs of its own."""

import errno
import fcntl
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tomtransfer.devices import claimed_gpus
from tomtransfer.validation import InputError

NO_ROOM = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS))


@contextmanager
def job(snakemake: Any) -> Iterator[None]:
    """Log to the job's file and to the terminal; end with the message alone when something given is wrong."""
    name = " ".join([snakemake.rule, *snakemake.wildcards])
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name}: %(message)s",
        datefmt="%H:%M:%S",
        handlers=[logging.FileHandler(snakemake.log[0], mode="w"), logging.StreamHandler()],
    )
    # A full disk would otherwise show a traceback for every line that cannot be logged.
    logging.raiseExceptions = False
    # What a library will call differently in a later version, and a kernel that it would have liked to download, is
    # nothing to whoever runs the workflow.
    warnings.simplefilter("ignore", FutureWarning)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _stop)
    try:
        with _alone(Path(snakemake.log[0])), _gpus(snakemake.resources):
            yield
    except InputError as error:
        logging.error("%s", error)
        sys.exit(1)
    except Exception as error:
        # Not all libraries raise OSError for it, but all pass the system's words on.
        if any(words in str(error) for words in NO_ROOM):
            logging.error("%s. Make room and run again: what is finished is kept", error)
        else:
            logging.exception("unexpected error")
        sys.exit(1)


def _gpus(resources: Any) -> AbstractContextManager[object]:
    """Return the claim to the GPUs that a job asks for; a job that stays on the CPU claims none."""
    wanted = resources.get("gpu") if resources.get("device") != "cpu" else None
    return nullcontext() if wanted is None else claimed_gpus(wanted)


def _stop(signal_number: int, frame: Any) -> None:
    """End as after any other error when told to, as clusters do shortly before they kill."""
    raise InputError(
        "stopped from outside: cancelled, or past its time limit, which for steps with a model is compute.minutes. "
        "What is finished is kept; run again to go on"
    )


@contextmanager
def _alone(log: Path) -> Iterator[None]:
    """Wait for the same job of an earlier run: it goes on when the Snakemake that started it is killed.

    A lock ends with its process, however that ends. Two of them at once would share checkpoints, and the older one
    might be the last to write.
    """
    with log.with_name(f".{log.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            logging.warning("the same job of an earlier run is still at work; waiting until it is done")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            logging.warning("cannot make sure that no other run is doing this: no locks on this file system: %s", error)
        yield
