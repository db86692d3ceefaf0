"""Snakemake whose Slurm executor looks every two seconds for what has ended.

The executor waits ten seconds longer each time that nothing has, up to three minutes, whatever it is told: right for
jobs of hours, but jobs of the tests take seconds.
"""

import sys

from snakemake.cli import main
from snakemake_executor_plugin_slurm import Executor

SECONDS = 2

if __name__ == "__main__":
    Executor.next_seconds_between_status_checks = property(lambda executor: SECONDS, lambda executor, seconds: None)
    main(sys.argv[1:])
