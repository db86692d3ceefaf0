"""Fetch one model of the registry into its folder, and say which model this is."""

import json
from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.origins import read_experiment
from tomtransfer.job import job
from tomtransfer.models.fetching import fetch
from tomtransfer.models.integrity import SOURCE
from tomtransfer.models.registry import find, identifying, read_registry, revision

with job(snakemake) as beside:
    paths, name = read_experiment(snakemake.config, []).paths, snakemake.wildcards.model
    source = find(name, read_registry(Path(paths.registry)), Path(paths.registry))
    folder = Path(paths.models) / name
    fetch(name, source, folder)
    beside.append(folder / SOURCE)
    facts = {"model": name, "revision": revision(name, source), "source": identifying(source)}
    write_text(json.dumps(facts, indent=2) + "\n", Path(snakemake.output.source))
