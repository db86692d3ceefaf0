"""Teacher: its exact choices in every scenario, its motivations in those that are trained on.

REQUIRED INPUTS
    results/prompts/{game}/*.json
    results/models/{model}/source.json

OUTPUTS
    results/teacher/{game}.parquet               a row per scenario and frame
    results/teacher/{game}.motivations.parquet   a row per in-sample scenario, trained frame, choice, draw

Both are updated in place: only rows that are missing are computed.
"""


rule ask_teacher:
    input:
        prompts=prompt_files(["{game}"], experiment.contexts),
        model=f"{MODELS}/{experiment.teacher.model}/source.json",
    output:
        choices=update(f"{RESULTS}/teacher/{{game}}.parquet"),
        motivations=update(f"{RESULTS}/teacher/{{game}}.motivations.parquet"),
    log:
        f"{RESULTS}/logs/ask_teacher/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_teacher/{{game}}.tsv"
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
        respondent=respondent(experiment.teacher),
        teacher=experiment.teacher.model_dump(mode="json"),
        frames=experiment.trained_frames,
    message:
        "Asking the teacher about {wildcards.game}"
    script:
        "../scripts/ask_teacher.py"
