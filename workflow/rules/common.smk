"""What every stage shares: the checked experiment, where things are, and what answers depend on."""

from dataclasses import asdict
from hashlib import sha256
from os.path import relpath
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.jobs import Job
from snakemake.persistence import PersistenceBase

from tomtransfer.amounts import AMOUNT
from tomtransfer.asking import how_asked
from tomtransfer.config_files import read_experiment
from tomtransfer.frames import designs, views
from tomtransfer.games import TWO_ACTIONS
from tomtransfer.kinds import game_hashes, game_kinds
from tomtransfer.registry import find, find_student, read_registry, revision
from tomtransfer.timings import read_timings, timings_page
from tomtransfer.validation import InputError


def checked(read, *arguments):
    """Return what `read` returns; a mistake in what it reads ends the workflow with that mistake as its only message."""
    try:
        return read(*arguments)
    except InputError as error:
        raise WorkflowError(str(error)) from None


def config_files():
    """Return the files that the config was merged from, each overruling those before it."""
    given = [Path(file) for file in workflow.overwrite_configfiles]
    return [Path(file) for file in workflow.configfiles if Path(file) not in given] + given


experiment = checked(read_experiment, config, config_files())
registry = checked(read_registry, Path(experiment.paths.registry))
checked(find_student, experiment.student.model, registry, Path(experiment.paths.registry))

RESULTS = experiment.paths.results
MODELS = experiment.paths.models
SCENARIOS = experiment.paths.scenarios
GAME_KINDS = checked(game_kinds, experiment)
ACTION_GAMES = [game for game, kind in GAME_KINDS.items() if kind == TWO_ACTIONS]
AMOUNT_GAMES = [game for game, kind in GAME_KINDS.items() if kind == AMOUNT]
# Every mistake is found before anything runs; a job does not render again what was rendered before it was started.
HASHES = checked(game_hashes, experiment, experiment.every_game if workflow.is_main_process else [])
PACKAGE = relpath(Path(workflow.current_basedir).parent / "tomtransfer")


wildcard_constraints:
    game="|".join(experiment.every_game),
    variant="base|tuned",


def model_source(name):
    """Return the registry's entry for a model."""
    return checked(find, name, registry, Path(experiment.paths.registry))


def model_revision(name):
    """Return what identifies the content of a model."""
    return checked(revision, name, model_source(name))


def respondent(settings):
    """Return what the answers of the teacher or the student depend on beside prompt and adapter."""
    return {
        "model_revision": model_revision(settings.model),
        "quantization": settings.quantization,
        "temperature": experiment.temperature,
        "stage_revision": settings.revision,
    }


def prompt_files(games):
    """Return the prompt files of games."""
    return expand(f"{RESULTS}/prompts/{{game}}.json", game=games)


def contexts_of_game(wildcards):
    """Return the files of the contexts that one game is played in."""
    return expand(f"{SCENARIOS}/contexts/{{context}}.yaml", context=experiment.contexts_of(wildcards.game))


def templates_of_game(wildcards):
    """Return the templates of one game's kind."""
    folder = "prompts" if GAME_KINDS[wildcards.game] == TWO_ACTIONS else f"prompts/{GAME_KINDS[wildcards.game]}"
    return expand(f"{SCENARIOS}/{folder}/{{name}}.j2", name=["system", "user"])


def either(names):
    """Return a pattern that matches any of `names`, and nothing if there are none."""
    return "|".join(names) or "(?!)"


def asking(settings):
    """Return how the teacher or the student is asked."""
    return asdict(how_asked(experiment, settings))


def package_files(*names):
    """Return files of the package that a cheap step runs; with `contents` of them, it runs again when they change."""
    return ancient(expand(f"{PACKAGE}/{{name}}.py", name=names))


def contents(*files):
    """Return the hash of files that people write, to be a param of the steps that have them as inputs.

    These inputs are `ancient()`, because times of change tell when a file was copied: a fresh clone beside results that
    were copied to it has nothing to do.
    """
    return sha256(b"".join(Path(file).read_bytes() for file in files)).hexdigest()


def registered(wildcards):
    """Return the revision of a model, which is all that its content depends on."""
    return model_revision(wildcards.model)


def rendered_hash(wildcards):
    """Return the hash of what a game's prompts say: a change of wording reruns, a comment in a template does not."""
    game = wildcards.game
    return HASHES.get(game) or checked(game_hashes, experiment, [game])[game]


def adapter_of(wildcards):
    """Return the record of the adapter that a variant of the student wears."""
    return f"{RESULTS}/student/adapter/training.json" if wildcards.variant == "tuned" else []


def more_each_attempt(amount):
    """Return an amount of memory or time that grows when a job is tried again, since it may have been too little."""

    def asked_for(wildcards, attempt):
        return attempt * amount

    return asked_for


def redo_failed_jobs():
    """Have a failed job leave its records as one does that is killed together with Snakemake: the next run makes it.

    Snakemake 9.27 records a failed job as finished, with the settings that it was to use, and puts back the tables that
    it was to update as made just now (snakemake/snakemake#3808): an edit would be left out silently.
    """
    postprocess, finished, restore = Job.postprocess, PersistenceBase.finished, PersistenceBase.restore_output
    failed = set()

    async def postprocess_and_remember(job, *arguments, error=False, **settings):
        (failed.add if error else failed.discard)(job)
        await postprocess(job, *arguments, error=error, **settings)

    async def record_unless_failed(persistence, job):
        if job not in failed:
            await finished(persistence, job)

    # On a cluster the job has put its tables back itself, and Snakemake would remove them for want of a second copy.
    def restore_or_keep(persistence, path):
        return restore(persistence, path) or path.exists()

    Job.postprocess, PersistenceBase.finished = postprocess_and_remember, record_unless_failed
    PersistenceBase.restore_output = restore_or_keep


redo_failed_jobs()


def show_summary():
    """Print the pages that sum up the experiment, as far as it has come, and where the time went."""
    for name in ["summary", *AMOUNT_GAMES, "checks"]:
        page = Path(RESULTS) / "alignment" / f"{name}.md"
        if page.exists():
            print(page.read_text(encoding="utf-8"))
    print(timings_page(read_timings(Path(RESULTS) / "benchmarks")))
