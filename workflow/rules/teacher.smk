"""Teacher: its choices in every scenario, its motivations in those that are trained on, what it knows of the payoffs.

REQUIRED INPUTS
    results/prompts/{game}.json
    results/models/{model}/source.json

OUTPUTS
    results/teacher/{game}.parquet                 exact choices, a row per scenario and frame
    results/teacher/{game}.amounts.parquet         the same of a game of amounts, a row per scenario
    results/teacher/{game}.motivations.parquet     a row per in-sample scenario, trained frame, choice and draw
    results/teacher/{game}.answers.parquet         drawn answers, a row per scenario, frame and draw
    results/teacher/{game}.comprehension.parquet   exact answers to questions about the payoffs

All are updated in place: only rows that are missing are computed.
"""


rule ask_teacher:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        model=f"{MODELS}/{experiment.teacher.model}/source.json",
    output:
        choices=update(f"{RESULTS}/teacher/{{game}}.parquet"),
        motivations=update(f"{RESULTS}/teacher/{{game}}.motivations.parquet"),
        answers=update(f"{RESULTS}/teacher/{{game}}.answers.parquet"),
        comprehension=update(f"{RESULTS}/teacher/{{game}}.comprehension.parquet"),
    log:
        f"{RESULTS}/logs/ask_teacher/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_teacher/{{game}}.tsv"
    wildcard_constraints:
        game=either(ACTION_GAMES),
    conda:
        "../../envs/models.yaml"
    threads: experiment.compute.threads
    resources:
        gpu=experiment.compute.gpu,
        mem_mb=more_each_attempt(experiment.compute.memory_mb),
        runtime=more_each_attempt(experiment.compute.minutes),
        device=experiment.compute.device,
        tokens_per_batch=experiment.compute.tokens_per_batch,
    params:
        respondent=respondent(experiment.teacher),
        teacher=experiment.teacher.model_dump(mode="json"),
        frames=experiment.trained_frames,
        asking=asking(experiment.teacher),
    message:
        "Asking the teacher about {wildcards.game}"
    script:
        "../scripts/ask_teacher.py"


rule ask_teacher_amount:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        model=f"{MODELS}/{experiment.teacher.model}/source.json",
    output:
        amounts=update(f"{RESULTS}/teacher/{{game}}.amounts.parquet"),
        answers=update(f"{RESULTS}/teacher/{{game}}.answers.parquet"),
        comprehension=update(f"{RESULTS}/teacher/{{game}}.comprehension.parquet"),
    log:
        f"{RESULTS}/logs/ask_teacher_amount/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_teacher_amount/{{game}}.tsv"
    wildcard_constraints:
        game=either(AMOUNT_GAMES),
    conda:
        "../../envs/models.yaml"
    threads: experiment.compute.threads
    resources:
        gpu=experiment.compute.gpu,
        mem_mb=more_each_attempt(experiment.compute.memory_mb),
        runtime=more_each_attempt(experiment.compute.minutes),
        device=experiment.compute.device,
        tokens_per_batch=experiment.compute.tokens_per_batch,
    params:
        respondent=respondent(experiment.teacher),
        asking=asking(experiment.teacher),
    message:
        "Asking the teacher about {wildcards.game}"
    script:
        "../scripts/ask_teacher_amount.py"
