"""What every step of a workflow has around its work: a log, errors in one line, GPUs of its own, a record at its end.

A step is an object with `rule`, `wildcards`, `input`, `output`, `params`, `resources` and `log`, as Snakemake hands one
to a script. Nothing else here, and nothing below, knows of Snakemake.
"""

import errno
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from tomtransfer.experiment.locks import hold
from tomtransfer.experiment.records import file_hash, make_record, write_record
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.gpus import claimed_gpus

NO_ROOM = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS))

NOT_RECORDED = frozenset({"sources", "edited", "checked"})
"""Inputs whose content does not count: what counts of `sources` is a parameter, `edited` only starts a job, and what
was `checked` only lets it start."""


@contextmanager
def job(step: Any) -> Iterator[list[Path]]:
    """Log to the step's file and to the terminal; end with the message alone when something given is wrong.

    After the work the record of the step is written: its parameters, inputs and outputs, and the files that the work
    has put into the list that is yielded, because they stand elsewhere.
    """
    _log(step)
    signal.signal(signal.SIGTERM, _stop)
    try:
        with _alone(Path(step.log[0])), _gpus(step.resources):
            inputs = input_hashes(step)
            beside: list[Path] = []
            yield beside
            record = Path(step.output.record)
            files = [Path(file) for file in step.output if Path(file) != record]
            write_record(record, make_record(record, dict(step.params.items()), inputs, [*files, *beside]))
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


def input_hashes(step: Any) -> dict[str, list[str]]:
    """Return the sha256 of the files of each named input of a step."""
    return {
        name: [file_hash(Path(file)) for file in ([files] if isinstance(files, str) else files)]
        for name, files in step.input.items()
        if name not in NOT_RECORDED
    }


def _log(step: Any) -> None:
    name = " ".join([step.rule, *step.wildcards])
    logging.basicConfig(
        level=logging.INFO,
        format=f"%(asctime)s {name}: %(message)s",
        datefmt="%H:%M:%S",
        handlers=[logging.FileHandler(step.log[0], mode="w"), logging.StreamHandler()],
    )
    # A full disk would otherwise show a traceback for every line that cannot be logged.
    logging.raiseExceptions = False
    # What a library will call differently in a later version, and a kernel that it would have liked to download, is
    # nothing to whoever runs the workflow.
    warnings.simplefilter("ignore", FutureWarning)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def _gpus(resources: Any) -> AbstractContextManager[object]:
    """Return the claim to the GPUs that a step asks for; one that stays on the CPU claims none."""
    wanted = resources.get("gpu") if resources.get("device") not in {None, "cpu"} else None
    return nullcontext() if wanted is None else claimed_gpus(wanted)


def _stop(signal_number: int, frame: Any) -> None:
    """End as after any other error when told to, as clusters do shortly before they kill."""
    raise InputError(
        "stopped from outside: cancelled, or past its time limit, which for steps with a model is compute.minutes. "
        "What is finished is kept; run again to go on"
    )


@contextmanager
def _alone(log: Path) -> Iterator[None]:
    """Wait for the same step of an earlier run, which goes on when the Snakemake that started it is killed.

    Two of them at once would pay twice for the same answers.
    """
    lock = hold(
        log.with_name(f".{log.name}.lock"), "the same step of an earlier run is still at work; waiting until it is done"
    )
    try:
        yield
    finally:
        lock.release()
