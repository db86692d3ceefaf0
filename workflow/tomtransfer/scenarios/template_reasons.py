"""Reasons that a template writes for recorded choices, of which nobody recorded any: they restate payoffs.

They are the words of whoever wrote the registry, and not the teacher's: every artifact that holds them says so.
"""

from functools import cache

from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.questions import Prompt
from tomtransfer.scenarios.sandbox import Sandbox

TEMPLATE = "template"
"""Who wrote a motivation, in the column `author`, where it was no teacher."""

_NAME = "reasons"

VARIABLES = (
    *("chosen", "other", "cooperate", "defect"),
    *("chosen_if_cooperating", "chosen_if_defecting", "other_if_cooperating", "other_if_defecting"),
)
"""What a template may use: labels, and the points that an option earns if the coplayer cooperates, or defects."""


def check_reasons(template: str) -> None:
    """Raise ValueError when a template is broken, uses a name that it does not have, or comes out empty."""
    _render(template, dict.fromkeys(VARIABLES, "1"))


def write_reasons(template: str, prompt: Prompt, choice: str) -> str:
    """Return what a template says for a choice, `cooperate` or `defect`; raises InputError when it cannot."""
    earned = {
        "cooperate": (prompt.payoffs["reward"], prompt.payoffs["sucker"]),
        "defect": (prompt.payoffs["temptation"], prompt.payoffs["punishment"]),
    }
    labels = {"cooperate": prompt.cooperate, "defect": prompt.defect}
    other = "defect" if choice == "cooperate" else "cooperate"
    chosen_points, other_points = (list(map(in_digits, earned[each])) for each in (choice, other))
    values = (labels[choice], labels[other], prompt.cooperate, prompt.defect, *chosen_points, *other_points)
    try:
        return _render(template, dict(zip(VARIABLES, values, strict=True)))
    except ValueError as error:
        raise InputError(f"reasons: {error}") from error


def _render(template: str, variables: dict[str, str]) -> str:
    try:
        text = " ".join(_compiled(template).render(_NAME, variables).split())
    except Exception as error:  # whatever a template raises is a mistake in it
        raise ValueError(f"{str(error).rstrip('.')}. A template may use: {', '.join(VARIABLES)}") from error
    if not text:
        raise ValueError("renders to nothing")
    return text


@cache
def _compiled(template: str) -> Sandbox:
    return Sandbox({_NAME: template})
