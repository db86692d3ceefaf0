"""What Snakemake plans, and how it refuses what it is wrongly given, before any job runs."""

import random

import pytest
import yaml

from mutations import mutate
from project import PRICED, copy_project, plan, run_snakemake
from tomtransfer.scenarios.families import FAMILIES

PRESETS = ("control", "frames", "gemma3", "german", "gpt_oss", "llama2", "llama3", "published_teacher")
PRESETS += ("qwen", "qwen3", "smoke")


def test_the_default_experiment_loads_the_teacher_once_per_game_and_each_student_once(project):
    jobs = plan(project)
    assert jobs["fetch_model"] == 2
    assert jobs["render_prompts"] == 4 + 1
    assert jobs["check_models"] == 1
    assert jobs["ask_teacher"] == 4
    assert jobs["ask_teacher_amount"] == 1
    assert jobs["train_student"] == 1
    assert jobs["ask_student"] == 2
    assert jobs["score_game"] == 4


def test_each_arm_and_seed_is_one_training_and_one_asking(project):
    jobs = plan(project, "--config", "training={seeds: [0, 7, 11]}", "arms=[transfer, shuffled, choices_only]")
    assert jobs["assemble_training"] == 3
    assert jobs["train_student"] == 3 * 3
    assert jobs["ask_student"] == 1 + 3 * 3
    assert (jobs["ask_teacher"], jobs["score_game"], jobs["summarize"]) == (4, 4, 1)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("training={seed: 2}", "training.seed: unknown key; did you mean 'seeds'?"),
        ("training={seeds: [1, 1]}", "training.seeds: each seed may stand here once"),
        ("training={seeds: []}", "training.seeds: "),
        ("arms=[shuffled]", "arms: transfer must be among the arms"),
        ("arms=[transfer, mixed]", "arms.1: Input should be 'transfer', 'shuffled' or 'choices_only'"),
    ],
)
def test_seeds_and_arms_that_cannot_be_meant_are_refused(project, given, message):
    done = run_snakemake(project, "--dry-run", "--config", given)
    assert done.returncode != 0
    assert message in done.stdout


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_can_be_planned(project, preset):
    assert plan(project, "--configfile", f"presets/{preset}.yaml")["ask_teacher"] == 4


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (["choices=both"], True),
        (["choices=sampled"], False),
        (["student={question: reason_first}"], True),
        (["student={question: reason_first}", "teacher={question: reason_first}"], False),
    ],
)
def test_habits_are_told_where_choices_are_read_exactly(project, config, told):
    done = run_snakemake(
        project, "--dry-run", "--configfile", "presets/frames.yaml", "--config", "comprehension=[]", *config
    )
    assert done.returncode == 0, done.stdout
    for table, wanted in {"frames_side_by_side": True, "components": True, "bias_shares": told}.items():
        assert (f"tables/{table}.csv" in done.stdout) == wanted, table


def test_one_game_builds_what_it_needs_and_no_other_score(project):
    jobs = plan(project, "results/alignment/stag_hunt.json")
    assert jobs["score_game"] == 1
    assert "summarize" not in jobs


def test_a_game_and_a_context_are_added_by_a_file_and_a_name(project):
    (project / "scenarios/games/chicken.yaml").write_text((project / "scenarios/games/snowdrift.yaml").read_text())
    (project / "scenarios/contexts/choir.yaml").write_text((project / "scenarios/contexts/team.yaml").read_text())
    config = project / "config.yaml"
    text = config.read_text().replace("  - snowdrift\n", "  - snowdrift\n  - chicken\n")
    config.write_text(text.replace("[room_sharing,", "[choir, room_sharing,"))
    jobs = plan(project)
    assert jobs["render_prompts"] == 5 + 1
    assert jobs["ask_teacher"] == 5


def test_a_game_of_each_of_the_twelve_orders_and_of_none_is_planned(project):
    known = {
        **{name: (name, family.order, (5, 4, 3, 2)) for name, family in FAMILIES.items()},
        "weak_dilemma": ("snowdrift", FAMILIES["prisoners_dilemma"].order, (5, 4, 2, 2)),
        "of_no_family": ("other", ("sucker", "temptation", "reward", "punishment"), (5, 4, 3, 2)),
    }
    for name, (family, order, points) in known.items():
        content = {"title": name, "family": family, "payoffs": dict(zip(order, points, strict=True))}
        (project / f"scenarios/games/{name}.yaml").write_text(yaml.safe_dump(content))
    jobs = plan(project, "--configfile", "presets/smoke.yaml", "--config", f"games=[{','.join(known)}]")
    assert jobs["render_prompts"] == 14 + 1
    assert jobs["score_game"] == jobs["ask_teacher"] == 14


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("config.yaml", "teacher:\n", "teecher:\n", "config.yaml: teecher: unknown key; did you mean 'teacher'?"),
        ("config.yaml", "payoff_factor: 2", "payoff_factor: -2", "config.yaml: splits.doubled_payoffs.payoff_factor:"),
        ("config.yaml", "smollm2-135m-instruct", "smollm3", "models.yaml: no model named 'smollm3'"),
        ("scenarios/games/stag_hunt.yaml", "reward: 10", "reward: 1", "must satisfy reward > temptation"),
        ("scenarios/contexts/team.yaml", "once:", "twice:", "contexts/team.yaml: once: missing"),
        ("scenarios/prompts/english/two_actions/user.j2", "options[0]", "option[0]", "user.j2: 'option' is undefined"),
        (
            "config.yaml",
            "swapped: {cooperate: D,",
            "swapped: {cooperate: C,",
            "frames.swapped: cooperate and defect must",
        ),
        (
            "config.yaml",
            "smollm2-135m-instruct",
            "planted-teacher",
            "planted-teacher: source: planted: it has no weights",
        ),
        ("models.yaml", "source: wheels", "source: weels", "did you mean 'wheels'?"),
        (
            "config.yaml",
            "contexts: [village_well]",
            "contexts: [village_well, team]",
            "team is a context for games of two_actions",
        ),
        (
            "config.yaml",
            "[room_sharing,",
            "[room_sharing, village_well,",
            "village_well is a context for games of amount",
        ),
        ("config.yaml", "splits:\n", "templates: latin\nsplits:\n", "scenarios/prompts has: english, german"),
        ("scenarios/games/snowdrift.yaml", "family: snowdrift", "family: chicken", "here it is called snowdrift"),
        ("scenarios/contexts/team.yaml", "so your coplayer", "so your partner", "must be called the 'coplayer' here"),
    ],
)
def test_a_mistake_is_said_in_one_line_before_any_job_runs(project, file, old, new, message):
    path = project / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    done = run_snakemake(project, "--cores", "2")
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not list(project.glob("results/**/*.json"))


def test_a_mistake_in_a_preset_is_blamed_on_the_preset(project):
    (project / "mine.yaml").write_text("training: {epochs: 0}\n")
    done = run_snakemake(project, "--dry-run", "--configfile", "mine.yaml")
    assert "mine.yaml: training.epochs: " in done.stdout
    assert "greater than or equal to 1 (got 0)" in done.stdout


def test_the_workflow_has_no_lint(project):
    done = run_snakemake(project, "--lint")
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_random_mistakes_are_refused_or_planned_by_snakemake_too(tmp_path):
    """A preset is left out here: Snakemake reads it before any of our code can say what is wrong with it."""
    seed = said = 0
    while said < 30:
        folder = tmp_path / str(seed)
        folder.mkdir()
        path, arguments = mutate(random.Random(seed), copy_project(folder))
        seed += 1
        if arguments:
            continue
        said += 1
        before = sorted(file for file in folder.rglob("*") if ".snakemake" not in file.parts)
        done = run_snakemake(folder, "--dry-run")
        assert "Traceback" not in done.stdout, f"{path}: {done.stdout}"
        assert done.returncode == 0 or "tomtransfer: " in done.stdout, f"{path}: {done.stdout}"
        assert sorted(file for file in folder.rglob("*") if ".snakemake" not in file.parts) == before


def test_the_dry_run_names_the_command_that_says_what_asking_costs(project):
    (project / "models.yaml").write_text((project / "models.yaml").read_text() + PRICED)
    (project / "mine.yaml").write_text("teacher: {model: hosted}\n")
    done = run_snakemake(project, "--dry-run", "--configfile", "mine.yaml")
    assert done.stdout.count("`tomtransfer plan --configfile mine.yaml` says how much is missing") == 1
    given = ("--configfile", "mine.yaml", "--config", "training={epochs: 4}")
    plan = "`tomtransfer plan --configfile mine.yaml --config 'training={epochs: 4}'` says how much is missing"
    assert plan in run_snakemake(project, "--dry-run", *given).stdout
    assert "tomtransfer plan" not in run_snakemake(project, "--dry-run").stdout
