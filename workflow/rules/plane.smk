"""Plane: how teacher and student play games that differ in their payoffs alone, beside what reading payoffs predicts.

One game of a plane is a target of its own, `snakemake results/tables/plane.S3_T17.csv`: every model is asked about it alone.
The tuned student has to be trained first, on the games that are trained on, if it is not yet.

REQUIRED INPUTS
    results/prompts/{game}.json           a game of the kind plane
    results/teacher/{game}.parquet
    results/student/{base,{arm}-{seed}}.parquet

OUTPUTS
    results/alignment/{game}.plane.json           errors of students and floors, and what is said of them first
    results/tables/errors_of_{game}.{csv,tex}     the same as a table
    results/tables/games_of_{game}.csv            a row per game: payoffs, families, rates of every model
    results/figures/surface_of_{game}.{svg,pdf}   heat maps of teacher, student before and after, and the difference
    results/student/{variant}.{one}.parquet       one game of a plane: what the student chooses, as of all games
    results/tables/{one}.csv                      one game of a plane: a row per model and frame
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


use rule ask_teacher as ask_student_one_game with:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        model=student_model,
        checked=awaited("ask_student_one_game", CHECKED),
        adapter=adapter_of,
        edited=edited("ask_student_one_game", variant=VARIANTS, game=GAME_OF_PLANE),
    output:
        choices=f"{RESULTS}/student/{{variant}}.{{game}}.parquet",
        answers=f"{RESULTS}/student/{{variant}}.{{game}}.answers.parquet",
        examined=f"{RESULTS}/student/{{variant}}.{{game}}.examined.json",
        record=f"{RESULTS}/records/ask_student_one_game/{{variant}}.{{game}}.json",
    log:
        f"{RESULTS}/logs/ask_student_one_game/{{variant}}.{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/ask_student_one_game/{{variant}}.{{game}}.tsv"
    wildcard_constraints:
        game=GAME_OF_PLANE,
    params:
        respondent=student_respondent,
        asking=student_asking,
    message:
        "Asking the {wildcards.variant} student about {wildcards.game}"


rule tabulate_one_game:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        teacher=f"{RESULTS}/teacher/{{game}}.parquet",
        base=f"{RESULTS}/student/base.{{game}}.parquet",
        tuned=students(".{game}", [TRANSFER]),
        answers=[
            f"{RESULTS}/teacher/{{game}}.answers.parquet",
            *expand(
                f"{RESULTS}/student/{{variant}}.{{{{game}}}}.answers.parquet", variant=["base", *STUDENTS[TRANSFER]]
            ),
        ],
        edited=edited("tabulate_one_game", game=GAME_OF_PLANE),
    output:
        table=shown(f"{RESULTS}/tables/{{game}}.csv", "table", "Tables", {"table": "{game}"}),
        record=f"{RESULTS}/records/tabulate_one_game/{{game}}.json",
    log:
        f"{RESULTS}/logs/tabulate_one_game/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_one_game/{{game}}.tsv"
    wildcard_constraints:
        game=GAME_OF_PLANE,
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=500,
        runtime=10,
    params:
        models=["teacher", "base", *STUDENTS[TRANSFER]],
        code=code("tabulate_one_game.py"),
    message:
        "Tabulating {wildcards.game}"
    script:
        "../scripts/tabulate_one_game.py"
