"""Draw the figures, each as SVG and as PDF."""

from pathlib import Path

from tomtransfer.job import job
from tomtransfer.measurement.findings import read_findings
from tomtransfer.report import effects, figures, forest
from tomtransfer.report.sources import read_losses
from tomtransfer.report.style import save

with job(snakemake):
    findings = read_findings(Path(snakemake.input.summary))
    drawn = {
        "cooperation": figures.cooperation(findings),
        "teacher_against_student": figures.teacher_against_student(findings),
        "distance": figures.distance(findings),
        "gap_closed": forest.gap_closed_figure(findings),
    }
    if beside := snakemake.input.get("published"):
        drawn["bias"] = effects.bias_figure(findings)
        if losses := snakemake.input.get("losses"):
            drawn["training"] = figures.training([read_losses(Path(path)) for path in losses])
        drawn["beside_published"] = forest.beside_published(findings, read_findings(Path(beside)))
    for path in map(Path, [*snakemake.output.svg, *snakemake.output.pdf]):
        save(drawn[path.stem], path)
