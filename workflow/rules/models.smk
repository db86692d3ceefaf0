"""Models: from where the registry says to safetensors and a tokenizer, once.

REQUIRED INPUTS
    models.yaml                          the registry (its entry for the model is a param)

OUTPUTS
    results/models/{model}/source.json   written last: beside it stand weights, config and tokenizer
"""


rule fetch_model:
    output:
        source=update(f"{MODELS}/{{model}}/source.json"),
    log:
        f"{RESULTS}/logs/fetch_model/{{model}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/fetch_model/{{model}}.tsv"
    localrule: True
    conda:
        "../../envs/models.yaml"
    resources:
        mem_mb=more_each_attempt(experiment.compute.memory_mb),
        runtime=more_each_attempt(experiment.compute.minutes),
    params:
        revision=registered,
    message:
        "Fetching {wildcards.model}"
    script:
        "../scripts/fetch_model.py"
