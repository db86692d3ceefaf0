"""Write the tables, each as CSV and as LaTeX; one that there is nothing to show in is empty."""

from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.job import job
from tomtransfer.measurement.findings import read_findings
from tomtransfer.report.tabulation import make_tables
from tomtransfer.report.typesetting import as_csv, as_latex

with job(snakemake):
    tables = {table.name: table for table in make_tables(read_findings(Path(snakemake.input.summary)))}
    for path in map(Path, snakemake.output.csv):
        write_text(as_csv(tables[path.stem]) if path.stem in tables else "", path)
    for path in map(Path, snakemake.output.tex):
        write_text(as_latex(tables[path.stem]) if path.stem in tables else "% nothing to show\n", path)
