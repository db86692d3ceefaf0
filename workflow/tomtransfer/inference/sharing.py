"""What a model's prompts and completions may share, as its examination has found out."""

from dataclasses import dataclass
from typing import Literal

TextsGoOn = Literal["branches", "flat branches", "copies", "recomputed"]


@dataclass(frozen=True)
class Sharing:
    """How a model is run so that its numbers are those of plain passes."""

    rows: bool = True
    """Whether several prompts or completions may stand in one row; otherwise each has a row of its own."""
    drawing: TextsGoOn = "branches"
    """How texts go on after a prompt: as branches of one copy of its keys and values (or, laid out flat, of what these
    are made from), with a copy each of what the model keeps, or computed anew."""
    longest: int | None = None
    """Tokens of a shared row, at most, where a window of the model's attention reaches no farther; None for any."""

    @property
    def branches(self) -> bool:
        """Whether texts share one copy of what is kept of their prompt."""
        return self.drawing in {"branches", "flat branches"}

    def fits(self, tokens: int) -> bool:
        """Tell whether prompts or completions may share a row of so many tokens."""
        return self.rows and (self.longest is None or tokens <= self.longest)


SHARED = Sharing()
"""Everything is shared."""

ONE_BY_ONE = Sharing(rows=False, drawing="copies")
"""Every prompt and completion in a row of its own."""
