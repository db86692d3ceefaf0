"""Games and contexts: the ones that are shipped are whole, and a wrong one is refused by file and key."""

from itertools import permutations
from pathlib import Path

import pytest
import yaml

from tomtransfer.experiment.validation import InputError, validate
from tomtransfer.scenarios.games import FAMILIES, Context, Game, load_context, load_game

SCENARIOS = Path(__file__).parents[3] / "scenarios"


def of_two_actions(folder: str) -> list[str]:
    """Names of files of the kind that is tested here."""
    files = sorted((SCENARIOS / folder).glob("*.yaml"))
    return [file.stem for file in files if "kind" not in yaml.safe_load(file.read_text())]


GAMES, CONTEXTS = of_two_actions("games"), of_two_actions("contexts")


def change(file: Path, **changes: object) -> None:
    content = yaml.safe_load(file.read_text()) | changes
    file.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))


def test_shipped_payoffs_are_the_published_ones() -> None:
    payoffs = {name: tuple(load_game(SCENARIOS, name).payoffs.model_dump().values()) for name in GAMES}
    assert payoffs == {  # reward, sucker, temptation, punishment
        "prisoners_dilemma": (5, 2, 10, 3),
        "snowdrift": (5, 3, 10, 2),
        "stag_hunt": (10, 2, 5, 3),
        "prisoners_delight": (10, 3, 5, 2),
    }


def test_shipped_game_has_the_family_of_its_name() -> None:
    assert {name: load_game(SCENARIOS, name).family for name in GAMES} == {name: name for name in GAMES}


@pytest.mark.parametrize("name", CONTEXTS)
def test_shipped_context_has_60_to_120_words(name: str) -> None:
    sentences = load_context(SCENARIOS, name).model_dump(exclude={"title", "kind"}).values()
    assert 60 <= len(" ".join(sentences).split()) <= 120


@pytest.mark.parametrize("name", CONTEXTS)
def test_shipped_context_tells_no_choice_from_the_other(name: str) -> None:
    text = " ".join(load_context(SCENARIOS, name).model_dump(exclude={"kind"}).values()).lower()
    for word in ("cooperat", "defect", "betray", "selfish", "game"):
        assert word not in text


def test_no_two_shipped_contexts_share_a_sentence() -> None:
    sentences = [
        text for name in CONTEXTS for text in load_context(SCENARIOS, name).model_dump(exclude={"kind"}).values()
    ]
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("family", FAMILIES)
def test_family_takes_its_own_ordering_and_no_other(family: str) -> None:
    accepted = []
    for points in permutations((4.0, 3.0, 2.0, 1.0)):
        payoffs = dict(zip(FAMILIES[family], points, strict=True))
        try:
            validate(Game, {"title": "t", "family": family, "payoffs": payoffs}, "f")
        except InputError:
            continue
        accepted.append(points)
    assert accepted == [(4.0, 3.0, 2.0, 1.0)]


def test_payoff_that_breaks_its_ordering_names_file_ordering_and_values(project: Path) -> None:
    file = project / "scenarios" / "games" / "stag_hunt.yaml"
    change(file, payoffs={"reward": 10, "sucker": 3, "temptation": 5, "punishment": 3})
    with pytest.raises(InputError) as error:
        load_game(Path("scenarios"), "stag_hunt")
    assert str(error.value) == (
        "scenarios/games/stag_hunt.yaml: payoffs: those of the family stag_hunt must satisfy reward > "
        "temptation > punishment > sucker; they are reward 10, temptation 5, punishment 3, sucker 3"
    )


def test_unknown_family_names_the_known_ones(project: Path) -> None:
    change(project / "scenarios" / "games" / "snowdrift.yaml", family="chicken")
    with pytest.raises(InputError, match=r"snowdrift\.yaml: family: unknown family; allowed: .*snowdrift.*'chicken'"):
        load_game(Path("scenarios"), "snowdrift")


@pytest.mark.parametrize("points", ["many", float("inf"), None])
def test_payoff_that_is_no_finite_number_is_refused(project: Path, points: object) -> None:
    payoffs = {"reward": 10, "sucker": 2, "temptation": points, "punishment": 3}
    change(project / "scenarios" / "games" / "stag_hunt.yaml", payoffs=payoffs)
    with pytest.raises(InputError, match=r"stag_hunt\.yaml: payoffs\.temptation: "):
        load_game(Path("scenarios"), "stag_hunt")


@pytest.mark.parametrize("field", [name for name in Context.model_fields if name != "kind"])
def test_context_without_a_needed_field_names_file_and_field(project: Path, field: str) -> None:
    change(project / "scenarios" / "contexts" / "team.yaml", **{field: None})
    with pytest.raises(InputError) as error:
        load_context(Path("scenarios"), "team")
    assert str(error.value) == f"scenarios/contexts/team.yaml: {field}: missing; it must be given"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_context_with_an_empty_field_is_refused(project: Path, text: str) -> None:
    change(project / "scenarios" / "contexts" / "team.yaml", once=text)
    with pytest.raises(InputError, match=r"team\.yaml: once: String should"):
        load_context(Path("scenarios"), "team")


def test_context_that_names_no_coplayer_is_refused(project: Path) -> None:
    change(project / "scenarios" / "contexts" / "team.yaml", independence="You are asked in separate rooms.")
    with pytest.raises(InputError, match=r"team\.yaml: independence: the other person must be called the 'coplayer'"):
        load_context(Path("scenarios"), "team")


def test_unknown_game_and_context_list_what_there_is() -> None:
    with pytest.raises(InputError, match=r"stag_hnt\.yaml: no such file\. .* has: .*snowdrift\.yaml, stag_hunt\.yaml"):
        load_game(SCENARIOS, "stag_hnt")
    with pytest.raises(InputError, match=r"sport\.yaml: no such file\. .* has: .*sports\.yaml, team\.yaml"):
        load_context(SCENARIOS, "sport")


@pytest.mark.parametrize("name", GAMES)
def test_multiplied_payoffs_keep_their_ordering(name: str) -> None:
    game = load_game(SCENARIOS, name)
    doubled = game.payoffs.times(2)
    assert doubled.model_dump() == {key: 2 * points for key, points in game.payoffs.model_dump().items()}
    assert validate(Game, {"title": "t", "family": game.family, "payoffs": doubled.model_dump()}, "f")
