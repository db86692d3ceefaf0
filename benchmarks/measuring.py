"""Timing methods side by side, and keeping what came out as a table."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes, in seconds, on a GPU until it has really been done."""
    _wait()
    start = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - start


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def interleave(methods: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """Return the median of what each method returns, in seconds, over some rounds in which they take turns.

    What else happens on the machine for a while then disturbs all methods alike, and not one of them.
    """
    times: dict[str, list[float]] = {name: [] for name in methods}
    for number in range(rounds):
        for name, measure in methods.items():
            times[name].append(measure())
            print(f"round {number + 1} of {rounds}: {name}: {times[name][-1]:.2f} s", flush=True)
    return {name: statistics.median(taken) for name, taken in times.items()}


def machine() -> str:
    """Return what kind of machine this is: its GPU, or its cores and their widest instructions."""
    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    return f"{torch.get_num_threads()} CPU cores, {torch.backends.cpu.get_cpu_capability()}, torch {torch.__version__}"


class Load:
    """How busy the machine was with anything else: what else ran while a benchmark did."""

    def __init__(self) -> None:
        self.before = os.getloadavg()[0]
        self.start = time.perf_counter()

    def __str__(self) -> str:
        """Return the load over a minute before and after, as it is noted below a table."""
        after, cores = os.getloadavg()[0], os.cpu_count()
        minutes = (time.perf_counter() - self.start) / 60
        return f"load {self.before:.1f} before and {after:.1f} after {minutes:.0f} minutes, on {cores} cores"


def keep(name: str, title: str, rows: Sequence[Mapping[str, object]], notes: Sequence[str], folder: Path) -> None:
    """Print `rows` as a Markdown table with its notes, and write it to `folder`/`name`.md."""
    columns = list(rows[0])
    cells = [columns, ["---"] * len(columns), *([str(row[column]) for column in columns] for row in rows)]
    table = "\n".join(f"| {' | '.join(line)} |" for line in cells)
    text = f"# {title}\n\n{table}\n\n" + "".join(f"- {note}\n" for note in notes)
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def times(value: float) -> str:
    """Return a ratio as it is printed."""
    return f"{value:.2f} x"
