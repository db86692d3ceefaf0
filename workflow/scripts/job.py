"""What every script has around its work: a log, also seen on the terminal, errors said in one line, GPUs of its own."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from tomtransfer.devices import claimed_gpus
from tomtransfer.validation import InputError


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
    # What a library will call differently in a later version, and a kernel that it would have liked to download, is
    # nothing to whoever runs the workflow.
    warnings.simplefilter("ignore", FutureWarning)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        with gpus(snakemake.resources):
            yield
    except InputError as error:
        logging.error("%s", error)
        sys.exit(1)
    except Exception:
        logging.exception("unexpected error")
        sys.exit(1)


def gpus(resources: Any) -> AbstractContextManager[object]:
    """Return the claim to the GPUs that a job asks for; a job that stays on the CPU claims none."""
    wanted = resources.get("gpu") if resources.get("device") != "cpu" else None
    return nullcontext() if wanted is None else claimed_gpus(wanted)
