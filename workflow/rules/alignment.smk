"""Alignment: how far the tuned student moved towards the teacher, per game and over all.

REQUIRED INPUTS
    results/teacher/*.parquet
    results/student/{base,tuned}.parquet
    the drawn answers beside both (*.answers.parquet), which are counted where no choices were read exactly

OUTPUTS
    results/alignment/{game}.parquet      a row per measure of the game and of each of its scenarios
    results/alignment/{game}.json         choice probabilities per context, measures and tests per split, other frames, bias
    results/alignment/summary.csv         a row per measure of each split, game and context
    results/alignment/summary.json        everything that figures, tables and report are made from
    results/alignment/summary.md          the page that is printed at the end
"""

SCORING = package_files(
    *["alignment", "bias", "evidence", "uncertainty", "scoring", "rates", "findings", "scorecards", "summary_page"],
    *["views", "counted", "parsing"],
)

STUDENT_ANSWERS = expand(f"{RESULTS}/student/{{variant}}.answers.parquet", variant=["base", "tuned"])


rule score_game:
    input:
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        base=f"{RESULTS}/student/base.parquet",
        tuned=f"{RESULTS}/student/tuned.parquet",
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=ACTION_GAMES) + STUDENT_ANSWERS,
        counted=f"{RESULTS}/alignment/answers.csv",
        understanding=f"{RESULTS}/alignment/understanding.csv",
        package=SCORING,
    output:
        table=f"{RESULTS}/alignment/{{game}}.parquet",
        card=report(
            f"{RESULTS}/alignment/{{game}}.json",
            caption="../report/scorecard.rst",
            category="Alignment",
            labels={"game": "{game}", "content": "scorecard"},
        ),
    log:
        f"{RESULTS}/logs/score_game/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_game/{{game}}.tsv"
    wildcard_constraints:
        game=either(ACTION_GAMES),
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(*SCORING),
        views=views(experiment),
        designs=designs(experiment.ordered_frames),
        scoring=experiment.scoring.model_dump(),
    message:
        "Scoring {wildcards.game}"
    script:
        "../scripts/score_game.py"


rule summarize:
    input:
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        base=f"{RESULTS}/student/base.parquet",
        tuned=f"{RESULTS}/student/tuned.parquet",
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=ACTION_GAMES) + STUDENT_ANSWERS,
        package=SCORING,
    output:
        table=report(
            f"{RESULTS}/alignment/summary.csv",
            caption="../report/summary.rst",
            category="Alignment",
            labels={"game": "all", "content": "summary"},
        ),
        record=f"{RESULTS}/alignment/summary.json",
        page=f"{RESULTS}/alignment/summary.md",
    log:
        f"{RESULTS}/logs/summarize.log",
    benchmark:
        f"{RESULTS}/benchmarks/summarize.tsv"
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(*SCORING),
        views=views(experiment),
        designs=designs(experiment.ordered_frames),
        scoring=experiment.scoring.model_dump(),
    message:
        "Summarizing the experiment"
    script:
        "../scripts/summarize.py"
