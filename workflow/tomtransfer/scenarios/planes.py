"""Planes: many symmetric two-player games at once, given by a range for each payoff or by a table of payoffs.

A plane is one file, one prompt file and one job, however many games it has: the unit of work is the plane. Each of its
games in a context is a scenario, which is called by context and payoffs, as in `neutral S3 T17`.

Which games are held out follows from the config alone: a split takes those that meet a condition (`where`), or a share
of them by a hash of their payoffs, the same in every experiment; the others belong to the splits that say neither.
"""

import csv
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.sections import Split
from tomtransfer.experiment.validation import FieldError, InputError, Record, Text, validate
from tomtransfer.scenarios.families import SYMBOLS, families_of
from tomtransfer.scenarios.games import LARGEST_POINTS, TWO_ACTIONS, Context, Payoffs, load_context
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.questions import Prompt
from tomtransfer.scenarios.rendering import Templates, read_templates, render_payoffs, within_bounds
from tomtransfer.scenarios.wording import read_wording

PLANE: Literal["plane"] = "plane"
"""The kind of the files here."""

MOST_GAMES = 100_000
"""Games that a plane has, at most."""

RANGE = re.compile(r"-?\d{1,9}\.\.-?\d{1,9}")


def _known_values(given: Any) -> Any:
    """Return what a payoff may be, if it is a number, a range or a list of numbers."""
    each = given if isinstance(given, list | tuple) else [given]
    numbers = all(
        isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= LARGEST_POINTS for one in each
    )
    if numbers and each:
        return tuple(map(float, each)) if isinstance(given, list | tuple) else float(given)
    if isinstance(given, str) and RANGE.fullmatch(given):
        return given
    raise ValueError(f"must be a number, a range such as 0..20, or a list of numbers, up to {LARGEST_POINTS:.0f}")


Values = Annotated[float | str | tuple[float, ...], BeforeValidator(_known_values)]


class PayoffRanges(Record):
    """What each payoff may be: a number, all whole numbers of a range such as `0..20`, or a list of numbers."""

    reward: Values
    """Both cooperate."""
    sucker: Values
    """You cooperate, your coplayer defects."""
    temptation: Values
    """You defect, your coplayer cooperates."""
    punishment: Values
    """Both defect."""


class PayoffTable(Record):
    """A table of games, a row each: a CSV file with a line of column names, or a Parquet file."""

    path: Path
    """The file, `.csv` or `.parquet`; a relative path starts at the folder of the scenarios."""
    columns: dict[Literal["reward", "sucker", "temptation", "punishment"], str] = Field(default={})
    """What the file calls a payoff that it calls otherwise, as in `reward: R`; other columns are not used."""


class Plane(Record):
    """Symmetric two-player games with two choices that differ in their payoffs."""

    kind: Literal["plane"] = PLANE
    """What the file holds: many games."""
    title: Text
    """What the games are called as people read it."""
    payoffs: PayoffRanges | None = None
    """The payoffs of all games: every combination is one."""
    table: PayoffTable | None = None
    """In place of `payoffs`, a file that has them."""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.payoffs is None) == (self.table is None):
            raise FieldError("payoffs", "give payoffs or a table, and not both")
        return self


def load_plane(folder: Path, name: str) -> Plane:
    """Return the plane in `folder/games/name.yaml`; raises InputError naming file and key."""
    path = folder / "games" / f"{name}.yaml"
    return validate(Plane, read_yaml(path), path)


def games_of_plane(folder: Path, name: str) -> dict[str, Payoffs]:
    """Return the payoffs of every game of a plane, by a name made of those that differ: `S3 T17`.

    Raises InputError naming file and key, or row and column.
    """
    plane, path = load_plane(folder, name), folder / "games" / f"{name}.yaml"
    if plane.payoffs is not None:
        values = [_values(path, payoff, getattr(plane.payoffs, payoff)) for payoff in SYMBOLS.values()]
        _refuse_too_many(path, values)
        games = [Payoffs(**dict(zip(SYMBOLS.values(), each, strict=True))) for each in product(*values)]
    else:
        assert plane.table is not None  # noqa: S101 - the record has one of both
        games = _tabled(folder, plane.table)
    varied = [
        (letter, payoff) for letter, payoff in SYMBOLS.items() if len({getattr(each, payoff) for each in games}) > 1
    ]
    named: dict[str, Payoffs] = {}
    for each in games:
        called = " ".join(f"{letter}{in_digits(getattr(each, payoff))}" for letter, payoff in varied) or "all"
        if called in named:
            raise InputError(f"{path}: the game {called} is there twice; each may be there once")
        named[called] = each
    return named


def _values(path: Path, payoff: str, given: float | str | Sequence[float]) -> list[float]:
    if isinstance(given, str):
        first, last = map(int, given.split(".."))
        if first > last:
            raise InputError(
                f"{path}: payoffs.{payoff}: a range goes from the lower number to the higher (got {given!r})"
            )
        if last - first >= MOST_GAMES:
            raise InputError(f"{path}: payoffs.{payoff}: may be {MOST_GAMES:,} numbers at most (got {given!r})")
        return [float(points) for points in range(first, last + 1)]
    return [given] if isinstance(given, float | int) else list(given)


def _refuse_too_many(path: Path, values: Sequence[Sequence[float]]) -> None:
    count = 1
    for each in values:
        count *= len(each)
    if not 1 <= count <= MOST_GAMES:
        raise InputError(f"{path}: payoffs: make {count:,} games; there may be from 1 to {MOST_GAMES:,}")


def _tabled(folder: Path, table: PayoffTable) -> list[Payoffs]:
    path = folder / table.path.expanduser()
    named = {payoff: table.columns.get(payoff, payoff) for payoff in SYMBOLS.values()}  # type: ignore[call-overload]
    rows = _rows(path)
    if rows and (absent := [column for column in named.values() if column not in rows[0]]):
        raise InputError(f"{path}: no column {', '.join(absent)}; it has {', '.join(rows[0])}")
    if not 1 <= len(rows) <= MOST_GAMES:
        raise InputError(f"{path}: has {len(rows):,} games; there may be from 1 to {MOST_GAMES:,}")
    games = []
    for number, row in enumerate(rows, start=2):
        points = {}
        for payoff, column in named.items():
            try:
                points[payoff] = float(row[column])
            except (TypeError, ValueError):
                raise InputError(
                    f"{path}: row {number}: {column}: must be a number of points (got {row[column]!r})"
                ) from None
        games.append(validate(Payoffs, points, f"{path}: row {number}"))
    return games


def _rows(path: Path) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a table; raises InputError when it cannot be read."""
    if path.suffix == ".parquet":
        from tomtransfer.experiment.tables import read_table

        return read_table(path).to_dicts()
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, strict=True))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as csv: {error}") from error


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


@dataclass(frozen=True)
class PlaneSources:
    """What the prompts of planes are made from, read once: games by split of each plane, contexts, templates."""

    games: Mapping[str, Mapping[str, Mapping[str, Payoffs]]]
    contexts: Mapping[str, Context]
    templates: Templates


def read_plane_sources(experiment: Experiment, planes: Sequence[str], contexts: Sequence[str]) -> PlaneSources:
    """Return the named planes and contexts and the templates; raises InputError naming the file that is wrong."""
    wording = read_wording(Path(experiment.paths.scenarios), experiment.templates)
    return PlaneSources(
        {plane: games_of_splits(experiment, plane) for plane in planes},
        {name: load_context(wording, name) for name in contexts},
        read_templates(wording, TWO_ACTIONS),
    )


def render_plane(experiment: Experiment, plane: str, context_name: str, sources: PlaneSources) -> list[Prompt]:
    """Return every prompt of a plane in one context: each game of each split that has it, each frame, each question."""
    prompts = []
    for split_name, games in sources.games[plane].items():
        split = experiment.splits[split_name]
        if context_name not in split.contexts:
            continue
        for game, payoffs in games.items():
            scaled = within_bounds(payoffs, game, split, split_name)
            place = (split_name, plane, scenario_name(context_name, game))
            prompts += render_payoffs(experiment, place, sources.contexts[context_name], scaled, sources.templates)
    return prompts


def scenario_name(context: str, game: str) -> str:
    """Return what a game of a plane in a context is called, where other games have the name of the context alone."""
    return f"{context} {game}"


def plane_scenarios(experiment: Experiment, split: str, plane: str) -> dict[str, dict[str, float]]:
    """Return the payoffs of the scenarios that a split has of a plane, as they are played, by their names."""
    members = experiment.splits[split]
    games = games_of_splits(experiment, plane)[split].items()
    return {
        scenario_name(context, name): payoffs.times(members.payoff_factor).model_dump()
        for context in members.contexts
        for name, payoffs in games
    }


def situation_of(context: str) -> str:
    """Return the name of the context of a scenario, without the game of a plane that it may be of."""
    return context.partition(" ")[0]


def plane_facts(experiment: Experiment, name: str) -> dict[str, object]:
    """Return what the pages of a plane say of it: its title, and how many games each split has."""
    plane = load_plane(Path(experiment.paths.scenarios), name)
    games = games_of_splits(experiment, name)
    shares = ", ".join(f"{len(each):,} in {split}" for split, each in games.items())
    return {**plane.model_dump(mode="json"), "holds": [f"Many games, which differ in their payoffs: {shares}."]}
