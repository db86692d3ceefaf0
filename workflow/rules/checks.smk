"""Checks: whether the choices can be trusted, and how the new game of amounts was played.

REQUIRED INPUTS
    results/teacher/*.{amounts,answers,comprehension}.parquet
    results/student/{base,{arm}-{seed}}.{amounts,answers,comprehension}.parquet
    scenarios/published/lore2024_donation.csv

OUTPUTS
    results/alignment/{game}.{parquet,json,md}       a game of amounts: measures, choices, the page that is printed
    results/alignment/answers.csv                    drawn answers counted by kind, beside the exact choices
    results/alignment/comprehension.csv              a row per model and question about the payoffs
    results/alignment/understanding.csv              how often each model is right about each game
    results/alignment/checks.md                      both as a page that is printed
"""

DONATION = people_write(f"{SCENARIOS}/published/lore2024_donation.csv")


rule score_amount:
    input:
        teacher=f"{RESULTS}/teacher/{{game}}.amounts.parquet",
        base=f"{RESULTS}/student/base.amounts.parquet",
        tuned=students(".amounts", [TRANSFER]),
        answers=[f"{RESULTS}/teacher/{{game}}.answers.parquet", *STUDENT_ANSWERS],
        published=DONATION,
        edited=edited("score_amount", game=AMOUNT_GAMES),
    output:
        table=f"{RESULTS}/alignment/{{game}}.parquet",
        card=report(
            f"{RESULTS}/alignment/{{game}}.json",
            caption=caption("amount_card"),
            category="Alignment",
            labels={"game": "{game}", "content": "scorecard"},
        ),
        page=f"{RESULTS}/alignment/{{game}}.md",
        record=f"{RESULTS}/records/score_amount/{{game}}.json",
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
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        game=facts,
        students={TRANSFER: STUDENTS[TRANSFER]},
        scoring=experiment.scoring.model_dump(mode="json"),
        code=code("score_amount.py"),
    message:
        "Scoring {wildcards.game}"
    script:
        "../scripts/score_amount.py"


rule check_answers:
    input:
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        base=f"{RESULTS}/student/base.parquet",
        tuned=students(),
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=ACTION_GAMES) + STUDENT_ANSWERS,
        teacher_comprehension=expand(f"{RESULTS}/teacher/{{game}}.comprehension.parquet", game=experiment.every_game),
        base_comprehension=f"{RESULTS}/student/base.comprehension.parquet",
        tuned_comprehension=students(".comprehension"),
        edited=edited("check_answers"),
    output:
        answers=report(
            f"{RESULTS}/alignment/answers.csv",
            caption=caption("checks"),
            category="Checks",
            labels={"table": "answers"},
        ),
        questions=report(
            f"{RESULTS}/alignment/comprehension.csv",
            caption=caption("checks"),
            category="Checks",
            labels={"table": "comprehension"},
        ),
        understanding=report(
            f"{RESULTS}/alignment/understanding.csv",
            caption=caption("checks"),
            category="Checks",
            labels={"table": "understanding"},
        ),
        page=f"{RESULTS}/alignment/checks.md",
        record=f"{RESULTS}/records/check_answers.json",
    log:
        f"{RESULTS}/logs/check_answers.log",
    benchmark:
        f"{RESULTS}/benchmarks/check_answers.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        students=STUDENTS,
        confidence=experiment.scoring.confidence,
        reading=WORDING.words.reading,
        code=code("check_answers.py"),
    message:
        "Setting drawn answers beside exact choices"
    script:
        "../scripts/check_answers.py"
