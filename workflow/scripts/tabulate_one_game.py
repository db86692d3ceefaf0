"""Write how each model plays one game of a plane, in every frame in which it was asked."""

from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.job import job
from tomtransfer.report.plane_pages import one_game_table
from tomtransfer.report.typesetting import as_csv

with job(snakemake):
    files, output = snakemake.input, Path(snakemake.output.table)
    choices = map(Path, [files.teacher, files.base, *files.tuned])
    by_model = dict(zip(snakemake.params.models, choices, strict=True))
    write_text(as_csv(one_game_table(output.stem, [Path(files.prompts)], by_model)), output)
