"""Score one game of amounts beside the published means."""

from pathlib import Path

from job import job

from tomtransfer.amount_cards import amount_tables, read_amounts, write_amount_card
from tomtransfer.amounts import load_amount_game
from tomtransfer.config_files import read_experiment
from tomtransfer.settings import Scoring

with job(snakemake):
    name, files = snakemake.wildcards.game, snakemake.input
    game = load_amount_game(Path(read_experiment(snakemake.config, []).paths.scenarios), name)
    tables = amount_tables(Path(files.teacher), Path(files.base), Path(files.tuned))
    write_amount_card(
        read_amounts(*tables, name, game.unit),
        {"game": name, **game.model_dump(mode="json")},
        Scoring(**snakemake.params.scoring),
        Path(files.published).parent,
        {part: Path(path) for part, path in snakemake.output.items()},
    )
