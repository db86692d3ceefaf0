"""Draw the figures of the teacher, each as SVG and as PDF."""

from pathlib import Path

from tomtransfer.job import job
from tomtransfer.measurement.play import read_play
from tomtransfer.report.dots import play_figure
from tomtransfer.report.effects import bias_figure
from tomtransfer.report.style import save

with job(snakemake):
    play = read_play(Path(snakemake.input.summary))
    drawn = {"play": play_figure(play), "bias": bias_figure(play)}
    for path in map(Path, [*snakemake.output.svg, *snakemake.output.pdf]):
        save(drawn[path.stem], path)
