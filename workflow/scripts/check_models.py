"""Make sure, before the first answer, that all models can do what is planned; say what is known of them."""

import json
from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.origins import read_experiment
from tomtransfer.job import job
from tomtransfer.models.registry import read_registry
from tomtransfer.respondents.asking import Asking
from tomtransfer.respondents.checking import CHECKED, check_respondents
from tomtransfer.respondents.opening import open_respondent
from tomtransfer.training.preparation import Plan, check_models

with job(snakemake):
    experiment, params = read_experiment(snakemake.config, []), snakemake.params
    checks, registry = Path(experiment.paths.store) / CHECKED, read_registry(Path(experiment.paths.registry))
    names = {**experiment.respondents, "student": experiment.respondents.get("tuned")}
    asking = {role: Asking(**settings) for role, settings in params.asking.items()}
    models = {
        role: open_respondent(Path(experiment.paths.models) / names[role], registry, checks=checks, **settings)
        for role, settings in params.models.items()
    }
    prompts = [Path(path) for path in snakemake.input.prompts]
    if "student" in models:
        plan = Plan(prompts, params.models, asking["teacher"], asking["student"], params.frames, params.targets)
        found = check_models(plan, models["teacher"], models["student"], checks)
    else:
        asked = {role: (each, asking.get(role) or asking["student"]) for role, each in models.items()}
        found = check_respondents(prompts, params.models, asked, checks)
    students = found.get("student") or {role: facts for role, facts in found.items() if role != "teacher"}
    for role, facts in {"teacher": found["teacher"], "student": students}.items():
        if place := snakemake.output.get(role):
            write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", Path(place))
