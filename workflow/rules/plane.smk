"""Plane: how teacher and student play games that differ in their payoffs alone, beside what reading payoffs predicts.

REQUIRED INPUTS
    results/prompts/{game}.json           a game of the kind plane
    results/teacher/{game}.parquet
    results/student/{base,{arm}-{seed}}.parquet

OUTPUTS
    results/alignment/{game}.plane.json           errors of students and floors, and what is said of them first
    results/tables/errors_of_{game}.{csv,tex}     the same as a table
    results/tables/games_of_{game}.csv            a row per game: payoffs, families, rates of every model
    results/figures/surface_of_{game}.{svg,pdf}   heat maps of teacher, student before and after, and the difference
"""


rule measure_plane:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        teacher=f"{RESULTS}/teacher/{{game}}.parquet",
        base=f"{RESULTS}/student/base.parquet",
        tuned=students(arms=[TRANSFER]),
        answers=[f"{RESULTS}/teacher/{{game}}.answers.parquet", *STUDENT_ANSWERS],
        edited=edited("measure_plane", game=PLANES),
    output:
        findings=f"{RESULTS}/alignment/{{game}}.plane.json",
        errors=shown(f"{RESULTS}/tables/errors_of_{{game}}.csv", "table", "Tables", {"table": "errors of {game}"}),
        games=shown(f"{RESULTS}/tables/games_of_{{game}}.csv", "table", "Tables", {"table": "games of {game}"}),
        svg=shown(f"{RESULTS}/figures/surface_of_{{game}}.svg", "surface", "Figures", {"figure": "surface of {game}"}),
        tex=f"{RESULTS}/tables/errors_of_{{game}}.tex",
        pdf=f"{RESULTS}/figures/surface_of_{{game}}.pdf",
        record=f"{RESULTS}/records/measure_plane/{{game}}.json",
    log:
        f"{RESULTS}/logs/measure_plane/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_plane/{{game}}.tsv"
    wildcard_constraints:
        game=either(PLANES),
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        views=VIEWS,
        facts=facts,
        scoring=experiment.scoring.model_dump(),
        code=code("measure_plane.py"),
    message:
        "Measuring the games of {wildcards.game}"
    script:
        "../scripts/measure_plane.py"
