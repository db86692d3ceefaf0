"""Base and tuned student are asked as they are, of any source: nothing is trained, and the report is whole."""

import html
import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from loopback import Loopback, loopback
from project import plan, run_snakemake
from reduced import reduced_project, run_again, setting
from tomtransfer.measurement.evidence import read_counts
from tomtransfer.measurement.scoring import score

COIN = "coin"
PUBLISHED = {"published-llama-2-7b": "student_base", "published-llama-2-7b-tuned": "student_tuned"}


def registered(project: Path, **entries: dict) -> None:
    """Add entries to the registry of a project."""
    registry = yaml.safe_load((project / "models.yaml").read_text())
    (project / "models.yaml").write_text(yaml.safe_dump(registry | entries, sort_keys=False))


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment whose student was a coin before training and does what the planted teacher does after it."""
    project = reduced_project(tmp_path_factory.mktemp("pair") / "project")
    policy = yaml.safe_load((project / "models.yaml").read_text())["planted-teacher"]
    registered(project, coin=policy | {"rationality": 0.0}, pupil=policy | {"rationality": 0.3})
    setting("student", {"base": COIN, "tuned": "pupil"})(project)
    return project


def test_it_is_planned_without_a_training(pair):
    jobs = plan(pair)
    assert jobs["fetch_model"] == 3
    assert jobs["ask_student"] == 2
    assert jobs["check_models"] == 1
    assert not {"train_student", "assemble_training"} & set(jobs)


def test_the_whole_experiment_runs_asks_both_and_trains_nothing(pair):
    run_again(pair)
    results = pair / "results"
    assert set(pl.read_parquet(results / "student/base.parquet")["cooperate"]) == {0.5}
    assert len(pl.read_parquet(results / "teacher/stag_hunt.motivations.parquet")) == 0
    assert not (results / "student/transfer-1").exists()
    assert not (results / "figures/training.svg").exists()
    record = json.loads((results / "alignment/summary.json").read_text())
    closed = {each["split"]: each["value"] for each in record["scores"] if each["measure"] == "gap_closed"}
    assert 0.5 < closed["in_sample"] < 1
    page = html.unescape((results / "report.html").read_text())
    assert "From planted-teacher to pupil" in page
    assert "Nothing was trained here" in page
    checked = json.loads((results / "student/checked.json").read_text())
    assert checked["base"]["policy"]["rationality"] == 0


def test_nothing_can_be_trained_and_it_is_said(pair):
    done = run_snakemake(pair, "--dry-run", "results/student/transfer-1/training.json")
    assert "student: base and tuned are asked as they are; give student.model to train it" in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.slow
def test_a_student_may_be_behind_a_server(tmp_path):
    project = reduced_project(tmp_path / "project")
    with loopback(Loopback()) as server:
        served = {"source": "endpoint", "base_url": server.url, "model": "served", "revision": "1"}
        registered(project, **{"served-student": served})
        setting("student", {"base": "served-student", "tuned": "planted-teacher"})(project)
        run_again(project)
        asked = server.requests
        assert asked > 100
        assert plan(project) == {}
    table = pl.read_parquet(project / "results/student/base.parquet")
    assert set(table["software"]) == {"loopback"}
    assert table["requests"].sum() <= asked


@pytest.mark.slow
@pytest.mark.exhaustive
def test_three_recorded_tables_give_the_published_result(tmp_path):
    """The published counts of teacher and both students, as respondents: what scoring the file gives, and the paper."""
    project = reduced_project(tmp_path / "project")
    default = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
    for key in ("games", "splits"):
        setting(key, default[key])(project)
    entry = yaml.safe_load((project / "models.yaml").read_text())["published-llama-2-70b"]
    for name, model in PUBLISHED.items():
        tables = {table: content | {"rows": {"model": model}} for table, content in entry["tables"].items()}
        registered(project, **{name: entry | {"tables": tables}})
    setting("choices", "exact")(project)
    setting("teacher", {"model": "published-llama-2-70b"})(project)
    setting("student", dict(zip(("base", "tuned"), PUBLISHED, strict=True)))(project)
    setting("comprehension", [])(project)
    run_again(project)
    record = json.loads((project / "results/alignment/summary.json").read_text())
    shares = ("improvement", "gap_closed")
    found = {
        (each["split"], each["measure"]): each["value"]
        for each in record["scores"]
        if each["level"] == "split" and each["measure"] in shares
    }
    # Among valid answers, as everywhere here; the paper's 46.26 % are among all.
    counts = read_counts(project / "scenarios/published/lore2024_counts.csv", asked=300)
    scores = score(counts, draws=10, levels=("split",))
    expected = {(each.split, each.measure): each.value for each in scores if each.measure in shares}
    assert found == pytest.approx(expected)
    assert 100 * found["in_sample", "improvement"] == pytest.approx(46.26, abs=0.5)
    gifts = json.loads((project / "results/alignment/donation.json").read_text())
    assert round(100 * gifts["measures"]["exact"]["improvement"]["value"], 1) == 28.5
