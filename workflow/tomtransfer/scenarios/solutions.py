"""What holds of a symmetric game of two actions, by the standard concepts, and in sentences that anybody can read.

Everything follows from the four payoffs. They are compared as the numbers that people wrote, without rounding errors:
0.1 + 0.2 is 2 x 0.15 here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from tomtransfer.scenarios.families import FAMILIES, families_of, in_symbols, with_actions_exchanged
from tomtransfer.scenarios.numbers import in_digits

Profile = tuple[str, str]
"""What one player does and what the other does, each `cooperate` or `defect`."""

ACTIONS = ("cooperate", "defect")
PROFILES: tuple[Profile, ...] = tuple(product(ACTIONS, ACTIONS))
OWN_PAYOFF = dict(zip(PROFILES, ("reward", "sucker", "temptation", "punishment"), strict=True))
"""The payoff of the one whose action stands first in a profile."""


@dataclass(frozen=True)
class Solution:
    """What holds of a game. An outcome is a profile: a pair of actions."""

    order: str
    """Payoffs from the highest to the lowest, as in `T > R > P = S`."""
    families: tuple[str, ...]
    """The families that have this order: one, or several where payoffs are tied."""
    exchanged: bool
    """Whether the order is that of the families if cooperating is called defecting and the other way round."""
    dominant: str | None
    """The action that never earns less than the other, whatever the coplayer does, and somewhere more."""
    strictly: bool
    """Whether it earns more whatever the coplayer does."""
    equilibria: tuple[Profile, ...]
    """The Nash equilibria in pure strategies: nobody would earn more by another action (Nash 1950)."""
    mixed: float | None
    """The probability of cooperating in the symmetric equilibrium in which both actions are played, if there is one."""
    indifferent: bool
    """Whether one's own action never changes what one earns, so that every mixture is an equilibrium."""
    pareto_optimal: tuple[Profile, ...]
    """The outcomes than which no other gives one player more and neither less."""
    risk_dominant: str | None
    """Where both cooperating and both defecting are strict equilibria, the action that is better against a coplayer who
    is as likely to do the one as the other (Harsanyi and Selten 1988, A General Theory of Equilibrium Selection in
    Games); none if both are equally good."""
    each_cooperating: float
    """What each earns when both cooperate: R."""
    each_taking_turns: float
    """What each earns on average when they take turns at cooperating alone: (S + T) / 2."""

    @property
    def turns_beat_cooperation(self) -> bool:
        """Return whether taking turns earns each more than both cooperating."""
        return self.each_taking_turns > self.each_cooperating


def solve(payoffs: Mapping[str, float]) -> Solution:
    """Return what holds of the game with these payoffs: reward, sucker, temptation, punishment, in points."""
    exact = {name: Fraction(in_digits(points)) for name, points in payoffs.items()}
    earned = {outcome: exact[OWN_PAYOFF[outcome]] for outcome in PROFILES}
    # How much more cooperating earns than defecting, by what the coplayer does.
    gains = [earned["cooperate", other] - earned["defect", other] for other in ACTIONS]
    families = families_of(payoffs)
    dominant = _dominant(gains)
    return Solution(
        order=in_symbols(payoffs),
        families=families or families_of(with_actions_exchanged(payoffs)),
        exchanged=not families,
        dominant=dominant,
        strictly=dominant is not None and all(gains),
        equilibria=tuple(outcome for outcome in PROFILES if _is_equilibrium(outcome, earned)),
        mixed=_mixed(gains),
        indifferent=not any(gains),
        pareto_optimal=tuple(outcome for outcome in PROFILES if _is_pareto_optimal(outcome, earned)),
        risk_dominant=_risk_dominant(gains),
        each_cooperating=float(exact["reward"]),
        each_taking_turns=float((exact["sucker"] + exact["temptation"]) / 2),
    )


def _dominant(gains: list[Fraction]) -> str | None:
    if not any(gains):
        return None
    if min(gains) >= 0:
        return "cooperate"
    return "defect" if max(gains) <= 0 else None


def _is_equilibrium(outcome: Profile, earned: Mapping[Profile, Fraction]) -> bool:
    row, column = outcome
    best = [max(earned[action, other] for action in ACTIONS) for other in (column, row)]
    return [earned[row, column], earned[column, row]] == best


def _mixed(gains: list[Fraction]) -> float | None:
    """Return the probability of cooperating against which both actions earn the same, if it is no certainty.

    It solves q (R - T) + (1 - q) (S - P) = 0.
    """
    against_cooperation, against_defection = gains
    if against_cooperation * against_defection >= 0:
        return None
    return float(against_defection / (against_defection - against_cooperation))


def _risk_dominant(gains: list[Fraction]) -> str | None:
    against_cooperation, against_defection = gains
    if not (against_cooperation > 0 > against_defection) or not sum(gains):
        return None
    return "cooperate" if sum(gains) > 0 else "defect"


def _is_pareto_optimal(outcome: Profile, earned: Mapping[Profile, Fraction]) -> bool:
    def both(pair: Profile) -> tuple[Fraction, Fraction]:
        return earned[pair], earned[pair[::-1]]

    mine = both(outcome)
    return not any(
        other != mine and all(theirs >= own for theirs, own in zip(other, mine, strict=True))
        for other in map(both, PROFILES)
    )


PROFILES_IN_WORDS = {
    ("cooperate", "cooperate"): "both cooperate",
    ("cooperate", "defect"): "one cooperates and the other defects",
    ("defect", "defect"): "both defect",
}
DOING = {"cooperate": "cooperating", "defect": "defecting"}

MOST_NAMED = 4
"""A game whose payoffs are tied lies between so many families at most that all of them are named."""


def in_sentences(payoffs: Mapping[str, float]) -> tuple[str, str, str]:
    """Return what holds of a game in three sentences: equilibria, taking turns, Pareto optimality.

    They say so where cooperating is not what earns both together the most.
    """
    solution = solve(payoffs)
    return (
        f"{solution.order} ({_named(solution)}): {_best_reply(solution)}; {_equilibria(solution, payoffs)}.",
        _taking_turns(solution, payoffs),
        f"It is Pareto optimal that {_either(solution.pareto_optimal)}.",
    )


def _named(solution: Solution) -> str:
    """Return the name of a game, and say that payoffs are tied or that its actions have each other's names."""
    titles = [FAMILIES[name].title for name in solution.families]
    if len(titles) == 1:
        name = titles[0]
    else:
        between = " and ".join(titles) if len(titles) <= MOST_NAMED else f"{len(titles)} families"
        name = f"with ties, between {between}"
    return name + (", cooperating being called defecting and the other way round" if solution.exchanged else "")


def _best_reply(solution: Solution) -> str:
    if solution.indifferent:
        return "one's own choice never changes what one earns"
    if solution.dominant:
        chosen, other = _ordered(solution.dominant)
        how = "earns more than" if solution.strictly else "earns more than, or as much as,"
        return f"{DOING[chosen]} {how} {DOING[other]}, whatever the coplayer does"
    alike = ("cooperate", "cooperate") in solution.equilibria
    return f"it is best to do {'' if alike else 'the opposite of '}what the coplayer does"


def _equilibria(solution: Solution, payoffs: Mapping[str, float]) -> str:
    """Return the equilibria, and what a player may think of them: that another outcome is better, or one is safer."""
    if solution.indifferent:
        return "everything is an equilibrium"
    mixed = () if solution.mixed is None else (f"each cooperates with probability {solution.mixed:.2g}",)
    known = _either(solution.equilibria, *mixed)
    if " or " not in known:
        return f"in the only equilibrium {known}{_regret(solution, payoffs)}"
    if mixed and not solution.dominant and ("cooperate", "cooperate") in solution.equilibria:
        safer = DOING[solution.risk_dominant] if solution.risk_dominant else "neither action"
        known += f", and {safer} is risk dominant"
    return f"in equilibrium {known}"


def _regret(solution: Solution, payoffs: Mapping[str, float]) -> str:
    """Say that both would earn more if both did what does not pay, as in a dilemma."""
    if solution.dominant is None:
        return ""
    chosen, other = _ordered(solution.dominant)
    earned, missed = (payoffs[OWN_PAYOFF[action, action]] for action in (chosen, other))
    if missed <= earned:
        return ""
    return f", although both would earn more by {DOING[other]} ({in_digits(missed)} each, not {in_digits(earned)})"


def _taking_turns(solution: Solution, payoffs: Mapping[str, float]) -> str:
    reward, sucker, temptation = (_summand(payoffs[name]) for name in ("reward", "sucker", "temptation"))
    turns, both = 2 * solution.each_taking_turns, 2 * solution.each_cooperating
    compared = "more than" if turns > both else "less than" if turns < both else "as much as"
    return (
        f"Taking turns at cooperating alone would earn the two {in_digits(turns)} points a time ({sucker} + "
        f"{temptation}), {compared} the {in_digits(both)} of both cooperating ({reward} + {reward})."
    )


def _ordered(first: str) -> tuple[str, str]:
    """Return an action and the other one."""
    return (first, "defect" if first == "cooperate" else "cooperate")


def _either(profiles: tuple[Profile, ...], *more: str) -> str:
    """Return profiles in words as alternatives, those that differ only in who does what once."""
    different = dict.fromkeys(PROFILES_IN_WORDS[min(profile, profile[::-1])] for profile in profiles)
    return ", or ".join([*different, *more])


def _summand(points: float) -> str:
    """Return points in digits, negative ones in brackets."""
    return in_digits(points) if points >= 0 else f"({in_digits(points)})"
