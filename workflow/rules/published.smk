"""The published result, measured as our own is, from its counts and with no model: `snakemake --cores all published`.

REQUIRED INPUTS
    scenarios/published/lore2024_counts.csv
    scenarios/published/lore2024_donation.csv

OUTPUTS
    results/published/summary.json        everything that figures, tables and report are made from
    results/published/figures/*.svg, *.pdf
    results/published/tables/*.csv, *.tex
    results/published/report.html
"""

COUNTS = people_write(f"{SCENARIOS}/published/lore2024_counts.csv")


rule score_published:
    input:
        counts=COUNTS,
        donation=DONATION,
        edited=edited("score_published"),
    output:
        summary=f"{RESULTS}/published/summary.json",
        record=f"{RESULTS}/records/score_published.json",
    log:
        f"{RESULTS}/logs/score_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_published.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        scoring=experiment.scoring.model_dump(),
        code=code("score_published.py"),
    message:
        "Scoring the published counts"
    script:
        "../scripts/score_published.py"


use rule plot as plot_published with:
    input:
        summary=f"{RESULTS}/published/summary.json",
        edited=edited("plot_published"),
    output:
        svg=figures(f"{RESULTS}/published/figures", FIGURES, "Published result"),
        pdf=expand(f"{RESULTS}/published/figures/{{name}}.pdf", name=FIGURES),
        record=f"{RESULTS}/records/plot_published.json",
    log:
        f"{RESULTS}/logs/plot_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_published.tsv"
    message:
        "Drawing the figures of the published result"


use rule tabulate as tabulate_published with:
    input:
        summary=f"{RESULTS}/published/summary.json",
        edited=edited("tabulate_published"),
    output:
        csv=tables(f"{RESULTS}/published/tables", PUBLISHED_TABLES, "Published result"),
        tex=expand(f"{RESULTS}/published/tables/{{name}}.tex", name=PUBLISHED_TABLES),
        record=f"{RESULTS}/records/tabulate_published.json",
    log:
        f"{RESULTS}/logs/tabulate_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_published.tsv"
    message:
        "Writing the tables of the published result"


rule report_published:
    input:
        summary=f"{RESULTS}/published/summary.json",
        counts=COUNTS,
        donation=DONATION,
        figures=expand(f"{RESULTS}/published/figures/{{name}}.svg", name=FIGURES),
        edited=edited("report_published"),
    output:
        report=report(
            f"{RESULTS}/published/report.html",
            caption=caption("report"),
            category="Report",
            labels={"result": "published"},
        ),
        record=f"{RESULTS}/records/report_published.json",
    log:
        f"{RESULTS}/logs/report_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/report_published.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        gpu=0,
        mem_mb=1000,
        runtime=10,
    params:
        snakemake_version=snakemake_version,
        code=code("report_published.py", *PAGE_PARTS),
    message:
        "Writing the report of the published result"
    script:
        "../scripts/report_published.py"
