"""What every stage shares: the checked experiment, where things are, and what answers depend on."""

from os.path import relpath
from pathlib import Path

from snakemake.exceptions import WorkflowError

from tomtransfer.config_files import read_experiment
from tomtransfer.frames import designs, views
from tomtransfer.prompts import scenario_hashes
from tomtransfer.registry import find, find_student, read_registry, revision
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
HASHES = checked(scenario_hashes, experiment)
PACKAGE = relpath(Path(workflow.current_basedir).parent / "tomtransfer")


wildcard_constraints:
    game="|".join(experiment.games),
    context="|".join(experiment.contexts),
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


def prompt_files(games, contexts):
    """Return the prompt files of games in contexts."""
    return expand(f"{RESULTS}/prompts/{{game}}/{{context}}.json", game=games, context=contexts)


def package_files(*names):
    """Return files of the package that a cheap step runs, so that it runs again when they change."""
    return expand(f"{PACKAGE}/{{name}}.py", name=names)


def registered(wildcards):
    """Return the revision of a model, which is all that its content depends on."""
    return model_revision(wildcards.model)


def rendered_hash(wildcards):
    """Return the hash of what a scenario's prompts say: a change of wording reruns, a comment in a template does not."""
    return HASHES[wildcards.game, wildcards.context]


def adapter_of(wildcards):
    """Return the record of the adapter that a variant of the student wears."""
    return f"{RESULTS}/student/adapter/training.json" if wildcards.variant == "tuned" else []


def show_summary():
    """Print the page that sums up the experiment, if it has come so far."""
    page = Path(RESULTS) / "alignment" / "summary.md"
    if page.exists():
        print(page.read_text(encoding="utf-8"))
