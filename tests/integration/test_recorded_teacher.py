"""A teacher whose answers are recorded goes through the whole workflow, and an edit of its table is seen."""

import json
from pathlib import Path

import polars as pl
import pytest

from project import plan, run_snakemake
from reduced import reduced_project, replacing, run_again, run_to_the_end, setting

pytestmark = pytest.mark.slow

ENTRY = """
people:
  source: recorded
  tables:
    choices: {path: people.csv}
    gifts: {path: people_gifts.csv}
"""
HEADER = "split,game,context,cooperate,defect,invalid\n"
COUNTS = [
    ("in_sample", "prisoners_dilemma", "team", 10, 30, 0),
    ("in_sample", "prisoners_dilemma", "business", 4, 36, 0),
    ("in_sample", "stag_hunt", "team", 35, 5, 0),
    ("in_sample", "stag_hunt", "business", 25, 13, 2),
    ("new_contexts", "prisoners_dilemma", "sports", 12, 28, 0),
    ("new_contexts", "stag_hunt", "sports", 30, 10, 0),
]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished experiment whose teacher is two tables; its second frame is held out, and not recorded."""
    project = reduced_project(tmp_path_factory.mktemp("recorded") / "project")
    (project / "people.csv").write_text(HEADER + "".join(f"{','.join(map(str, row))}\n" for row in COUNTS))
    (project / "people_gifts.csv").write_text("game,context,mean\ndonation,village_well,6.5\n")
    (project / "models.yaml").write_text((project / "models.yaml").read_text() + ENTRY)
    setting("teacher.model", "people")(project)
    setting("frames.swapped.held_out", True)(project)
    run_to_the_end(project)
    return project


def teacher_rates(project: Path) -> dict[tuple[str, ...], float]:
    findings = json.loads((project / "results/alignment/summary.json").read_text())
    assert findings["kinds"]["teacher"] == "counted"
    tables = pl.concat([pl.read_parquet(path) for path in teacher_tables(project)])
    rate = pl.col("cooperate") / (pl.col("cooperate") + pl.col("defect"))
    return {tuple(row[:3]): row[3] for row in tables.select("split", "game", "context", rate).iter_rows()}


def teacher_tables(project: Path) -> list[Path]:
    return [project / f"results/teacher/{game}.parquet" for game in ("prisoners_dilemma", "stag_hunt")]


def test_its_rates_are_the_counts_and_reach_the_report(taught):
    assert teacher_rates(taught) == {row[:3]: row[3] / (row[3] + row[4]) for row in COUNTS}
    examples = pl.read_parquet(taught / "results/training/transfer.parquet")
    assert set(examples["completion"]) == {"C", "D"}
    assert set(examples["frame"]) == {"canonical"}
    card = json.loads((taught / "results/alignment/stag_hunt.json").read_text())
    found = card["splits"]["in_sample"]["contexts"]["business"]["teacher"]
    assert found["cooperation_rate"] == pytest.approx(25 / 38)
    scores = json.loads((taught / "results/alignment/summary.json").read_text())["scores"]
    measured = {(each["level"], each["split"], each["measure"]): each for each in scores}
    assert 0 < measured["split", "in_sample", "gap_closed"]["ceiling"] < 1
    page = (taught / "results/report.html").read_text()
    assert "choices. Teacher: people" in page


def test_what_is_not_recorded_is_left_out_and_said(taught):
    summary = json.loads((taught / "results/alignment/summary.json").read_text())
    said = "The teacher has no record in the frames swapped"
    assert said in summary["verdict"]
    assert said in (taught / "results/report.html").read_text()
    assert summary["views"] == []
    assert "swapped" in pl.read_parquet(taught / "results/student/base.parquet")["frame"].to_list()
    checks = (taught / "results/alignment/checks.md").read_text()
    assert "Not asked, because its answers are recorded: teacher." in checks
    gifts = json.loads((taught / "results/alignment/donation.json").read_text())
    assert gifts["measures"]["exact"]["mean_teacher"]["value"] == pytest.approx(6.5)
    assert gifts["measures"]["exact"]["wasserstein_tuned"]["value"] is None


def test_an_edited_count_renews_what_depends_on_it_and_nothing_stays_stale(taught):
    before = (taught / "results/student/transfer-1/adapter_model.safetensors").read_bytes()
    replacing("people.csv", "stag_hunt,sports,30,10", "stag_hunt,sports,20,20")(taught)
    jobs = plan(taught)
    assert {"fetch_model", "ask_teacher", "score_game", "summarize", "report"} <= set(jobs)
    assert "render_prompts" not in jobs
    run_again(taught)
    assert teacher_rates(taught)["new_contexts", "stag_hunt", "sports"] == 0.5
    # What the student is taught did not change, so that its adapter came out of the store.
    assert (taught / "results/student/transfer-1/adapter_model.safetensors").read_bytes() == before


def test_a_scenario_without_a_record_ends_the_run_before_it_begins(taught):
    replacing("people.csv", "in_sample,stag_hunt,team,35,5,0\n", "")(taught)
    done = run_snakemake(taught, "--dry-run")
    assert done.returncode != 0
    assert "people: no record of 1 scenarios that it is asked about: in_sample/stag_hunt/team in frame" in done.stdout
    assert "Traceback" not in done.stdout
