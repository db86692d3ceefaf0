"""Write the report of the experiment."""

from pathlib import Path

from job import job

from tomtransfer.findings import read_findings
from tomtransfer.report import experiment_page, render_page
from tomtransfer.report_checks import Checks
from tomtransfer.report_sources import Sources
from tomtransfer.tables import write_text

with job(snakemake):
    files = snakemake.input
    sources = Sources(
        prompts=[Path(path) for path in files.prompts],
        teacher=[Path(path) for path in files.teacher],
        motivations=[Path(path) for path in files.motivations],
        base=Path(files.base),
        tuned=Path(files.tuned),
        checks=Checks(Path(files.answers), Path(files.understanding), [Path(path) for path in files.amounts]),
        training=Path(files.training),
        benchmarks=Path(snakemake.params.benchmarks),
        experiment=snakemake.params.experiment,
        snakemake=snakemake.params.snakemake_version,
    )
    templates = Path(files.templates[0]).parent
    page = experiment_page(
        read_findings(Path(files.summary)), sources, [Path(path) for path in files.figures], templates
    )
    write_text(render_page(page, templates), Path(snakemake.output.report))
