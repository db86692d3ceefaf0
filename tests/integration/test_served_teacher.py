"""A whole experiment with a teacher behind a real server: killed twice, nothing asked twice, no key anywhere."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from llama_server import Relay, fetched, llama_server
from loopback import Loopback, loopback
from project import plan, run_snakemake
from reduced import reduced_project, replacing, run_to_the_end, setting

pytestmark = pytest.mark.slow

MODEL = "smollm2-135m-instruct"
KEY = "sk-canary-27182818284590"
ENTRY = """
served-teacher:
  source: endpoint
  base_url: {url}
  model: served
  revision: "{revision}"
  key: SERVED_TEACHER_KEY
  concurrency: 4
  prices: {{prompt: 0.5, answer: 1.5}}
  budget: {{requests: 50000}}
"""


@dataclass(frozen=True)
class Told:
    """A finished experiment, what its teacher was asked, and what was in the store at each kill."""

    project: Path
    relay: Loopback
    kills: list[tuple[int, set[int], set[str]]]
    """At each kill: requests so far, seeds of the texts that were kept, prompts whose choices were kept."""
    said: str


def stored(project: Path, stage: str, column: str) -> set[str]:
    """Return what a column of the store's rows holds, of the served teacher."""
    parts = (project / "results/store/answers").glob(f"{stage}/served-teacher-*/[!.]*.parquet")
    return {value for part in parts for value in pl.read_parquet(part)[column]}


def kill_after(project: Path, relay: Loopback, requests: int) -> tuple[int, set[int], set[str]]:
    """Run until the teacher was asked so often, kill Snakemake with all its jobs, and return what is kept."""
    with (project / "output.log").open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "snakemake", "--cores", "all"],
            cwd=project,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    until = relay.requests + requests
    while relay.requests < until:
        assert process.poll() is None, (project / "output.log").read_text()
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    asked = relay.requests
    time.sleep(2)  # what the server still answers to nobody
    unlocked = run_snakemake(project, "--unlock")
    assert unlocked.returncode == 0, unlocked.stdout
    keys = stored(project, "motivations", "key") | stored(project, "answers", "key")
    return asked, {int(key, 16) % 2**31 for key in keys}, stored(project, "choices", "key")


@contextmanager
def server(kind: str) -> Iterator[Loopback]:
    """Serve made-up answers, not too fast to be killed, or those of a real model."""
    if kind == "made up":
        with loopback(Loopback(key=KEY, fault=lambda number, body: 0.03)) as behaviour:
            yield behaviour
        return
    with llama_server(fetched(MODEL)[1]) as url, loopback(Relay(to=url, key=KEY)) as relay:
        yield relay


@pytest.fixture(scope="module", params=["made up", pytest.param("real", marks=pytest.mark.exhaustive)])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    project = reduced_project(tmp_path_factory.mktemp("served") / "project")
    with pytest.MonkeyPatch.context() as patch, server(request.param) as relay:
        patch.setenv("SERVED_TEACHER_KEY", KEY)
        entry = ENTRY.format(url=relay.url, revision=hashlib.sha256(b"the file").hexdigest()[:12])
        (project / "models.yaml").write_text((project / "models.yaml").read_text() + entry)
        setting("teacher.model", "served-teacher")(project)
        kills = [kill_after(project, relay, number) for number in (120, 150)]
        said = run_to_the_end(project)
        yield Told(project, relay, kills, said)


def test_it_comes_to_its_report(told):
    page = (told.project / "results/report.html").read_text()
    assert "served-teacher" in page
    assert "before temperature" in page
    assert "What the server was asked" in page
    assert "loopback" in page
    facts = json.loads((told.project / "results/teacher/checked.json").read_text())
    assert "requests" in facts["takes"]
    assert "USD" in facts["takes"]


def test_what_was_kept_is_never_asked_again(told):
    bodies: list[Mapping[str, Any]] = told.relay.bodies
    for asked, seeds, _ in told.kills:
        again = [body["seed"] for body in bodies[asked:] if body.get("seed") in seeds]
        assert not again
    assert told.kills[1][2] >= told.kills[0][2]
    assert told.kills[1][2]
    tables = [pl.read_parquet(path) for path in (told.project / "results/teacher").glob("*.parquet")]
    paid = sum(table["requests"].sum() for table in tables)
    # What was lost: rows under way at the kills, and what each job asks to find out what the server does.
    print(f"{len(bodies)} requests, {paid} of them in the rows; kills after {[kill[0] for kill in told.kills]}")
    jobs = 2 + 4 * 5
    assert len(bodies) <= paid + jobs * 12 + len(told.kills) * 4 * 40


def test_the_teacher_needs_no_gpu_and_every_row_says_where_it_is_from(told):
    for path in (told.project / "results/teacher").glob("*.parquet"):
        table = pl.read_parquet(path)
        assert set(table["software"]) <= {"loopback"}
        assert (table["requests"] >= 1).all()
        assert (table["money"] > 0).all()
    found = json.loads((told.project / "results/teacher/stag_hunt.examined.json").read_text())
    assert found["examinations"][0]["about"]["served"]["continuing"]


def test_the_key_is_nowhere(told):
    assert KEY not in told.said
    files = [file for file in told.project.rglob("*") if file.is_file()]
    assert not [file for file in files if KEY.encode() in file.read_bytes()]


def test_nothing_is_left_to_do_and_another_address_asks_nothing_anew(told):
    assert plan(told.project) == {}
    asked = told.relay.requests
    replacing("models.yaml", "concurrency: 4", "concurrency: 2")(told.project)
    assert plan(told.project) == {}
    # What is asked next is asked as the registry says now: nobody listens at this address.
    replacing("models.yaml", told.relay.url, "http://127.0.0.1:9/v1")(told.project)
    assert plan(told.project) == {}
    next((told.project / "results/store/answers/choices").glob("served-teacher-*/[!.]*.parquet")).unlink()
    (told.project / "results/teacher/stag_hunt.parquet").unlink()
    failed = run_snakemake(told.project, "--cores", "all", "--retries", "0")
    assert failed.returncode != 0
    assert "http://127.0.0.1:9/v1" in failed.stdout
    assert told.relay.requests == asked
