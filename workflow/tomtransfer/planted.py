"""A teacher whose policy is known in closed form: what it says can be checked against what it was planted with.

It minds payoffs and the social situation, and neither letters nor order. It needs no download and no torch.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tomtransfer.model_files import SOURCE
from tomtransfer.prompts import Prompt
from tomtransfer.registry import Planted
from tomtransfer.validation import InputError

MOTIVATION = (
    "Whether my coplayer cooperates I cannot know, so I weigh both. On average {chosen} earns me {own:g} points and my "
    "coplayer {coplayer:g}; {other} earns me {own_otherwise:g} and my coplayer {coplayer_otherwise:g}."
)
"""What the planted teacher says for a choice: the averages that its policy weighs, and no liking for a letter."""


def read_planted(directory: Path) -> Planted | None:
    """Return the policy of the planted teacher in a model directory, or None when the model there is no such thing."""
    path = directory / SOURCE
    if not path.exists():
        return None
    source = json.loads(path.read_text(encoding="utf-8"))["source"]
    return Planted(**source) if source["source"] == "planted" else None


def expected_points(prompt: Prompt, choice: str, belief: float) -> tuple[float, float]:
    """Return the points that `choice` earns oneself and the coplayer when the latter cooperates with share `belief`."""
    if_cooperating, if_defecting = {
        "cooperate": (("reward", "reward"), ("sucker", "temptation")),
        "defect": (("temptation", "sucker"), ("punishment", "punishment")),
    }[choice]
    own, coplayer = (
        belief * prompt.payoffs[cooperated] + (1 - belief) * prompt.payoffs[defected]
        for cooperated, defected in zip(if_cooperating, if_defecting, strict=True)
    )
    return own, coplayer


def cooperation_log_odds(prompt: Prompt, policy: Planted) -> float:
    """Return the log-odds of cooperating: rationality x (utility of cooperating - utility of defecting).

    The logit quantal response of McKelvey and Palfrey (1995), Quantal response equilibria for normal form games, Games
    and Economic Behavior 10, 6-38, to a coplayer believed to cooperate with share `policy.belief`. A utility is the
    points that one expects to earn plus the context's social weight times those of the coplayer.

    Raises InputError when the policy has no social weight for the prompt's context.
    """
    if prompt.context not in policy.social_weights:
        raise InputError(
            f"the planted teacher has no social_weights.{prompt.context}; it has {', '.join(policy.social_weights)}"
        )
    weight = policy.social_weights[prompt.context]
    cooperating, defecting = (
        own + weight * coplayer
        for own, coplayer in (expected_points(prompt, choice, policy.belief) for choice in ("cooperate", "defect"))
    )
    return policy.rationality * (cooperating - defecting)


def cooperation_rates(prompts: Sequence[Prompt], policy: Planted) -> list[float]:
    """Return the planted probability of cooperation for each prompt, whatever the temperature and the frame."""
    return [float(1 / (1 + np.exp(-cooperation_log_odds(prompt, policy)))) for prompt in prompts]


def motivation(prompt: Prompt, choice: str, policy: Planted) -> str:
    """Return the planted teacher's reasons for a choice, "cooperate" or "defect": the same at every draw."""
    otherwise = "defect" if choice == "cooperate" else "cooperate"
    labels = dict(zip(("cooperate", "defect"), prompt.labels, strict=True))
    own, coplayer = expected_points(prompt, choice, policy.belief)
    own_otherwise, coplayer_otherwise = expected_points(prompt, otherwise, policy.belief)
    return MOTIVATION.format(
        chosen=labels[choice],
        other=labels[otherwise],
        own=own,
        coplayer=coplayer,
        own_otherwise=own_otherwise,
        coplayer_otherwise=coplayer_otherwise,
    )
