"""Write the tables, each as CSV and as LaTeX."""

from pathlib import Path

from job import job

from tomtransfer.findings import read_findings
from tomtransfer.report_tables import make_tables
from tomtransfer.tables import write_text
from tomtransfer.typesetting import as_csv, as_latex

with job(snakemake):
    tables = {table.name: table for table in make_tables(read_findings(Path(snakemake.input.summary)))}
    for path in map(Path, snakemake.output):
        write_text((as_csv if path.suffix == ".csv" else as_latex)(tables[path.stem]), path)
