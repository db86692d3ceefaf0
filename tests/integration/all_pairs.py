"""Every edit and every pair of edits, really made: one run must leave nothing to do and nothing stale.

    python tests/integration/all_pairs.py                    # all of them: hours
    python tests/integration/all_pairs.py --pairs 20         # every edit by itself, and 20 pairs drawn at random
    python tests/integration/all_pairs.py --plans-only       # dry runs of all of them: minutes

Too long for the tests, which do some of them. What comes out after the edits is compared with a run from scratch. From
every second project Snakemake's own records are removed after the edits, which must make no difference.
"""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from project import plan
from reduced import EDITS, edited_copy, reduced_project, run_again, run_from_scratch, run_to_the_end

SMALL = {"a removed game"}
"""Edits after which there is less to do, so that a pair with one has fewer jobs than the other alone."""


def missing_jobs(both: dict[str, int], alone: Sequence[dict[str, int]]) -> dict[str, int]:
    """Return the jobs that one of two edits asks for alone and both together do not."""
    return {rule: count for jobs in alone for rule, count in jobs.items() if both.get(rule, 0) < count}


def check(
    finished: Path,
    names: Sequence[str],
    plans: dict[tuple[str, ...], dict[str, int]],
    without_records: bool,
    plans_only: bool,
) -> str:
    """Make edits of a finished project, run it, and return what is wrong, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        edited = edited_copy(finished, Path(folder) / "edited", names)
        if without_records:
            shutil.rmtree(edited / ".snakemake")
        try:
            plans[tuple(names)] = jobs = plan(edited)
            alone = [plans[(name,)] for name in names if len(names) > 1]
            if not SMALL & set(names) and (missing := missing_jobs(jobs, alone)):
                return f"does not run {missing}"
            if not plans_only:
                run_again(edited)
                run_from_scratch(edited, Path(folder) / "scratch")
        except AssertionError as error:
            return str(error)
    return ""


def main() -> None:
    """Check what the command line asks for, and say what is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, help="how many pairs to draw; all without it")
    parser.add_argument("--seed", type=int, default=1, help="which pairs are drawn")
    parser.add_argument("--plans-only", action="store_true", help="dry runs alone")
    parser.add_argument("--workers", type=int, default=2, help="how many are made at once")
    given = parser.parse_args()
    pairs = list(combinations(EDITS, 2))
    if given.pairs is not None:
        pairs = random.Random(given.seed).sample(pairs, given.pairs)
    plans: dict[tuple[str, ...], dict[str, int]] = {}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.workers) as workers:
        finished = reduced_project(Path(folder) / "finished")
        run_to_the_end(finished)
        for group in ([(name,) for name in EDITS], pairs):
            started = time.monotonic()
            without = [number % 2 == 1 for number in range(len(group))]
            checks = workers.map(
                lambda names, forgotten: check(finished, names, plans, forgotten, given.plans_only), group, without
            )
            for names, forgotten, said in zip(group, without, checks, strict=True):
                wrong += bool(said)
                jobs = sum(plans.get(tuple(names), {}).values())
                records = ", without .snakemake" if forgotten else ""
                print(f"{' and '.join(names)}{records}: {jobs} jobs, {said or 'nothing stale'}", flush=True)
            print(f"{len(group)} in {time.monotonic() - started:.0f} s, {wrong} wrong so far", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
