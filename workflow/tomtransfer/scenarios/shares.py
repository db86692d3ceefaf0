"""Which games of a plane each split has, as the config alone says.

A split takes those that meet a condition on their payoffs (`where`), or a share of them by a hash of their payoffs, the
same in every experiment; the others belong to the splits that say neither.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.framing import Split
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.families import SYMBOLS, families_of
from tomtransfer.scenarios.games import Payoffs
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.planes import games_of_plane


def games_of_splits(experiment: Experiment, plane: str) -> dict[str, dict[str, Payoffs]]:
    """Return the games of a plane that each of its splits has, by split and name.

    Payoffs are those before `payoff_factor`. Splits of one payoff factor share the games out: first those with a
    condition, then those with a share take theirs, and the others have what is left. Raises InputError naming the
    split when its condition cannot be read, it is left without a game, or a game falls to two conditions.
    """
    games = games_of_plane(Path(experiment.paths.scenarios), plane)
    factors: dict[float, dict[str, Split]] = {}
    for name, split in experiment.splits.items():
        if plane in experiment.games_of(name):
            factors.setdefault(split.payoff_factor, {})[name] = split
    shared: dict[str, dict[str, Payoffs]] = {}
    for splits in factors.values():
        shared |= _shared_out(games, splits)
    for name, taken in shared.items():
        if not taken:
            raise InputError(f"splits.{name}: is left without a game of {plane}, which has {len(games):,}")
    return {name: shared[name] for name in experiment.splits if name in shared}


def _shared_out(games: Mapping[str, Payoffs], splits: Mapping[str, Split]) -> dict[str, dict[str, Payoffs]]:
    """Return the games of each of several splits of one payoff factor."""
    owner: dict[str, str] = {}
    for name, split in splits.items():
        if split.where is not None:
            for game in _meeting(split.where, games, f"splits.{name}.where"):
                if game in owner:
                    raise InputError(
                        f"splits.{name}.where: {game} is in splits.{owner[game]} as well; a game may be in one split"
                    )
                owner[game] = name
    start = 0.0
    for name, split in splits.items():
        if split.share is not None:
            end = start + split.share
            if end >= 1:
                raise InputError(
                    f"splits.{name}.share: the shares of all splits make {end:g}; they must leave something of 1"
                )
            owner |= {
                game: name
                for game, payoffs in games.items()
                if game not in owner and start <= place_by_hash(payoffs) < end
            }
            start = end
    rest = {game: payoffs for game, payoffs in games.items() if game not in owner}
    return {
        name: rest
        if split.where is None and split.share is None
        else {game: games[game] for game in games if owner.get(game) == name}
        for name, split in splits.items()
    }


def place_by_hash(payoffs: Payoffs) -> float:
    """Return a number from 0 to 1 that a game has in every experiment, spread evenly over games."""
    said = ",".join(in_digits(getattr(payoffs, payoff)) for payoff in SYMBOLS.values())
    return int(hashlib.sha256(said.encode()).hexdigest()[:13], 16) / 16**13


def _meeting(condition: str, games: Mapping[str, Payoffs], where: str) -> list[str]:
    """Return the games that meet a condition on their payoffs; raises InputError when it cannot be read."""
    import polars as pl

    rows = [
        {**payoffs.model_dump(), "family": (families_of(payoffs.model_dump()) or ("",))[0]}
        for payoffs in games.values()
    ]
    table = pl.DataFrame(rows)
    try:
        met = table.select(pl.sql_expr(condition).alias("met"))["met"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        first_line = str(error).splitlines()[0]
        raise InputError(
            f"{where}: cannot be read as a condition on {', '.join([*SYMBOLS.values(), 'family'])}: {first_line} "
            f"(got {condition!r})"
        ) from None
    if met.dtype != pl.Boolean or len(met) != len(table):
        raise InputError(f"{where}: must say yes or no of each game, as in `sucker >= 15` (got {condition!r})")
    return [game for game, each in zip(games, met, strict=True) if each]
