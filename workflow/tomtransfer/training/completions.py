"""From the teacher's examples to rows of tokens: completions after one copy of their prompt, and what each weighs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tomtransfer.inference.chat import Chat, Variables, chat_of
from tomtransfer.inference.encoding import label_tokens
from tomtransfer.inference.rows import Completion, Row
from tomtransfer.training.loss import pack


@dataclass(frozen=True)
class Example:
    """One training example: a prompt, the choice and the reasons to give for it, and how much it counts.

    Where the `question` is reason_first, the reasons come first, as they came from the teacher.
    """

    system: str
    user: str
    label: str
    motivation: str
    finished: bool
    weight: float
    question: str = "answer_first"
    scenario: str = ""
    """The game and the context, the same in all frames."""


def make_rows(
    tokenizer: Any,
    examples: Sequence[Example],
    per_row: int,
    model_name: str,
    by_token: bool = False,
    chat: Variables = (),
) -> list[Row]:
    """Return examples as rows of at most `per_row` completions, whose weights sum to one in the mean over rows.

    Where loss is counted `by_token` (`choice_share` is None), a completion weighs in proportion to its tokens as well,
    so that each token of a prompt weighs as its completion was to. Weighing alike, completions of 100 and 150 tokens
    would have their choices learnt at 0.6 and 0.4 where the odds are equal.

    A completion is the label, a line break and the motivation, and the end of the answer if the motivation came to one;
    or the motivation, a line break, the label and the end of the answer. A label without a motivation stands alone. All
    in the tokens that the tokenizer itself writes. A model that always thinks has the motivation for its thoughts.
    """
    label_tokens(tokenizer, (example.label for example in examples), model_name, chat)
    found = chat_of(tokenizer, chat, all(example.question == "reason_first" for example in examples))
    by_prompt: dict[tuple[str, str, str], list[Completion]] = {}
    for example in examples:
        place = (example.system, example.user, example.scenario)
        by_prompt.setdefault(place, []).append(_completion(found, example))
    rows = []
    encode = found.encode_thinking_prompt if found.thinks else found.encode_prompt
    for (system, user, scenario), completions in by_prompt.items():
        even = _by_token(completions) if by_token else completions
        rows += [replace(row, scenario=scenario) for row in pack(encode(system, user), even, per_row)]
    scale = len(rows) / sum(completion.weight for row in rows for completion in row.completions)
    return [_weighed(row, scale) for row in rows]


def by_scenario(rows: Sequence[Row]) -> list[list[Row]]:
    """Return the rows of each scenario together, so weighed that their losses add up to that of a row in the mean."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.scenario, []).append(row)
    return [[_weighed(row, len(found) / len(rows)) for row in together] for together in found.values()]


def _weighed(row: Row, factor: float) -> Row:
    """Return a row whose completions count `factor` times as much."""
    return replace(row, completions=[replace(each, weight=each.weight * factor) for each in row.completions])


def _by_token(completions: Sequence[Completion]) -> list[Completion]:
    """Return the completions of a prompt, weighed by their tokens as well; the sum of the weights stays what it was."""
    tokens = sum(each.weight * len(each.tokens) for each in completions)
    share = sum(each.weight for each in completions) / tokens
    return [replace(each, weight=each.weight * len(each.tokens) * share) for each in completions]


def _completion(chat: Chat, example: Example) -> Completion:
    """Return the tokens of an example's completion, and where among them the choice stands."""
    end = list(chat.end) if example.finished else []
    last = example.question == "reason_first"
    parts = [part for part in (example.label, example.motivation) if part]
    if chat.thinks:
        tokens = chat.write_thought(example.motivation, example.label)
    else:
        tokens = chat.write("\n".join(reversed(parts) if last else parts))
    if last:
        ends = range(len(tokens) - 1, -1, -1)
        first = next((place for place in ends if chat.tokenizer.decode(tokens[place:]).strip() == example.label), 0)
        return Completion([*tokens, *end], example.weight, first, len(tokens) - first)
    texts = (chat.tokenizer.decode(tokens[:count]).lstrip() for count in range(1, len(tokens) + 1))
    label = next((count for count, text in enumerate(texts, 1) if text.startswith(example.label)), 1)
    return Completion([*tokens, *end], example.weight, 0, label)
