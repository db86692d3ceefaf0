"""Training: the teacher's answers as weighted examples, and the adapter that the student learns from them.

REQUIRED INPUTS
    results/prompts/*.json
    results/teacher/*.parquet
    results/teacher/*.{motivations,answers}.parquet   the answers where choices are not read exactly
    results/models/{model}.json
    results/{teacher,student}/checked.json, which both have to be there
    the store, for an adapter that is there

OUTPUTS
    results/training/examples.parquet            a row per completion: prompt, completion, weight, where it came from
    results/student/adapter/                     the adapter, its log, its model card and the record of how it was made
"""


rule assemble_training:
    input:
        prompts=prompt_files(experiment.games),
        choices=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=experiment.games),
        motivations=expand(f"{RESULTS}/teacher/{{game}}.motivations.parquet", game=experiment.games),
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=experiment.games),
        edited=edited("assemble_training"),
    output:
        examples=f"{RESULTS}/training/examples.parquet",
        record=f"{RESULTS}/records/assemble_training.json",
    log:
        f"{RESULTS}/logs/assemble_training.log",
    benchmark:
        f"{RESULTS}/benchmarks/assemble_training.tsv"
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
        "Assembling the training examples"
    script:
        "../scripts/assemble_training.py"


rule train_student:
    input:
        examples=f"{RESULTS}/training/examples.parquet",
        model=trained_model,
        checked=awaited("train_student", CHECKED),
        edited=edited("train_student"),
    output:
        weights=f"{RESULTS}/student/adapter/adapter_model.safetensors",
        settings=f"{RESULTS}/student/adapter/adapter_config.json",
        log=f"{RESULTS}/student/adapter/training_log.csv",
        card=f"{RESULTS}/student/adapter/README.md",
        facts=f"{RESULTS}/student/adapter/training.json",
        record=f"{RESULTS}/records/train_student.json",
    log:
        f"{RESULTS}/logs/train_student.log",
    benchmark:
        f"{RESULTS}/benchmarks/train_student.tsv"
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
        training=experiment.training.model_dump(mode="json"),
    message:
        "Training the student"
    script:
        "../scripts/train_student.py"
