"""Sum up the experiment over all games."""

from pathlib import Path

from tomtransfer.experiment.sections import Scoring
from tomtransfer.job import job
from tomtransfer.measurement.views import by_arm, read_answers
from tomtransfer.report.scorecards import read_game_scores, write_summary

with job(snakemake):
    files, params, output = snakemake.input, snakemake.params, snakemake.output
    teacher = [Path(path) for path in files.teacher]
    students = by_arm(files.tuned, params.students)
    answers = read_answers(teacher, Path(files.base), students, params.views, params.designs)
    games = read_game_scores([Path(path) for path in files.games])
    paths = (Path(output.table), Path(output.findings), Path(output.page))
    write_summary(answers, games, Scoring(**params.scoring), *paths, seeds=params.seeds)
