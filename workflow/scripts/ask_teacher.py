"""Ask the teacher for its choices and motivations in one game, and what it knows of the payoffs."""

from pathlib import Path

from job import job

from tomtransfer.answers import Respondent, update_choices, update_motivations
from tomtransfer.asking import Asking, to_draw
from tomtransfer.config import TRAINED_SPLIT
from tomtransfer.drawn_answers import update_answers
from tomtransfer.prompts import read_comprehension, read_prompts
from tomtransfer.readings import update_readings
from tomtransfer.settings import Teacher

with job(snakemake):
    settings = Teacher(**snakemake.params.teacher)
    teacher = Respondent(
        directory=Path(snakemake.input.model).parent,
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        **snakemake.params.respondent,
    )
    paths, output = [Path(snakemake.input.prompts)], snakemake.output
    asking, frames = Asking(**snakemake.params.asking), snakemake.params.frames
    prompts = read_prompts(paths, asking.question)
    exact = prompts if asking.exact else []
    trained = [prompt for prompt in exact if prompt.split == TRAINED_SPLIT and prompt.frame in frames]
    drawn = to_draw(prompts, asking)
    update_choices(Path(output.choices), exact, teacher, settings.motivation_tokens, [*trained, *drawn])
    update_motivations(Path(output.motivations), trained, teacher, settings, frames)
    update_answers(Path(output.answers), drawn, teacher, asking)
    update_readings(Path(output.comprehension), read_comprehension(paths), teacher)
