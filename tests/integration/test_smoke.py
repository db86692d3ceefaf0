"""The full grid on models with random weights: what comes out, and what an edit has to do again."""

import json
import time
from pathlib import Path

import polars as pl
import pytest

from project import plan, run_snakemake, timed_plan

SMOKE = ("--configfile", "presets/smoke.yaml")
RESULTS = Path("results/smoke")
TRAINED_FRAMES = ("canonical", "swapped", "reversed", "swapped_and_reversed")
GAMES = ("prisoners_dilemma", "snowdrift", "stag_hunt", "prisoners_delight")


@pytest.fixture(scope="module")
def smoke(project: Path) -> Path:
    start = time.monotonic()
    done = run_snakemake(project, "--cores", "all", *SMOKE)
    assert done.returncode == 0, done.stdout
    print(f"\nthe smoke preset took {time.monotonic() - start:.0f} s")
    said = " ".join(done.stdout.split())
    assert "| in_sample | **all** |" in said
    for view in ("canonical", "counterbalanced", "held_out_frames"):
        assert f"| in_sample | {view} |" in said
    return project


def computations(project: Path) -> dict[tuple[str, ...], str]:
    """Return the computation that each row of the answer tables came from."""
    folder = project / RESULTS
    return {
        (path.name, *row[:-1]): row[-1]
        for path in [*folder.glob("teacher/*.parquet"), *folder.glob("student/*.parquet")]
        for row in pl.read_parquet(path).select("split", "context", "game", "key", "computation").iter_rows()
    }


def test_all_scenarios_of_all_splits_are_answered_by_all_models(smoke):
    expected = {("in_sample", 20 * 8), ("new_contexts", 12 * 4), ("doubled_payoffs", 20 * 4)}
    teacher = pl.concat([pl.read_parquet(smoke / RESULTS / "teacher" / f"{game}.parquet") for game in GAMES])
    for table in (
        teacher,
        *(pl.read_parquet(smoke / RESULTS / "student" / f"{name}.parquet") for name in ("base", "transfer-1")),
    ):
        assert set(table.group_by("split").len().iter_rows()) == expected
        assert ((table["cooperate"] + table["defect"] + table["other"] - 1).abs() < 1e-6).all()


def test_held_out_scenarios_never_reach_training(smoke):
    examples = pl.read_parquet(smoke / RESULTS / "training" / "transfer.parquet")
    prompts = [json.loads(path.read_text()) for path in (smoke / RESULTS / "prompts").glob("*.json")]
    held_out = {
        one["user"] + one["system"]
        for file in prompts
        for one in file["prompts"]
        if one["split"] != "in_sample" or one["frame"] not in TRAINED_FRAMES
    }
    assert len(held_out) == 32 * 4 + 20 * 4 + 1
    assert set(examples["split"]) == {"in_sample"}
    assert set(examples["frame"]) == set(TRAINED_FRAMES)
    assert set(examples["label"]) == {"C", "D"}
    assert not held_out & {user + system for user, system in examples.select("user", "system").iter_rows()}
    motivations = pl.concat(
        [pl.read_parquet(path) for path in (smoke / RESULTS / "teacher").glob("*.motivations.parquet")]
    )
    assert set(motivations["split"]) == {"in_sample"}
    assert set(motivations["frame"]) == set(TRAINED_FRAMES)


@pytest.mark.parametrize("game", GAMES)
def test_a_scorecard_holds_choices_measures_and_provenance(smoke, game):
    card = json.loads((smoke / RESULTS / "alignment" / f"{game}.json").read_text())
    assert {split: len(part["contexts"]) for split, part in card["splits"].items()} == {
        "in_sample": 5,
        "new_contexts": 3,
        "doubled_payoffs": 5,
    }
    for part in card["splits"].values():
        for models in part["contexts"].values():
            for model in ("teacher", "base", "tuned"):
                assert 0 <= models[model]["cooperation_rate"] <= 1
        assert part["measures"]["gap_closed"]["value"] is not None
        assert part["measures"]["improvement"]["undefined_in"] == []
    sources = card["provenance"]
    assert len(sources["tuned"]["prompts"]) == 13 * 4 + 5 * 4
    counterbalanced, held_out = card["views"]["counterbalanced"], card["views"]["held_out_frames"]
    assert counterbalanced["frames"] == list(TRAINED_FRAMES)
    assert list(counterbalanced["splits"]) == list(card["splits"])
    assert list(held_out["splits"]) == ["in_sample"]
    assert held_out["splits"]["in_sample"]["measures"]["gap_closed"]["value"] is not None
    assert {each["factor"] for each in card["bias"]} == {"preference", "label", "order", "label x order"}
    assert sources["tuned"]["adapter"] != sources["base"]["adapter"] == [""]
    assert "torch 2" in sources["teacher"]["software"][0]


def test_measures_stand_side_by_side_in_summary_and_report(smoke):
    views = {"canonical", "counterbalanced", "held_out_frames"}
    assert set(pl.read_csv(smoke / RESULTS / "alignment" / "summary.csv")["view"]) == views
    record = json.loads((smoke / RESULTS / "alignment" / "summary.json").read_text())
    assert {record["frame"], *(view["name"] for view in record["views"])} == views
    assert {each["model"] for each in record["bias_shares"]} == {"teacher", "base", "tuned"}
    report = (smoke / RESULTS / "report.html").read_text()
    assert record["verdict"]
    assert {(each["view"], each["split"]) for each in record["assessments"]} == {
        *((view, split) for view in ("canonical", "counterbalanced") for split in record["headlines"]),
        ("held_out_frames", "in_sample"),
    }
    for table in ("verdicts", "components", "frames_side_by_side", "bias_shares", "bias_effects"):
        assert f'id="table-{table}"' in report
    assert 'id="figure-bias"' in report


def test_a_second_run_does_nothing_and_says_so_at_once(smoke):
    jobs, seconds = timed_plan(smoke, *SMOKE)
    assert jobs == {}
    print(f"\na dry run of the finished experiment took {seconds:.1f} s")
    assert seconds < 4


def test_a_comment_in_a_template_reruns_nothing(smoke):
    template = smoke / "scenarios/prompts/english/two_actions/user.j2"
    text = template.read_text()
    template.write_text(text + "{# a remark #}")
    assert plan(smoke, *SMOKE) == {}
    template.write_text(text)


def test_batch_size_and_threads_rerun_nothing(smoke):
    assert plan(smoke, *SMOKE, "--config", "compute={tokens_per_batch: 300, threads: 2}") == {}


def test_an_edited_context_is_rendered_per_game_and_asked_alone(smoke):
    before = computations(smoke)
    context = smoke / "scenarios/contexts/sports.yaml"
    context.write_text(context.read_text().replace("a distance runner", "a long-distance runner"))
    jobs = plan(smoke, *SMOKE)
    assert jobs["render_prompts"] == 4
    assert jobs["ask_teacher"] == 4
    assert "fetch_model" not in jobs
    done = run_snakemake(smoke, "--cores", "all", *SMOKE)
    assert done.returncode == 0, done.stdout
    after = computations(smoke)
    renewed = {row for row in after if after[row] != before.get(row)}
    assert {row[2] for row in renewed} == {"sports"}
    # Four choices, three drawn answers and six questions about the payoffs, of three models in four games.
    assert len(renewed) == (4 + 3 + 6) * 3 * 4
    assert "the adapter is in the store" in done.stdout
    assert plan(smoke, *SMOKE) == {}
