"""Surfaces: errors and floors of games whose answers are made for it, and what is said first of them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.measurement.payoff_floors import PAYOFF_FLOORS, nearest_games
from tomtransfer.measurement.surfaces import Surface, noise_of_counts, surface_errors
from tomtransfer.report.heat_maps import heat_maps, map_of, save_map
from tomtransfer.report.plane_pages import error_rows, errors_table, floors_ahead, games_table, sentences
from tomtransfer.report.typesetting import as_csv, as_latex

GRID = np.array([[10.0, s, t, 5.0] for s in range(11) for t in range(5, 16)])


def policy(payoffs: np.ndarray, steepness: float = 0.6) -> np.ndarray:
    """A policy that a logit on the payoffs can be fitted to without error."""
    return 1 / (1 + np.exp(-steepness * (payoffs[:, 1] - 5 - 0.8 * (payoffs[:, 2] - 10))))


def surface(split: str, chosen: np.ndarray, tuned: np.ndarray, answers: float = np.nan, frames: int = 4) -> Surface:
    """A surface whose frames are alike, of tuned students (trainings, games)."""
    teacher = policy(GRID[chosen])
    rates = {"teacher": teacher[np.newaxis], "base": np.full((1, len(teacher)), 0.5), "tuned": tuned[:, chosen]}
    return Surface(
        split,
        "counterbalanced",
        tuple(f"neutral S{s:g} T{t:g}" for _, s, t, _ in GRID[chosen]),
        GRID[chosen],
        {model: np.repeat(each[..., np.newaxis], frames, axis=-1) for model, each in rates.items()},
        np.full(len(teacher), answers),
    )


HELD_OUT = np.arange(len(GRID)) % 5 == 0


def surfaces(tuned: np.ndarray, answers: float = np.nan) -> list[Surface]:
    return [surface("in_sample", ~HELD_OUT, tuned, answers), surface("unseen_games", HELD_OUT, tuned, answers)]


def errors_of(tuned: np.ndarray) -> dict[str, dict[str, float]]:
    found = surfaces(tuned)
    rows = error_rows(surface_errors(found, 0.95), found)
    return {row["policy"]: row for row in rows if row["split"] == "unseen_games"}


def test_errors_are_worked_out_by_hand() -> None:
    teacher = policy(GRID)
    found = errors_of(np.stack([np.clip(teacher + 0.1, 0, 1), teacher]))
    own = teacher[HELD_OUT]
    assert found["base"]["error"] == pytest.approx(np.abs(own - 0.5).mean())
    assert found["fair_coin"]["error"] == pytest.approx(np.abs(own - 0.5).mean())
    off = np.abs(np.clip(own + 0.1, 0, 1) - own).mean()
    assert found["tuned"]["error"] == pytest.approx(off / 2)
    assert found["tuned"]["correlation"] == pytest.approx((1 + np.corrcoef(own, np.clip(own + 0.1, 0, 1))[0, 1]) / 2)
    assert found["best_constant"]["error"] == pytest.approx(np.abs(own - np.median(own)).mean())
    assert found["fair_coin"]["correlation"] is None and found["best_constant"]["correlation"] is None
    assert found["base"]["advantage"] == pytest.approx(found["base"]["error"] - off / 2)
    assert found["tuned"]["advantage"] is None


def test_one_training_of_three_that_learnt_nothing_leaves_an_interval_of_what_can_be() -> None:
    teacher = policy(GRID)
    tuned = errors_of(np.stack([teacher, teacher, 0.5 + 0.001 * GRID[:, 1]]))["tuned"]
    for name, least in (("error", 0), ("by_frame", 0), ("correlation", -1)):
        assert least <= tuned[f"{name}_low"] < tuned[name] < tuned[f"{name}_high"] <= 1
    assert tuned["error_low"] == 0


def test_frames_that_cancel_show_in_the_error_of_single_frames() -> None:
    teacher = policy(GRID)
    found = surfaces(teacher[np.newaxis])
    swinging = np.stack([np.zeros_like(teacher), np.ones_like(teacher)] * 2, axis=-1)[np.newaxis]
    swung = [
        Surface(
            each.split, each.view, each.games, each.payoffs, {**each.rates, "tuned": swinging[:, chosen]}, each.answers
        )
        for each, chosen in zip(found, (~HELD_OUT, HELD_OUT), strict=True)
    ]
    error = next(each for each in surface_errors(swung, 0.95) if (each.split, each.policy) == ("unseen_games", "tuned"))
    own = teacher[HELD_OUT]
    assert error.error.value == pytest.approx(np.abs(own - 0.5).mean())
    assert error.by_frame.value == pytest.approx(0.5)


def test_a_logit_finds_a_policy_that_is_one_and_the_nearest_games_are_next_to_it() -> None:
    for name in ("logit", "logit_with_borders"):
        predicted = PAYOFF_FLOORS[name](GRID[~HELD_OUT], policy(GRID[~HELD_OUT]), GRID[HELD_OUT])
        assert np.abs(predicted - policy(GRID[HELD_OUT])).max() < 0.02
    line = np.array([[10.0, s, 5, 5] for s in range(9)])
    rates = np.arange(9) / 10
    assert nearest_games(line, rates, np.array([[10.0, 4.0, 5, 5]]))[0] == pytest.approx(0.4)
    assert nearest_games(line, rates, np.array([[10.0, 0.0, 5, 5]]))[0] == pytest.approx((0.1 + 0.2 + 0.3 + 0.4) / 4)


def test_a_step_at_a_border_is_found_by_the_logit_that_knows_it_alone() -> None:
    step = 0.5 + 0.4 * np.sign(GRID[:, 1] - GRID[:, 3])
    errors = {
        name: np.abs(PAYOFF_FLOORS[name](GRID[~HELD_OUT], step[~HELD_OUT], GRID[HELD_OUT]) - step[HELD_OUT]).mean()
        for name in ("logit", "logit_with_borders")
    }
    assert errors["logit_with_borders"] < 0.1 * errors["logit"] + 0.02


def test_what_is_said_first_depends_on_the_floors() -> None:
    teacher = policy(GRID)
    random = np.random.default_rng(1)
    wavy = np.clip(teacher + 0.3 * np.sin(7 * GRID[:, 1] + 3 * GRID[:, 2]), 0, 1)

    def said(tuned: np.ndarray, truth: np.ndarray) -> str:
        found = [
            replace(each, rates={**each.rates, "teacher": np.repeat(truth[np.newaxis, chosen, np.newaxis], 4, axis=-1)})
            for each, chosen in zip(surfaces(tuned), (~HELD_OUT, HELD_OUT), strict=True)
        ]
        return sentences("The plane", error_rows(surface_errors(found, 0.95), found))[0]

    near = np.stack([np.clip(wavy + random.normal(0, 0.01, len(GRID)), 0, 1) for _ in range(3)])
    assert "ahead of every floor; the nearest floor" in said(near, wavy)
    assert said(1 - teacher[np.newaxis], teacher).startswith(
        "The plane, unseen games, counterbalanced: a floor stays ahead: the nearest floor, logit"
    )
    close = np.clip(wavy + random.choice([-0.2, 0.2], (3, len(GRID))), 0, 1)
    assert "level with the best of the floors" in said(close, wavy)


def test_a_floor_that_stays_ahead_is_named_with_its_split_and_none_is_not() -> None:
    teacher = policy(GRID)
    worse, same = surfaces(1 - teacher[np.newaxis]), surfaces(teacher[np.newaxis])
    said = [floors_ahead(error_rows(surface_errors(found, 0.95), found)) for found in (worse, same)]
    begun = "Held-out games where a policy without a model is nearer to the teacher than the student"
    assert said == [f"{begun}: unseen games.", ""]


def test_ahead_of_every_floor_is_said_only_where_each_interval_says_so() -> None:
    found = surfaces(policy(GRID)[np.newaxis])
    rows = [row for row in error_rows(surface_errors(found, 0.95), found) if row["split"] == "unseen_games"]
    for low, word in ((0.01, "ahead of every floor"), (-0.01, "level with the best")):
        changed = [
            row | {"advantage_low": low if row["policy"] == "fair_coin" else 0.01, "advantage_high": 0.5}
            for row in rows
        ]
        assert word in sentences("The plane", changed)[0]


def test_noise_of_counts_is_what_a_perfect_student_would_miss() -> None:
    teacher = policy(GRID[HELD_OUT])
    assert noise_of_counts(surfaces(policy(GRID)[np.newaxis])[1]) is None
    counted = surfaces(policy(GRID)[np.newaxis], answers=20)[1]
    likely = (teacher * 20 + 0.5) / 21
    random = np.random.default_rng(0)
    drawn = random.binomial(20, likely, (20_000, len(likely))) / 20
    assert noise_of_counts(counted) == pytest.approx(np.abs(drawn - likely).mean(), rel=0.01)


def test_without_trained_games_there_is_nothing_to_fit() -> None:
    with pytest.raises(InputError, match="no game of the plane is in in_sample"):
        surface_errors(surfaces(policy(GRID)[np.newaxis])[1:], 0.95)


def test_a_map_has_every_game_says_what_a_cell_is_and_outlines_what_is_held_out(tmp_path: Path) -> None:
    found = map_of(surfaces(policy(GRID)[np.newaxis], answers=20))
    assert found is not None and len(found.payoffs) == 121
    save_map(heat_maps(found), found, tmp_path / "map.svg")
    svg = (tmp_path / "map.svg").read_text()
    assert svg.count("<title>R 10, S ") == 4 * 121
    assert "unseen games; teacher" in svg and "(20 answers), student before training 0.50" in svg
    for name in ("harmony", "snowdrift", "stag", "dilemma"):
        assert svg.count(f">{name}<") + svg.count(f">{name} <") >= 4 or name in svg
    save_map(heat_maps(found), found, tmp_path / "map.pdf")
    assert (tmp_path / "map.pdf").read_bytes().startswith(b"%PDF")


def test_games_that_differ_in_more_than_two_payoffs_have_no_map(tmp_path: Path) -> None:
    found = surfaces(policy(GRID)[np.newaxis])
    payoffs = found[0].payoffs + np.arange(len(found[0].games))[:, np.newaxis]
    odd = replace(found[0], payoffs=payoffs)
    assert map_of([odd]) is None
    save_map(heat_maps(None), None, tmp_path / "map.svg")
    assert "No map" in (tmp_path / "map.svg").read_text()


def test_tables_hold_every_error_and_every_game() -> None:
    found = surfaces(policy(GRID)[np.newaxis], answers=20)
    errors = errors_table("errors_of_plane", error_rows(surface_errors(found, 0.95), found))
    assert len(errors.rows) == 2 * 8
    assert as_csv(errors).splitlines()[0].startswith("split,view,called,games,error,error_low,error_high,by_frame")
    assert "a perfect student" in as_latex(errors)
    games = games_table("games_of_plane", found)
    assert len(games.rows) == 121
    row = next(row for row in games.rows if row["game"] == "neutral S2 T12")
    assert row["families"] == "prisoners_dilemma"
    assert row["teacher"] == pytest.approx(policy(np.array([[10.0, 2, 12, 5]]))[0])


def test_the_nearest_of_many_games_are_those_that_are_found_for_each_by_itself() -> None:
    payoffs = np.array([[10, sucker, temptation, 5] for sucker in range(20) for temptation in range(20)], dtype=float)
    rates = np.random.default_rng(0).random(len(payoffs))
    together = nearest_games(payoffs, rates, payoffs)
    alone = [nearest_games(payoffs, rates, payoffs[[number]])[0] for number in range(len(payoffs))]
    assert together.tolist() == alone
