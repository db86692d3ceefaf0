"""Another workflow uses this one: as a module with its own config, twice, with a prefix, from a commit, deployed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from project import ROOT, copy_project, plan, planned_jobs, run_snakemake
from reduced import REDUCED, take_over

MODULE = """
module {name}:
    snakefile:
        {snakefile}
    config:
        config["{name}"]
"""
ALL_OF = """

use rule * from {name} as {name}_*
"""
MINE = """

rule mine:
    {default}
    input:
        {inputs},
    output:
        "mine.txt",
    shell:
        "cat {{input[0]}} > {{output}}"
"""


def study(folder: Path, snakefile: str, **configs: dict[str, Any]) -> Path:
    """Write somebody else's workflow: this one in a subfolder, and everything that is edited outside of it."""
    (folder / "tomtransfer").mkdir()
    copy_project(folder / "tomtransfer")
    shutil.move(folder / "tomtransfer/scenarios", folder / "scenes")
    shutil.move(folder / "tomtransfer/models.yaml", folder / "registry.yaml")
    (folder / "Snakefile").write_text('configfile: "study.yaml"\n' + snakefile)
    paths = {"models": "shared/models", "store": "shared/store", "scenarios": "scenes", "registry": "registry.yaml"}
    written = {name: REDUCED | {"paths": paths | {"results": name}} | changes for name, changes in configs.items()}
    (folder / "study.yaml").write_text(yaml.safe_dump({"about": "a study of our own", **written}))
    return folder


def module(name: str, prefix: str = "", snakefile: str = '"tomtransfer/workflow/Snakefile"') -> str:
    """Return the declaration of a module and the use of all its rules."""
    text = MODULE.format(name=name, snakefile=snakefile)
    return text + (f'    prefix:\n        "{prefix}"\n' if prefix else "") + ALL_OF.format(name=name)


def mine(*inputs: str, default: bool = True) -> str:
    """Return a rule of the other workflow that takes what this one makes."""
    said = "default_target: True" if default else ""
    return MINE.format(default=said, inputs=", ".join(map(repr, inputs)))


def test_every_rule_can_be_planned_under_its_new_name(tmp_path):
    place = study(tmp_path, module("transfer"), transfer={})
    jobs = plan(place, "transfer_all")
    jobs.pop("transfer_all", None)
    assert jobs["transfer_ask_teacher"] == 2
    assert jobs["transfer_train_student"] == 1
    assert all(name.startswith("transfer_") for name in jobs)


def test_the_outer_workflow_keeps_its_default_target(tmp_path):
    first = "\n\nrule all:\n    input:\n        'yours.txt',\n\n\nrule yours:\n    output:\n        'yours.txt',\n"
    first += "    shell:\n        'touch {output}'\n"
    assert plan(study(tmp_path, first + module("transfer"), transfer={})) == {"yours": 1}


def test_results_come_from_its_own_scenarios_and_stand_under_its_own_name(tmp_path):
    place = study(tmp_path, module("transfer") + mine("transfer/prompts/chicken.json"), transfer={"games": ["chicken"]})
    shutil.copy(place / "scenes/games/snowdrift.yaml", place / "scenes/games/chicken.yaml")
    done = run_snakemake(place, "--cores", "2", "mine", "transfer_published")
    assert done.returncode == 0, done.stdout
    prompts = json.loads((place / "transfer/prompts/chicken.json").read_text())["prompts"]
    assert {prompt["game"] for prompt in prompts} == {"chicken"}
    assert (place / "transfer/published/report.html").exists()
    assert not (place / "results").exists()
    assert not (place / "tomtransfer/results").exists()
    assert planned_jobs(run_snakemake(place, "--dry-run", "mine", "transfer_published").stdout) == {}


def test_a_mistake_in_its_config_is_told_in_one_line(tmp_path):
    place = study(tmp_path, module("transfer"), transfer={"sampling": {"answers": 0}})
    done = run_snakemake(place, "--dry-run")
    assert done.returncode != 0
    assert "tomtransfer: config: sampling.answers: " in done.stdout
    assert "Traceback" not in done.stdout


def test_two_experiments_of_one_study_share_models_and_store(tmp_path):
    place = study(
        tmp_path,
        module("first") + module("second") + mine("first/report.html", "second/report.html"),
        first={},
        second={"training": {"epochs": 2}},
    )
    jobs = plan(place)
    assert jobs["first_report"] == jobs["second_report"] == 1
    assert jobs["first_fetch_model"] == jobs["second_fetch_model"] == 2


@pytest.mark.slow
def test_two_experiments_run_to_their_reports_and_ask_nothing_twice(tmp_path):
    small = {
        "games": ["stag_hunt"],
        "splits": {"in_sample": {"contexts": ["team", "business"]}},
        "comprehension": [],
    }
    place = study(
        tmp_path,
        module("first") + module("second") + mine("first/report.html", "second/report.html"),
        first=small,
        second=small | {"training": {"epochs": 2}},
    )
    done = run_snakemake(place, "--cores", "2")
    assert done.returncode == 0, done.stdout
    assert len(list((place / "shared/store/adapters").iterdir())) == 2
    assert len(list((place / "shared/store/answers/choices").glob("planted-teacher-*"))) == 1
    assert plan(place) == {}


def test_a_prefix_is_put_before_results_and_nothing_else(tmp_path):
    place = study(tmp_path, module("transfer", prefix="study1") + mine("study1/transfer/report.html"), transfer={})
    jobs = plan(place)
    assert jobs["transfer_report"] == 1
    done = run_snakemake(place, "--cores", "2", "study1/transfer/published/report.html")
    assert done.returncode == 0, done.stdout
    assert not (place / "transfer").exists()
    assert (place / "study1/transfer/.run.lock").exists()
    assert plan(place, "study1/transfer/published/report.html") == {}
    counts = place / "scenes/published/lore2024_counts.csv"
    counts.write_bytes(counts.read_bytes() + b"\n")
    assert "transfer_score_published" in plan(place, "study1/transfer/published/report.html")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The project as a Git repository, and its commit."""
    folder = copy_project(tmp_path_factory.mktemp("repository"))
    shutil.copytree(ROOT / "config", folder / "config", symlinks=True)
    shutil.copy(ROOT / "LICENSE", folder / "LICENSE")
    git = ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", "-C", str(folder)]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "all"]):
        subprocess.run([*git, *command], check=True)
    commit = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    return folder, commit


def from_commit(repository: tuple[Path, str]) -> str:
    folder, commit = repository
    return f'gitfile("{folder}", path="workflow/Snakefile", commit="{commit}")'


def test_from_a_commit_it_takes_the_installed_package_or_says_that_there_is_none(tmp_path, repository):
    place = study(tmp_path, module("transfer", snakefile=from_commit(repository)), transfer={})
    shutil.rmtree(place / "tomtransfer")
    dry_run = ("--dry-run", "--rerun-triggers", "mtime", "--", "transfer_all")
    assert "transfer_report" in planned_jobs(run_snakemake(place, *dry_run).stdout)
    without = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGE, *dry_run], cwd=place, text=True, capture_output=True, check=False
    )
    assert without.returncode != 0
    assert "a module from a URL needs the package: pip install it" in without.stderr
    assert "Traceback" not in without.stderr


WITHOUT_PACKAGE = """
import sys

class Nowhere:
    def find_spec(self, name, path=None, target=None):
        return None

sys.path = [path for path in sys.path if not path.endswith("workflow")]
sys.meta_path = [finder for finder in sys.meta_path if "ditable" not in type(finder).__name__ + str(finder)]
from snakemake.cli import main
main(sys.argv[1:])
"""


def test_a_deployment_plans_and_finds_its_files(tmp_path, repository):
    place = deploy(tmp_path, repository)
    jobs = plan(place)
    assert jobs["ask_teacher"] == 4
    assert plan(place, "--configfile", "config/presets/smoke.yaml")["ask_teacher"] == 4
    assert "snakefile" in (place / "workflow/Snakefile").read_text()


@pytest.mark.slow
def test_a_deployment_runs_to_the_report(finished, tmp_path, repository):
    place = deploy(tmp_path, repository)
    take_over(finished, place)
    (place / "small.yaml").write_text(yaml.safe_dump(REDUCED))
    done = run_snakemake(place, "--cores", "2", "--configfile", "small.yaml")
    assert done.returncode == 0, done.stdout
    assert (place / "results/report.html").exists()
    made = run_snakemake(place, "--configfile", "small.yaml", "--report", "all.html")
    assert made.returncode == 0, made.stdout
    report = (place / "all.html").read_text()
    for shown in ("donation", "scorecard", "A teacher plays two-player games", "Checks"):
        assert shown in report


def deploy(folder: Path, repository: tuple[Path, str]) -> Path:
    """Deploy the workflow as the workflow catalogue says."""
    command = [sys.executable, "-c", "from snakedeploy.client import main; main()"]
    given = ["deploy-workflow", str(repository[0]), str(folder / "deployed"), "--branch", "main"]
    subprocess.run([*command, *given], check=True, capture_output=True, env=os.environ)
    snakefile = folder / "deployed/workflow/Snakefile"
    # Of a repository in a folder it writes a path; of one on a server, what stands here.
    snakefile.write_text(snakefile.read_text().replace('"workflow/Snakefile"', from_commit(repository)))
    return folder / "deployed"


def test_the_teacher_alone_is_asked_under_its_new_name_too(tmp_path):
    place = study(tmp_path, module("transfer"), transfer={})
    jobs = plan(place, "transfer_teacher")
    assert jobs["transfer_fetch_model"] == jobs["transfer_check_teacher"] == jobs["transfer_report_teacher"] == 1
    assert "transfer_check_models" not in jobs
