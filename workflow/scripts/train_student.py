"""Train the student's adapter on the teacher's answers."""

from pathlib import Path

from job import job

from tomtransfer.answers import Respondent
from tomtransfer.config_files import read_experiment
from tomtransfer.settings import Training
from tomtransfer.tuning import update_adapter

with job(snakemake):
    student = Respondent(
        directory=Path(snakemake.input.model).parent,
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        **snakemake.params.respondent,
    )
    update_adapter(
        Path(snakemake.output.record).parent,
        Path(snakemake.input.examples),
        student,
        Training(**snakemake.params.training),
        Path(snakemake.params.checkpoints),
        read_experiment(snakemake.config, []).compute.gradient_checkpointing,
    )
