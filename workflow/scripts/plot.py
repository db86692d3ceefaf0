"""Draw the figures, each as SVG and as PDF."""

from pathlib import Path

from job import job

from tomtransfer import bias_figures, figures, gap_figures
from tomtransfer.figure_style import save
from tomtransfer.findings import read_findings
from tomtransfer.report_sources import read_losses

with job(snakemake):
    findings = read_findings(Path(snakemake.input.summary))
    drawn = {
        "cooperation": figures.cooperation(findings),
        "teacher_against_student": figures.teacher_against_student(findings),
        "distance": figures.distance(findings),
        "gap_closed": gap_figures.gap_closed(findings),
    }
    if beside := snakemake.input.get("published"):
        published = read_findings(Path(beside))
        drawn["bias"] = bias_figures.bias(findings)
        drawn["training"] = figures.training(read_losses(Path(snakemake.input.losses)))
        drawn["beside_published"] = gap_figures.beside_published(findings, published)
    for path in map(Path, snakemake.output):
        save(drawn[path.stem], path)
