"""Score one game: measures, choice probabilities and where they come from."""

from pathlib import Path

from job import job

from tomtransfer.config_files import read_experiment
from tomtransfer.games import load_game
from tomtransfer.report_checks import Checks, game_checks
from tomtransfer.scorecards import write_scorecard
from tomtransfer.settings import Scoring
from tomtransfer.views import read_answers

with job(snakemake):
    name = snakemake.wildcards.game
    game = load_game(Path(read_experiment(snakemake.config, []).paths.scenarios), name)
    files, params = snakemake.input, snakemake.params
    teacher = [Path(path) for path in files.teacher]
    answers = read_answers(teacher, Path(files.base), Path(files.tuned), params.views, params.designs)
    facts = {"game": name, **game.model_dump(mode="json"), "frame": next(iter(params.views))}
    facts |= game_checks(Checks(Path(files.counted), Path(files.understanding), []), name)
    settings = Scoring(**params.scoring)
    write_scorecard(answers, facts, settings, Path(snakemake.output.table), Path(snakemake.output.card))
