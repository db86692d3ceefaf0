"""Games of amounts: files, prompts, the split that they are played in, questions about what is earned."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from scenarios_of import scenarios
from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.amounts import (
    AmountGame,
    amount_comprehension,
    load_amount_context,
    load_amount_game,
    read_amount_sources,
)
from tomtransfer.scenarios.comprehension import action_comprehension
from tomtransfer.scenarios.games import load_game
from tomtransfer.scenarios.kinds import game_hashes, game_kinds, write_game
from tomtransfer.scenarios.questions import read_comprehension, read_prompts, read_queries
from tomtransfer.scenarios.rendering import outcomes, read_sources
from tomtransfer.scenarios.wording import read_wording

Read = Callable[..., Experiment]
DONATION = Path("scenarios/games/donation.yaml")


def change(file: Path, **changes: object) -> None:
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))


def hashes(experiment: Experiment) -> dict[str, str]:
    return game_hashes(experiment, experiment.every_game)


def test_the_donation_game_is_a_split_of_its_own(read: Read) -> None:
    experiment = read()
    new = [scenario for scenario in scenarios(experiment) if scenario.split == "new_game"]
    assert [(scenario.game, scenario.context) for scenario in new] == [("donation", "village_well")]
    assert "village_well" not in experiment.contexts
    assert game_kinds(experiment)["donation"] == "amount"
    assert experiment.contexts_of("donation") == ("village_well",)
    assert "village_well" not in experiment.contexts_of("stag_hunt")


def test_zero_to_ten_of_ten_may_be_given(project: Path) -> None:
    game = load_amount_game(Path("scenarios"), "donation")
    assert game.amounts == tuple(map(str, range(11)))


def test_a_unit_given_costs_the_giver_and_profits_all(project: Path) -> None:
    game = load_amount_game(Path("scenarios"), "donation")
    assert game.earned(5, 5) - game.earned(4, 5) == game.multiplier / game.people - 1 == -0.5
    assert game.earned(10, 10) == 20 > game.earned(0, 0) == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"multiplier": 4}, r"multiplier: must be above 1 and below the 4 people.*got 4"),
        ({"multiplier": 1}, r"multiplier: must be above 1"),
        ({"endowment": 0}, r"donation\.yaml: endowment: .*greater than or equal to 1 \(got 0\)"),
        ({"unit": "US$"}, r"donation\.yaml: unit: must be words: letters and digits"),
        ({"kind": "auction"}, r"donation\.yaml: kind: must be one of two_actions, plane, amount \(got 'auction'\)"),
    ],
)
def test_a_game_of_amounts_that_is_wrong_is_refused(
    project: Path, read: Read, changes: dict[str, object], message: str
) -> None:
    change(DONATION, **changes)
    with pytest.raises(InputError, match=message):
        hashes(read())


def test_only_games_of_two_actions_are_trained_on(read: Read) -> None:
    with pytest.raises(InputError, match=r"donation is of the kind amount; only games of two_actions are trained on"):
        game_kinds(read(games=["stag_hunt", "donation"], splits={"new_game": {"games": ["donation"]}}))


def test_amounts_cannot_be_multiplied_as_payoffs(read: Read) -> None:
    with pytest.raises(InputError, match=r"splits\.new_game\.payoff_factor: donation is a game of amounts"):
        hashes(read(splits={"new_game": {"payoff_factor": 2}}))


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (
            {"new_game": {"contexts": ["team"]}},
            "splits.new_game.contexts: team is a context for games of two_actions "
            "(scenarios/contexts/team.yaml: kind), and donation is a game of amount",
        ),
        (
            {"new_contexts": {"contexts": ["sports", "village_well"]}},
            "splits.new_contexts.contexts: village_well is a context for games of amount "
            "(scenarios/contexts/village_well.yaml: kind), and prisoners_dilemma is a game of two_actions",
        ),
    ],
)
def test_a_context_of_another_kind_is_refused(read: Read, splits: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        hashes(read(splits=splits, comprehension=[]))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("numbers", "returned", "each"),
    # 10 of each of four, doubled and divided by four: 20; 1.5 times 8 of each of three, divided by three: 12.
    [
        ((10, 4, 2.0), "2/4 of a unit to its giver and 2 to", "20 each, not 10"),
        ((8, 3, 1.5), "1.5/3", "12 each, not 8"),
    ],
)
def test_what_holds_of_a_game_of_amounts_is_said(numbers: tuple[int, int, float], returned: str, each: str) -> None:
    endowment, people, multiplier = numbers
    first, second = AmountGame(
        kind="amount", title="Fund", unit="dollars", endowment=endowment, people=people, multiplier=multiplier
    ).holds
    assert returned in first
    assert "giving nothing earns most" in first
    assert each in second


@pytest.mark.parametrize("language", ["english", "german"])
def test_the_context_of_the_donation_has_60_to_120_words_and_tells_no_side(project: Path, language: str) -> None:
    context = load_amount_context(read_wording(Path("scenarios"), language), "village_well")
    text = " ".join(context.model_dump(include={"you", "others", "fund", "benefit", "independence", "once"}).values())
    assert 60 <= len(text.split()) <= 120
    told = (
        "cooperat",
        "generous",
        "selfish",
        "fair",
        "game",
        "chapel",
        "church",
        "egois",
        "gro\u00dfz\u00fcgig",
        "kirche",
    )
    assert not [word for word in told if word in text.lower()]


def test_the_context_of_the_donation_agrees_with_any_number_of_people_and_any_endowment(project: Path) -> None:
    # Both stand in the game's file: a banknote and four houses did not go with every whole number of dollars.
    for language in ("english", "german"):
        context = load_amount_context(read_wording(Path("scenarios"), language), "village_well")
        text = " ".join(context.model_dump(include={"you", "others", "fund", "benefit", "independence"}).values())
        assert not re.search(r"\d|\b(three|four|ten|drei|vier|zehn|dollars?|euro|banknote)\b", text, re.I)


def test_prompts_are_written_and_read_by_kind(project: Path, read: Read, tmp_path: Path) -> None:
    paths = [tmp_path / "donation.json", tmp_path / "stag_hunt.json"]
    experiment = read(teacher={"question": "reason_first"}, comprehension=["team", "village_well"])
    write_game(experiment, "donation", paths[0])
    write_game(experiment, "stag_hunt", paths[1])
    assert {prompt.game for prompt in read_prompts(paths)} == {"stag_hunt"}
    queries = read_queries(paths)
    assert [query.question for query in queries] == ["reason_first", "answer_first"]
    assert "alone on the last line" in queries[0].user
    assert "on the first line" in queries[1].user
    assert queries[0].candidates == tuple(map(str, range(11)))
    assert {query.game for query in read_comprehension(paths)} == {"donation", "stag_hunt"}


def test_wording_of_the_donation_changes_its_hash_alone(project: Path, read: Read) -> None:
    before = hashes(read())
    template = project / "scenarios/prompts/english/amount/user.j2"
    template.write_text(template.read_text().replace("You keep what", "You keep whatever"))
    after = hashes(read())
    assert {game for game in before if before[game] != after[game]} == {"donation"}


def test_questions_are_asked_only_where_the_config_says(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "prompts.json"
    for game, context in {"stag_hunt": "sports", "donation": "village_well"}.items():
        write_game(read(), game, path)
        assert {query.context for query in read_comprehension([path])} == {context}
        write_game(read(comprehension=[]), game, path)
        assert read_comprehension([path]) == []
    asked, silent = hashes(read()), hashes(read(comprehension=[]))
    assert {game for game in asked if asked[game] == silent[game]} == set()
    with pytest.raises(InputError, match=r"comprehension: no split has tavern; allowed: .*team"):
        read(comprehension=["tavern"])


@pytest.mark.parametrize("swapped", [False, True])
def test_right_answers_are_those_of_the_payoffs(read: Read, swapped: bool) -> None:
    frame = {"cooperate": "D", "defect": "C", "first": "defect"} if swapped else {}
    experiment = read(frames={"canonical": frame, "swapped_and_reversed": {"cooperate": "A", "defect": "B"}})
    for game in experiment.games:
        sources = read_sources(experiment, [game], ["team"])
        queries = {
            (query.split, query.question): query for query in action_comprehension(experiment, game, "team", sources)
        }
        payoffs = load_game(Path("scenarios"), game).payoffs
        own = {(each.own, each.coplayer): each.own_points for each in outcomes(payoffs, experiment.frames["canonical"])}
        cooperate, defect = ("D", "C") if swapped else ("C", "D")
        assert own[cooperate, defect] == f"{payoffs.sucker:g}"
        for (mine, other), points in own.items():
            query = queries["in_sample", f"points_{mine}_{other}"]
            assert query.right == points
            chosen = (
                f"both of you choose {mine}"
                if mine == other
                else f"you choose {mine} and your coplayer chooses {other}"
            )
            assert f"How many points do you earn if {chosen}?" in query.user
            assert queries["doubled_payoffs", f"points_{mine}_{other}"].right == f"{2 * float(points):g}"
        best = max(own, key=lambda pair: float(own[pair]))
        assert (queries["in_sample", "best_own"].right, queries["in_sample", "best_coplayer"].right) == best


def test_right_answers_about_the_fund(read: Read) -> None:
    experiment = read()
    sources = read_amount_sources(experiment, ["donation"], ["village_well"])
    queries = amount_comprehension(experiment, "donation", "village_well", sources)
    assert {query.question: query.right for query in queries} == {
        "all_give": "20",
        "none_gives": "10",
        "only_you_give": "5",
        "best_for_you": "0",
    }
    assert all(query.right in query.candidates for query in queries)
