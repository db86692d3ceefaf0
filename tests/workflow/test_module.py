"""Another workflow uses this one as a module, with a config, scenarios and results of its own."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from project import ROOT, copy_project, planned_jobs, run_snakemake

SNAKEFILE = """
configfile: "study.yaml"


module tomtransfer:
    snakefile:
        "tomtransfer/workflow/Snakefile"
    config:
        config["tomtransfer"]


use rule * from tomtransfer as tomtransfer_*


rule compare:
    default_target: True
    input:
        ours="transfer/published/tables/alignment_by_split.csv",
        prompts="transfer/prompts/chicken.json",
    output:
        "study/comparison.txt",
    shell:
        "head -1 {input.ours} > {output}"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workflow of someone else: tomtransfer in a subfolder, and everything that is edited outside of it."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "tomtransfer").mkdir()
    copy_project(folder / "tomtransfer")
    (folder / "Snakefile").write_text(SNAKEFILE)
    shutil.move(folder / "tomtransfer/scenarios", folder / "scenes")
    shutil.move(folder / "tomtransfer/models.yaml", folder / "registry.yaml")
    shutil.copy(folder / "scenes/games/snowdrift.yaml", folder / "scenes/games/chicken.yaml")
    config = yaml.safe_load((ROOT / "config.yaml").read_text()) | yaml.safe_load(
        (ROOT / "presets/smoke.yaml").read_text()
    )
    config["frames"] = {"canonical": {"cooperate": "C", "defect": "D"}}
    config["games"] = ["chicken"]
    config["paths"] = {
        "results": "transfer",
        "models": "transfer/models",
        "scenarios": "scenes",
        "registry": "registry.yaml",
    }
    (folder / "study.yaml").write_text(yaml.safe_dump({"about": "a study of our own", "tomtransfer": config}))
    return folder


def test_every_rule_can_be_planned_under_its_new_name(study):
    done = run_snakemake(study, "--dry-run", "tomtransfer_all")
    assert done.returncode == 0, done.stdout
    jobs = planned_jobs(done.stdout)
    assert jobs["tomtransfer_ask_teacher"] == 1
    assert jobs["tomtransfer_train_student"] == 1
    assert all(name.startswith("tomtransfer_") for name in jobs)


def test_what_is_built_by_default_is_what_the_other_workflow_says(study):
    jobs = planned_jobs(run_snakemake(study, "--dry-run").stdout)
    assert jobs.pop("compare") == 1
    assert set(jobs) == {f"tomtransfer_{name}" for name in ("score_published", "tabulate_published", "render_prompts")}


def test_results_come_from_its_own_scenarios_and_stand_under_its_own_prefix(study):
    done = run_snakemake(study, "--cores", "2", "compare", "tomtransfer_published")
    assert done.returncode == 0, done.stdout
    assert (study / "study/comparison.txt").read_text().startswith("split,measure")
    prompts = json.loads((study / "transfer/prompts/chicken.json").read_text())["prompts"]
    assert {prompt["game"] for prompt in prompts} == {"chicken"}
    assert (study / "transfer/published/report.html").exists()
    assert not (study / "results").exists()
    assert not (study / "tomtransfer/results").exists()


def test_a_mistake_in_its_config_is_told(study):
    text = (study / "study.yaml").read_text()
    (study / "study.yaml").write_text(text.replace("answers: 3", "answers: 0"))
    done = run_snakemake(study, "--dry-run")
    (study / "study.yaml").write_text(text)
    assert done.returncode != 0
    assert "sampling.answers: " in done.stdout
    assert "Traceback" not in done.stdout
