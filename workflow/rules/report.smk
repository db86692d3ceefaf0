"""Report: figures, tables, and one page that shows all of it and opens offline.

REQUIRED INPUTS
    results/alignment/summary.json
    results/published/summary.json
    results/student/adapter/                 its training log and its record
    results/prompts/*.json
    results/teacher/*.parquet
    results/teacher/*.motivations.parquet
    results/student/{base,tuned}.parquet
    results/alignment/{answers,understanding}.csv, and the cards of games of amounts

OUTPUTS
    results/figures/*.svg, *.pdf
    results/tables/*.csv, *.tex
    results/report.html
"""

FIGURES = ["cooperation", "teacher_against_student", "distance", "gap_closed"]
OWN_FIGURES = ["bias", "training", "beside_published"]
TABLES = [
    *expand("alignment_by_{level}", level=["split", "game", "context", "scenario"]),
    *["cooperation", "differences", "invalid_answers"],
]
OWN_TABLES = []
if len(views(experiment)) > 1:
    OWN_TABLES += ["frames_side_by_side"]
if designs(experiment.ordered_frames):
    OWN_TABLES += ["bias_shares", "bias_effects"]
CAPTIONS = relpath(Path(workflow.current_basedir).parent / "report")
TEMPLATES = ancient(expand(f"{CAPTIONS}/report.{{part}}", part=["html.j2", "macros.j2", "css", "js"]))
EXPLAINED = ancient(expand(f"{CAPTIONS}/{{name}}.rst", name=FIGURES + OWN_FIGURES))
FINDINGS = package_files("findings", "figure_style")
PLOTTING = FINDINGS + package_files("figures", "gap_figures", "bias_figures", "strips")
TABULATING = FINDINGS + package_files("report_tables", "bias_tables", "typesetting")
REPORTING = FINDINGS + package_files(
    *["report", "report_checks", "report_sources", "report_tables", "bias_tables", "timings", "typesetting"],
)


rule plot:
    input:
        summary=f"{RESULTS}/alignment/summary.json",
        published=f"{RESULTS}/published/summary.json",
        losses=f"{RESULTS}/student/adapter/training_log.csv",
        package=PLOTTING,
    output:
        svg=[
            report(
                f"{RESULTS}/figures/{name}.svg",
                caption=f"../report/{name}.rst",
                category="Figures",
                labels={"figure": name.replace("_", " ")},
            )
            for name in FIGURES + OWN_FIGURES
        ],
        pdf=expand(f"{RESULTS}/figures/{{name}}.pdf", name=FIGURES + OWN_FIGURES),
    log:
        f"{RESULTS}/logs/plot.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(*PLOTTING),
    message:
        "Drawing the figures"
    script:
        "../scripts/plot.py"


rule tabulate:
    input:
        summary=f"{RESULTS}/alignment/summary.json",
        package=TABULATING,
    output:
        csv=[
            report(
                f"{RESULTS}/tables/{name}.csv",
                caption="../report/table.rst",
                category="Tables",
                labels={"table": name.replace("_", " ")},
            )
            for name in TABLES + OWN_TABLES
        ],
        tex=expand(f"{RESULTS}/tables/{{name}}.tex", name=TABLES + OWN_TABLES),
    log:
        f"{RESULTS}/logs/tabulate.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(*TABULATING),
    message:
        "Writing the tables"
    script:
        "../scripts/tabulate.py"


rule report:
    input:
        summary=f"{RESULTS}/alignment/summary.json",
        figures=expand(f"{RESULTS}/figures/{{name}}.svg", name=FIGURES + OWN_FIGURES),
        prompts=prompt_files(ACTION_GAMES),
        teacher=expand(f"{RESULTS}/teacher/{{game}}.parquet", game=ACTION_GAMES),
        motivations=expand(f"{RESULTS}/teacher/{{game}}.motivations.parquet", game=experiment.games),
        base=f"{RESULTS}/student/base.parquet",
        tuned=f"{RESULTS}/student/tuned.parquet",
        answers=f"{RESULTS}/alignment/answers.csv",
        understanding=f"{RESULTS}/alignment/understanding.csv",
        amounts=expand(f"{RESULTS}/alignment/{{game}}.json", game=AMOUNT_GAMES),
        training=f"{RESULTS}/student/adapter/training.json",
        templates=TEMPLATES,
        captions=EXPLAINED,
        package=REPORTING,
    output:
        report=report(
            f"{RESULTS}/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"result": "this experiment"},
        ),
    log:
        f"{RESULTS}/logs/report.log",
    benchmark:
        f"{RESULTS}/benchmarks/report.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(*TEMPLATES, *EXPLAINED, *REPORTING),
        benchmarks=f"{RESULTS}/benchmarks",
        experiment=experiment.model_dump(mode="json", exclude={"compute"}),
        snakemake_version=snakemake_version,
    message:
        "Writing the report"
    script:
        "../scripts/report.py"
