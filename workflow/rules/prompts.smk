"""Prompts: each game in each of its contexts, in every split and frame that has both.

REQUIRED INPUTS
    scenarios/games/{game}.yaml                              payoffs and family
    scenarios/contexts/{context}.yaml                        the social situation; a language may have a folder of its own
    scenarios/prompts/{templates}/words.yaml                 what prompts call the coplayer and what is earned
    scenarios/prompts/{templates}/{kind}/{system,user}.j2    how they become messages, for each kind of game

OUTPUTS
    results/prompts/{game}.json
"""


rule render_prompts:
    input:
        sources=people_write(sources_of_game),
        edited=edited("render_prompts", game=ANY_GAME),
    output:
        prompts=report(
            f"{RESULTS}/prompts/{{game}}.json",
            caption=caption("prompts"),
            category="Prompts",
            labels={"game": "{game}"},
        ),
        record=f"{RESULTS}/records/render_prompts/{{game}}.json",
    log:
        f"{RESULTS}/logs/render_prompts/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/render_prompts/{{game}}.tsv"
    localrule: True
    conda:
        "../../envs/scenarios.yaml"
    resources:
        gpu=0,
        mem_mb=500,
        runtime=5,
    params:
        sha256=rendered_hash,
        code=code("render_prompts.py"),
    message:
        "Rendering the prompts of {wildcards.game}"
    script:
        "../scripts/render_prompts.py"
