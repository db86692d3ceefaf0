"""Student: its exact choices in every scenario, untuned (base) and tuned.

REQUIRED INPUTS
    results/prompts/*/*.json
    results/models/{model}/source.json
    results/student/adapter/training.json   for the tuned student

OUTPUTS
    results/student/{base,tuned}.parquet    a row per scenario and frame, updated in place
"""


rule ask_student:
    input:
        prompts=prompt_files(experiment.games, experiment.contexts),
        model=f"{MODELS}/{experiment.student.model}/source.json",
        adapter=adapter_of,
    output:
        choices=update(f"{RESULTS}/student/{{variant}}.parquet"),
    log:
        f"{RESULTS}/logs/ask_student/{{variant}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_student/{{variant}}.tsv"
    conda:
        "../../envs/models.yaml"
    threads: experiment.compute.threads
    resources:
        gpu=experiment.compute.gpu,
        mem_mb=experiment.compute.memory_mb,
        runtime=experiment.compute.minutes,
        device=experiment.compute.device,
        tokens_per_batch=experiment.compute.tokens_per_batch,
    params:
        respondent=respondent(experiment.student),
        question=experiment.student.question,
    message:
        "Asking the {wildcards.variant} student"
    script:
        "../scripts/ask_student.py"
