"""A model that runs here is asked by itself, with weights and all; what it would be taught for is not drawn."""

import html
import json
import re

import polars as pl
import pytest

from project import plan, run_snakemake
from reduced import REDUCED, reduced_project, setting

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


def test_a_tiny_model_alone_is_asked_measured_and_reported_and_later_given_a_student(tmp_path):
    project = reduced_project(tmp_path / "project")
    setting("teacher", REDUCED["teacher"] | {"model": "random-teacher"})(project)
    setting("student", None)(project)
    done = run_snakemake(project, "--cores", "all", "teacher")
    assert done.returncode == 0, done.stdout
    assert plan(project, "teacher") == {}
    results = project / "results"
    choices = pl.read_parquet(results / "teacher/stag_hunt.parquet")
    assert (choices["cooperate"] + choices["defect"] + choices["other"]).to_list() == pytest.approx([1.0] * 6, abs=1e-5)
    assert len(pl.read_parquet(results / "teacher/stag_hunt.motivations.parquet")) == 0
    found = json.loads((results / "teacher/summary.json").read_text())
    assert found["provenance"]["model"] == ["random-teacher"]
    assert sum(each["invalid"] for each in found["counted"]) > 0
    page = html.unescape((results / "teacher/report.html").read_text())
    assert "Answers that could not be read" in page
    assert "around the messages" in page
    assert "differences from plain passes" in page
    # With a student the same model is asked for its reasons, and for nothing else again.
    setting("student", {"model": "random-student"})(project)
    done = run_snakemake(project, "--cores", "all")
    assert done.returncode == 0, done.stdout
    computed = dict(re.findall(r"ask_teacher stag_hunt: (\S+\.parquet): (\d+) of \d+ rows computed", done.stdout))
    assert {name for name, rows in computed.items() if int(rows)} == {"stag_hunt.motivations.parquet"}
    assert "From random-teacher to random-student" in (results / "report.html").read_text()
