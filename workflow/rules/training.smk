"""Training: the teacher's answers as weighted examples, and the adapter that the student learns from them.

REQUIRED INPUTS
    results/prompts/*.json
    results/teacher/*.parquet
    results/teacher/*.{motivations,answers}.parquet   the answers where choices are not read exactly
    results/models/{model}.json
    results/{teacher,student}/checked.json, which both have to be there
    the store, for an adapter that is there

OUTPUTS
    results/training/{arm}.parquet               a row per completion: prompt, completion, weight, where it came from
    results/student/{arm}-{seed}/                the adapter, its log, its model card and the record of how it was made
"""


rule assemble_training:
    input:
        prompts=prompt_files(experiment.games),
        choices=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=experiment.games),
        motivations=expand(f"{RESULTS}/teacher/{{game}}.motivations.parquet", game=experiment.games),
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=experiment.games),
        edited=edited("assemble_training", arm=experiment.arms),
    output:
        examples=f"{RESULTS}/training/{{arm}}.parquet",
        record=f"{RESULTS}/records/assemble_training/{{arm}}.json",
    log:
        f"{RESULTS}/logs/assemble_training/{{arm}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/assemble_training/{{arm}}.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=10,
    params:
        frames=list(experiment.trained_frames),
        held_back_share=experiment.training.held_back_share,
        exact=ask_teacher(experiment).exact,
        code=code("assemble_training.py"),
    message:
        "Assembling the training examples: {wildcards.arm}"
    script:
        "../scripts/assemble_training.py"


rule train_student:
    input:
        examples=f"{RESULTS}/training/{{arm}}.parquet",
        model=trained_model,
        checked=awaited("train_student", CHECKED),
        edited=edited("train_student", arm=experiment.arms, seed=SEEDS),
    output:
        weights=f"{RESULTS}/student/{{arm}}-{{seed}}/adapter_model.safetensors",
        settings=f"{RESULTS}/student/{{arm}}-{{seed}}/adapter_config.json",
        log=f"{RESULTS}/student/{{arm}}-{{seed}}/training_log.csv",
        card=f"{RESULTS}/student/{{arm}}-{{seed}}/README.md",
        facts=f"{RESULTS}/student/{{arm}}-{{seed}}/training.json",
        record=f"{RESULTS}/records/train_student/{{arm}}-{{seed}}.json",
    log:
        f"{RESULTS}/logs/train_student/{{arm}}-{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_student/{{arm}}-{{seed}}.tsv"
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
        respondent=trained_respondent,
        training=experiment.training.model_dump(mode="json", exclude={"seeds"}),
    message:
        "Training a student: {wildcards.arm}, seed {wildcards.seed}"
    script:
        "../scripts/train_student.py"
