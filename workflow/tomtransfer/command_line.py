"""The console command `tomtransfer`: what is not a step of the workflow."""

from typing import Annotated

import typer

from tomtransfer import __version__
from tomtransfer.reference import references

app = typer.Typer(
    help="Transfer strategic behaviour in games from a large language model to a small one, and measure it. "
    "Experiments are run with `snakemake`; this command looks at what they leave behind.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def show_version(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Answer what is asked of the command itself."""
    if version:
        typer.echo(__version__)
        raise typer.Exit


@app.command(name="reference", hidden=True)
def write_reference() -> None:
    """Write the pages that are made from the config's types, in a checkout of the project."""
    for path, text in references().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
