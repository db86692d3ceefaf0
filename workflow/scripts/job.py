"""What every script has around its work: a log that is also seen on the terminal, and errors said in one line."""

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

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
        yield
    except InputError as error:
        logging.error("%s", error)
        sys.exit(1)
    except Exception:
        logging.exception("unexpected error")
        sys.exit(1)
