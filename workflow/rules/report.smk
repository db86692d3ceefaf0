"""Report: figures, tables, and one page that shows all of it and opens offline.

REQUIRED INPUTS
    results/alignment/summary.json
    results/published/summary.json
    results/student/{arm}-{seed}/            training logs and records of adapters
    results/prompts/*.json
    results/teacher/*.parquet
    results/teacher/*.motivations.parquet
    results/student/{base,{arm}-{seed}}.parquet
    results/{teacher,student}/checked.json, and what was found out about both models (*.examined.json)
    results/alignment/{answers,understanding}.csv, and the cards of games of amounts

OUTPUTS
    results/figures/*.svg, *.pdf
    results/tables/*.csv, *.tex
    results/report.html
"""


rule plot:
    input:
        summary=f"{RESULTS}/alignment/summary.json",
        published=f"{RESULTS}/published/summary.json",
        losses=of_training("training_log.csv", [TRANSFER]),
        edited=edited("plot"),
    output:
        svg=figures(f"{RESULTS}/figures", FIGURES + OWN_FIGURES, "Figures"),
        pdf=expand(f"{RESULTS}/figures/{{name}}.pdf", name=FIGURES + OWN_FIGURES),
        record=f"{RESULTS}/records/plot.json",
    log:
        f"{RESULTS}/logs/plot.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        code=code("plot.py"),
    message:
        "Drawing the figures"
    script:
        "../scripts/plot.py"


rule tabulate:
    input:
        summary=f"{RESULTS}/alignment/summary.json",
        edited=edited("tabulate"),
    output:
        csv=tables(f"{RESULTS}/tables", TABLES + OWN_TABLES, "Tables"),
        tex=expand(f"{RESULTS}/tables/{{name}}.tex", name=TABLES + OWN_TABLES),
        record=f"{RESULTS}/records/tabulate.json",
    log:
        f"{RESULTS}/logs/tabulate.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        code=code("tabulate.py"),
    message:
        "Writing the tables"
    script:
        "../scripts/tabulate.py"


rule report:
    input:
        summary=f"{RESULTS}/alignment/summary.json",
        figures=expand(f"{RESULTS}/figures/{{name}}.svg", name=SURFACES + FIGURES + OWN_FIGURES),
        planes=expand(f"{RESULTS}/alignment/{{game}}.plane.json", game=PLANES),
        prompts=prompt_files(ACTION_GAMES),
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        motivations=expand(f"{RESULTS}/teacher/{{game}}.motivations.parquet", game=experiment.games),
        base=f"{RESULTS}/student/base.parquet",
        tuned=students(),
        answers=f"{RESULTS}/alignment/answers.csv",
        understanding=f"{RESULTS}/alignment/understanding.csv",
        amounts=expand(f"{RESULTS}/alignment/{{game}}.json", game=AMOUNT_GAMES),
        training=of_training("training.json"),
        models=CHECKED,
        examined=[
            *expand(f"{RESULTS}/teacher/{{game}}.examined.json", game=experiment.every_game),
            *expand(f"{RESULTS}/student/{{variant}}.examined.json", variant=VARIANTS),
        ],
        edited=edited("report"),
    output:
        report=report(
            f"{RESULTS}/report.html",
            caption=caption("report"),
            category="Report",
            labels={"result": "this experiment"},
        ),
        record=f"{RESULTS}/records/report.json",
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        games=facts_of_all,
        students=STUDENTS,
        reading=WORDING.words.reading,
        experiment=experiment.model_dump(mode="json", exclude={"compute", "paths"}),
        snakemake_version=snakemake_version,
        code=code("report.py", *PAGE_PARTS),
    message:
        "Writing the report"
    script:
        "../scripts/report.py"
