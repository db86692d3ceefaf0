"""What holds of a game, against definitions worked out by brute force over outcomes and mixtures."""

import json
from fractions import Fraction
from itertools import permutations, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tomtransfer.scenarios.families import FAMILIES
from tomtransfer.scenarios.games import load_game
from tomtransfer.scenarios.kinds import game_facts
from tomtransfer.scenarios.solutions import in_sentences, solve

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "scenarios"
SHIPPED = ("prisoners_dilemma", "snowdrift", "stag_hunt", "prisoners_delight")
C, D = "cooperate", "defect"

payoffs = st.fixed_dictionaries(
    {name: st.integers(-4, 4).map(float) for name in ("reward", "sucker", "temptation", "punishment")}
)


def matrix(points: dict[str, float]) -> dict[tuple[str, str], tuple[float, float]]:
    """What row and column earn in each outcome, written out."""
    r, s, t, p = (points[name] for name in ("reward", "sucker", "temptation", "punishment"))
    return {(C, C): (r, r), (C, D): (s, t), (D, C): (t, s), (D, D): (p, p)}


def earned(points: dict[str, float], own: Fraction, other: Fraction) -> Fraction:
    """What one expects to earn who cooperates with probability `own` against one who does so with `other`."""
    chances = {C: (own, other), D: (1 - own, 1 - other)}
    return sum(
        (Fraction(matrix(points)[mine, theirs][0]) * chances[mine][0] * chances[theirs][1])
        for mine, theirs in product((C, D), repeat=2)
    )


@settings(deadline=None)
@given(payoffs)
def test_pure_equilibria_are_the_outcomes_that_nobody_leaves(points):
    cells = matrix(points)
    stay = [
        (row, column)
        for row, column in cells
        if all(cells[row, column][0] >= cells[other, column][0] for other in (C, D))
        and all(cells[row, column][1] >= cells[row, other][1] for other in (C, D))
    ]
    assert set(solve(points).equilibria) == set(stay)


@settings(deadline=None)
@given(payoffs)
def test_a_mixed_equilibrium_is_the_one_mixture_against_which_all_mixtures_earn_the_same(points):
    solution = solve(points)
    if solution.mixed is None:
        return
    mixed = Fraction(solution.mixed).limit_denominator(100)  # of differences of at most 8, so that 16 would do
    assert 0 < mixed < 1
    against = {earned(points, Fraction(own, 7), mixed) for own in range(8)}
    assert len(against) == 1


@settings(deadline=None)
@given(payoffs)
def test_where_no_mixed_equilibrium_is_named_every_mixture_has_a_better_reply_or_every_mixture_is_one(points):
    solution = solve(points)
    if solution.mixed is not None:
        return
    # A mixture against which both earn the same is one difference of payoffs divided by the sum of two, 16 at most.
    grid = sorted({Fraction(above, below) for below in range(2, 17) for above in range(1, below)})
    even = [own for own in grid if earned(points, Fraction(1), own) == earned(points, Fraction(0), own)]
    assert even == (grid if solution.indifferent else [])


@settings(deadline=None)
@given(payoffs)
def test_a_dominant_action_is_as_good_everywhere_and_better_somewhere(points):
    cells, solution = matrix(points), solve(points)
    found = []
    for action, other in ((C, D), (D, C)):
        gains = [cells[action, theirs][0] - cells[other, theirs][0] for theirs in (C, D)]
        if min(gains) >= 0 and max(gains) > 0:
            found.append((action, min(gains) > 0))
    assert ([(solution.dominant, solution.strictly)] if solution.dominant else []) == found


@settings(deadline=None)
@given(payoffs)
def test_pareto_optimal_is_what_no_outcome_improves_for_one_without_loss_to_the_other(points):
    cells = matrix(points)
    optimal = [
        mine
        for mine in cells
        if not any(
            theirs[0] >= cells[mine][0] and theirs[1] >= cells[mine][1] and theirs != cells[mine]
            for theirs in cells.values()
        )
    ]
    assert set(solve(points).pareto_optimal) == set(optimal)


@settings(deadline=None)
@given(payoffs)
def test_risk_dominance_is_the_larger_product_of_what_a_deviation_loses(points):
    # Harsanyi and Selten's definition for two strict equilibria; the code uses the better reply to an even chance.
    cells = matrix(points)
    losses = {
        action: (cells[action, action][0] - cells[other, action][0])
        * (cells[action, action][1] - cells[action, other][1])
        for action, other in ((C, D), (D, C))
    }
    strict = cells[C, C][0] > cells[D, C][0] and cells[D, D][0] > cells[C, D][0]
    expected = None
    if strict and losses[C] != losses[D]:
        expected = C if losses[C] > losses[D] else D
    assert solve(points).risk_dominant == expected


def test_taking_turns_beats_cooperating_in_the_published_dilemma_and_snowdrift_alone():
    solutions = {name: solve(load_game(SCENARIOS, name).payoffs.model_dump()) for name in SHIPPED}
    assert {name: each.each_taking_turns for name, each in solutions.items()} == {
        "prisoners_dilemma": 6,
        "snowdrift": 6.5,
        "stag_hunt": 3.5,
        "prisoners_delight": 4,
    }
    beaten = {name for name, each in solutions.items() if each.turns_beat_cooperation}
    assert beaten == {"prisoners_dilemma", "snowdrift"}


def test_the_page_of_the_published_dilemma_says_all_that_a_reader_must_know():
    points = {"reward": 5.0, "sucker": 2.0, "temptation": 10.0, "punishment": 3.0}
    assert in_sentences(points) == (
        "T > R > P > S (prisoner's dilemma): defecting earns more than cooperating, whatever the coplayer does; in the "
        "only equilibrium both defect, although both would earn more by cooperating (5 each, not 3).",
        "Taking turns at cooperating alone would earn the two 12 points a time (2 + 10), more than the 10 of both "
        "cooperating (5 + 5).",
        "It is Pareto optimal that both cooperate, or one cooperates and the other defects.",
    )


@pytest.mark.parametrize(
    ("points", "said"),
    [
        ((5, 3, 10, 2), "the opposite of what the coplayer does; in equilibrium one cooperates and the other defects"),
        ((5, 3, 10, 2), "each cooperates with probability 0.17."),  # (3 - 2) / ((3 - 2) + (10 - 5)) = 1 / 6
        ((5, 3, 10, 2), "13 points a time (3 + 10), more than the 10 of both cooperating"),
        ((10, 2, 5, 3), "both cooperate, or both defect, or each cooperates with probability 0.17, and cooperating is"),
        ((4, 0, 3, 3), "R > T = P > S (with ties, between stag hunt and assurance)"),
        ((4, 0, 3, 3), "defecting is risk dominant"),
        ((3, 0, 2, 1), "neither action is risk dominant"),
        ((1, 0, 1.6, 0), "defecting earns more than, or as much as, cooperating, whatever the coplayer does"),
        ((1, 3, 4, 0), "T > S > R > P (battle)"),
        ((2, 4, 3, 1), "S > T > R > P (hero, cooperating being called defecting and the other way round)"),
        ((0, -1, 1, -10), "0 points a time ((-1) + 1), as much as the 0 of both cooperating (0 + 0)"),
        ((3, 3, 3, 3), "(with ties, between 12 families)"),
        ((3, 3, 3, 3), "one's own choice never changes what one earns; everything is an equilibrium"),
        ((0.15, 0.1, 0.2, 0.05), "0.3 points a time (0.1 + 0.2), as much as the 0.3 of both"),
        ((2, 10, 3, 5), "0.83"),  # (10 - 5) / ((10 - 5) + (3 - 2))
    ],
)
def test_sentences_say(points, said):
    found = in_sentences(dict(zip(("reward", "sucker", "temptation", "punishment"), points, strict=True)))
    assert said in " ".join(found)


@pytest.mark.parametrize("ranks", list(permutations((4.0, 3.0, 2.0, 1.0))))
def test_every_strict_order_is_that_of_one_family_in_one_of_two_ways(ranks):
    points = dict(zip(("reward", "sucker", "temptation", "punishment"), ranks, strict=True))
    solution = solve(points)
    assert len(solution.families) == 1
    r, s, t, p = ranks
    again = {"reward": p, "sucker": t, "temptation": s, "punishment": r}
    assert solve(again).families == solution.families
    assert solution.exchanged == (4.0 in (s, p)) == (not solve(again).exchanged)


def test_equilibria_of_the_twelve_are_those_of_the_literature():
    # Six of the twelve have a dominant action, three are games of coordination, three the opposite.
    kinds = {name: solve(dict(zip(family.order, (4, 3, 2, 1), strict=True))) for name, family in FAMILIES.items()}
    assert {name: each.dominant for name, each in kinds.items() if each.dominant} == {
        **dict.fromkeys(("prisoners_dilemma", "deadlock", "compromise"), D),
        **dict.fromkeys(("prisoners_delight", "harmony", "peace"), C),
    }
    alike = {name for name, each in kinds.items() if {(C, C), (D, D)} <= set(each.equilibria)}
    assert alike == {"stag_hunt", "assurance", "coordination"}
    assert {name for name, each in kinds.items() if (C, D) in each.equilibria} == {"snowdrift", "battle", "hero"}


def test_pages_of_a_game_have_the_sentences_and_the_facts_behind_them(read):
    facts = game_facts(read(), "snowdrift")
    assert (facts["game"], facts["family"], facts["payoffs"]["temptation"]) == ("snowdrift", "snowdrift", 10)
    assert "13 points a time" in facts["holds"][1]
    assert facts["solution"]["each_taking_turns"] == 6.5
    assert json.loads(json.dumps(facts))["solution"]["equilibria"] == [[C, D], [D, C]]


def test_the_documentation_has_the_twelve_families_and_what_holds_of_the_shipped_games():
    text = " ".join((ROOT / "docs" / "games.md").read_text().split())
    for name, family in FAMILIES.items():
        also = ", ".join(each.replace("_", " ") for each in family.also)
        assert f"| `{name}` | {' > '.join(family.symbols)} | {also}{' ' if also else ''}|" in text
    for name in SHIPPED:
        assert " ".join(in_sentences(load_game(SCENARIOS, name).payoffs.model_dump())) in text
