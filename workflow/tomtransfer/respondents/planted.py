"""A respondent whose policy is known in closed form: its answers can be checked against what was planted.

It weighs payoffs and the social situation. Labels and their order mean nothing to it, but where a habit with labels is
planted as well. It needs no download and no torch.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.models.registry import Planted
from tomtransfer.respondents.asking import Asking, Questions
from tomtransfer.respondents.protocol import Drawn, Reasons
from tomtransfer.scenarios.plane_prompts import situation_of
from tomtransfer.scenarios.questions import Prompt, Query

MOTIVATION = (
    "Whether my coplayer cooperates I cannot know, so I weigh both. On average {chosen} earns me {own:g} points and my "
    "coplayer {coplayer:g}; {other} earns me {own_otherwise:g} and my coplayer {coplayer_otherwise:g}."
)
"""What the planted teacher says for a choice: the averages that its policy weighs."""

LIKING = "What an option is called counts for me, whatever it stands for: I like {liked} better than {other}."
"""What it says of a habit with labels."""


@dataclass(frozen=True)
class PlantedRespondent:
    """The policy of a registry entry as a respondent; its answers have no sampling noise but where they are drawn."""

    policy: Planted
    identity: Mapping[str, Any]

    @property
    def examined(self) -> str:
        """Nothing: a policy in closed form has no weights to examine; see `Respondent`."""
        return ""

    def known(self, questions: Questions) -> Questions:
        """Return all questions; see `Respondent`."""
        return questions

    def evidence(self, prompt: Prompt | Query) -> str:
        """Exact: a policy has probabilities; see `Respondent`."""
        return "exact"

    def check(self, questions: Questions, asking: Asking) -> dict[str, Any]:
        """Return what the policy is, which can be asked anything; see `Respondent`."""
        return {"model": self.identity["model"], "policy": self.policy.model_dump(mode="json", exclude_none=True)}

    def asked(self, prompt: Prompt | Query) -> dict[str, Any]:
        """Return the hash of a prompt, and what the policy knows of it besides: its context and its payoffs."""
        return {"prompt": prompt.sha256, "context": prompt.context, "payoffs": prompt.payoffs}

    def choose(
        self, prompts: Sequence[Prompt], room: int, drawn_after: Collection[str] = ()
    ) -> list[ChoiceDistribution]:
        """Return the planted choice distribution of each prompt; see `Respondent`."""
        rates = planted_rates(prompts, self.policy)
        return [ChoiceDistribution(rate, 1 - rate, 0.0) for rate in rates]

    def motivate(self, wanted: Sequence[Reasons], longest: int) -> list[DrawnText]:
        """Return the averages that the policy weighs as the reasons for each choice; see `Respondent`."""
        return [DrawnText(planted_reasons(each.prompt, each.choice, self.policy), 0, True) for each in wanted]

    def draw(self, wanted: Sequence[Drawn], asking: Asking) -> list[DrawnText]:
        """Return an answer to each prompt, drawn from the policy; see `Respondent`."""
        return [DrawnText(planted_answer(each.prompt, each.key, self.policy), 0, True) for each in wanted]

    def read(self, queries: Sequence[Query]) -> list[CandidateDistribution]:
        """Return the planted distribution over the candidates of each query; see `Respondent`."""
        return [CandidateDistribution(planted_reading(query, self.policy), 0.0) for query in queries]


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
    """Return the log-odds of cooperating: rationality x (utility of cooperating - utility of defecting) + liking.

    The logit quantal response of McKelvey and Palfrey (1995), Quantal response equilibria for normal form games, Games
    and Economic Behavior 10, 6-38, to a coplayer believed to cooperate with share `policy.belief`. A utility is the
    points that one expects to earn plus the context's social weight times those of the coplayer. The liking is that for
    the label of cooperating over that of defecting, and none if no habit is planted.

    Raises InputError when the policy has no social weight for the prompt's context.
    """
    weight = _social_weight(situation_of(prompt.context), policy)
    cooperating, defecting = (
        own + weight * coplayer
        for own, coplayer in (expected_points(prompt, choice, policy.belief) for choice in ("cooperate", "defect"))
    )
    return policy.rationality * (cooperating - defecting) + label_log_odds(prompt, policy)


def label_log_odds(prompt: Prompt, policy: Planted) -> float:
    """Return how much better the policy likes the label of cooperating than that of defecting, in log-odds."""
    cooperate, defect = (policy.labels.get(label, 0.0) for label in prompt.labels)
    return cooperate - defect


def _social_weight(context: str, policy: Planted) -> float:
    if context not in policy.social_weights:
        raise InputError(
            f"the planted teacher has no social_weights.{context}; it has {', '.join(policy.social_weights)}"
        )
    return policy.social_weights[context]


def planted_rates(prompts: Sequence[Prompt], policy: Planted) -> list[float]:
    """Return the planted probability of cooperation for each prompt, whatever the temperature."""
    return [float(1 / (1 + np.exp(-cooperation_log_odds(prompt, policy)))) for prompt in prompts]


def planted_reasons(prompt: Prompt, choice: str, policy: Planted) -> str:
    """Return the planted teacher's reasons for a choice, "cooperate" or "defect": the same at every draw.

    They name what its policy weighs: payoffs, a liking for a label, or both.
    """
    liking = label_log_odds(prompt, policy)
    liked, other = prompt.labels if liking > 0 else reversed(prompt.labels)
    weighed = [_payoff_reasons(prompt, choice, policy)] if policy.rationality or not liking else []
    return " ".join([*weighed, LIKING.format(liked=liked, other=other)] if liking else weighed)


def _payoff_reasons(prompt: Prompt, choice: str, policy: Planted) -> str:
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


def planted_reading(query: Query, policy: Planted) -> list[float]:
    """Return the planted probability of each candidate: 1 for an answer that is known to be right, else that of giving.

    The logit quantal response again, over the amounts that may be given to a fund of which everyone gets an equal part
    after it was multiplied. Each other person is believed to give `policy.belief` of the endowment, and the social
    weight is that of the points of each of them. Raises InputError when the policy has no weight for the context.
    """
    if query.right is not None:
        return [float(candidate == query.right) for candidate in query.candidates]
    endowment, people, multiplier = (query.payoffs[name] for name in ("endowment", "people", "multiplier"))
    weight, others = _social_weight(query.context, policy), people - 1
    given = np.array([float(candidate) for candidate in query.candidates])
    shared = multiplier * (given + others * policy.belief * endowment) / people
    utility = endowment - given + shared + weight * others * (endowment * (1 - policy.belief) + shared)
    odds = np.exp(policy.rationality * (utility - utility.max()))
    return [float(share) for share in odds / odds.sum()]


def planted_answer(prompt: Prompt | Query, key: str, policy: Planted) -> str:
    """Return an answer drawn from the planted policy; the same `key`, in hexadecimal digits, draws the same."""
    uniform = np.random.default_rng(int(key, 16)).random()
    if isinstance(prompt, Query):
        chosen = int(np.searchsorted(np.cumsum(planted_reading(prompt, policy)), uniform))
        return prompt.candidates[min(chosen, len(prompt.candidates) - 1)]
    choice = "cooperate" if uniform < planted_rates([prompt], policy)[0] else "defect"
    label = prompt.cooperate if choice == "cooperate" else prompt.defect
    reasons = planted_reasons(prompt, choice, policy)
    return {
        "answer_only": label,
        "answer_first": f"{label}\n{reasons}",
        "reason_first": f"{reasons}\n{label}",
    }[prompt.question]
