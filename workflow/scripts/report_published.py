"""Write the report of the published result."""

from pathlib import Path

from job import job

from tomtransfer.findings import read_findings
from tomtransfer.report import published_page, render_page
from tomtransfer.tables import write_text

with job(snakemake):
    files = snakemake.input
    templates = Path(files.templates[0]).parent
    figures = [Path(path) for path in files.figures]
    counts = [Path(files.counts), Path(files.donation)]
    page = published_page(
        read_findings(Path(files.summary)), counts, figures, templates, snakemake.params.snakemake_version
    )
    write_text(render_page(page, templates), Path(snakemake.output.report))
