"""Write the report of the teacher alone."""

from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.job import job
from tomtransfer.measurement.play import read_play
from tomtransfer.report.page import render_page
from tomtransfer.report.portrait import SoloSources, solo_page

with job(snakemake):
    files, params = snakemake.input, snakemake.params
    sources = SoloSources(
        prompts=[Path(path) for path in files.prompts],
        motivations=[Path(path) for path in files.motivations],
        answers=[Path(path) for path in files.answers],
        checked=Path(files.model),
        examined=[Path(path) for path in files.examined],
        benchmarks=Path(snakemake.output.report).parents[1] / "benchmarks",
        games=params.games,
        reading=params.reading,
        experiment=params.experiment,
        snakemake=params.snakemake_version,
    )
    page = solo_page(read_play(Path(files.summary)), sources, [Path(path) for path in files.figures])
    write_text(render_page(page), Path(snakemake.output.report))
