"""Set drawn answers beside exact choices, and say what the models know of the payoffs."""

from pathlib import Path

from tomtransfer.job import job
from tomtransfer.report.trust import write_checks

with job(snakemake):
    files = snakemake.input
    choices, comprehension = (
        {model: [Path(path) for path in paths] for model, paths in zip(("teacher", "base", "tuned"), each, strict=True)}
        for each in (
            (files.teacher, [files.base], [files.tuned]),
            (files.teacher_comprehension, [files.base_comprehension], [files.tuned_comprehension]),
        )
    )
    outputs = {part: Path(path) for part, path in snakemake.output.items()}
    write_checks(choices, comprehension, snakemake.params.confidence, outputs, snakemake.params.reading)
