"""The console command `tomtransfer`: what is not a step of the workflow."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from tomtransfer import __version__
from tomtransfer.experiment.validation import InputError

app = typer.Typer(
    help="Transfer strategic behaviour in games from a large language model to a small one, and measure it. "
    "Experiments are run with `snakemake`; this command looks at what they leave behind.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

StoreFolder = Annotated[Path, typer.Option("--store", help="The store, as `paths.store` in the config.")]
ResultsFolders = Annotated[
    list[Path] | None,
    typer.Option("--results", help="A results folder that uses the store, besides those that it knows of."),
]


def main() -> None:
    """Run the command; a mistake in what it is given ends it with one line."""
    try:
        app()
    except InputError as error:
        sys.exit(f"tomtransfer: {error}")


@app.callback(invoke_without_command=True)
def show_version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Answer what is asked of the command itself."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command(name="store")
def show_store(
    folder: StoreFolder = Path("results/store"),
    results: ResultsFolders = None,
    remove_unused: Annotated[
        bool, typer.Option("--remove-unused", help="Remove what no results folder uses, after asking.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
) -> None:
    """List what the store holds, by respondent and stage, and what of it no results folder uses."""
    from tomtransfer.experiment.store import Store
    from tomtransfer.report.holdings import store_page
    from tomtransfer.training import inventory

    if not folder.is_dir():
        raise InputError(f"{folder}: no such store; --store says where it is")
    kept = Store(folder)
    users = list(dict.fromkeys(path.resolve() for path in [*inventory.results_folders(kept), *(results or [])]))
    used = inventory.read_used(users)
    found = inventory.holdings(kept, used)
    typer.echo(store_page(found, users))
    if remove_unused and any(holding.unused for holding in found):
        question = "Remove what none of these results folders uses? It would have to be computed again"
        if yes or typer.confirm(question):
            typer.echo(f"{inventory.remove_unused(kept, used) / 1e6:.1f} MB removed")


@app.command(name="check")
def check_artifacts(
    results: Annotated[Path, typer.Argument(help="The results folder of an experiment.")] = Path("results"),
    folder: StoreFolder = Path("results/store"),
) -> None:
    """Verify every artifact of an experiment, and everything in the store, against what was recorded of it."""
    from tomtransfer.experiment.store import Store
    from tomtransfer.training.inventory import broken

    if not results.is_dir():
        raise InputError(f"{results}: no such folder of results")
    artifacts, mistakes = broken(results, Store(folder))
    for mistake in mistakes:
        typer.echo(mistake)
    if mistakes:
        raise InputError(f"{len(mistakes)} of {artifacts} artifacts are not what was written; run the experiment again")
    typer.echo(f"{artifacts} artifacts are what was written")


@app.command(name="plan")
def plan_experiment(
    files: Annotated[
        list[Path] | None,
        typer.Option("--configfile", help="A preset or a file of your own, laid over config.yaml; several in order."),
    ] = None,
    values: Annotated[
        list[str] | None, typer.Option("--config", help="KEY=VALUE, laid over the files; several in order.")
    ] = None,
) -> None:
    """Say what an experiment still has to ask and to train, and what that costs, before anything is spent."""
    from tomtransfer.experiment.origins import merged_config, read_experiment
    from tomtransfer.models.registry import read_registry
    from tomtransfer.report.holdings import forecast_page
    from tomtransfer.training.forecast import forecast

    given = [Path("config.yaml"), *(files or [])]
    experiment = read_experiment(merged_config(given, values or []), given)
    typer.echo(forecast_page(forecast(experiment, read_registry(Path(experiment.paths.registry)))))


@app.command(name="whose")
def whose_strategy(
    results: Annotated[list[Path], typer.Argument(help="Results folders of experiments on the same plane of games.")],
    split: Annotated[str, typer.Option("--split", help="The games that are looked at.")] = "unseen_games",
    view: Annotated[str, typer.Option("--view", help="The frames that are averaged over.")] = "counterbalanced",
    to: Annotated[Path | None, typer.Option("--to", help="A CSV file that the table is written to.")] = None,
) -> None:
    """Say whose strategy students have taken over, their own teacher's or anybody's: students beside all teachers."""
    from tomtransfer.experiment.files import write_text
    from tomtransfer.measurement.whose import read_pupils, whose
    from tomtransfer.report.plane_pages import whose_page, whose_table
    from tomtransfer.report.typesetting import as_csv

    found = whose(read_pupils(results, split, view))
    typer.echo(whose_page(found))
    if to is not None:
        write_text(as_csv(whose_table(found)), to)


@app.command(name="merge")
def merge(
    adapter: Annotated[Path, typer.Argument(help="The folder of an adapter, such as results/student/transfer-1.")],
    to: Annotated[Path, typer.Option("--to", help="The folder that the merged model is written into.")],
    models: Annotated[Path, typer.Option("--models", help="Where fetched models are, as `paths.models`.")] = Path(
        "results/models"
    ),
) -> None:
    """Make a tuned student a model of its own, which other experiments can ask (`source: local`) and servers serve."""
    from tomtransfer.training.merging import merge_student

    merge_student(adapter, models, to)
    typer.echo(f"{to}: name it in models.yaml as source: local, path: {to}")


@app.command(name="inspect")
def inspect_model(
    folder: Annotated[Path, typer.Argument(help="The folder of a model, such as results/models/NAME.")],
    prompts: Annotated[Path, typer.Option("--prompts", help="A file of prompts, the first of which is shown.")] = Path(
        "results/prompts/stag_hunt.json"
    ),
    quantization: Annotated[str, typer.Option(help="as_stored, nf4 or none, as in the config.")] = "as_stored",
    chat: Annotated[list[str] | None, typer.Option(help="A variable of its chat template: name=value.")] = None,
) -> None:
    """Show what a model gets, how its answers begin and end, what its prompts may share, about how long it takes."""
    import yaml

    from tomtransfer.respondents.inspection import inspection_page
    from tomtransfer.respondents.local_model import LocalModel
    from tomtransfer.scenarios.questions import read_prompts

    if not prompts.is_file():
        raise InputError(
            f"{prompts}: no such file; `snakemake results/prompts/GAME.json` makes one, --prompts names it"
        )
    given = dict(each.partition("=")[::2] for each in chat or [])
    model = LocalModel(
        directory=folder,
        model_revision="",
        quantization=quantization,
        temperature=1,
        stage_revision=1,
        device="auto",
        tokens_per_batch=8_000,
        chat={name: yaml.safe_load(value) for name, value in given.items()},
    )
    typer.echo(inspection_page(model, read_prompts([prompts])))


@app.command(name="reference", hidden=True)
def write_reference() -> None:
    """Write the pages that are made from the config's types, in a checkout of the project."""
    from tomtransfer.reference import references

    for path, text in references().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
