"""Ask the student, untuned or tuned, for its choices in all games."""

from pathlib import Path

from job import job

from tomtransfer.answers import Respondent, update_choices
from tomtransfer.prompts import read_prompts
from tomtransfer.tuning import read_key

with job(snakemake):
    adapter = Path(snakemake.input.adapter).parent if snakemake.input.adapter else None
    student = Respondent(
        directory=Path(snakemake.input.model).parent,
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        adapter=adapter,
        adapter_key=read_key(adapter) if adapter else "",
        **snakemake.params.respondent,
    )
    prompts = read_prompts([Path(path) for path in snakemake.input.prompts], snakemake.params.question)
    update_choices(Path(snakemake.output.choices), prompts, student)
