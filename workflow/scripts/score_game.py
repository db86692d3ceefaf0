"""Score one game: measures, choice probabilities and where they come from."""

from pathlib import Path

from tomtransfer.experiment.sections import Scoring
from tomtransfer.job import job
from tomtransfer.measurement.views import by_arm, read_answers
from tomtransfer.report.scorecards import write_scorecard
from tomtransfer.report.trust import Checks, game_checks

with job(snakemake):
    files, params = snakemake.input, snakemake.params
    teacher = [Path(path) for path in files.teacher]
    students = by_arm(files.tuned, params.students)
    answers = read_answers(teacher, Path(files.base), students, params.views, params.designs)
    facts = {**params.game, "frame": next(iter(params.views))}
    facts |= game_checks(Checks(Path(files.counted), Path(files.understanding), []), facts["game"])
    output = snakemake.output
    write_scorecard(answers, facts, Scoring(**params.scoring), Path(output.table), Path(output.card))
