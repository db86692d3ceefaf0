"""A teacher is asked, measured and reported by itself: no student is fetched, and none need be named."""

import html
import json
from pathlib import Path

import pytest

from project import plan, run_snakemake
from reduced import reduced_project, replacing, setting

FOUR_FRAMES = {
    "canonical": {},
    "swapped": {"cooperate": "D", "defect": "C"},
    "reversed": {"first": "defect"},
    "swapped_and_reversed": {"cooperate": "D", "defect": "C", "first": "defect"},
}
MISSING = (
    "tomtransfer: config: student: missing, so that only the teacher can be asked: `snakemake --cores all teacher`"
)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment without a student, whose planted teacher was asked in four frames."""
    project = reduced_project(tmp_path_factory.mktemp("alone") / "project")
    setting("student", None)(project)
    setting("frames", FOUR_FRAMES)(project)
    done = run_snakemake(project, "--cores", "2", "teacher")
    assert done.returncode == 0, done.stdout
    assert "planted-teacher alone" in done.stdout
    return project


def summary(project: Path) -> dict:
    return json.loads((project / "results/teacher/summary.json").read_text())


def test_nobody_else_is_fetched_or_asked(alone):
    assert {path.stem for path in (alone / "results/models").glob("*.json")} == {"planted-teacher"}
    assert not (alone / "results/student").exists()
    assert not (alone / "results/alignment").exists()
    assert plan(alone, "teacher") == {}


def test_what_is_measured_is_what_was_planted(alone):
    found = summary(alone)
    rates = {(each["game"], each["context"], each["frame"]): each["rate"] for each in found["rates"]}
    assert len(rates) == 2 * 3 * 4
    # The logit of 0.4 times what cooperating earns more: 2 points of one's own, and 5 of the coplayer's, by its weight.
    assert rates["stag_hunt", "team", "swapped"] == pytest.approx(1 / (1 + 2.718281828459045 ** (-0.4 * (2 + 0.4 * 5))))
    views = {each["view"] for each in found["means"]}
    assert views == {*FOUR_FRAMES, "counterbalanced"}
    for each in found["bias_effects"]:
        assert each["factor"] == "preference" or each["value"] == pytest.approx(0, abs=1e-9)
    shares = {each["factor"]: 0.0 for each in found["bias_shares"]}
    for each in found["bias_shares"]:
        shares[each["factor"]] += (each["share"] or 0) if each["split"] == "in_sample" else 0
    assert shares == pytest.approx({"preference": 1, "label": 0, "order": 0, "label x order": 0})
    assert {each["game"] for each in found["understandings"]} >= {"stag_hunt", None}
    assert all(each["right"] == 1 for each in found["understandings"])
    assert {each["evidence"] for each in found["amounts"]} == {"exact", "counted"}
    assert found["provenance"]["model"] == ["planted-teacher"]


def test_page_figures_and_tables_are_there(alone):
    folder = alone / "results/teacher"
    page = html.unescape((folder / "report.html").read_text())
    for said in ("planted-teacher, by itself", "it cooperates at", "preference 100.0 %", "Questions about the payoffs"):
        assert said in page
    assert "Student" not in page
    assert {path.name for path in (folder / "figures").iterdir()} == {
        f"{name}.{kind}" for name in ("play", "bias") for kind in ("svg", "pdf")
    }
    assert (folder / "tables/drawn_answers.csv").read_text().count("\n") == 1 + 2 * 3
    assert r"\caption{" in (folder / "tables/cooperation_by_game.tex").read_text()


def test_every_other_target_says_what_is_missing(alone):
    for target in ((), ("results/alignment/stag_hunt.json",), ("results/student/base.parquet",)):
        done = run_snakemake(alone, "--dry-run", *target)
        assert done.returncode != 0
        assert done.stdout.strip().splitlines()[-1] == MISSING
        assert "Traceback" not in done.stdout
    assert plan(alone, "published")["report_published"] == 1


def test_a_student_that_is_named_later_has_the_teacher_asked_for_its_reasons_alone(alone):
    before = (alone / "results/teacher/stag_hunt.parquet").read_bytes()
    setting("student", {"model": "random-student"})(alone)
    jobs = plan(alone, "teacher")
    # Motivations are drawn for a student; nothing of the teacher's play depends on them.
    assert {"ask_teacher", "check_teacher"} <= set(jobs)
    assert not {"check_models", "train_student", "ask_student"} & set(jobs)
    assert "fetch_model" not in jobs
    whole = plan(alone)
    assert (whole["check_models"], whole["train_student"], whole["fetch_model"]) == (1, 1, 1)
    done = run_snakemake(alone, "--cores", "2", "teacher")
    assert done.returncode == 0, done.stdout
    assert "stag_hunt.parquet: 0 of 12 rows computed" in done.stdout
    assert (alone / "results/teacher/stag_hunt.parquet").read_bytes() == before
    assert plan(alone, "teacher") == {}


def test_an_edit_is_seen_and_a_game_that_is_edited_is_asked_alone(alone):
    replacing("scenarios/games/stag_hunt.yaml", "temptation: 5", "temptation: 6")(alone)
    jobs = plan(alone, "teacher")
    assert jobs["ask_teacher"] == jobs["measure_teacher"] == jobs["report_teacher"] == 1


def test_counted_choices_are_measured_too_and_a_recorded_teacher_is(tmp_path):
    project = reduced_project(tmp_path / "project")
    setting("student", None)(project)
    setting("choices", "sampled")(project)
    setting("frames", FOUR_FRAMES)(project)
    setting("sampling.answers", 20)(project)
    done = run_snakemake(project, "--cores", "2", "teacher")
    assert done.returncode == 0, done.stdout
    found = summary(project)
    assert found["kinds"] == {"teacher": "counted"}
    assert found["bias_shares"] == []
    assert {each["factor"] for each in found["bias_effects"]} == {"preference", "label", "order", "label x order"}
    assert {each["answers"] for each in found["rates"]} == {20}
    setting("choices", "exact")(project)
    setting("comprehension", [])(project)
    setting("teacher", {"model": "published-llama-2-70b"})(project)
    done = run_snakemake(project, "--cores", "2", "teacher")
    assert done.returncode == 0, done.stdout
    found = summary(project)
    assert {each["frame"] for each in found["rates"]} == {"canonical"}
    [gift] = found["amounts"]
    assert gift["evidence"] == "mean"
    assert "was played in all four frames" in (project / "results/teacher/report.html").read_text()
