"""The tables and sentences of a plane of games: errors beside their floors, and every game with all rates."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tomtransfer.experiment.config import TRAINED_SPLIT
from tomtransfer.measurement.clusters import Measured
from tomtransfer.measurement.surfaces import STUDENTS, Surface, SurfaceError, noise_of_counts
from tomtransfer.measurement.whose import VERDICTS_OF_WHOSE, Nearness, Whose, plain_rows
from tomtransfer.report.style import words
from tomtransfer.report.typesetting import CONTEXT, SPLIT, Column, Table, as_markdown
from tomtransfer.respondents.counting import read_choices
from tomtransfer.scenarios.families import SYMBOLS, families_of
from tomtransfer.scenarios.questions import read_prompts

POLICIES = {
    "tuned": "student after training",
    "base": "student before training",
    "best_constant": "floor: best constant",
    "fair_coin": "floor: fair coin",
    "logit": "floor: logit on payoffs and their products",
    "logit_with_borders": "floor: logit that knows the families' borders",
    "nearest_games": "floor: mean of the nearest trained games",
    "noise": "a perfect student, for the noise of the teacher's counts",
}
"""What errors are of, as tables call it."""

ERROR_COLUMNS = ("error", "by_frame", "correlation", "advantage")


def error_rows(errors: Sequence[SurfaceError], surfaces: Sequence[Surface]) -> list[dict[str, Any]]:
    """Return the errors as rows of plain values, with the noise of counts after those of each surface."""
    rows = []
    for surface in surfaces:
        own = [error for error in errors if (error.split, error.view) == (surface.split, surface.view)]
        rows += [_row(error) for error in own]
        if (noise := noise_of_counts(surface)) is not None:
            empty = Measured(None, None, None)
            rows.append(
                _row(
                    SurfaceError(
                        *(surface.split, surface.view, "noise", len(surface.games), 1),
                        *(Measured(noise, None, None), empty, empty, empty),
                    )
                )
            )
    return rows


def _row(error: SurfaceError) -> dict[str, Any]:
    row: dict[str, Any] = {key: getattr(error, key) for key in ("split", "view", "policy", "games", "trainings")} | {
        "called": POLICIES[error.policy]
    }
    for name in ERROR_COLUMNS:
        measured: Measured = getattr(error, name)
        row |= {name: measured.value, f"{name}_low": measured.low, f"{name}_high": measured.high}
    return row


def errors_table(name: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the table of errors, from the rows of `error_rows`."""
    caption = (
        "How far from the teacher: mean absolute difference of cooperation rates over games, averaged over frames, and "
        "of single frames; correlation over games; and how much nearer the student after training is than each policy, "
        "above zero where it is. Intervals are for other games and, where there are several, other trainings. Floors "
        "are fitted on the games that are trained on."
    )
    titles = {"error": "error", "by_frame": "per frame", "correlation": "r", "advantage": "student nearer by"}
    columns = [SPLIT, Column("view", "frames", "name"), Column("called", "who"), Column("games", "games", "whole")]
    columns += [column for key, title in titles.items() for column in _measured(key, title)]
    return Table(name, "Errors on the plane of games", caption, tuple(columns), tuple(rows))


def _measured(key: str, title: str) -> list[Column]:
    ends = (("low", "from"), ("high", "to"))
    return [Column(key, title, "number"), *(Column(f"{key}_{end}", called, "number") for end, called in ends)]


def games_table(name: str, surfaces: Sequence[Surface]) -> Table:
    """Return every game with its payoffs and what each model does in it, over frames."""
    rows = []
    for surface in surfaces:
        means = {model: surface.mean(model).mean(axis=0) for model in surface.rates}
        for number, game in enumerate(surface.games):
            points = dict(zip(SYMBOLS.values(), map(float, surface.payoffs[number]), strict=True))
            rates = {model: float(mean[number]) for model, mean in means.items()}
            said = {"split": surface.split, "view": surface.view, "game": game}
            rows.append({**said, **points, "families": " ".join(families_of(points)), **rates})
    columns = (
        *(SPLIT, Column("view", "frames", "name"), Column("game", "game")),
        *(Column(payoff, payoff, "number") for payoff in SYMBOLS.values()),
        Column("families", "families", "list"),
        *(Column(model, model, "number") for model in surfaces[0].rates),
    )
    return Table(name, "Every game of the plane", "Rates of cooperation over frames.", columns, tuple(rows))


def one_game_table(name: str, prompts: Sequence[Path], tables: Mapping[str, Path]) -> Table:
    """Return how each model plays one game of a plane, in every frame in which it was asked."""
    payoffs = {(prompt.split, prompt.context): prompt.payoffs for prompt in read_prompts(prompts)}
    rows = []
    for model, path in tables.items():
        for row in read_choices(path).iter_rows(named=True):
            said = {key: row[key] for key in ("split", "context", "frame", "evidence", "cooperate", "defect", "other")}
            rows.append({"model": model, **payoffs[row["split"], row["context"]], **said})
    columns = (
        *(Column("model", "model", "name"), SPLIT, CONTEXT, Column("frame", "frame", "name")),
        *(Column(payoff, payoff, "number") for payoff in SYMBOLS.values()),
        Column("evidence", "evidence", "name"),
        *(Column(choice, choice, "number") for choice in ("cooperate", "defect", "other")),
    )
    caption = "Shares of the answer, or numbers of answers where they were counted."
    return Table(name, "One game of the plane", caption, columns, tuple(rows))


def sentences(title: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is said first of a plane: of every held-out split, whether the student is ahead of every floor."""
    said = []
    for split, view in dict.fromkeys((row["split"], row["view"]) for row in rows):
        if split == TRAINED_SPLIT:
            continue
        own = {row["policy"]: row for row in rows if (row["split"], row["view"]) == (split, view)}
        said.append(f"{title}, {words(split).lower()}, {words(view).lower()}: {_beside_floors(own)}")
    return said


def _beside_floors(own: Mapping[str, Mapping[str, Any]]) -> str:
    tuned = own["tuned"]
    floors = [row for name, row in own.items() if name not in {*STUDENTS, "noise"}]
    nearest = min(floors, key=lambda row: row["error"])
    called = nearest["called"].removeprefix("floor: ")
    student = f"the student is {_number(tuned, 'error')} from its teacher in {tuned['games']} games on average"
    floor = f"the nearest floor, {called}, is {nearest['error']:z.3f}"
    if all(_excludes_nought(row, "low") for row in floors):
        return f"{student}, ahead of every floor; {floor}"
    if any(_excludes_nought(row, "high") for row in floors):
        return f"a floor stays ahead: {floor} from the teacher, and {student}"
    return f"{student}, level with the best of the floors; {floor}, and the difference may be chance"


def _excludes_nought(row: Mapping[str, Any], end: str) -> bool:
    """Return whether the interval of the student's advantage is above nought, by its low end, or below, by its high."""
    found = row[f"advantage_{end}"]
    return found is not None and (found > 0 if end == "low" else found < 0)


def floors_ahead(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence on the held-out splits in which a floor is nearer to the teacher than the student is."""
    ahead = [row for row in rows if row["called"].startswith("floor: ") and _excludes_nought(row, "high")]
    where = ", ".join(dict.fromkeys(words(row["split"]).lower() for row in ahead if row["split"] != TRAINED_SPLIT))
    said = "Held-out games where a policy without a model is nearer to the teacher than the student"
    return f"{said}: {where}." if where else ""


def _number(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_low"], row[f"{name}_high"]
    interval = "" if low is None else f" ({low:z.3f} to {high:z.3f})"
    return f"{row[name]:z.3f}{interval}"


def whose_table(found: Whose) -> Table:
    """Return how near every student is to every teacher, a row for each pair."""
    caption = (
        f"Mean absolute difference of cooperation rates over {found.games} games that no student was trained on, and "
        "correlation over them, with intervals for other games and trainings."
    )
    columns = (
        *(Column("who", "who"), Column("teacher", "teacher of")),
        *(
            Column("error", "error", "number"),
            Column("error_low", "from", "number"),
            Column("error_high", "to", "number"),
        ),
        Column("correlation", "r", "number"),
        *(Column("correlation_low", "from", "number"), Column("correlation_high", "to", "number")),
    )
    return Table("whose_strategy", "Whose strategy it is", caption, columns, tuple(plain_rows(found)))


def whose_page(found: Whose) -> str:
    """Return the table of students and teachers, a column per teacher, and the verdicts, as Markdown."""
    teachers = list(dict.fromkeys(row.teacher for row in found.rows))
    near = {(row.who, row.teacher): row for row in found.rows}
    rows = [
        [who, *(_near(near.get((who, teacher))) for teacher in teachers)]
        for who in dict.fromkeys(row.who for row in found.rows)
    ]
    verdicts = [[name, verdict] for name, verdict in found.verdicts.items()]
    rules = "\n".join(f"- {verdict}: {rule}" for verdict, rule in VERDICTS_OF_WHOSE.items())
    return (
        f"Mean absolute difference of cooperation rates over {found.games} games (95 % interval; r)\n\n"
        f"{as_markdown(['student', *(f'to the teacher of {teacher}' for teacher in teachers)], rows)}\n\n"
        f"{as_markdown(['student', 'strategy'], verdicts)}\n\n{rules}\n"
    )


def _near(row: Nearness | None) -> str:
    if row is None:
        return ""
    error, r = row.error, row.correlation.value
    interval = "" if error.low is None or error.high is None else f" ({error.low:z.3f} to {error.high:z.3f})"
    return f"{error.value:z.3f}{interval}" + ("" if r is None else f"; {r:z.2f}")
