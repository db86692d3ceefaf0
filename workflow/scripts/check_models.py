"""Make sure, before the first answer, that teacher and student can do what is planned; say what is known of them."""

import json
from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.origins import read_experiment
from tomtransfer.job import job
from tomtransfer.respondents.asking import Asking
from tomtransfer.respondents.checking import CHECKED
from tomtransfer.respondents.opening import open_respondent
from tomtransfer.training.preparation import Plan, check_models

with job(snakemake):
    paths, params = read_experiment(snakemake.config, []).paths, snakemake.params
    checks = Path(paths.store) / CHECKED
    asking = {role: Asking(**settings) for role, settings in params.asking.items()}
    models = {
        role: open_respondent(Path(paths.models) / Path(snakemake.input[role]).stem, checks=checks, **settings)
        for role, settings in params.models.items()
    }
    plan = Plan(
        prompts=[Path(path) for path in snakemake.input.prompts],
        models=params.models,
        teacher=asking["teacher"],
        student=asking["student"],
        frames=params.frames,
        targets=params.targets,
    )
    found = check_models(plan, models["teacher"], models["student"], checks)
    for role, facts in found.items():
        write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", Path(snakemake.output[role]))
