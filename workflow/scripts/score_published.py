"""Score the published counts as an experiment of our own is scored."""

from dataclasses import replace
from pathlib import Path

from job import job

from tomtransfer.findings import examine, write_findings
from tomtransfer.published import read_donation, read_published
from tomtransfer.settings import Scoring

with job(snakemake):
    folder = Path(snakemake.input.counts).parent
    findings = examine(read_published(folder), Scoring(**snakemake.params.scoring))
    write_findings(replace(findings, donation=read_donation(folder)), Path(snakemake.output.summary))
