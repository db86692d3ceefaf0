"""A teacher whose policy is known goes through the whole workflow: what is reported of it is what was planted."""

import html
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from project import run_snakemake

pytestmark = pytest.mark.slow

CONTROL = ("--configfile", "presets/control.yaml")
QUICK = (
    "--config",
    "student={model: random-student}",
    "training={epochs: 1, seeds: [1]}",
    "compute={threads: 1, gpu: 0}",
)
RESULTS = Path("results/control")
OWN_ADVANTAGE = {"prisoners_dilemma": -3.0, "snowdrift": -2.0, "stag_hunt": 2.0, "prisoners_delight": 3.0}
"""Points that cooperating earns more for oneself than defecting, the coplayer being taken for a coin."""
COPLAYERS_ADVANTAGE = 5.0
"""The same for the coplayer; it is 5 in all four games."""


@pytest.fixture(scope="module")
def control(project: Path) -> Path:
    done = run_snakemake(project, "--cores", "all", *CONTROL, *QUICK)
    assert done.returncode == 0, done.stdout
    assert "loading planted" not in done.stdout
    return project


@pytest.fixture(scope="module")
def policy(control: Path) -> dict:
    return yaml.safe_load((control / "models.yaml").read_text())["planted-teacher"]


def planted_log_odds(policy: dict, game: str, context: str, factor: float = 1) -> float:
    points = OWN_ADVANTAGE[game] + policy["social_weights"][context] * COPLAYERS_ADVANTAGE
    return 0.4 * factor * points


def test_the_planted_rates_are_recovered_exactly_in_every_frame(control, policy):
    teacher = pl.concat([pl.read_parquet(control / RESULTS / "teacher" / f"{game}.parquet") for game in OWN_ADVANTAGE])
    assert len(teacher) == 288
    for row in teacher.iter_rows(named=True):
        factor = 2 if row["split"] == "doubled_payoffs" else 1
        planted = 1 / (1 + np.exp(-planted_log_odds(policy, row["game"], row["context"], factor)))
        assert row["cooperate"] == pytest.approx(planted, abs=1e-12)
        assert (row["cooperate"] + row["defect"], row["other"]) == (pytest.approx(1, abs=1e-15), 0)


def test_scorecards_report_the_planted_rates_in_one_frame_and_counterbalanced(control, policy):
    for game in OWN_ADVANTAGE:
        card = json.loads((control / RESULTS / "alignment" / f"{game}.json").read_text())
        for splits in (card["splits"], *(view["splits"] for view in card["views"].values())):
            for context, models in splits["in_sample"]["contexts"].items():
                planted = 1 / (1 + np.exp(-planted_log_odds(policy, game, context)))
                assert models["teacher"]["cooperation_rate"] == pytest.approx(planted, abs=1e-12)


def test_labels_and_order_have_no_effect_and_games_the_planted_one(control, policy):
    record = json.loads((control / RESULTS / "alignment" / "summary.json").read_text())
    effects = [each for each in record["bias_effects"] if each["model"] == "teacher" and each["split"] == "in_sample"]
    weights = [policy["social_weights"][each] for each in record_contexts(record)]
    for each in effects:
        if each["factor"] != "preference":
            assert each["value"] == pytest.approx(0, abs=1e-9)
        elif each["game"]:
            own = OWN_ADVANTAGE[each["game"]]
            assert each["value"] == pytest.approx(0.4 * (own + COPLAYERS_ADVANTAGE * np.mean(weights)), abs=1e-9)
    mean_squares = {
        (each["factor"], each["within"]): each["mean_square"]
        for each in record["bias_shares"]
        if each["model"] == "teacher" and each["split"] == "in_sample"
    }
    assert mean_squares["preference", "game"] == pytest.approx(0.4**2 * np.var(list(OWN_ADVANTAGE.values())))
    assert mean_squares["preference", "context"] == pytest.approx((0.4 * COPLAYERS_ADVANTAGE) ** 2 * np.var(weights))
    assert mean_squares["preference", "game x context"] == pytest.approx(0, abs=1e-15)


def record_contexts(record: dict) -> list[str]:
    rates = [each["scenario"] for each in record["rates"] if each["model"] == "teacher"]
    return list(dict.fromkeys(context for split, _, context in rates if split == "in_sample"))


def test_the_gap_that_the_student_closes_is_in_the_report(control):
    record = json.loads((control / RESULTS / "alignment" / "summary.json").read_text())
    report = html.unescape((control / RESULTS / "report.html").read_text())
    assert "planted-teacher" in report
    for each in record["assessments"]:
        assert set(each["gap"]["arms"]) == {"shuffled", "choices_only"}
    assert record["headlines"]["in_sample"].replace("_", " ") in report
    assert record["verdict"].replace("_", " ") in report
    for view in record["views"]:
        assert f"{view['name']}: {view['headlines']['in_sample']}".replace("_", " ") in report


def test_a_context_without_a_weight_is_named_and_nothing_is_lost(control):
    registry = control / "models.yaml"
    text = registry.read_text()
    registry.write_text(text.replace("    team: 0.4\n", ""))
    done = run_snakemake(control, "--cores", "all", *CONTROL, *QUICK)
    registry.write_text(text)
    assert done.returncode != 0
    assert "planted-teacher: social_weights: missing for contexts that it is asked in: team" in done.stdout
    assert "Traceback" not in done.stdout
    assert (control / RESULTS / "teacher" / "stag_hunt.parquet").exists()
