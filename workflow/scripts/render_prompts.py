"""Render the prompts of one game in one context."""

from pathlib import Path

from job import job

from tomtransfer.config_files import read_experiment
from tomtransfer.kinds import write_scenario

with job(snakemake):
    experiment = read_experiment(snakemake.config, [])
    game, context = snakemake.wildcards.game, snakemake.wildcards.context
    write_scenario(experiment, game, context, Path(snakemake.output.prompts))
