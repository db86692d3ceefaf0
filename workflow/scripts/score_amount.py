"""Score one game of amounts beside the published means."""

from pathlib import Path

from tomtransfer.experiment.sections import Scoring
from tomtransfer.job import job
from tomtransfer.measurement.views import labels_of
from tomtransfer.report.amount_cards import amount_tables, read_amounts, write_amount_card

with job(snakemake):
    files, params = snakemake.input, snakemake.params
    tuned = dict(zip(labels_of(params.students).values(), map(Path, files.tuned), strict=True))
    tables = amount_tables(Path(files.teacher), Path(files.base), tuned)
    write_amount_card(
        read_amounts(*tables, params.game["game"], params.game["unit"]),
        params.game,
        Scoring(**params.scoring),
        Path(files.published).parent,
        {part: Path(path) for part, path in snakemake.output.items()},
    )
