"""What `tomtransfer plan` says is what a run then computes, row for row; after it, nothing is missing."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from reduced import reduced_project

STAGES = {"parquet": "choices", **{stage: stage for stage in ("motivations", "answers", "amounts", "comprehension")}}
ROW = re.compile(r"\| (teacher|base|transfer-1): \S+ +\| (\w+) +\| +([\d,]+) +\| +([\d,]+) +\|")
LOGGED = re.compile(r" (\S+)\.parquet: (\d+) of \d+ rows computed")


def told(project: Path, *arguments: str) -> str:
    command = "from tomtransfer.command_line import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", command, "plan", *arguments], cwd=project, text=True, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def foretold(page: str) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for role, stage, _, missing in ROW.findall(page):
        found[role, stage] += int(missing)
    return +found


def computed(project: Path) -> Counter[tuple[str, str]]:
    """Return how many rows the steps of a run say that they computed, by role and stage."""
    found: Counter[tuple[str, str]] = Counter()
    for log in (project / "results/logs").glob("ask_*/*.log"):
        role = log.stem if log.parent.name == "ask_student" else "teacher"
        for table, rows in LOGGED.findall(log.read_text()):
            stage = table.split(".")[-1]
            found[role, stage if stage in STAGES else "choices"] += int(rows)
    return +found


def test_a_run_computes_what_was_foretold_and_then_nothing_is_missing(finished, tmp_path):
    page = told(reduced_project(tmp_path / "before"))
    # A planted teacher is known without asking, so that the adapter is, too.
    assert "The adapter of transfer-1: to be trained." in page
    assert foretold(page) == computed(finished)
    after = told(finished)
    assert foretold(after) == Counter()
    assert "The store has every row: nothing has to be asked." in after
    assert "The adapter of transfer-1: in the store, key " in after


def test_a_preset_is_laid_over_the_config(finished, tmp_path):
    (tmp_path / "mine.yaml").write_text("training: {epochs: 2}\n")
    page = told(finished, "--configfile", str(tmp_path / "mine.yaml"))
    assert "The adapter of transfer-1: to be trained." in page
    assert {role for role, _ in foretold(page)} == {"transfer-1"}
