"""The attention of one shared-prefix row, computed in each way that there is, forward and backward.

Four ways, all for P tokens of a prompt and K completions of L after it: scaled dot product attention with the square
mask of the row; the same without what the mask throws away (the product); FlexAttention with a block mask; and
attention of variable length, with a copy of the prompt's keys for each completion. The last two need a GPU.

    PYTHONPATH=workflow python benchmarks/attentions.py     # the shape of the default student
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import torch

from measuring import RESULTS, Load, keep, machine, seconds
from tomtransfer.inference import row_attention
from tomtransfer.inference.loading import compute_type
from tomtransfer.inference.rows import Completion, Row, row_inputs, row_lengths

ROUNDS = 5


@dataclass(frozen=True)
class RowShape:
    """A row of `completions` completions after a prompt, in tokens, and a model's heads and their size."""

    prompt: int
    completion: int
    completions: int
    heads: int
    size: int

    @property
    def row(self) -> Row:
        """Return such a row."""
        completion = Completion([0] * (self.completion + 1), 1.0)
        return Row([0] * self.prompt, [completion] * self.completions)


Attention = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
"""From queries, keys and values, each (1, heads, tokens, size), to what is read, of the same shape."""


def ways(shape: RowShape, device: torch.device) -> dict[str, Callable[[], Attention]]:
    """Return each way by name, made ready when called."""
    found = {
        "SDPA, square mask": lambda: square(shape, device),
        "SDPA, side by side (the product)": lambda: side_by_side(shape),
    }
    if device.type == "cuda":
        found["FlexAttention"] = lambda: flex(shape, device)
        found["variable length"] = lambda: variable_length(shape, device)
    return found


def square(shape: RowShape, device: torch.device) -> Attention:
    """Return attention by the mask of the whole row."""
    mask = row_inputs(shape.row)["attention_mask"].to(device)
    return lambda query, key, value: torch.nn.functional.scaled_dot_product_attention(query, key, value, mask)


def side_by_side(shape: RowShape) -> Attention:
    """Return attention as the product computes it."""
    lengths = row_lengths(shape.row)
    module = SimpleNamespace(is_causal=True)
    settings = {"scaling": shape.size**-0.5, "dropout": 0.0, "row_lengths": lengths}

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        return row_attention.attend_rows(module, query, key, value, None, **settings)[0].transpose(1, 2)  # type: ignore[arg-type]

    return attend


def flex(shape: RowShape, device: torch.device) -> Attention:
    """Return compiled FlexAttention with the mask of the row in blocks."""
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    counts = torch.tensor(row_lengths(shape.row), device=device)
    owner = torch.arange(len(counts), device=device).repeat_interleave(counts)

    def seen(batch: torch.Tensor, head: torch.Tensor, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        return (key <= query) & ((owner[key] == 0) | (owner[key] == owner[query]))

    blocks = create_block_mask(seen, None, None, len(owner), len(owner), device=device)
    compiled = torch.compile(flex_attention)
    return lambda query, key, value: compiled(query, key, value, block_mask=blocks)


def variable_length(shape: RowShape, device: torch.device) -> Attention:
    """Return attention over sequences of different lengths: the prompt, and each completion with the prompt's keys."""
    from torch.nn.attention.varlen import varlen_attn

    prompt, longest = shape.prompt, shape.prompt + shape.completion
    queries = torch.tensor([0, prompt, *[shape.completion] * shape.completions], device=device).cumsum(0)
    keys = torch.tensor([0, prompt, *[longest] * shape.completions], device=device).cumsum(0)
    starts = range(prompt, prompt + shape.completion * shape.completions, shape.completion)
    own = [[*range(prompt), *range(start, start + shape.completion)] for start in starts]
    places = torch.tensor([*range(prompt), *(place for each in own for place in each)], device=device)

    def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        packed = [part[0].transpose(0, 1) for part in (query, key, value)]
        read = varlen_attn(
            packed[0].contiguous(),
            packed[1][places],
            packed[2][places],
            queries.int(),
            keys.int(),
            max(prompt, shape.completion),
            longest,
            window_size=(-1, 0),
        )
        return read.transpose(0, 1)[None]

    return attend


def compare(shape: RowShape, device: torch.device, dtype: torch.dtype) -> list[dict[str, str]]:
    """Return a row of the table for each way: its time forward and backward, and its difference from the first."""
    torch.manual_seed(0)
    tokens = sum(row_lengths(shape.row))
    parts = [
        torch.randn(1, shape.heads, tokens, shape.size, device=device, dtype=dtype, requires_grad=True)
        for _ in range(3)
    ]
    rows, expected = [], None
    for name, make in ways(shape, device).items():
        try:
            attend = make()
            read = attend(*parts)
            if expected is None:
                expected = read.detach()
            difference = f"{float((read - expected).abs().max().detach()):.0e}"
            taken = f"{1e3 * _fastest(attend, parts):.2f}"
        except Exception as error:  # a kernel that this card or version lacks says so in ways of its own
            difference, taken = "", f"not here: {type(error).__name__}"
        rows.append({"attention": name, "forward and backward, ms": taken, "largest difference": difference})
    return rows


def _fastest(attend: Attention, parts: list[torch.Tensor]) -> float:
    def work() -> None:
        torch.autograd.grad(attend(*parts).float().square().sum(), parts)

    return min(seconds(work) for _ in range(ROUNDS))


def main() -> None:
    """Measure, print and keep."""
    load = Load()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shape = RowShape(prompt=300, completion=60, completions=8, heads=9, size=64)
    notes = [str(shape), f"Fastest of {ROUNDS}", f"{machine()}; {load}"]
    title = "Attention of a shared-prefix row, one layer of the default student"
    keep("attentions", title, compare(shape, device, compute_type(device)), notes, RESULTS)


if __name__ == "__main__":
    main()
