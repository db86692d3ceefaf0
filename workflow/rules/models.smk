"""Models: from where the registry says to safetensors and a tokenizer, once; and whether they can do what is planned.

REQUIRED INPUTS
    models.yaml                          the registry (what identifies the model by its entry is a param)
    results/prompts/*.json

OUTPUTS
    results/models/{model}.json             which model this is; its folder is {paths.models}/{model}
    results/{teacher,student}/checked.json  what is known of each before it is loaded
    results/teacher/checked_alone.json      the same where nobody but the teacher is asked

No step with a model starts before all models were checked that are asked; none runs again because they were.
"""

CHECKED = [f"{RESULTS}/{role}/checked.json" for role in ("teacher", "student")]
CHECKED_ALONE = f"{RESULTS}/teacher/checked_alone.json"


rule fetch_model:
    input:
        edited=edited("fetch_model", model=registry),
    output:
        source=f"{RESULTS}/models/{{model}}.json",
        record=f"{RESULTS}/records/fetch_model/{{model}}.json",
    log:
        f"{RESULTS}/logs/fetch_model/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_model/{{model}}.tsv"
    localrule: True
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=0,
        mem_mb=more_each_attempt(experiment.compute.memory_mb),
        runtime=more_each_attempt(experiment.compute.minutes),
    params:
        revision=registered,
    message:
        "Fetching {wildcards.model}"
    script:
        "../scripts/fetch_model.py"


rule check_models:
    input:
        prompts=prompt_files(experiment.every_game),
        teacher=f"{RESULTS}/models/{experiment.teacher.model}.json",
        students=student_models,
        edited=edited("check_models"),
    output:
        teacher=CHECKED[0],
        student=CHECKED[1],
        record=f"{RESULTS}/records/check_models.json",
    log:
        f"{RESULTS}/logs/check_models.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_models.tsv"
    localrule: True
    conda:
        "../../envs/models.yaml"
    resources:
        gpu=0,
        mem_mb=2000,
        runtime=10,
    params:
        models=models_to_check,
        asking=asking_to_check,
        frames=list(experiment.trained_frames),
        targets=list(experiment.training.lora.targets),
    message:
        "Checking both models"
    script:
        "../scripts/check_models.py"


use rule check_models as check_teacher with:
    input:
        prompts=prompt_files(experiment.every_game),
        teacher=f"{RESULTS}/models/{experiment.teacher.model}.json",
        edited=edited("check_teacher"),
    output:
        teacher=CHECKED_ALONE,
        record=f"{RESULTS}/records/check_teacher.json",
    log:
        f"{RESULTS}/logs/check_teacher.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_teacher.tsv"
    params:
        models={"teacher": to_check(experiment.teacher, experiment.teacher.model)},
        asking={"teacher": asdict(ask_teacher(experiment).once())},
    message:
        "Checking the teacher"
