"""Render the prompts of one game."""

from pathlib import Path

from tomtransfer.experiment.origins import read_experiment
from tomtransfer.job import job
from tomtransfer.scenarios.kinds import write_game

with job(snakemake):
    experiment = read_experiment(snakemake.config, [])
    write_game(experiment, snakemake.wildcards.game, Path(snakemake.output.prompts))
