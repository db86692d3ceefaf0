"""Kill an experiment at random moments, as hard as can be, and see that nothing but time is lost.

    python tests/integration/kill_loop.py --rounds 10 --kills 5

Each round kills one experiment several times, always one of these: a job, Snakemake alone, or Snakemake with all its
jobs. After each kill it is started again as the README says. What it comes to at last must be what an undisturbed run
came to, and an answer that was once in a finished table must never be computed again.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from project import run_snakemake
from reduced import assert_same_results, computations, reduced_project, run_to_the_end

VICTIMS = ("a job", "snakemake", "the process group")


def start(project: Path) -> subprocess.Popen[bytes]:
    """Start the experiment in a process group of its own."""
    with (project / "output.log").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "all"],
            cwd=project,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def jobs_of(process: subprocess.Popen[bytes], script: str = "") -> list[int]:
    """Return the processes of the scripts that a Snakemake is running, or of one of them."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it may end at any moment
            last = (folder / "cmdline").read_text(errors="replace").rstrip("\0").split("\0")[-1]
            own = os.getpgid(int(folder.name)) == process.pid
            if own and ".snakemake/scripts/" in last and last.endswith(f"{script}.py"):
                found.append(int(folder.name))
    return found


def kill(process: subprocess.Popen[bytes], victim: str) -> str:
    """Kill a victim, and return who it was: nobody, if the experiment came to its end before."""
    if process.poll() is not None:
        return "nobody"
    if victim == "the process group":
        os.killpg(process.pid, signal.SIGKILL)
    elif victim == "snakemake":
        process.kill()
    else:
        jobs = jobs_of(process)
        if not jobs:
            return kill(process, "snakemake")
        for job in jobs:
            with suppress(ProcessLookupError):
                os.kill(job, signal.SIGKILL)
    process.wait()
    return victim


@dataclass(frozen=True)
class Moment:
    """When to kill whom: so many seconds after so many jobs, counted from the latest start."""

    jobs: int
    seconds: float
    victim: str


def wait_for(process: subprocess.Popen[bytes], project: Path, moment: Moment) -> None:
    """Return when the moment has come, or the experiment to its end."""
    output = project / "output.log"
    before = output.read_text().count("Finished jobid") if output.exists() else 0
    while process.poll() is None and output.read_text().count("Finished jobid") < before + moment.jobs:
        time.sleep(0.1)
    with suppress(subprocess.TimeoutExpired):
        process.wait(moment.seconds)


def disturb(project: Path, moments: Sequence[Moment]) -> list[str]:
    """Run an experiment, kill it at `moments`, bring it to its end, and return who was killed."""
    killed = []
    known: dict[tuple[str, str], str] = {}
    for moment in moments:
        process = start(project)
        wait_for(process, project, moment)
        known = computations(project) | known
        killed.append(kill(process, moment.victim))
        known = computations(project) | known
        if killed[-1] in {"snakemake", "the process group"}:
            unlocked = run_snakemake(project, "--unlock")
            assert unlocked.returncode == 0, unlocked.stdout
    run_to_the_end(project)
    now = computations(project)
    lost = [key for key, computation in known.items() if now[key] != computation]
    assert not lost, f"computed again: {lost}"
    return killed


def main() -> None:
    """Kill experiments as often as the command line says, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10, help="experiments")
    parser.add_argument("--kills", type=int, default=5, help="kills of each experiment")
    parser.add_argument("--seed", type=int, default=1, help="which moments are drawn")
    given = parser.parse_args()
    drawn = random.Random(given.seed)
    outcomes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = reduced_project(Path(folder) / "undisturbed")
        run_to_the_end(undisturbed)
        for number in range(given.rounds):
            moments = [
                Moment(drawn.randint(0, 7), drawn.uniform(1, 8), drawn.choice(VICTIMS)) for _ in range(given.kills)
            ]
            project = reduced_project(Path(folder) / f"round {number}")
            killed = disturb(project, moments)
            assert_same_results(project, undisturbed)
            outcomes.update(killed)
            print(f"experiment {number}: killed {', '.join(killed)}; nothing was lost", flush=True)
    print(dict(outcomes))


if __name__ == "__main__":
    main()
