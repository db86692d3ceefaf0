"""Sum up the experiment over all games."""

from pathlib import Path

from job import job

from tomtransfer.config import Scoring
from tomtransfer.scorecards import read_answers, write_summary

with job(snakemake):
    files, output = snakemake.input, snakemake.output
    teacher = [Path(path) for path in files.teacher]
    answers = read_answers(teacher, Path(files.base), Path(files.tuned), snakemake.params.frame)
    write_summary(
        answers, Scoring(**snakemake.params.scoring), Path(output.table), Path(output.record), Path(output.page)
    )
