"""Prompts: each game in each of its contexts, in every split and frame that has both.

REQUIRED INPUTS
    scenarios/games/{game}.yaml          payoffs and family
    scenarios/contexts/{context}.yaml    the social situation
    scenarios/prompts/{system,user}.j2   how they become messages; games of amounts have theirs in prompts/amount/

OUTPUTS
    results/prompts/{game}.json
"""


rule render_prompts:
    input:
        game=ancient(f"{SCENARIOS}/games/{{game}}.yaml"),
        contexts=ancient(contexts_of_game),
        templates=ancient(templates_of_game),
    output:
        prompts=report(
            f"{RESULTS}/prompts/{{game}}.json",
            caption="../report/prompts.rst",
            category="Prompts",
            labels={"game": "{game}"},
        ),
    log:
        f"{RESULTS}/logs/render_prompts/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/render_prompts/{{game}}.tsv"
    localrule: True
    conda:
        "../../envs/scenarios.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        sha256=rendered_hash,
    message:
        "Rendering the prompts of {wildcards.game}"
    script:
        "../scripts/render_prompts.py"
