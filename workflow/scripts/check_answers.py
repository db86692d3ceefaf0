"""Set drawn answers beside exact choices, and say what the models know of the payoffs."""

from pathlib import Path

from tomtransfer.job import job
from tomtransfer.measurement.views import labels_of
from tomtransfer.report.trust import write_checks

with job(snakemake):
    files, params = snakemake.input, snakemake.params
    tuned = labels_of(params.students).values()
    choices, comprehension = (
        {"teacher": teacher, "base": [base], **{label: [file] for label, file in zip(tuned, students, strict=True)}}
        for teacher, base, students in (
            (files.teacher, files.base, files.tuned),
            (files.teacher_comprehension, files.base_comprehension, files.tuned_comprehension),
        )
    )
    choices, comprehension = (
        {model: [Path(file) for file in files] for model, files in each.items()} for each in (choices, comprehension)
    )
    outputs = {part: Path(path) for part, path in snakemake.output.items()}
    write_checks(choices, comprehension, params.confidence, outputs, params.reading)
