"""Measure what the teacher does by itself."""

from pathlib import Path

from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.sections import Scoring
from tomtransfer.job import job
from tomtransfer.measurement.play import write_play
from tomtransfer.report.solo import PlayFiles, measure_play, solo_summary

with job(snakemake):
    files, params = snakemake.input, snakemake.params
    names = ("choices", "answers", "comprehension", "amounts")
    given = PlayFiles(**{name: [Path(path) for path in files[name]] for name in names})
    play = measure_play(given, params.views, params.designs, params.units, Scoring(**params.scoring))
    write_play(play, Path(snakemake.output.summary))
    write_text(solo_summary(play), Path(snakemake.output.page))
