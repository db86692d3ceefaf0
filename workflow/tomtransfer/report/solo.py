"""What is told of a teacher alone: its measures, as tables, and a page for the terminal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tomtransfer.experiment.sections import Scoring
from tomtransfer.experiment.tables import read_table
from tomtransfer.measurement.amount_scores import AmountChoice, counted_amounts, exact_amounts
from tomtransfer.measurement.bias import FACTORS
from tomtransfer.measurement.play import TEACHER, Play, PlayedMean, play_of
from tomtransfer.measurement.understanding import read_questions, understandings
from tomtransfer.measurement.views import read_lone_answers
from tomtransfer.report.habits import bias_effects_table, bias_shares_table
from tomtransfer.report.scorecards import provenance
from tomtransfer.report.style import percent
from tomtransfer.report.trust import (
    answers_page,
    drawn_answers_table,
    model_rates,
    understanding_page,
    understanding_table,
)
from tomtransfer.report.typesetting import CONTEXT, GAME, SPLIT, Column, Table, as_markdown


@dataclass(frozen=True)
class PlayFiles:
    """The tables of a teacher's answers: choices of games of two actions, all others of every game that has them."""

    choices: Sequence[Path]
    answers: Sequence[Path]
    comprehension: Sequence[Path]
    amounts: Sequence[Path]


def measure_play(
    files: PlayFiles,
    views: Mapping[str, Sequence[str]],
    designs: Mapping[str, Sequence[str]],
    units: Mapping[str, str],
    settings: Scoring,
) -> Play:
    """Return everything that a teacher's answers give; `units` are what is given in each game of amounts.

    Raises InputError for a table that is damaged or has a scenario twice.
    """
    answers = read_lone_answers(files.choices, views, designs, settings.confidence)
    amounts: list[AmountChoice] = []
    for path in files.amounts:
        amounts += exact_amounts(TEACHER, read_table(path))
    given = [table for table in map(read_table, files.answers) if len(table) and not table["labelled"].any()]
    for table in given:
        amounts += counted_amounts(TEACHER, table, units[table["game"][0]])
    return play_of(
        answers,
        settings,
        counted=tuple(model_rates(TEACHER, files.choices, settings.confidence)),
        understandings=tuple(understandings(read_questions({TEACHER: files.comprehension}))),
        amounts=tuple(amounts),
        provenance=provenance({TEACHER: answers.tables[TEACHER][0]})[TEACHER],
    )


def solo_tables(play: Play) -> list[Table]:
    """Return every table of a teacher alone, also those without rows."""
    counted = [{**{k: v for k, v in asdict(row).items() if k != "kinds"}, **row.kinds} for row in play.counted]
    understood = [asdict(each) for each in play.understandings]
    return [
        _means(play),
        _rates(play),
        bias_shares_table(play),
        bias_effects_table(play),
        understanding_table(understood),
        drawn_answers_table(counted, "tables/drawn_answers.csv"),
        _amounts(play),
    ]


def _means(play: Play) -> Table:
    caption = (
        "Mean cooperation among valid answers, by split, frames and game. From and to are the ends of "
        f"{100 * play.settings.confidence:g} % intervals for other contexts. Other is the share of answers that are "
        "neither choice. "
        + "; ".join(f"{name.replace('_', ' ')}: {', '.join(frames)}" for name, frames in play.views.items())
        + "."
    )
    columns = (
        *(SPLIT, Column("view", "frames", "name"), GAME, Column("contexts", "contexts", "whole")),
        *(Column("rate", "cooperation", "number"), Column("low", "from", "number"), Column("high", "to", "number")),
        Column("other", "other", "share"),
    )
    return Table("cooperation_by_game", "Cooperation by game", caption, columns, tuple(map(asdict, play.means)))


def _rates(play: Play) -> Table:
    caption = (
        "Cooperation among valid answers in every scenario and frame, with Wilson's interval where answers were "
        "counted; exact probabilities have no sampling error."
    )
    columns = (
        *(SPLIT, GAME, CONTEXT, Column("frame", "frame", "name")),
        *(Column("rate", "cooperation", "number"), Column("low", "from", "number"), Column("high", "to", "number")),
        *(Column("answers", "answers", "whole"), Column("other", "other", "share")),
    )
    rows = sorted(map(asdict, play.rates), key=lambda row: play.splits.index(row["split"]))
    return Table("cooperation_by_scenario", "Cooperation by scenario", caption, columns, tuple(rows))


def _amounts(play: Play) -> Table:
    caption = (
        "What is given in games of amounts: the mean among valid answers, between what it would be if every other "
        "answer were nothing and if it were the most. Other is the share of answers that are no amount. A recorded "
        "mean has no bounds."
    )
    columns = (
        *(SPLIT, GAME, CONTEXT, Column("evidence", "choices")),
        *(Column("mean", "mean", "number"), Column("low", "lowest", "number"), Column("high", "highest", "number")),
        Column("other", "other", "share"),
    )
    return Table("amounts", "Amounts given", caption, columns, tuple(_amount_rows(play)))


def _amount_rows(play: Play) -> Iterator[dict[str, Any]]:
    for each in play.amounts:
        valid = sum(each.amounts)
        low, high = (None, None) if each.evidence == "mean" else each.bounds
        place = {name: getattr(each, name) for name in ("split", "game", "context", "evidence")}
        whole = valid + each.other
        yield {**place, "mean": each.mean if valid else None, "low": low, "high": high, "other": each.other / whole}


def solo_headlines(play: Play) -> list[str]:
    """Return a sentence per split on how often the teacher cooperates, where most, and what its choices vary with."""
    said = []
    for split in play.splits:
        view = play.main_view if play.mean(split, play.main_view) else next(iter(play.views))
        mean = play.mean(split, view)
        if mean is None or mean.rate is None:
            said.append(f"{split}: no answer was valid.")
            continue
        said.append(f"{split}, {view}: {_in_words(play, mean)}{_varies_with(play, split)}")
    return [*said, *play.disagreements]


def _in_words(play: Play, mean: PlayedMean) -> str:
    interval = "" if mean.low is None else f" ({mean.low:z.2f} to {mean.high:z.2f})"
    games = [
        each
        for each in play.means
        if (each.split, each.view) == (mean.split, mean.view) and each.game is not None and each.rate is not None
    ]
    lowest, highest = (choose(games, key=lambda each: each.rate or 0) for choose in (min, max))
    among = (
        f", from {lowest.rate:z.2f} in {lowest.game} to {highest.rate:z.2f} in {highest.game}" if len(games) > 1 else ""
    )
    other = f"{percent(mean.other, 1)} of its answers are neither choice."
    return f"it cooperates at {mean.rate:z.2f}{interval}{among}; {other}"


def _varies_with(play: Play, split: str) -> str:
    """Return what the log-odds vary with, over the four frames of the first pair of labels of a split."""
    shares = [each for each in play.bias_shares if each.split == split and each.share is not None]
    if not shares:
        return ""
    labels = shares[0].labels
    sums = {
        factor: sum(each.share or 0 for each in shares if (each.labels, each.factor) == (labels, factor))
        for factor in FACTORS
    }
    told = ", ".join(f"{factor} {percent(share, 1)}" for factor, share in sums.items())
    return f" What its log-odds vary with ({labels}): {told}."


def solo_summary(play: Play) -> str:
    """Return the page that is read at the end of a run, in Markdown."""
    views = [name for name in play.views if any(each.view == name for each in play.means)]
    cells = [
        [split, each.game or "**all**", view, _number(each.rate), _interval(each), percent(each.other, 1)]
        for split in play.splits
        for view in views
        for each in play.means
        if (each.split, each.view) == (split, view)
    ]
    headings = ["split", "game", "frames", "cooperation", f"{100 * play.settings.confidence:g} % interval", "neither"]
    lines = [f"{play.model} alone", "", as_markdown(headings, cells), ""]
    lines += [f"- {headline.replace('_', ' ')}" for headline in solo_headlines(play)]
    if play.bias_effects:
        lines += ["", as_markdown(["split", "labels", *FACTORS], _effects(play))]
    lines += ["", "Drawn answers beside exact choices:", "", answers_page(play.counted, play.settings.confidence)]
    lines += ["Questions about the payoffs:", "", understanding_page(play.understandings)]
    if play.amounts:
        rows = [
            [row["game"], row["context"], row["evidence"], _number(row["mean"]), percent(row["other"], 1)]
            for row in _amount_rows(play)
        ]
        lines += ["Amounts given:", "", as_markdown(["game", "context", "choices", "mean", "no amount"], rows)]
    return "\n".join([*lines, ""])


def _effects(play: Play) -> Iterator[list[str]]:
    """Yield a row per split and pair of labels: the mean of each part of the log-odds over all games."""
    for split, labels in dict.fromkeys((each.split, each.labels) for each in play.bias_effects):
        found = [each for each in play.bias_effects if (each.split, each.labels, each.game) == (split, labels, None)]
        yield [split, labels, *(f"{each.value:+z.2f}" for each in found)]


def _interval(mean: PlayedMean) -> str:
    return "-" if mean.low is None else f"{_number(mean.low)} to {_number(mean.high)}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:z.3f}"
