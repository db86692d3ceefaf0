"""Ask the teacher for its choices and motivations in one game."""

from pathlib import Path

from job import job

from tomtransfer.answers import Respondent, update_choices, update_motivations
from tomtransfer.config import TRAINED_SPLIT, Teacher
from tomtransfer.prompts import read_prompts

with job(snakemake):
    settings = Teacher(**snakemake.params.teacher)
    teacher = Respondent(
        directory=Path(snakemake.input.model).parent,
        device=snakemake.resources.device,
        tokens_per_batch=snakemake.resources.tokens_per_batch,
        **snakemake.params.respondent,
    )
    prompts = read_prompts([Path(path) for path in snakemake.input.prompts], settings.question)
    frames = snakemake.params.frames
    trained = [prompt for prompt in prompts if prompt.split == TRAINED_SPLIT and prompt.frame in frames]
    update_choices(Path(snakemake.output.choices), prompts, teacher, room=settings.motivation_tokens)
    update_motivations(Path(snakemake.output.motivations), trained, teacher, settings, frames)
