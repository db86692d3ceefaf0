"""What a store holds, and what an experiment lacks in it, as pages for the terminal."""

from collections.abc import Sequence
from pathlib import Path

from tomtransfer.models.costs import Cost, Range, Tokens
from tomtransfer.report.typesetting import as_markdown
from tomtransfer.training.forecast import Forecast, Missing
from tomtransfer.training.inventory import Holding


def store_page(holdings: Sequence[Holding], users: Sequence[Path]) -> str:
    """Return a table of what is held, in Markdown, with the results folders that use it."""
    cells = [
        [each.stage, each.owner, each.about, f"{each.rows:,}", _size(each.bytes), f"{each.unused:,}"]
        for each in holdings
    ]
    table = as_markdown(["stage", "of", "which", "rows", "size", "unused"], cells)
    folders = ", ".join(map(str, users)) or "none that is known"
    total = _size(sum(each.bytes for each in holdings))
    return f"Results folders that use this store: {folders}\n\n{table}\n\n{total} in all\n"


def forecast_page(found: Forecast) -> str:
    """Return what an experiment still has to ask and to train, in Markdown, and what that costs."""
    headings = ["who", "stage", "rows", "missing", "prompts", "requests", "tokens in", "tokens out"]
    cells = [_missing(each) for each in found.stages]
    lines = [as_markdown(headings, cells), ""]
    if lacking := [each for each in found.stages if each.missing]:
        tokens = sum((each.tokens for each in lacking), Tokens())
        total = (
            f"{sum(each.missing for each in lacking):,} of {sum(each.rows for each in found.stages):,} rows are missing"
        )
        lines.append(f"{total}: {_between(tokens.prompt)} tokens in, {_between(tokens.answer)} out.")
    else:
        lines.append("The store has every row: nothing has to be asked.")
    lines += [f"The adapter of {name}: {said}." for name, said in found.trainings.items()]
    lines += [_cost(name, each) for name, each in found.costs.items()]
    lines += [
        "Tokens are estimated from the length of the prompts. The least is for prompts that are read once for all "
        "answers to them, the most for one request per answer, each as long as it may be; tries that fail come on top."
    ]
    return "\n".join(lines) + "\n"


def _missing(each: Missing) -> list[str]:
    who = f"{each.role}: {each.respondent}"
    costs = [_between(each.requests), _between(each.tokens.prompt), _between(each.tokens.answer)]
    return [who, each.stage, f"{each.rows:,}", f"{each.missing:,}", f"{each.prompts:,}", *costs]


def _between(number: Range) -> str:
    return f"{number.low:,}" if number.low == number.high else f"{number.low:,} to {number.high:,}"


def _cost(name: str, found: Cost) -> str:
    beyond = "".join(f"; {limit}" for limit in found.beyond)
    if found.low is None or found.high is None:
        return f"{name}: no prices are given, so that there is no sum of money{beyond}."
    return f"{name}: {found.low:z,.2f} to {found.high:z,.2f} {found.currency}{beyond}."


def _size(count: int) -> str:
    return f"{count / 1e6:z.1f} MB"
