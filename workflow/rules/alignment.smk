"""Alignment: how far the tuned student moved towards the teacher, per game and over all.

REQUIRED INPUTS
    results/teacher/*.parquet
    results/student/{base,{arm}-{seed}}.parquet
    the drawn answers beside both (*.answers.parquet), which are counted where no choices were read exactly

OUTPUTS
    results/alignment/{game}.parquet      a row per measure of the game and of each of its scenarios
    results/alignment/{game}.json         choice probabilities per context, measures and tests per split, other frames, bias
    results/alignment/summary.csv         a row per measure of each split, game and context
    results/alignment/summary.json        everything that figures, tables and report are made from
    results/alignment/summary.md          the page that is printed at the end
"""


rule score_game:
    input:
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        base=f"{RESULTS}/student/base.parquet",
        tuned=students(),
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=ACTION_GAMES) + STUDENT_ANSWERS,
        counted=f"{RESULTS}/alignment/answers.csv",
        understanding=f"{RESULTS}/alignment/understanding.csv",
        edited=edited("score_game", game=ACTION_GAMES),
    output:
        table=f"{RESULTS}/alignment/{{game}}.parquet",
        card=report(
            f"{RESULTS}/alignment/{{game}}.json",
            caption=caption("scorecard"),
            category="Alignment",
            labels={"game": "{game}", "content": "scorecard"},
        ),
        record=f"{RESULTS}/records/score_game/{{game}}.json",
    log:
        f"{RESULTS}/logs/score_game/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_game/{{game}}.tsv"
    wildcard_constraints:
        game=either(ACTION_GAMES),
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        game=facts,
        students=STUDENTS,
        views=VIEWS,
        designs=DESIGNS,
        scoring=experiment.scoring.model_dump(),
        code=code("score_game.py"),
    message:
        "Scoring {wildcards.game}"
    script:
        "../scripts/score_game.py"


rule summarize:
    input:
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        base=f"{RESULTS}/student/base.parquet",
        tuned=students(),
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=ACTION_GAMES) + STUDENT_ANSWERS,
        games=expand(f"{RESULTS}/alignment/{{game}}.parquet", game=ACTION_GAMES),
        edited=edited("summarize"),
    output:
        table=report(
            f"{RESULTS}/alignment/summary.csv",
            caption=caption("summary"),
            category="Alignment",
            labels={"game": "all", "content": "summary"},
        ),
        findings=f"{RESULTS}/alignment/summary.json",
        page=f"{RESULTS}/alignment/summary.md",
        record=f"{RESULTS}/records/summarize.json",
    log:
        f"{RESULTS}/logs/summarize.log",
    benchmark:
        f"{RESULTS}/benchmarks/summarize.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        students=STUDENTS,
        seeds=list(experiment.training.seeds),
        views=VIEWS,
        designs=DESIGNS,
        scoring=experiment.scoring.model_dump(),
        code=code("summarize.py"),
    message:
        "Summarizing the experiment"
    script:
        "../scripts/summarize.py"
