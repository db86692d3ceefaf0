"""Assemble the training examples from the teacher's answers."""

from pathlib import Path

from job import job

from tomtransfer.examples import assemble
from tomtransfer.prompts import read_prompts
from tomtransfer.tables import write_table

with job(snakemake):
    choices, motivations, prompts = (
        [Path(path) for path in paths]
        for paths in (snakemake.input.choices, snakemake.input.motivations, snakemake.input.prompts)
    )
    settings = snakemake.params
    examples = assemble(choices, motivations, read_prompts(prompts), settings.frames, settings.held_back_share)
    write_table(examples, Path(snakemake.output.examples))
