"""Fetch one model of the registry into its folder."""

from pathlib import Path

from job import job

from tomtransfer.config_files import read_experiment
from tomtransfer.fetching import fetch
from tomtransfer.registry import find, read_registry

with job(snakemake):
    path = Path(read_experiment(snakemake.config, []).paths.registry)
    name = snakemake.wildcards.model
    fetch(name, find(name, read_registry(path), path), Path(snakemake.output.source).parent)
    Path(snakemake.output.source).touch()
