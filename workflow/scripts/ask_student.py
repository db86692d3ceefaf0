"""Ask the student, untuned or tuned, for its choices in all games, and what it knows of their payoffs."""

from pathlib import Path

from job import job

from tomtransfer.amounts import AMOUNT
from tomtransfer.answers import Respondent, update_choices
from tomtransfer.asking import Asking, to_draw
from tomtransfer.drawn_answers import update_answers
from tomtransfer.prompts import read_comprehension, read_prompts, read_queries
from tomtransfer.readings import update_readings
from tomtransfer.tuning import read_key

with job(snakemake):
    adapter = Path(snakemake.input.adapter).parent if snakemake.input.adapter else None
    student = Respondent(
        directory=Path(snakemake.input.model).parent,
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        adapter=adapter,
        adapter_key=read_key(adapter) if adapter else "",
        **snakemake.params.respondent,
    )
    paths, output = [Path(path) for path in snakemake.input.prompts], snakemake.output
    asking = Asking(**snakemake.params.asking)
    prompts, amounts = read_prompts(paths, asking.question), read_queries(paths, AMOUNT, asking.question)
    drawn = to_draw(prompts, asking)
    update_choices(Path(output.choices), prompts if asking.exact else [], student, drawn_behind=drawn)
    update_readings(Path(output.amounts), amounts if asking.exact else [], student)
    update_answers(Path(output.answers), [*drawn, *amounts], student, asking)
    update_readings(Path(output.comprehension), read_comprehension(paths), student)
