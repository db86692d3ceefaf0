"""Teacher: its choices in every scenario, its motivations in those that are trained on, what it knows of the payoffs.

REQUIRED INPUTS
    results/prompts/{game}.json
    results/models/{model}.json
    results/{teacher,student}/checked.json, which both have to be there; of a teacher alone, checked_alone.json
    the store, for answers that are there

OUTPUTS
    results/teacher/{game}.parquet                 exact choices, a row per scenario and frame
    results/teacher/{game}.amounts.parquet         the same of a game of amounts, a row per scenario
    results/teacher/{game}.motivations.parquet     a row per in-sample scenario, trained frame, choice and draw
    results/teacher/{game}.answers.parquet         drawn answers, a row per scenario, frame and draw
    results/teacher/{game}.comprehension.parquet   exact answers to questions about the payoffs
    results/teacher/{game}.examined.json           what was found out about the model by which they were computed

Only what the store lacks is asked; the model is loaded only then.
"""


rule ask_teacher:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        model=f"{RESULTS}/models/{experiment.teacher.model}.json",
        checked=awaited("ask_teacher", checked_before_the_teacher),
        edited=edited("ask_teacher", game=ANY_ACTION_GAME),
    output:
        choices=f"{RESULTS}/teacher/{{game}}.parquet",
        motivations=f"{RESULTS}/teacher/{{game}}.motivations.parquet",
        answers=f"{RESULTS}/teacher/{{game}}.answers.parquet",
        comprehension=f"{RESULTS}/teacher/{{game}}.comprehension.parquet",
        examined=f"{RESULTS}/teacher/{{game}}.examined.json",
        record=f"{RESULTS}/records/ask_teacher/{{game}}.json",
    log:
        f"{RESULTS}/logs/ask_teacher/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_teacher/{{game}}.tsv"
    wildcard_constraints:
        game=ANY_ACTION_GAME,
    conda:
        "../../envs/models.yaml"
    threads: experiment.compute.threads
    resources:
        gpu=gpus_to_ask,
        mem_mb=more_each_attempt(experiment.compute.memory_mb),
        runtime=more_each_attempt(experiment.compute.minutes),
        device=experiment.compute.device,
        tokens_per_batch=experiment.compute.tokens_per_batch,
    params:
        respondent=respondent(experiment.teacher, experiment.teacher.model),
        asking=asdict(ask_teacher(experiment)),
    message:
        "Asking the teacher about {wildcards.game}"
    script:
        "../scripts/ask.py"


use rule ask_teacher as ask_teacher_amount with:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        model=f"{RESULTS}/models/{experiment.teacher.model}.json",
        checked=awaited("ask_teacher_amount", checked_before_the_teacher),
        edited=edited("ask_teacher_amount", game=AMOUNT_GAMES),
    output:
        amounts=f"{RESULTS}/teacher/{{game}}.amounts.parquet",
        answers=f"{RESULTS}/teacher/{{game}}.answers.parquet",
        comprehension=f"{RESULTS}/teacher/{{game}}.comprehension.parquet",
        examined=f"{RESULTS}/teacher/{{game}}.examined.json",
        record=f"{RESULTS}/records/ask_teacher_amount/{{game}}.json",
    log:
        f"{RESULTS}/logs/ask_teacher_amount/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_teacher_amount/{{game}}.tsv"
    wildcard_constraints:
        game=either(AMOUNT_GAMES),
