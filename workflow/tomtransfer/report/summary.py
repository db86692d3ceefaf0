"""The page that is read at the end of a run: Markdown, short enough for a terminal."""

from collections.abc import Iterator, Sequence

from tomtransfer.measurement.bias import FACTORS, Share
from tomtransfer.measurement.clusters import Measured
from tomtransfer.measurement.evidence import ROLES
from tomtransfer.measurement.findings import Findings
from tomtransfer.measurement.rates import Rate
from tomtransfer.measurement.scoring import Score
from tomtransfer.report.typesetting import as_markdown


def summary_page(findings: Findings) -> str:
    """Return the summary: what each split gives in the scored frame, per game and over all, and in other frames.

    Floors stand beside every gap closed; below are the sentences on it, and what is habit in each model's choices.
    """
    lines = [findings.verdict.replace("_", " "), ""] if findings.verdict else []
    lines += [_table(["split", "game"], _by_game(findings), findings.settings.confidence), ""]
    if len(findings.seeds) > 1:
        lines += [f"Means over {len(findings.seeds)} trainings, ± their standard deviation.", ""]
    lines += [f"- {headline}" for headline in findings.headlines.values()]
    if findings.unanswered:
        lines += [f"- Left out, since no answer was valid: {', '.join(findings.unanswered)}."]
    if findings.views:
        lines += ["", _table(["split", "frames"], _by_view(findings), findings.settings.confidence), ""]
        lines += [
            f"- {view.name.replace('_', ' ')}: {headline}"
            for view in findings.views
            for headline in view.headlines.values()
        ]
    if findings.arms:
        columns = ["arm", "split", "frames", "gap closed", "interval", "tuned student beyond it", "interval"]
        lines += ["", as_markdown(columns, _arms(findings)), ""]
    if any(each.components for each in findings.assessments):
        columns = ["component", "split", "frames", "distance before", "after", "share before", "closed", "interval"]
        lines += ["", as_markdown(columns, _components(findings)), ""]
    if findings.bias_shares:
        shares = [f"share of {factor}" for factor in FACTORS]
        lines += ["", as_markdown(["split", "labels", "model", *FACTORS, *shares], _bias(findings))]
    return "\n".join([*lines, ""])


def _table(places: Sequence[str], rows: Iterator[list[str]], confidence: float) -> str:
    measures = ("gap closed", f"{100 * confidence:g} % interval", "best constant", "own mean", "coin", "improvement")
    return as_markdown([*places, "teacher", "base", "tuned", *measures, "Pearson r"], rows)


def _by_game(findings: Findings) -> Iterator[list[str]]:
    for split in dict.fromkeys(row.scenario.split for row in findings.rates):
        games = dict.fromkeys(row.scenario.game for row in findings.rates if row.scenario.split == split)
        for game in (*games, None):
            yield _row([split, game or "**all**"], findings.rates, findings.scores, split, game)


def _by_view(findings: Findings) -> Iterator[list[str]]:
    for split in dict.fromkeys(row.scenario.split for row in findings.rates):
        yield _row([split, findings.frame], findings.rates, findings.scores, split, None)
        for view in findings.views:
            if split in view.headlines:
                yield _row([split, view.name], view.rates, view.scores, split, None)


def _row(
    names: Sequence[str], rates: Sequence[Rate], scores: Sequence[Score], split: str, game: str | None
) -> list[str]:
    """Return a row: mean cooperation of each model, the gap closed with interval and floors, two measures more."""
    level = "game" if game else "split"
    found = {each.measure: each for each in scores if (each.level, each.split, each.game) == (level, split, game)}
    gap, correlation = found["gap_closed"], found["pearson"].value
    interval = f"{_percent(gap.low)} to {_percent(gap.high)}" if gap.low is not None else "-"
    floors = [_percent(floor) for floor in (gap.best_constant, gap.own_mean, gap.fair_coin)]
    last = [_percent(found["improvement"].value), "-" if correlation is None else f"{correlation:z.2f}"]
    means = [_mean_rate(rates, model, split, game) for model in ROLES]
    spread = "" if gap.spread is None else f" ± {100 * gap.spread:z.1f}"
    return [*names, *means, _percent(gap.value) + spread, interval, *floors, *last]


def _mean_rate(rates: Sequence[Rate], model: str, split: str, game: str | None) -> str:
    chosen = [
        each.rate
        for each in rates
        if each.model == model and each.scenario.split == split and game in (None, each.scenario.game)
    ]
    return f"{sum(chosen) / len(chosen):z.3f}"


def _arms(findings: Findings) -> Iterator[list[str]]:
    """Yield a row per split, view and arm beside transfer: what its students closed, and the tuned one beyond them."""
    for each in findings.assessments:
        for arm, beside in each.gap.arms.items():
            numbers = [cell for one in (beside.closed, beside.beyond) for cell in (_percent(one.value), _interval(one))]
            yield [arm, each.split, each.view, *numbers]


def _interval(found: Measured) -> str:
    return "-" if found.low is None else f"{_percent(found.low)} to {_percent(found.high)}"


def _components(findings: Findings) -> Iterator[list[str]]:
    """Yield a row per split, view and component of the squared distance in log-odds."""
    for each in findings.assessments:
        for part in each.components:
            closed = [_percent(part.share_before), _percent(part.closed.value), _interval(part.closed)]
            yield [part.part, each.split, each.view, f"{part.before:z.3f}", f"{part.after:z.3f}", *closed]


def _bias(findings: Findings) -> Iterator[list[str]]:
    """Yield a row per model and split: the mean of each part of the log-odds, and its share of their variance."""
    for split, labels, model in dict.fromkeys((each.split, each.labels, each.model) for each in findings.bias_shares):
        place = (split, labels, model)
        means = [
            f"{each.value:+z.2f}"  # no minus in front of a zero
            for each in findings.bias_effects
            if (each.split, each.labels, each.model) == place and each.game is None
        ]
        shares = [each for each in findings.bias_shares if (each.split, each.labels, each.model) == place]
        yield [*place, *means, *(_share(shares, factor) for factor in FACTORS)]


def _share(shares: Sequence[Share], factor: str) -> str:
    """Return the share of variance of a factor with all its interactions."""
    known = [each.share for each in shares if each.factor == factor and each.share is not None]
    return _percent(sum(known)) if known else "-"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:z.1f} %"
