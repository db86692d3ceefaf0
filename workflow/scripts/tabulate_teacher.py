"""Write the tables of the teacher, each as CSV and as LaTeX; one without rows has its heading alone."""

from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.job import job
from tomtransfer.measurement.play import read_play
from tomtransfer.report.solo import solo_tables
from tomtransfer.report.typesetting import as_csv, as_latex

with job(snakemake):
    tables = {table.name: table for table in solo_tables(read_play(Path(snakemake.input.summary)))}
    for path in map(Path, snakemake.output.csv):
        write_text(as_csv(tables[path.stem]), path)
    for path in map(Path, snakemake.output.tex):
        table = tables[path.stem]
        write_text(as_latex(table) if table.rows else f"% {table.title}: nothing to show\n", path)
