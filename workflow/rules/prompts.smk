"""Prompts: each game in each context, in every split and frame that has it.

REQUIRED INPUTS
    scenarios/games/{game}.yaml          payoffs and family
    scenarios/contexts/{context}.yaml    the social situation
    scenarios/prompts/{system,user}.j2   how they become messages; games of amounts have theirs in prompts/amount/

OUTPUTS
    results/prompts/{game}/{context}.json
"""


rule render_prompts:
    input:
        game=ancient(f"{SCENARIOS}/games/{{game}}.yaml"),
        context=ancient(f"{SCENARIOS}/contexts/{{context}}.yaml"),
        templates=ancient(templates_of_game),
    output:
        prompts=report(
            f"{RESULTS}/prompts/{{game}}/{{context}}.json",
            caption="../report/prompts.rst",
            category="Prompts",
            labels={"game": "{game}", "context": "{context}"},
        ),
    log:
        f"{RESULTS}/logs/render_prompts/{{game}}/{{context}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/render_prompts/{{game}}/{{context}}.tsv"
    localrule: True
    conda:
        "../../envs/scenarios.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sha256=rendered_hash,
    message:
        "Rendering the prompts of {wildcards.game} in {wildcards.context}"
    script:
        "../scripts/render_prompts.py"
