"""Checks: whether the choices can be trusted, and how the new game of amounts was played.

REQUIRED INPUTS
    results/teacher/*.{amounts,answers,comprehension}.parquet
    results/student/{base,tuned}.{amounts,answers,comprehension}.parquet
    scenarios/published/lore2024_donation.csv

OUTPUTS
    results/alignment/{game}.{parquet,json,md}       a game of amounts: measures, choices, the page that is printed
    results/alignment/answers.csv                    drawn answers counted by kind, beside the exact choices
    results/alignment/comprehension.csv              a row per model and question about the payoffs
    results/alignment/understanding.csv              how often each model is right about each game
    results/alignment/checks.md                      both as a page that is printed
"""

DONATION = ancient(f"{SCENARIOS}/published/lore2024_donation.csv")
SCORING_AMOUNTS = package_files("amount_scores", "amount_cards", "counted", "parsing", "alignment")
CHECKING = package_files("checks", "agreement", "understanding", "counted", "parsing")


rule score_amount:
    input:
        teacher=f"{RESULTS}/teacher/{{game}}.amounts.parquet",
        base=f"{RESULTS}/student/base.amounts.parquet",
        tuned=f"{RESULTS}/student/tuned.amounts.parquet",
        answers=[f"{RESULTS}/teacher/{{game}}.answers.parquet", *STUDENT_ANSWERS],
        published=DONATION,
        package=SCORING_AMOUNTS,
    output:
        table=f"{RESULTS}/alignment/{{game}}.parquet",
        card=f"{RESULTS}/alignment/{{game}}.json",
        page=f"{RESULTS}/alignment/{{game}}.md",
    log:
        f"{RESULTS}/logs/score_amount/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_amount/{{game}}.tsv"
    wildcard_constraints:
        game=either(AMOUNT_GAMES),
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(DONATION, *SCORING_AMOUNTS),
        scoring=experiment.scoring.model_dump(mode="json"),
    message:
        "Scoring {wildcards.game}"
    script:
        "../scripts/score_amount.py"


rule check_answers:
    input:
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        base=f"{RESULTS}/student/base.parquet",
        tuned=f"{RESULTS}/student/tuned.parquet",
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=ACTION_GAMES) + STUDENT_ANSWERS,
        teacher_comprehension=expand(f"{RESULTS}/teacher/{{game}}.comprehension.parquet", game=experiment.every_game),
        base_comprehension=f"{RESULTS}/student/base.comprehension.parquet",
        tuned_comprehension=f"{RESULTS}/student/tuned.comprehension.parquet",
        package=CHECKING,
    output:
        answers=f"{RESULTS}/alignment/answers.csv",
        questions=f"{RESULTS}/alignment/comprehension.csv",
        understanding=f"{RESULTS}/alignment/understanding.csv",
        page=f"{RESULTS}/alignment/checks.md",
    log:
        f"{RESULTS}/logs/check_answers.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_answers.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(*CHECKING),
        confidence=experiment.scoring.confidence,
    message:
        "Setting drawn answers beside exact choices"
    script:
        "../scripts/check_answers.py"
