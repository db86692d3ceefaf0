"""A model that cannot do what is planned ends the run in a line, before any model is loaded."""

import re

import yaml

from project import copy_project, run_snakemake
from reduced import REDUCED
from saved_models import save_model


def test_faults_of_both_models_are_told_in_lines_before_either_is_loaded(tmp_path):
    project = copy_project(tmp_path)
    save_model(project / "tiny/teacher", template="{% for m in messages %}{{ m.role }}{% endfor %}")
    save_model(project / "tiny/student", "phi3")
    registry = yaml.safe_load((project / "models.yaml").read_text())
    registry |= {role: {"source": "local", "path": f"tiny/{role}"} for role in ("teacher", "student")}
    (project / "models.yaml").write_text(yaml.safe_dump(registry))
    models = {"teacher": REDUCED["teacher"] | {"model": "teacher"}, "student": {"model": "student"}}
    (project / "config.yaml").write_text(yaml.safe_dump(REDUCED | models))
    done = run_snakemake(project, "--cores", "all", "--keep-going")
    assert done.returncode != 0
    assert "teacher: teacher: its chat template does not give the messages as they are" in done.stdout
    assert "student: training.lora.targets: no layer is called q_proj, v_proj; allowed: down_proj" in done.stdout
    assert "Traceback" not in done.stdout
    assert not {"loading teacher", "loading student"} & set(re.findall(r"loading \w+", done.stdout))
    assert not list((project / "results/store").glob("examined/*"))
    assert not list((project / "results/store").glob("answers/*"))
