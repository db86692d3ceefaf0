"""Models: from where the registry says to safetensors and a tokenizer, once.

REQUIRED INPUTS
    models.yaml                          the registry (what identifies the model by its entry is a param)

OUTPUTS
    results/models/{model}.json          which model this is; its folder is {paths.models}/{model}
"""


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
