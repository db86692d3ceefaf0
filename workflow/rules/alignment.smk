"""Alignment: how far the tuned student moved towards the teacher, per game and over all.

REQUIRED INPUTS
    results/teacher/*.parquet
    results/student/{base,tuned}.parquet

OUTPUTS
    results/alignment/{game}.parquet      a row per measure of the game and of each of its scenarios
    results/alignment/{game}.json         choice probabilities per context, measures per split, provenance
    results/alignment/summary.csv         a row per measure of each split, game and context
    results/alignment/summary.json        the same with headlines and provenance
    results/alignment/summary.md          the page that is printed at the end
"""

SCORING = package_files("alignment", "evidence", "uncertainty", "scoring", "scorecards")


rule score_game:
    input:
        teacher=f"{RESULTS}/teacher/{{game}}.parquet",
        base=f"{RESULTS}/student/base.parquet",
        tuned=f"{RESULTS}/student/tuned.parquet",
        package=SCORING,
    output:
        table=f"{RESULTS}/alignment/{{game}}.parquet",
        card=f"{RESULTS}/alignment/{{game}}.json",
    log:
        f"{RESULTS}/logs/score_game/{{game}}.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        frame=experiment.scored_frame,
    message:
        "Scoring {wildcards.game}"
    script:
        "../scripts/score_game.py"


rule summarize:
    input:
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=experiment.games),
        base=f"{RESULTS}/student/base.parquet",
        tuned=f"{RESULTS}/student/tuned.parquet",
        package=SCORING,
    output:
        table=f"{RESULTS}/alignment/summary.csv",
        record=f"{RESULTS}/alignment/summary.json",
        page=f"{RESULTS}/alignment/summary.md",
    log:
        f"{RESULTS}/logs/summarize.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        frame=experiment.scored_frame,
    message:
        "Summarizing the experiment"
    script:
        "../scripts/summarize.py"
