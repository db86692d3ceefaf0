"""Figures: what is drawn, what is said where nothing can be drawn, and that the same figure is the same file."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from tomtransfer.experiment.sections import Scoring
from tomtransfer.measurement.evidence import Comparison, Evidence, Scenario
from tomtransfer.measurement.findings import Findings, examine
from tomtransfer.measurement.measures import Array
from tomtransfer.measurement.published_counts import read_published
from tomtransfer.report import figures, forest
from tomtransfer.report.figures import Loss
from tomtransfer.report.forest import FURTHEST
from tomtransfer.report.strips import GROUPS, HEIGHT
from tomtransfer.report.style import MARKS, MOST_SHOWN, save

FOLDER = Path(__file__).parents[3] / "scenarios" / "published"
FEW_DRAWS = Scoring(bootstrap_draws=50)
SCENARIOS = [Scenario(split, game, "team") for split in ("in_sample", "new_contexts") for game in ("chicken", "stag")]

OF_FINDINGS: list[Callable[[Findings], Figure]] = [
    figures.cooperation,
    figures.teacher_against_student,
    figures.distance,
    forest.gap_closed_figure,
]


def exact(*rates: float, scenarios: list[Scenario] = SCENARIOS) -> Evidence:
    shares = np.array(rates[: len(scenarios)])
    return Evidence.from_probabilities(scenarios, shares, 1 - shares, np.zeros_like(shares))


def texts(figure: Figure) -> str:
    figure.draw_without_rendering()
    found = [text.get_text() for axes in figure.axes for text in [*axes.texts, axes.xaxis.label]]
    found += [axes.get_title(loc="left") for axes in figure.axes]
    ticks = [tick.get_text() for axes in figure.axes for tick in axes.get_yticklabels()]
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return "\n".join([*found, *ticks, *legends])


def points(figure: Figure, name: str, axes: int = 0) -> list[tuple[float, float]]:
    """Where the mark of `name` stands in a panel."""
    mark = MARKS[name]
    lines = [
        line
        for line in figure.axes[axes].lines
        if line.get_marker() == mark.marker and to_rgb(line.get_color()) == to_rgb(mark.color)
    ]
    return [(float(x), float(y)) for line in lines for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True)]


def compared(games: int, contexts: int) -> Findings:
    """Made-up rates over a grid in two splits."""
    scenarios = [
        Scenario(split, f"game{game}", f"context{context}")
        for split in ("in_sample", "new_contexts")
        for game in range(games)
        for context in range(contexts)
    ]
    teacher, noise = np.random.default_rng(0).uniform(0, 1, (2, len(scenarios)))
    models = (exact(*rates, scenarios=scenarios) for rates in (teacher, noise, (teacher + noise) / 2))
    return examine(Comparison(*models), FEW_DRAWS)


@pytest.fixture(scope="module")
def large() -> Findings:
    return compared(games=2, contexts=MOST_SHOWN + 1)


def rates(findings: Findings, model: str, split: str = "in_sample", game: str | None = None) -> list[float]:
    scenarios = [each for each in findings.scenarios(split) if game in {None, each.game}]
    return [findings.rate(each, model).rate for each in scenarios]


@pytest.fixture(scope="module")
def published() -> Findings:
    return examine(read_published(FOLDER), FEW_DRAWS)


@pytest.mark.parametrize("draw", OF_FINDINGS)
def test_the_same_figure_is_the_same_file(published: Findings, tmp_path: Path, draw: Callable) -> None:
    for drawn in (1, 2):
        figure = draw(published)
        for kind in ("svg", "pdf"):
            save(figure, tmp_path / f"{drawn}.{kind}")
    for kind in ("svg", "pdf"):
        assert (tmp_path / f"1.{kind}").read_bytes() == (tmp_path / f"2.{kind}").read_bytes()
        assert (tmp_path / f"1.{kind}").stat().st_size > 5_000


def test_letters_stay_letters_and_fonts_are_embedded(published: Findings, tmp_path: Path) -> None:
    save(figures.cooperation(published), tmp_path / "figure.svg")
    save(figures.cooperation(published), tmp_path / "figure.pdf")
    svg = (tmp_path / "figure.svg").read_text()
    assert ">Stag hunt</text>" in svg
    assert not re.search(r"\d{4}-\d\d-\d\dT", svg), "a date"
    pdf = (tmp_path / "figure.pdf").read_bytes()
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    assert b"CreationDate" not in pdf


def test_every_mark_has_a_shape_of_its_own() -> None:
    assert len({(mark.marker, mark.filled) for mark in MARKS.values()}) == len(MARKS)
    assert len({mark.color for mark in MARKS.values()}) == len(MARKS)


def test_cooperation_shows_every_scenario_and_intervals_of_counts_alone(published: Findings) -> None:
    figure = figures.cooperation(published)
    drawn = [point for panel in range(12) for point in points(figure, "tuned", panel)]
    assert sorted(x for x, _ in drawn) == sorted(row.rate for row in published.rates if row.model == "tuned")
    counted = sum(len(collection.get_segments()) for axes in figure.axes for collection in axes.collections)
    exactly = examine(Comparison(exact(0, 0.2, 0.4, 0.6), exact(*[0.5] * 4), exact(*[0.3] * 4)), FEW_DRAWS)
    assert counted > 3 * 52
    without = figures.cooperation(exactly)
    # One context a panel, so that there is not even a line between contexts.
    assert not [segment for axes in without.axes for each in axes.collections for segment in each.get_segments()]


def test_scatter_has_teacher_across_and_student_up(published: Findings) -> None:
    figure = figures.teacher_against_student(published)
    scenarios = published.scenarios("in_sample")
    for name in ("base", "tuned"):
        wanted = [(published.rate(each, "teacher").rate, published.rate(each, name).rate) for each in scenarios]
        assert points(figure, name) == wanted
    said = texts(figure)
    assert "gap closed 33 %" in said
    assert "best constant 50 %, own mean 30 %,\ncoin 49 %, ceiling 86 %" in said
    assert points(figure, "best_constant")[0][1] == pytest.approx(
        np.median([published.rate(each, "teacher").rate for each in scenarios])
    )


def test_distances_are_those_of_the_rates(published: Findings) -> None:
    figure = figures.distance(published)
    before = figure.axes[0].collections[0].get_array()
    scenario = published.scenarios("in_sample")[0]
    distance = abs(published.rate(scenario, "base").rate - published.rate(scenario, "teacher").rate)
    assert before[0, 0] == pytest.approx(distance)
    said = texts(figure)
    assert f"{distance:.2f}".removeprefix("0") in said.splitlines()
    for title in ("Before training", "After training", "Best constant", "Own mean", "Fair coin", "Teacher, halved"):
        assert title in said


def test_distance_leaves_out_what_a_grid_does_not_have() -> None:
    scenarios = [Scenario("in_sample", "chicken", "team"), Scenario("in_sample", "stag", "sports")]
    models = (exact(*rates, scenarios=scenarios) for rates in ((0.1, 0.9), (0.5, 0.5), (0.2, 0.8)))
    cells = figures.distance(examine(Comparison(*models), FEW_DRAWS)).axes[0].collections[0].get_array()
    assert np.isnan(np.ma.filled(cells, np.nan)).sum() == 2


def test_gap_closed_stands_beside_floors_and_ceiling(published: Findings) -> None:
    figure = forest.gap_closed_figure(published)
    row = published.score("gap_closed", "in_sample")
    for name, value in [("tuned", row.value), *((floor, getattr(row, floor)) for floor in forest.FLOORS_AND_CEILING)]:
        assert points(figure, name)[0] == (pytest.approx(value), 0)
    said = texts(figure)
    for label in ("floor: best constant policy", "floor: the student's own mean", "floor: fair coin", "ceiling"):
        assert label in said


def test_what_lies_beyond_the_axis_is_marked_with_its_value(published: Findings) -> None:
    far = [
        replace(each, best_constant=-17.5, low=-9.0, high=0.5) if each.measure == "gap_closed" else each
        for each in published.scores
    ]
    figure = forest.gap_closed_figure(replace(published, scores=tuple(far)))
    assert points(figure, "best_constant")[0][0] == -FURTHEST
    assert "-1750 %" in texts(figure)
    assert any(line.get_marker() == "<" for line in figure.axes[0].lines)


def test_published_and_ours_have_one_axis(published: Findings) -> None:
    ours = examine(Comparison(exact(0, 0.2, 0.4, 0.6), exact(*[0.5] * 4), exact(*[0.3] * 4)), FEW_DRAWS)
    figure = forest.beside_published(ours, published)
    upper, lower = figure.axes[:2], figure.axes[2:]
    for pair in (upper, lower):
        assert pair[0].get_xlim() == pair[1].get_xlim()
    assert points(figure, "tuned", 3)[0][0] == pytest.approx(published.score("improvement", "in_sample").value)


def test_as_many_contexts_and_games_as_fit_are_shown_one_by_one() -> None:
    for games, contexts in ((1, MOST_SHOWN), (MOST_SHOWN, 1)):
        findings = compared(games, contexts)
        cells = [axes.collections[0].get_array().size for axes in figures.distance(findings).axes]
        assert cells == [MOST_SHOWN] * 12
        figure = figures.cooperation(findings)
        assert sum(len(points(figure, "tuned", panel)) for panel in range(2 * games)) == 2 * MOST_SHOWN
        assert len(points(figures.teacher_against_student(findings), "tuned")) == MOST_SHOWN


def test_cooperation_in_more_contexts_is_shown_as_it_is_spread(large: Findings) -> None:
    figure = figures.cooperation(large)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "In sample, 31 contexts",
        "New contexts, 31 contexts",
    ]
    for line, model in enumerate(("teacher", "base", "tuned")):
        medians = [float(np.median(rates(large, model, "in_sample", game))) for game in ("game0", "game1")]
        assert points(figure, model) == [(pytest.approx(medians[0]), line), (pytest.approx(medians[1]), line + 4)]
    assert texts(figure).splitlines().count("Game0") == 2
    tops, edges, baseline = figure.axes[0].patches[0].get_data()
    counts, _ = np.histogram(rates(large, "teacher", "in_sample", "game0"), edges)
    assert baseline - tops == pytest.approx(HEIGHT * counts / counts.max())


def test_distances_in_more_contexts_are_shown_as_they_are_spread(large: Findings) -> None:
    figure = figures.distance(large)
    distances = np.abs(np.subtract(rates(large, "tuned"), rates(large, "teacher")))
    assert figure.axes[1].get_title(loc="left") == f"After training\nmean {distances.mean():.2f}"
    contexts = MOST_SHOWN + 1
    medians = [float(np.median(distances[:contexts])), float(np.median(distances[contexts:]))]
    assert points(figure, "tuned", 1) == [(pytest.approx(median), line) for line, median in enumerate(medians)]


def test_more_scenarios_are_grouped_by_the_teacher(large: Findings, monkeypatch: pytest.MonkeyPatch) -> None:
    scenarios = len(rates(large, "teacher"))
    assert len(points(figures.teacher_against_student(large), "tuned")) == scenarios
    monkeypatch.setattr(figures, "MOST_POINTS", scenarios - 1)
    figure = figures.teacher_against_student(large)
    drawn = points(figure, "tuned")
    assert len(drawn) == GROUPS
    lowest = sorted(zip(rates(large, "teacher"), rates(large, "tuned"), strict=True))[: -(-scenarios // GROUPS)]
    assert drawn[0] == tuple(pytest.approx(float(np.median(each))) for each in zip(*lowest, strict=True))
    assert "20 groups: median, middle 80 %" in texts(figure)


def test_more_games_share_a_line() -> None:
    many = compared(games=MOST_SHOWN + 1, contexts=2)
    assert texts(figures.cooperation(many)).splitlines().count("31 games") == 2
    assert len(points(figures.distance(many), "tuned", 1)) == 1
    assert "Game0" not in texts(forest.gap_closed_figure(many))


def test_training_draws_both_losses() -> None:
    figure = figures.training([[Loss(1, 3.0, None), Loss(2, 2.5, 2.75)]])
    steps, held_back = figure.axes[0].lines
    assert list(steps.get_ydata()) == [3.0, 2.5]
    assert (list(held_back.get_xdata()), list(held_back.get_ydata())) == ([2], [2.75])
    assert "The training left no log." in texts(figures.training([]))


HALF: Array = np.full(4, 0.5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("draw", OF_FINDINGS)
def test_poor_evidence_is_drawn_with_the_reason(tmp_path: Path, draw: Callable) -> None:
    alone = examine(Comparison(*(exact(rate, scenarios=SCENARIOS[:1]) for rate in (0.8, 0.4, 0.7))), FEW_DRAWS)
    no_gap = examine(Comparison(exact(*HALF), exact(*HALF), exact(0.1, 0.2, 0.3, 0.4)), FEW_DRAWS)
    many = [Scenario("in_sample", "chicken", f"context{number}") for number in range(MOST_SHOWN + 1)]
    many_alike = examine(Comparison(*(exact(*[0.5] * len(many), scenarios=many) for _ in range(3))), FEW_DRAWS)
    for findings in (alone, no_gap, many_alike):
        figure = draw(findings)
        save(figure, tmp_path / "figure.svg")
        if draw is forest.gap_closed_figure and findings is no_gap:
            assert "undefined: base equals teacher in every scenario" in texts(figure)
        if draw is figures.teacher_against_student and findings is no_gap:
            assert "gap closed undefined: base equals" in texts(figure)
