"""Render the prompts of one game."""

from pathlib import Path

from job import job

from tomtransfer.config_files import read_experiment
from tomtransfer.kinds import write_game

with job(snakemake):
    experiment = read_experiment(snakemake.config, [])
    write_game(experiment, snakemake.wildcards.game, Path(snakemake.output.prompts))
