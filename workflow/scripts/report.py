"""Write the report of the experiment."""

from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.job import job
from tomtransfer.measurement.findings import read_findings
from tomtransfer.measurement.views import by_arm, labels_of
from tomtransfer.report.page import experiment_page, render_page
from tomtransfer.report.sources import ReportSources
from tomtransfer.report.trust import Checks

with job(snakemake):
    files, params = snakemake.input, snakemake.params
    sources = ReportSources(
        prompts=[Path(path) for path in files.prompts],
        teacher=[Path(path) for path in files.teacher],
        motivations=[Path(path) for path in files.motivations],
        base=Path(files.base),
        students=by_arm(files.tuned, params.students),
        checks=Checks(Path(files.answers), Path(files.understanding), [Path(path) for path in files.amounts]),
        training=dict(zip(labels_of(params.students).values(), map(Path, files.training), strict=False)),
        models=[Path(path) for path in files.models],
        examined=[Path(path) for path in files.examined],
        planes=[Path(path) for path in files.planes],
        benchmarks=Path(snakemake.output.report).parent / "benchmarks",
        games=params.games,
        reading=params.reading,
        experiment=params.experiment,
        snakemake=params.snakemake_version,
    )
    page = experiment_page(read_findings(Path(files.summary)), sources, [Path(path) for path in files.figures])
    write_text(render_page(page), Path(snakemake.output.report))
