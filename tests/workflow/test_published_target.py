"""The published result from its counts, by the command that people run: no model, every figure of the paper."""

import csv
from pathlib import Path

import pytest

from project import copy_project, plan, run_snakemake


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_project(tmp_path_factory.mktemp("published"))
    done = run_snakemake(project, "--cores", "2", "published")
    assert done.returncode == 0, done.stdout
    return project


def rows(project: Path, table: str) -> list[dict[str, str]]:
    with (project / f"results/published/tables/{table}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_papers_figures_are_in_the_tables(published: Path) -> None:
    found = {
        (row["split"], row["measure"]): f"{100 * float(row['value']):.2f}"
        for row in rows(published, "alignment_by_split")
    }
    assert found["in_sample", "improvement"] == "46.26"
    assert found["new_contexts", "improvement"] == "17.90"
    assert found["doubled_payoffs", "improvement"] == "39.95"
    assert found["in_sample", "gap_closed"] == "33.09"
    [donation] = rows(published, "donation")
    assert round(100 * float(donation["improvement"]), 1) == 28.5
    latex = (published / "results/published/tables/alignment_by_split.tex").read_text(encoding="utf-8")
    assert r"in sample & improvement & 20 & 46.26 \%" in " ".join(latex.split())


def test_floors_stand_beside_them(published: Path) -> None:
    [row] = [
        row
        for row in rows(published, "alignment_by_split")
        if (row["split"], row["measure"]) == ("in_sample", "gap_closed")
    ]
    floors = {name: round(100 * float(row[name]), 1) for name in ("best_constant", "own_mean", "fair_coin")}
    assert floors == {"best_constant": 50.2, "own_mean": 29.6, "fair_coin": 49.0}


def test_every_scenario_and_every_test_between_splits_is_there(published: Path) -> None:
    assert len(rows(published, "cooperation")) == 20 + 12 + 20
    tests = rows(published, "split_tests")
    assert len([row for row in tests if not row["game"]]) == 3
    assert len([row for row in tests if row["game"]]) == 12


def test_figures_and_page_are_made_without_a_model(published: Path) -> None:
    figures = {path.name for path in (published / "results/published/figures").iterdir()}
    names = ("cooperation", "teacher_against_student", "distance", "gap_closed")
    assert figures == {f"{name}.{kind}" for name in names for kind in ("svg", "pdf")}
    assert "46.26 %" in (published / "results/published/report.html").read_text(encoding="utf-8")
    assert not (published / "results/models").exists()


def test_a_second_run_does_nothing_and_an_edited_count_does_all_again(published: Path) -> None:
    assert plan(published, "published") == {}
    counts = published / "scenarios/published/lore2024_counts.csv"
    counts.write_text(
        counts.read_text().replace("in_sample,teacher,stag_hunt,team,", "in_sample,teacher,stag_hunt,teem,")
    )
    assert plan(published, "published") == {
        "published": 1,
        "score_published": 1,
        "plot_published": 1,
        "tabulate_published": 1,
        "report_published": 1,
    }
    done = run_snakemake(published, "--cores", "2", "published")
    assert done.returncode != 0
    assert "missing scenarios that the teacher has: in_sample/stag_hunt/teem" in done.stdout
    assert "Traceback" not in done.stdout
