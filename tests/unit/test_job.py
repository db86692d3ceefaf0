"""What every step has around its work: real processes with a step as Snakemake hands one to a script."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tomtransfer.experiment.records import changes, file_hash, known_hash, read_record

STEP = """
import json, logging, os, sys, time
from pathlib import Path
from types import SimpleNamespace
from snakemake.iocontainers import Namedlist
from tomtransfer.experiment.validation import InputError
from tomtransfer.job import job


def named(given):
    found = Namedlist()
    for name, item in given.items():
        if isinstance(item, list):
            start = len(found)
            found.extend(item)
            found._set_name(name, start, end=len(found))
        else:
            found.append(item)
            found._add_name(name)
    return found


given = json.loads(sys.argv[1])
step = SimpleNamespace(rule="ask", log=[given["log"]], wildcards=["stag_hunt"])
for name in ("input", "output", "params", "resources"):
    setattr(step, name, named(given[name]))
with job(step) as beside:
    exec(sys.argv[2])
"""
WRITE = "Path(step.output.table).write_text('made')"
WAITING = "the same step of an earlier run is still at work"


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A step of which every file is in a folder of its own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # claims of GPUs stand there
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "card0,card1")
    for name in ("one", "two", "prompts", "config", "mark"):
        (tmp_path / name).write_text(name)
    return {
        "log": f"{tmp_path}/ask.log",
        "input": {
            "prompts": f"{tmp_path}/prompts",
            "answers": [f"{tmp_path}/one", f"{tmp_path}/two"],
            "adapter": [],
            "sources": [f"{tmp_path}/config"],
            "edited": f"{tmp_path}/mark",
        },
        "output": {"table": f"{tmp_path}/table", "record": f"{tmp_path}/record.json"},
        "params": {"temperature": 0.8, "asking": {"frames": ["canonical"], "answers": 3}},
        "resources": {"device": "cpu", "gpu": 1},
    }


started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def nothing_goes_on():
    """End what a test has started, also where it failed."""
    yield
    while started:
        step = started.pop()
        step.kill()
        step.communicate()


def start(given: dict[str, Any], work: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", STEP, json.dumps(given), work]
    started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    return started[-1]


def run(given: dict[str, Any], work: str = WRITE) -> tuple[int, str]:
    """Return how a step ended and what it said."""
    step = start(given, work)
    _, said = step.communicate(timeout=120)
    return step.returncode, said


def until(true: Callable[[], bool]) -> None:
    """Wait until something has happened in another process."""
    for _ in range(1_200):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("waited for a minute")


def log_of(given: dict[str, Any]) -> str:
    log = Path(given["log"])
    return log.read_text() if log.exists() else ""


def test_a_record_of_all_that_counts_is_written(given, tmp_path):
    code, said = run(given, f"logging.info('at work'); {WRITE}")
    assert code == 0, said
    record = read_record(tmp_path / "record.json")
    assert record.settings == given["params"]
    assert record.inputs == {
        "prompts": [file_hash(tmp_path / "prompts")],
        "answers": [file_hash(tmp_path / "one"), file_hash(tmp_path / "two")],
        "adapter": [],
    }
    assert record.outputs == {"table": file_hash(tmp_path / "table")}


def test_what_it_says_stands_in_the_log_and_in_the_terminal_with_its_name(given):
    _, said = run(given, f"logging.info('at work'); {WRITE}")
    assert said.endswith(" ask stag_hunt: at work\n")
    assert log_of(given) == said


def test_a_step_that_has_just_been_done_need_not_run_again(given, tmp_path):
    run(given)
    inputs = {"prompts": [tmp_path / "prompts"], "answers": [tmp_path / "one", tmp_path / "two"], "adapter": []}
    known_hash.cache_clear()
    assert changes(tmp_path / "record.json", given["params"], inputs) == []
    for name in ("config", "mark"):
        (tmp_path / name).write_text("edited")
    known_hash.cache_clear()
    assert changes(tmp_path / "record.json", given["params"], inputs) == []


def test_what_stands_elsewhere_is_recorded_as_well(given, tmp_path):
    (tmp_path / "models").mkdir()
    code, said = run(
        given, f"{WRITE}; beside.append(Path(step.log[0]).parent / 'models/weights'); beside[0].write_text('heavy')"
    )
    assert code == 0, said
    assert read_record(tmp_path / "record.json").outputs.keys() == {"table", "models/weights"}


def test_an_input_that_is_edited_while_it_is_read_is_recorded_as_it_was(given, tmp_path):
    before = file_hash(tmp_path / "prompts")
    run(given, f"{WRITE}; Path(step.input.prompts).write_text('edited in the meantime')")
    assert read_record(tmp_path / "record.json").inputs["prompts"] == [before]
    assert file_hash(tmp_path / "prompts") != before


def test_a_mistake_of_a_person_ends_it_in_one_line_without_a_record(given, tmp_path):
    code, said = run(given, "raise InputError('models.yaml: no model named x')")
    assert code == 1
    assert said.splitlines()[0].endswith(" ask stag_hunt: models.yaml: no model named x")
    assert len(said.splitlines()) == 1
    assert log_of(given) == said
    assert not (tmp_path / "record.json").exists()


def test_any_other_mistake_shows_where_it_happened(given, tmp_path):
    code, said = run(given, f"{WRITE}; 1 / 0")
    assert code == 1
    assert "ask stag_hunt: unexpected error\nTraceback" in log_of(given)
    assert said.endswith("ZeroDivisionError: division by zero\n")
    assert not (tmp_path / "record.json").exists()


@pytest.mark.parametrize("error", ["OSError(28, os.strerror(28))", "ValueError(f'polars: {os.strerror(122)}')"])
def test_a_full_disk_is_one_line_that_says_what_to_do(given, tmp_path, error):
    code, said = run(given, f"raise {error}")
    assert code == 1
    assert said.endswith("Make room and run again: what is finished is kept\n")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "record.json").exists()


def test_an_output_that_was_not_written_is_a_mistake(given, tmp_path):
    code, said = run(given, "pass")
    assert code == 1
    assert "No such file or directory" in said
    assert not (tmp_path / "record.json").exists()


def test_a_step_that_is_told_to_stop_says_so_and_leaves_no_record(given, tmp_path):
    step = start(given, f"{WRITE}; time.sleep(300)")
    until((tmp_path / "table").exists)
    step.send_signal(signal.SIGTERM)
    _, said = step.communicate(timeout=60)
    assert step.returncode == 1
    assert "stopped from outside" in said
    assert "Traceback" not in said
    assert not (tmp_path / "record.json").exists()


def test_the_same_step_waits_for_that_of_an_earlier_run(given, tmp_path):
    earlier = start(given, f"{WRITE}\nwhile not Path(step.log[0] + '.go').exists(): time.sleep(0.05)")
    until((tmp_path / "table").exists)
    later = start(given, "Path(step.output.table).write_text('made again')")
    until(lambda: WAITING in log_of(given))
    assert (tmp_path / "table").read_text() == "made"
    assert later.poll() is None
    Path(f"{given['log']}.go").touch()
    assert earlier.wait(timeout=60) == 0
    assert later.wait(timeout=60) == 0
    assert (tmp_path / "table").read_text() == "made again"
    assert read_record(tmp_path / "record.json").outputs == {"table": file_hash(tmp_path / "table")}


def test_another_step_waits_for_nobody(given, tmp_path):
    earlier = start(given, f"{WRITE}; time.sleep(300)")
    until((tmp_path / "table").exists)
    other = given | {"log": f"{tmp_path}/other.log", "output": {"record": f"{tmp_path}/other.json"}}
    code, said = run(other, "pass")
    assert code == 0, said
    assert earlier.poll() is None


def test_a_step_that_was_killed_keeps_nobody_waiting(given, tmp_path):
    earlier = start(given, f"{WRITE}; time.sleep(300)")
    until((tmp_path / "table").exists)
    earlier.kill()
    earlier.communicate()
    code, said = run(given)
    assert code == 0, said
    assert WAITING not in said


SEEN = "print(os.environ['CUDA_VISIBLE_DEVICES'], flush=True); " + WRITE


def cards(given: dict[str, Any], **resources: Any) -> str:
    """Return the GPUs that a step with `resources` sees."""
    step = start(given | {"resources": resources}, SEEN)
    return step.communicate(timeout=120)[0].strip()


def test_a_step_sees_as_many_gpus_as_it_asks_for_and_one_on_the_cpu_claims_none(given):
    assert cards(given, device="cuda", gpu=1) == "card0"
    assert cards(given, device="auto", gpu=2) == "card0,card1"
    assert cards(given, device="cpu", gpu=3) == "card0,card1"
    assert cards(given, runtime=5) == "card0,card1"


def test_more_gpus_than_there_are_end_it_in_one_line(given, tmp_path):
    code, said = run(given | {"resources": {"device": "cuda", "gpu": 3}}, SEEN)
    assert code == 1
    assert "compute.gpu: 3 GPUs are asked for, but only 2 can be seen here" in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "table").exists()
