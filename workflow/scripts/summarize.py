"""Sum up the experiment over all games."""

from pathlib import Path

from job import job

from tomtransfer.scorecards import write_summary
from tomtransfer.settings import Scoring
from tomtransfer.views import read_answers

with job(snakemake):
    files, params, output = snakemake.input, snakemake.params, snakemake.output
    teacher = [Path(path) for path in files.teacher]
    answers = read_answers(teacher, Path(files.base), Path(files.tuned), params.views, params.designs)
    write_summary(answers, Scoring(**params.scoring), Path(output.table), Path(output.record), Path(output.page))
