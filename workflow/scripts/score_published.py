"""Score the published counts as an experiment of our own is scored."""

from dataclasses import replace
from pathlib import Path

from tomtransfer.experiment.sections import Scoring
from tomtransfer.job import job
from tomtransfer.measurement.findings import examine, write_findings
from tomtransfer.measurement.published_counts import read_donation, read_published

with job(snakemake):
    folder = Path(snakemake.input.counts).parent
    findings = examine(read_published(folder), Scoring(**snakemake.params.scoring))
    write_findings(replace(findings, donation=read_donation(folder)), Path(snakemake.output.summary))
