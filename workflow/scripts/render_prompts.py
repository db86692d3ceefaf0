"""Render the prompts of one game in one context."""

from pathlib import Path

from job import job

from tomtransfer.config_files import read_experiment
from tomtransfer.prompts import render_scenario, write_prompts

with job(snakemake):
    experiment = read_experiment(snakemake.config, [])
    prompts = render_scenario(experiment, snakemake.wildcards.game, snakemake.wildcards.context)
    write_prompts(prompts, Path(snakemake.output.prompts))
