"""Prompts: each game in each of its contexts, in every split and frame that has both.

REQUIRED INPUTS
    scenarios/games/{game}.yaml          payoffs and family
    scenarios/contexts/{context}.yaml    the social situation
    scenarios/prompts/{system,user}.j2   how they become messages; games of amounts have theirs in prompts/amount/

OUTPUTS
    results/prompts/{game}.json
"""


def sources_of_game(wildcards):
    """Return the files that the prompts of a game are made from."""
    kind = GAME_KINDS[wildcards.game]
    folder = "prompts" if kind == TWO_ACTIONS else f"prompts/{kind}"
    return [
        f"{SCENARIOS}/games/{wildcards.game}.yaml",
        *expand(f"{SCENARIOS}/contexts/{{context}}.yaml", context=experiment.contexts_of(wildcards.game)),
        *expand(f"{SCENARIOS}/{folder}/{{name}}.j2", name=["system", "user"]),
    ]


def rendered_hash(wildcards):
    """Return the hash of what a game's prompts say: a change of wording reruns, a comment in a template does not."""
    game = wildcards.game
    return HASHES.get(game) or checked(game_hashes, experiment, [game])[game]


rule render_prompts:
    input:
        sources=people_write(sources_of_game),
        edited=edited("render_prompts", game=experiment.every_game),
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
