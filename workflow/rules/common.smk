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
from tomtransfer.models.costs import terms_of
from tomtransfer.models.registry import (
    Recorded,
    answered_frames,
    check_social_weights,
    find,
    find_student,
    has_weights,
    read_registry,
    revision,
)
from tomtransfer.respondents.asking import ask_student, ask_teacher, the_student
from tomtransfer.respondents.recorded import check_record
from tomtransfer.scenarios.frames import designs, views
from tomtransfer.scenarios.games import TWO_ACTIONS
from tomtransfer.scenarios.kinds import (
    KINDS,
    file_of_game,
    game_facts,
    game_hash,
    game_hashes,
    game_kinds,
    table_of_games,
)
from tomtransfer.scenarios.planes import ONE_GAME, PLANE
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
REGISTRY = Path(experiment.paths.registry)
if experiment.trains:
    checked(find_student, experiment.student.model, registry, REGISTRY)

RESULTS = experiment.paths.results
SCENARIOS = experiment.paths.scenarios
WORDING = checked(read_wording, Path(SCENARIOS), experiment.templates)
GAME_KINDS = checked(game_kinds, experiment)
ACTION_GAMES = [game for game, kind in GAME_KINDS.items() if KINDS[kind].answered == TWO_ACTIONS]
PLANES = [game for game, kind in GAME_KINDS.items() if kind == PLANE]
AMOUNT_GAMES = [game for game in GAME_KINDS if game not in ACTION_GAMES]
# Every mistake is found before anything runs; a job does not render again what was rendered before it was started.
HASHES = checked(game_hashes, experiment, experiment.every_game if workflow.is_main_process else [])
SEEDS = [str(seed) for seed in experiment.training.seeds]
STUDENTS = experiment.students
TUNED = [student for students in STUDENTS.values() for student in students]
CONTEXTS = dict.fromkeys(context for game in experiment.every_game for context in experiment.contexts_of(game))
for asked in experiment.respondents.values():
    checked(check_social_weights, asked, CONTEXTS, registry, REGISTRY)
checked(check_record, experiment, registry, REGISTRY, GAME_KINDS)
# In other frames than these there is nothing to compare.
ANSWERED = list(experiment.frames)
for asked in experiment.respondents.values():
    ANSWERED = answered_frames(checked(find, asked, registry, REGISTRY), ANSWERED)
# Whoever is asked for money, or within a budget.
COSTLY = [asked for asked in dict.fromkeys(experiment.respondents.values()) if terms_of(registry[asked])]
VIEWS = views(experiment, ANSWERED)
ALONE_VIEWS = views(experiment, answered_frames(registry[experiment.teacher.model], experiment.frames))
DESIGNS = designs(experiment.ordered_frames)
PAGE_PARTS = ("report/templates", "report/captions")


def is_read_exactly(role):
    """Return whether the choices of whoever has a role are probabilities, and no counts."""
    asking = ask_teacher(experiment) if role == "teacher" else ask_student(experiment)
    return asking.exact and not isinstance(registry[experiment.respondents[role]], Recorded)


FIGURES = ["cooperation", "teacher_against_student", "distance", "gap_closed"]
OWN_FIGURES = ["bias", *(["training"] if experiment.trains else []), "beside_published"]
SURFACES = [f"surface_of_{game}" for game in PLANES]
TABLES = [
    *expand("alignment_by_{level}", level=["split", "game", "context", "scenario"]),
    *["verdicts", "cooperation", "differences", "invalid_answers"],
]
PUBLISHED_TABLES = [*TABLES, "split_tests", "donation"]
ALONE_FIGURES = ["play", *(["bias"] if DESIGNS else [])]
ALONE_TABLES = [
    *["cooperation_by_game", "cooperation_by_scenario", "bias_shares", "bias_effects"],
    *["comprehension", "drawn_answers", "amounts"],
]
OWN_TABLES = []
if len(VIEWS) > 1:
    OWN_TABLES += ["frames_side_by_side"]
if any(frames in VIEWS.values() for frames in DESIGNS.values()):
    OWN_TABLES += ["components"]
# Counted answers have no log-odds where all are the same: habits are told of choices that are read exactly.
if DESIGNS and any(map(is_read_exactly, experiment.respondents)):
    OWN_TABLES += ["bias_shares", "bias_effects"]
if len(STUDENTS[TRANSFER]) > 1:
    OWN_TABLES += ["trainings"]
if len(STUDENTS) > 1:
    OWN_TABLES += ["arms", "alignment_by_arm"]


def either(names):
    """Return a pattern that matches any of `names`, and nothing if there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


# One game of a plane is asked for by a name of its own, such as plane.S3_T17.
GAME_OF_PLANE = rf"(?:{either(PLANES)})\.{ONE_GAME}"
ANY_GAME = f"{either(experiment.every_game)}|{GAME_OF_PLANE}"
ANY_ACTION_GAME = f"{either(ACTION_GAMES)}|{GAME_OF_PLANE}"


wildcard_constraints:
    game=ANY_GAME,
    arm=either(experiment.arms),
    seed=either(SEEDS),
    variant=either(["base", *TUNED]),


def people_write(files):
    """Return input files that people write: their time of change does not count, and no module's prefix applies."""
    return ancient(local(files))


def model_revision(name):
    """Return what identifies the content of a model."""
    return checked(revision, name, checked(find, name, registry, REGISTRY))


def respondent(settings, name):
    """Return what the answers of `name`, asked as teacher or student, depend on besides prompt and adapter."""
    return {
        "model_revision": model_revision(name),
        "quantization": settings.quantization,
        "chat": settings.chat or {},
        "temperature": experiment.temperature,
        "stage_revision": settings.revision,
    }


def to_check(settings, name):
    """Return what a model is opened with to be checked: no answer is asked for, so that the rest does not matter."""
    about = {key: respondent(settings, name)[key] for key in ("model_revision", "quantization", "chat")}
    return {**about, "temperature": 1, "stage_revision": 1, "device": "cpu", "tokens_per_batch": 1}


def student():
    """Return the settings of the student; without one, the workflow ends with what is missing."""
    return checked(the_student, experiment)


def student_model(wildcards):
    """Return the record of the model that is asked as a variant of the student."""
    return f"{RESULTS}/models/{student().respondent(wildcards.variant)}.json"


def gpus_to_ask(wildcards):
    """Return how many GPUs the teacher or a variant of the student needs: none without weights here, as behind a server."""
    variant = wildcards.get("variant")
    asked = student().respondent(variant) if variant else experiment.teacher.model
    return experiment.compute.gpu if has_weights(registry[asked]) else 0


def student_respondent(wildcards):
    """Return what the answers of a variant of the student depend on besides prompt and adapter."""
    return respondent(student(), student().respondent(wildcards.variant))


def student_asking(wildcards):
    """Return how the student is asked."""
    return asdict(checked(ask_student, experiment))


def trained_student():
    """Return the name of the model that is trained; the workflow ends if there is none."""
    if not student().trained:
        sys.exit("tomtransfer: config: student: base and tuned are asked as they are; give student.model to train it")
    return student().model


def trained_model(wildcards):
    """Return the record of the model that is trained."""
    return f"{RESULTS}/models/{trained_student()}.json"


def trained_respondent(wildcards):
    """Return what a training depends on besides its examples and settings."""
    return respondent(student(), trained_student())


def checked_before_the_teacher():
    """Return what its jobs wait for: that all models were checked, or it alone where it is all that is asked for."""
    alone = set(workflow.dag_settings.targets) == {str(rules.teacher.rule.name)}
    return [CHECKED_ALONE] if alone or experiment.student is None else CHECKED


def student_models(wildcards):
    """Return the records of the models that are asked as the student."""
    return expand(f"{RESULTS}/models/{{model}}.json", model=dict.fromkeys(map(student().respondent, ("base", "tuned"))))


def models_to_check(wildcards):
    """Return by role what each model is opened with to be checked; the student's role is its own where it is trained."""
    roles = {"student": "tuned"} if student().trained else {"base": "base", "tuned": "tuned"}
    students = {role: to_check(student(), student().respondent(variant)) for role, variant in roles.items()}
    return {"teacher": to_check(experiment.teacher, experiment.teacher.model), **students}


def asking_to_check(wildcards):
    """Return how teacher and student are asked, once of each kind."""
    return {
        "teacher": asdict(ask_teacher(experiment).once()),
        "student": asdict(checked(ask_student, experiment).once()),
    }


def prompt_files(games):
    """Return the prompt files of games."""
    return expand(f"{RESULTS}/prompts/{{game}}.json", game=games)


def sources_of_game(wildcards):
    """Return the files that the prompts of a game are made from."""
    game = file_of_game(experiment, wildcards.game)
    kind = KINDS[GAME_KINDS[game]].answered
    return [
        f"{SCENARIOS}/games/{game}.yaml",
        *checked(table_of_games, experiment, game),
        *expand(f"{WORDING.contexts}/{{context}}.yaml", context=experiment.contexts_of(game)),
        f"{WORDING.prompts}/{WORDS_FILE}",
        *expand(f"{WORDING.prompts}/{kind}/{{name}}.j2", name=["system", "user"]),
    ]


def rendered_hash(wildcards):
    """Return the hash of what a game's prompts say: a change of wording reruns, a comment in a template does not."""
    game = wildcards.game
    return HASHES.get(game) or checked(game_hash, experiment, game)


def adapter_of(wildcards):
    """Return the record of the adapter that a variant of the student wears."""
    tuned = experiment.trains and wildcards.variant != "base"
    return f"{RESULTS}/student/{wildcards.variant}/training.json" if tuned else []


def students(table="", arms=None):
    """Return the files of the tuned students of `arms`, of all if None, in the order of arms and seeds."""
    names = TUNED if arms is None else [name for arm in arms for name in STUDENTS[arm]]
    return [f"{RESULTS}/student/{name}{table}.parquet" for name in names]


def code(script, *folders):
    """Return the hash of a cheap step's script, of all that it imports of the package, and of `folders` in it."""
    path = Path(workflow.source_path(f"../scripts/{script}"))

    def hashed(wildcards):
        return code_hash(path, *folders)

    return hashed


def registered(wildcards):
    """Return what the folder of a model depends on; where and how fast a server is asked is read when it is asked."""
    return model_revision(wildcards.model)


def facts(wildcards):
    """Return what the pages of a game say of it: what people wrote, and what follows from it."""
    return checked(game_facts, experiment, wildcards.game)


def of_training(name, arms=None):
    """Return the files of a name that the trainings of `arms`, all if None, leave behind: none where nobody is trained."""
    trained = [each for arm in arms or STUDENTS for each in STUDENTS[arm]] if experiment.trains else []
    return expand(f"{RESULTS}/student/{{student}}/{name}", student=trained)


def facts_of_all(wildcards):
    """Return what the report says of every game."""
    return [checked(game_facts, experiment, game) for game in experiment.every_game]


def units(wildcards):
    """Return what is given in each game of amounts."""
    return {game: checked(game_facts, experiment, game)["unit"] for game in AMOUNT_GAMES}


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
