"""Any cluster: jobs go through a submit command that names every resource that the docs name."""

from collections import Counter

import pytest

from project import ROOT, plan, run_snakemake
from reduced import reduced_project, setting, take_over

SUBMIT = """#!/bin/bash
# Runs a job as clusters do that export no environment.
echo "$@" >> submitted.txt
echo "job$$"
nohup env -i HOME="$HOME" PATH=/usr/bin:/bin bash "${@: -1}" >/dev/null 2>&1 &
"""
RESOURCES = "gpu={resources.gpu} memory={resources.mem_mb} minutes={resources.runtime} cores={threads}"


@pytest.mark.slow
def test_the_experiment_runs_to_its_report(finished, tmp_path):
    project = reduced_project(tmp_path / "project")
    setting("compute.gpu", 1)(project)
    take_over(finished, project)  # it is about the way of jobs to a cluster, not about what they compute
    submit = project / "submit.sh"
    submit.write_text(SUBMIT)
    submit.chmod(0o755)
    command = f"./submit.sh {RESOURCES}"
    settings = ("--jobs", "8", "--latency-wait", "30", "--max-status-checks-per-second", "2")
    done = run_snakemake(project, "--executor", "cluster-generic", "--cluster-generic-submit-cmd", command, *settings)
    assert done.returncode == 0, done.stdout
    assert (project / "results/report.html").exists()
    submitted = (project / "submitted.txt").read_text().splitlines()
    assert len(submitted) > 5
    asked = Counter(line.split()[0] for line in submitted)
    assert all(line.split()[1:4] == ["memory=1000", "minutes=10", "cores=1"] for line in submitted)
    # The student, untuned and tuned, and its training; the planted teacher has no weights.
    assert asked["gpu=1"] == 3
    assert asked["gpu=0"] == len(submitted) - 3
    assert plan(project) == {}


@pytest.mark.parametrize("file", sorted((ROOT / "workflow/rules").glob("*.smk")), ids=lambda file: file.stem)
def test_every_rule_says_what_it_asks_for(file):
    """What a rule leaves out ends a run at that rule, after all the others were paid for."""
    text = file.read_text()
    for resource in ("gpu=", "mem_mb=", "runtime="):
        assert text.count(f"        {resource}") == text.count("    script:")
