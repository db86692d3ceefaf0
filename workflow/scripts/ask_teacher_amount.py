"""Ask the teacher for its choices in one game of amounts, and what it knows of it."""

from pathlib import Path

from job import job

from tomtransfer.amounts import AMOUNT
from tomtransfer.answers import Respondent
from tomtransfer.asking import Asking
from tomtransfer.drawn_answers import update_answers
from tomtransfer.prompts import read_comprehension, read_queries
from tomtransfer.readings import update_readings

with job(snakemake):
    teacher = Respondent(
        directory=Path(snakemake.input.model).parent,
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        **snakemake.params.respondent,
    )
    paths, output = [Path(snakemake.input.prompts)], snakemake.output
    asking = Asking(**snakemake.params.asking)
    amounts = read_queries(paths, AMOUNT, asking.question)
    update_readings(Path(output.amounts), amounts if asking.exact else [], teacher)
    update_answers(Path(output.answers), amounts, teacher, asking)
    update_readings(Path(output.comprehension), read_comprehension(paths), teacher)
