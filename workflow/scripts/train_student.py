"""Train the student's adapter on the teacher's answers, unless the store has it."""

from pathlib import Path

from tomtransfer.experiment.origins import read_experiment
from tomtransfer.experiment.sections import Training
from tomtransfer.experiment.store import Store
from tomtransfer.experiment.tables import read_table
from tomtransfer.job import job
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.training.adapter import Lesson, write_adapter

with job(snakemake):
    experiment = read_experiment(snakemake.config, [])
    student = LocalModel(
        directory=Path(experiment.paths.models) / Path(snakemake.input.model).stem,
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        examinations=Path(experiment.paths.store) / "examined",
        **snakemake.params.respondent,
    )
    store = Store(Path(experiment.paths.store))
    store.note_use(Path(snakemake.output.facts).parents[2])
    lesson = Lesson(
        student,
        read_table(Path(snakemake.input.examples)),
        Training(**snakemake.params.training),
        int(snakemake.wildcards.seed),
    )
    write_adapter(
        Path(snakemake.output.facts).parent,
        lesson,
        snakemake.wildcards.arm,
        store,
        experiment.compute.gradient_checkpointing,
    )
