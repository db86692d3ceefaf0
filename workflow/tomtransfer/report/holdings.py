"""What a store holds, as a page for the terminal."""

from collections.abc import Sequence
from pathlib import Path

from tomtransfer.report.typesetting import as_markdown
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


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB"
