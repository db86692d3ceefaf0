"""What every stage shares: the checked experiment, where things are, and what answers depend on."""

import re
import sys
from dataclasses import asdict
from pathlib import Path

from tomtransfer.experiment.config import TRANSFER
from tomtransfer.experiment.imports import code_hash
from tomtransfer.experiment.origins import read_experiment
from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.registry import (
    answered_frames,
    check_social_weights,
    find,
    find_student,
    read_registry,
    revision,
)
from tomtransfer.respondents.asking import ask_student, ask_teacher
from tomtransfer.respondents.recorded import check_record
from tomtransfer.scenarios.amounts import AMOUNT
from tomtransfer.scenarios.frames import designs, views
from tomtransfer.scenarios.games import TWO_ACTIONS
from tomtransfer.scenarios.kinds import game_facts, game_hashes, game_kinds
from tomtransfer.scenarios.wording import WORDS_FILE, read_wording


def checked(read, *arguments):
    """Return what `read` returns; a mistake in what it reads ends the workflow with that mistake as its only message."""
    try:
        return read(*arguments)
    except InputError as error:
        sys.exit(f"tomtransfer: {error}")


# Snakemake reads a file less strictly than we do, and says less of what it cannot read.
if not __name__ and Path("config.yaml").exists():
    checked(read_yaml, Path("config.yaml"))


configfile: "config.yaml"


def config_files():
    """Return the files that the config was merged from, each overruling those before it; none of another workflow's."""
    if __name__:  # that of the module that another workflow uses this one as
        return []
    given = [Path(file) for file in workflow.overwrite_configfiles]
    return [Path(file) for file in workflow.configfiles if Path(file) not in given] + given


experiment = checked(read_experiment, config, config_files())
registry = checked(read_registry, Path(experiment.paths.registry))
checked(find_student, experiment.student.model, registry, Path(experiment.paths.registry))

RESULTS = experiment.paths.results
SCENARIOS = experiment.paths.scenarios
WORDING = checked(read_wording, Path(SCENARIOS), experiment.templates)
GAME_KINDS = checked(game_kinds, experiment)
ACTION_GAMES = [game for game, kind in GAME_KINDS.items() if kind == TWO_ACTIONS]
AMOUNT_GAMES = [game for game, kind in GAME_KINDS.items() if kind == AMOUNT]
# Every mistake is found before anything runs; a job does not render again what was rendered before it was started.
HASHES = checked(game_hashes, experiment, experiment.every_game if workflow.is_main_process else [])
SEEDS = [str(seed) for seed in experiment.training.seeds]
STUDENTS = experiment.students
TUNED = [student for students in STUDENTS.values() for student in students]
CONTEXTS = dict.fromkeys(context for game in experiment.every_game for context in experiment.contexts_of(game))
checked(check_social_weights, experiment.teacher.model, CONTEXTS, registry, Path(experiment.paths.registry))
checked(check_record, experiment, registry, Path(experiment.paths.registry), AMOUNT_GAMES)
TEACHER = checked(find, experiment.teacher.model, registry, Path(experiment.paths.registry))
VIEWS = views(experiment, answered_frames(TEACHER, experiment.frames))
DESIGNS = designs(experiment.ordered_frames)
PAGE_PARTS = ("report/templates", "report/captions")

FIGURES = ["cooperation", "teacher_against_student", "distance", "gap_closed"]
OWN_FIGURES = ["bias", "training", "beside_published"]
TABLES = [
    *expand("alignment_by_{level}", level=["split", "game", "context", "scenario"]),
    *["verdicts", "cooperation", "differences", "invalid_answers"],
]
PUBLISHED_TABLES = [*TABLES, "split_tests", "donation"]
OWN_TABLES = []
if len(VIEWS) > 1:
    OWN_TABLES += ["frames_side_by_side"]
if any(frames in VIEWS.values() for frames in DESIGNS.values()):
    OWN_TABLES += ["components"]
if DESIGNS:
    OWN_TABLES += ["bias_shares", "bias_effects"]
if len(SEEDS) > 1:
    OWN_TABLES += ["trainings"]
if len(STUDENTS) > 1:
    OWN_TABLES += ["arms", "alignment_by_arm"]


wildcard_constraints:
    game="|".join(map(re.escape, experiment.every_game)),
    arm="|".join(experiment.arms),
    seed="|".join(SEEDS),
    variant="|".join(["base", *TUNED]),


def people_write(files):
    """Return input files that people write: their time of change does not count, and no module's prefix applies."""
    return ancient(local(files))


def model_revision(name):
    """Return what identifies the content of a model."""
    path = Path(experiment.paths.registry)
    return checked(revision, name, checked(find, name, registry, path))


def respondent(settings):
    """Return what the answers of the teacher or the student depend on besides prompt and adapter."""
    return {
        "model_revision": model_revision(settings.model),
        "quantization": settings.quantization,
        "chat": settings.chat or {},
        "temperature": experiment.temperature,
        "stage_revision": settings.revision,
    }


def to_check(settings):
    """Return what a model is opened with to be checked: no answer is asked for, so that the rest does not matter."""
    about = {name: respondent(settings)[name] for name in ("model_revision", "quantization", "chat")}
    return {**about, "temperature": 1, "stage_revision": 1, "device": "cpu", "tokens_per_batch": 1}


def prompt_files(games):
    """Return the prompt files of games."""
    return expand(f"{RESULTS}/prompts/{{game}}.json", game=games)


def sources_of_game(wildcards):
    """Return the files that the prompts of a game are made from."""
    kind = GAME_KINDS[wildcards.game]
    return [
        f"{SCENARIOS}/games/{wildcards.game}.yaml",
        *expand(f"{WORDING.contexts}/{{context}}.yaml", context=experiment.contexts_of(wildcards.game)),
        f"{WORDING.prompts}/{WORDS_FILE}",
        *expand(f"{WORDING.prompts}/{kind}/{{name}}.j2", name=["system", "user"]),
    ]


def rendered_hash(wildcards):
    """Return the hash of what a game's prompts say: a change of wording reruns, a comment in a template does not."""
    game = wildcards.game
    return HASHES.get(game) or checked(game_hashes, experiment, [game])[game]


def adapter_of(wildcards):
    """Return the record of the adapter that a variant of the student wears."""
    return [] if wildcards.variant == "base" else f"{RESULTS}/student/{wildcards.variant}/training.json"


def students(table="", arms=None):
    """Return the files of the tuned students of `arms`, of all if None, in the order of arms and seeds."""
    names = TUNED if arms is None else [name for arm in arms for name in STUDENTS[arm]]
    return [f"{RESULTS}/student/{name}{table}.parquet" for name in names]


def either(names):
    """Return a pattern that matches any of `names`, and nothing if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


def code(script, *folders):
    """Return the hash of a cheap step's script, of all that it imports of the package, and of `folders` in it."""
    path = Path(workflow.source_path(f"../scripts/{script}"))

    def hashed(wildcards):
        return code_hash(path, *folders)

    return hashed


def registered(wildcards):
    """Return the revision of a model, which is all that its content depends on."""
    return model_revision(wildcards.model)


def facts(wildcards):
    """Return what the pages of a game say of it: what people wrote, and what follows from it."""
    return checked(game_facts, experiment, wildcards.game)


def facts_of_all(wildcards):
    """Return what the report says of every game."""
    return [checked(game_facts, experiment, game) for game in experiment.every_game]


def caption(name):
    """Return the text that stands under an artifact in Snakemake's report, from the rules' folder, wherever that is."""
    return f"../tomtransfer/report/captions/{name}.rst"


def figures(folder, names, category):
    """Return figures in SVG, as outputs that Snakemake's report shows."""
    return [shown(f"{folder}/{name}.svg", name, category, {"figure": name.replace("_", " ")}) for name in names]


def tables(folder, names, category):
    """Return tables in CSV, as outputs that Snakemake's report shows."""
    return [shown(f"{folder}/{name}.csv", "table", category, {"table": name.replace("_", " ")}) for name in names]


def shown(path, caption_name, category, labels):
    """Return an output that Snakemake's report shows."""
    return report(path, caption=caption(caption_name), category=category, labels=labels)


def more_each_attempt(amount):
    """Return an amount of memory or time that grows when a job is tried again, since it may have been too little."""

    def asked_for(wildcards, attempt):
        return attempt * amount

    return asked_for
