"""Assemble the training examples from the teacher's answers."""

from pathlib import Path

from tomtransfer.experiment.tables import write_table
from tomtransfer.job import job
from tomtransfer.scenarios.questions import read_prompts
from tomtransfer.training.arms import examples_of
from tomtransfer.training.examples import assemble, assemble_drawn

with job(snakemake):
    files, frames, share = snakemake.input, snakemake.params.frames, snakemake.params.held_back_share
    choices, motivations, answers, prompts = (
        [Path(path) for path in paths] for paths in (files.choices, files.motivations, files.answers, files.prompts)
    )
    if snakemake.params.exact:
        examples = assemble(choices, motivations, read_prompts(prompts), frames, share)
    else:
        examples = assemble_drawn(answers, read_prompts(prompts), frames, share)
    examples = examples_of(snakemake.wildcards.arm, examples)
    write_table(examples, Path(snakemake.output.examples))
