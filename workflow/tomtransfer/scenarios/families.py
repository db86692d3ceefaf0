"""The twelve symmetric games of two players and two actions, by the order of their payoffs, and their names.

Four different payoffs can be ordered in 24 ways. Two orders that differ only in which action is called cooperating are
one game, so that there are twelve (Rapoport and Guyer 1966, A taxonomy of 2x2 games, General Systems 11, 203-214). Each
is written here the way in which your best outcome is the reward or the temptation.

The names are those of Bruns (2015), Names for games: locating 2x2 games, Games 6(4), 495-520, for the games that
Robinson and Goforth (2005), The Topology of the 2x2 Games, lay out in this order: neighbours, the last and the first of
each six among them, differ in two payoffs that change places. Snowdrift is Bruns' Chicken, prisoner's delight his
Concord.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise

SYMBOLS = {"R": "reward", "S": "sucker", "T": "temptation", "P": "punishment"}
"""The payoffs by the letters that the field writes for them."""

EXCHANGED = {"reward": "punishment", "punishment": "reward", "sucker": "temptation", "temptation": "sucker"}
"""What each payoff is when cooperating is called defecting and the other way round."""


@dataclass(frozen=True)
class Family:
    """An order of payoffs: the game's name as people read it, its payoffs from the highest, and its other names."""

    title: str
    symbols: str
    also: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[str, ...]:
        """Return the payoffs from the highest to the lowest."""
        return tuple(SYMBOLS[symbol] for symbol in self.symbols)


FAMILIES = {
    "prisoners_dilemma": Family("prisoner's dilemma", "TRPS"),
    "snowdrift": Family("snowdrift", "TRSP", ("chicken", "hawk_dove", "exploiter")),
    "battle": Family("battle", "TSRP", ("leader", "battle_of_the_sexes")),
    "hero": Family("hero", "TSPR"),
    "compromise": Family("compromise", "TPSR"),
    "deadlock": Family("deadlock", "TPRS"),
    "stag_hunt": Family("stag hunt", "RTPS", ("trust_dilemma",)),
    "assurance": Family("assurance", "RPTS"),
    "coordination": Family("coordination", "RPST"),
    "peace": Family("peace", "RSPT"),
    "harmony": Family("harmony", "RSTP"),
    "prisoners_delight": Family("prisoner's delight", "RTSP", ("concord", "no_conflict")),
}

OTHER = "other"
"""The family of a game that claims no order."""


def ranking(payoffs: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """Return the payoffs from the highest to the lowest, those that are equal together: `(("reward",), ...)`."""
    names = sorted(SYMBOLS.values(), key=lambda name: -payoffs[name])
    return tuple(tuple(group) for _, group in groupby(names, key=lambda name: payoffs[name]))


def in_symbols(payoffs: Mapping[str, float]) -> str:
    """Return the order of payoffs as the field writes it: `T > R > P = S`."""
    letters = {name: letter for letter, name in SYMBOLS.items()}
    return " > ".join(" = ".join(letters[name] for name in tied) for tied in ranking(payoffs))


def families_of(payoffs: Mapping[str, float]) -> tuple[str, ...]:
    """Return the families whose order payoffs have: one or, where they are tied, each that breaking the tie would give.

    There is none where the best payoff is the sucker's or the punishment alone: with the names of the actions exchanged
    the game then belongs to a family.
    """
    return tuple(name for name, family in FAMILIES.items() if has_order(payoffs, family))


def has_order(payoffs: Mapping[str, float], family: Family) -> bool:
    """Return whether payoffs are in the order of a family, ties allowed."""
    return all(payoffs[higher] >= payoffs[lower] for higher, lower in pairwise(family.order))


def with_actions_exchanged(payoffs: Mapping[str, float]) -> dict[str, float]:
    """Return the payoffs of the same game when cooperating is called defecting and the other way round."""
    return {name: payoffs[EXCHANGED[name]] for name in SYMBOLS.values()}
