"""Write the report of the published result."""

from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.job import job
from tomtransfer.measurement.findings import read_findings
from tomtransfer.report.page import published_page, render_page

with job(snakemake):
    files = snakemake.input
    figures = [Path(path) for path in files.figures]
    counts = [Path(files.counts), Path(files.donation)]
    page = published_page(read_findings(Path(files.summary)), counts, figures, snakemake.params.snakemake_version)
    write_text(render_page(page), Path(snakemake.output.report))
