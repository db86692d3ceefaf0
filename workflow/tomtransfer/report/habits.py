"""The tables of frames and habits: each measure in other frames, and what moves each model's choices."""

from dataclasses import asdict
from typing import Any

from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.play import Play
from tomtransfer.measurement.scoring import Score
from tomtransfer.report.typesetting import SPLIT, Column, Table

MODEL, LABELS = Column("model", "model"), Column("labels", "labels")
SHOWN = (
    "gap_closed",
    "gap_closed_of_frame_averages",
    "improvement",
    "total_variation",
    "pearson",
    "root_mean_square_error",
    "advantage",
)
"""The measures that are put side by side; all of them, by game and context too, are in the summary."""


def views_table(findings: Findings) -> Table:
    """Return the headline measures of every split in the scored frame and in the other views, side by side."""
    views: list[tuple[str, tuple[Score, ...]]] = [(findings.frame, findings.scores)]
    views += [(view.name, view.scores) for view in findings.views]
    rows = [
        {"view": name, **asdict(each)}
        for split in findings.splits
        for measure in SHOWN
        for name, scores in views
        for each in scores
        if (each.level, each.split, each.measure) == ("split", split, measure)
    ]
    floors = (("best_constant", "floor: best constant"), ("own_mean", "floor: own mean"), ("fair_coin", "floor: coin"))
    columns = (
        *(SPLIT, Column("measure", "measure", "name"), Column("view", "frames", "name")),
        *(Column("value", "tuned", "measure"), Column("low", "from", "measure"), Column("high", "to", "measure")),
        Column("base", "base", "measure"),
        *(Column(key, title, "measure") for key, title in floors),
        Column("ceiling", "ceiling", "measure"),
        Column("note", "note"),
    )
    played = "; ".join(f"{view.name.replace('_', ' ')}: mean over {', '.join(view.frames)}" for view in findings.views)
    caption = (
        f"Headline measures in the frame {findings.frame} and in others: {played}. What holds in one frame alone is a "
        "liking for its letters or its order; what holds with letters that were never trained on is the game."
    )
    return Table("frames_side_by_side", "Alignment by frames", caption, columns, tuple(rows) if findings.views else ())


def bias_shares_table(findings: Findings | Play) -> Table:
    """Return what share of the variance of each model's log-odds every part is."""
    caption = (
        "Shares of the variance of the log-odds of cooperating, over the four frames of a pair of labels and the "
        f"scenarios of a split, with {100 * findings.settings.confidence:g} % intervals over contexts. The "
        "overall preference is a level and no variation, so it has no share."
    )
    columns = (
        *(SPLIT, LABELS, MODEL, Column("factor", "part"), Column("within", "spread")),
        *(Column("mean_square", "mean square", "number"), Column("share", "share", "share")),
        *(Column("low", "from", "share"), Column("high", "to", "share")),
    )
    return Table("bias_shares", "What choices vary with", caption, columns, _rows(findings.bias_shares))


def bias_effects_table(findings: Findings | Play) -> Table:
    """Return how large each part of a model's log-odds is, over all games and in each."""
    caption = (
        "Parts of the log-odds of cooperating, averaged over contexts. Label above zero: a liking for the first of "
        "the two labels. Order above zero: a liking for what is named first. Swapping changes them by twice that."
    )
    columns = (
        *(SPLIT, LABELS, MODEL, Column("factor", "part"), Column("game", "game", "name")),
        *(Column("value", "log-odds", "number"), Column("low", "from", "number"), Column("high", "to", "number")),
    )
    return Table("bias_effects", "Preferences and habits", caption, columns, _rows(findings.bias_effects))


def _rows(parts: tuple[Any, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(asdict(each) for each in parts)
