"""The teacher alone, asked, measured and reported without any student: `snakemake --cores all teacher`.

REQUIRED INPUTS
    results/prompts/*.json
    results/teacher/checked_alone.json
    results/teacher/*.parquet            its choices, amounts, drawn answers, comprehension, motivations if there are any

OUTPUTS
    results/teacher/summary.json         everything that figures, tables and report are made from
    results/teacher/summary.md           the page that is printed at the end
    results/teacher/figures/*.svg, *.pdf
    results/teacher/tables/*.csv, *.tex
    results/teacher/report.html
"""


rule measure_teacher:
    input:
        choices=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=experiment.every_game),
        comprehension=expand(f"{RESULTS}/teacher/{{game}}.comprehension.parquet", game=experiment.every_game),
        amounts=expand(f"{RESULTS}/teacher/{{game}}.amounts.parquet", game=AMOUNT_GAMES),
        edited=edited("measure_teacher"),
    output:
        summary=f"{RESULTS}/teacher/summary.json",
        page=f"{RESULTS}/teacher/summary.md",
        record=f"{RESULTS}/records/measure_teacher.json",
    log:
        f"{RESULTS}/logs/measure_teacher.log",
    benchmark:
        f"{RESULTS}/benchmarks/measure_teacher.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        views=ALONE_VIEWS,
        designs=DESIGNS,
        units=units,
        scoring=experiment.scoring.model_dump(),
        code=code("measure_teacher.py"),
    message:
        "Measuring the teacher"
    script:
        "../scripts/measure_teacher.py"


rule plot_teacher:
    input:
        summary=f"{RESULTS}/teacher/summary.json",
        edited=edited("plot_teacher"),
    output:
        svg=figures(f"{RESULTS}/teacher/figures", ALONE_FIGURES, "Teacher"),
        pdf=expand(f"{RESULTS}/teacher/figures/{{name}}.pdf", name=ALONE_FIGURES),
        record=f"{RESULTS}/records/plot_teacher.json",
    log:
        f"{RESULTS}/logs/plot_teacher.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_teacher.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        code=code("plot_teacher.py"),
    message:
        "Drawing the figures of the teacher"
    script:
        "../scripts/plot_teacher.py"


rule map_teacher:
    input:
        prompts=f"{RESULTS}/prompts/{{game}}.json",
        choices=f"{RESULTS}/teacher/{{game}}.parquet",
        answers=f"{RESULTS}/teacher/{{game}}.answers.parquet",
        edited=edited("map_teacher", game=PLANES),
    output:
        svg=shown(f"{RESULTS}/teacher/figures/surface_of_{{game}}.svg", "surface", "Teacher", {"figure": "{game}"}),
        pdf=f"{RESULTS}/teacher/figures/surface_of_{{game}}.pdf",
        record=f"{RESULTS}/records/map_teacher/{{game}}.json",
    log:
        f"{RESULTS}/logs/map_teacher/{{game}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/map_teacher/{{game}}.tsv"
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
        views=ALONE_VIEWS,
        code=code("map_teacher.py"),
    message:
        "Drawing how the teacher plays the games of {wildcards.game}"
    script:
        "../scripts/map_teacher.py"


rule tabulate_teacher:
    input:
        summary=f"{RESULTS}/teacher/summary.json",
        edited=edited("tabulate_teacher"),
    output:
        csv=tables(f"{RESULTS}/teacher/tables", ALONE_TABLES, "Teacher"),
        tex=expand(f"{RESULTS}/teacher/tables/{{name}}.tex", name=ALONE_TABLES),
        record=f"{RESULTS}/records/tabulate_teacher.json",
    log:
        f"{RESULTS}/logs/tabulate_teacher.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_teacher.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        code=code("tabulate_teacher.py"),
    message:
        "Writing the tables of the teacher"
    script:
        "../scripts/tabulate_teacher.py"


rule report_teacher:
    input:
        summary=f"{RESULTS}/teacher/summary.json",
        figures=expand(f"{RESULTS}/teacher/figures/{{name}}.svg", name=SURFACES + ALONE_FIGURES),
        prompts=prompt_files(ACTION_GAMES),
        motivations=expand(f"{RESULTS}/teacher/{{game}}.motivations.parquet", game=ACTION_GAMES),
        answers=expand(f"{RESULTS}/teacher/{{game}}.answers.parquet", game=ACTION_GAMES),
        model=CHECKED_ALONE,
        examined=expand(f"{RESULTS}/teacher/{{game}}.examined.json", game=experiment.every_game),
        edited=edited("report_teacher"),
    output:
        report=report(
            f"{RESULTS}/teacher/report.html",
            caption=caption("report"),
            category="Report",
            labels={"result": "the teacher alone"},
        ),
        record=f"{RESULTS}/records/report_teacher.json",
    log:
        f"{RESULTS}/logs/report_teacher.log",
    benchmark:
        f"{RESULTS}/benchmarks/report_teacher.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        games=facts_of_all,
        reading=WORDING.words.reading,
        experiment=experiment.model_dump(mode="json", exclude={"compute", "paths", "student", "training"}),
        snakemake_version=snakemake_version,
        code=code("report_teacher.py", *PAGE_PARTS),
    message:
        "Writing the report of the teacher"
    script:
        "../scripts/report_teacher.py"
