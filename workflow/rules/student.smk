"""Student: its choices in every scenario and what it knows of the payoffs, untuned (base) and tuned.

REQUIRED INPUTS
    results/prompts/*.json
    results/models/{model}/source.json
    results/student/adapter/training.json   for the tuned student

OUTPUTS
    results/student/{base,tuned}.parquet                 exact choices, a row per scenario and frame
    results/student/{base,tuned}.amounts.parquet         exact choices of amounts, a row per scenario
    results/student/{base,tuned}.answers.parquet         drawn answers, a row per scenario, frame and draw
    results/student/{base,tuned}.comprehension.parquet   exact answers to questions about the payoffs

All are updated in place: only rows that are missing are computed, and only then is the model loaded, once.
"""


rule ask_student:
    input:
        prompts=prompt_files(experiment.every_game),
        model=f"{MODELS}/{experiment.student.model}/source.json",
        adapter=adapter_of,
    output:
        choices=update(f"{RESULTS}/student/{{variant}}.parquet"),
        amounts=update(f"{RESULTS}/student/{{variant}}.amounts.parquet"),
        answers=update(f"{RESULTS}/student/{{variant}}.answers.parquet"),
        comprehension=update(f"{RESULTS}/student/{{variant}}.comprehension.parquet"),
    log:
        f"{RESULTS}/logs/ask_student/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_student/{{variant}}.tsv"
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
        respondent=respondent(experiment.student),
        asking=asking(experiment.student),
    message:
        "Asking the {wildcards.variant} student"
    script:
        "../scripts/ask_student.py"
