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

PUBLISHED = f"{RESULTS}/published"
COUNTS = ancient(f"{SCENARIOS}/published/lore2024_counts.csv")
SCORING_PUBLISHED = SCORING + package_files("published")
PUBLISHED_TABLES = [*TABLES, "split_tests", "donation"]


rule score_published:
    input:
        counts=COUNTS,
        donation=DONATION,
        package=SCORING_PUBLISHED,
    output:
        summary=f"{PUBLISHED}/summary.json",
    log:
        f"{RESULTS}/logs/score_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/score_published.tsv"
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(COUNTS, DONATION, *SCORING_PUBLISHED),
        scoring=experiment.scoring.model_dump(),
    message:
        "Scoring the published counts"
    script:
        "../scripts/score_published.py"


use rule plot as plot_published with:
    input:
        summary=f"{PUBLISHED}/summary.json",
        package=PLOTTING,
    output:
        svg=[
            report(
                f"{PUBLISHED}/figures/{name}.svg",
                caption=f"../report/{name}.rst",
                category="Published result",
                labels={"figure": name.replace("_", " ")},
            )
            for name in FIGURES
        ],
        pdf=expand(f"{PUBLISHED}/figures/{{name}}.pdf", name=FIGURES),
    log:
        f"{RESULTS}/logs/plot_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/plot_published.tsv"
    message:
        "Drawing the figures of the published result"


use rule tabulate as tabulate_published with:
    input:
        summary=f"{PUBLISHED}/summary.json",
        package=TABULATING,
    output:
        csv=expand(f"{PUBLISHED}/tables/{{name}}.csv", name=PUBLISHED_TABLES),
        tex=expand(f"{PUBLISHED}/tables/{{name}}.tex", name=PUBLISHED_TABLES),
    log:
        f"{RESULTS}/logs/tabulate_published.log",
    benchmark:
        f"{RESULTS}/benchmarks/tabulate_published.tsv"
    message:
        "Writing the tables of the published result"


rule report_published:
    input:
        summary=f"{PUBLISHED}/summary.json",
        counts=COUNTS,
        donation=DONATION,
        figures=expand(f"{PUBLISHED}/figures/{{name}}.svg", name=FIGURES),
        templates=TEMPLATES,
        captions=EXPLAINED,
        package=REPORTING,
    output:
        report=report(
            f"{PUBLISHED}/report.html",
            caption="../report/report.rst",
            category="Report",
            labels={"result": "published"},
        ),
    log:
        f"{RESULTS}/logs/report_published.log",
    localrule: True
    conda:
        "../../envs/analysis.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        sources=contents(COUNTS, DONATION, *TEMPLATES, *EXPLAINED, *REPORTING),
        snakemake_version=snakemake_version,
    message:
        "Writing the report of the published result"
    script:
        "../scripts/report_published.py"
