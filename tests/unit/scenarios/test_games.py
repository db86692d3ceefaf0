"""Games and contexts: the ones that are shipped are whole, and a wrong one is refused by file and key."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
import yaml

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError, validate
from tomtransfer.scenarios.amounts import load_amount_context
from tomtransfer.scenarios.families import FAMILIES
from tomtransfer.scenarios.games import Context, Game, load_context, load_game
from tomtransfer.scenarios.wording import read_wording

SCENARIOS = Path(__file__).parents[3] / "scenarios"


def of_two_actions(folder: str) -> list[str]:
    """Names of files of the kind that is tested here."""
    files = sorted((SCENARIOS / folder).glob("*.yaml"))
    return [file.stem for file in files if "kind" not in yaml.safe_load(file.read_text())]


SENTENCES = ("you", "other", "choice", "points", "independence", "once")
ENGLISH = read_wording(SCENARIOS, "english")
GAMES, CONTEXTS = of_two_actions("games"), of_two_actions("contexts")
CONTEXTS.remove("neutral")  # which tells of no social situation; see test_the_neutral_context


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


@pytest.fixture(params=["english", "german"])
def told(request: pytest.FixtureRequest) -> dict[str, Context]:
    """Every shipped context of two actions in one language, by its name."""
    wording = read_wording(SCENARIOS, request.param)
    return {name: load_context(wording, name) for name in CONTEXTS}


def sentences(context: Context) -> list[str]:
    return [getattr(context, name) for name in SENTENCES]


def test_shipped_context_has_60_to_120_words(told: dict[str, Context]) -> None:
    words = {name: len(" ".join(sentences(context)).split()) for name, context in told.items()}
    assert all(60 <= count <= 120 for count in words.values()), words


@pytest.mark.parametrize(
    "word",
    [
        *("cooperat", "defect", "betray", "selfish", "game", "fair", "generous", "trust", "honest"),
        *("kooperier", "selbstlos", "egois", "verrat", "spiel ", "vertrau", "ehrlich", "gro\u00dfz\u00fcgig"),
    ],
)
def test_shipped_context_tells_no_choice_from_the_other(told: dict[str, Context], word: str) -> None:
    assert [name for name, context in told.items() if word in " ".join(sentences(context)).lower()] == []


def test_no_two_shipped_contexts_share_a_sentence(told: dict[str, Context]) -> None:
    said = [sentence for context in told.values() for sentence in [context.title, *sentences(context)]]
    assert len(set(said)) == len(said)


def test_points_are_worth_the_same_to_whoever_earns_them(told: dict[str, Context]) -> None:
    # Not `your own profit`: of what your coplayer's points are worth to your coplayer that says nothing.
    for name, context in told.items():
        assert context.points.startswith(("Each point stands for ", "Jeder Punkt steht f\u00fcr ")), name
        assert not re.search(r"\b(you|your|yours|du|dein\w*|dich|dir)\b", context.points, re.I), name
        assert re.search(r"earns it|ihn erh\u00e4lt", context.points), name


def test_either_choice_is_allowed_and_touches_nobody_else(told: dict[str, Context]) -> None:
    # So cooperating has one moral sign in all of them: it is good for the coplayer and bad for no third person.
    for name, context in told.items():
        asked, permitted = context.choice.split("; ")
        assert re.search(r"two|zwei", asked), name
        assert re.search(r"\b(no|no\w*|neither|nobody|same|kein\w*|niemand\w*|nicht|dieselben)\b", permitted), name


def test_relations_are_balanced_over_what_is_trained_on_and_what_is_held_out(read: Callable[..., Experiment]) -> None:
    experiment = read()
    wording = read_wording(SCENARIOS, "english")
    relations = {name: load_context(wording, name).relation for name in CONTEXTS}
    relations["village_well"] = load_amount_context(wording, "village_well").relation
    played = {split: members.contexts for split, members in experiment.splits.items()}
    trained = Counter(relations[context] for context in played["in_sample"])
    held_out = Counter(relations[context] for split in ("new_contexts", "new_game") for context in played[split])
    four = {"friend", "colleague", "stranger", "rival"}
    assert held_out == dict.fromkeys(four, 1)
    assert trained == {**dict.fromkeys(four, 1), "stranger": 2}


def test_the_documentation_has_every_sentence_of_every_english_context() -> None:
    page = (SCENARIOS.parent / "docs" / "contexts.md").read_text(encoding="utf-8")
    wording = read_wording(SCENARIOS, "english")
    told = [sentence for name in CONTEXTS for sentence in sentences(load_context(wording, name))]
    well = load_amount_context(wording, "village_well")
    told += [getattr(well, name) for name in ("you", "others", "fund", "benefit", "independence", "once")]
    assert [sentence for sentence in told if f"| {sentence} |" not in page] == []


def test_a_context_has_one_relation_in_every_language() -> None:
    relations = [
        {name: load_context(read_wording(SCENARIOS, language), name).relation for name in CONTEXTS}
        for language in ("english", "german")
    ]
    assert relations[0] == relations[1]


def test_the_documentation_has_every_context_as_it_is_and_as_it_was() -> None:
    text = (SCENARIOS.parent / "docs" / "contexts.md").read_text()
    wording = read_wording(SCENARIOS, "english")
    village_well = load_amount_context(wording, "village_well")
    for context in [*(load_context(wording, name) for name in CONTEXTS), village_well]:
        said = context.model_dump(exclude={"kind", "title", "relation"})
        [part] = [part for part in text.split("\n### ") if part.startswith(f"{context.title}\n")]
        rows = [row.split(" | ") for row in part.splitlines() if row.startswith("| ")][1:]
        assert {field.removeprefix("| "): new.removesuffix(" |") for field, _, new in rows} == said
        assert all(old and old != new for _, old, new in rows)
    for name in [*CONTEXTS, "village_well"]:
        assert f"| `{name}` | " in text


def accepted(family: str, *points: float) -> bool:
    """Whether a game of a family may earn these: reward, sucker, temptation, punishment."""
    payoffs = dict(zip(("reward", "sucker", "temptation", "punishment"), points, strict=True))
    try:
        validate(Game, {"title": "t", "family": family, "payoffs": payoffs}, "f")
    except InputError:
        return False
    return True


def test_the_twelve_families_are_the_twelve_orders_whose_best_payoff_is_reward_or_temptation() -> None:
    orders = {family.order for family in FAMILIES.values()}
    assert len(orders) == len(FAMILIES) == 12
    assert orders == {
        order
        for order in permutations(("reward", "sucker", "temptation", "punishment"))
        if order[0] in {"reward", "temptation"}
    }


def test_neighbours_in_the_list_of_families_differ_in_two_payoffs_that_are_next_to_each_other() -> None:
    # As Robinson and Goforth lay them out: each six is a circle of such changes.
    names = [family.symbols for family in FAMILIES.values()]
    for circle in (names[:6], names[6:]):
        for one, other in zip(circle, [*circle[1:], circle[0]], strict=True):
            apart = [place for place in range(4) if one[place] != other[place]]
            assert len(apart) == 2
            assert apart[1] - apart[0] == 1
            assert [one[place] for place in apart] == [other[place] for place in reversed(apart)]


@pytest.mark.parametrize("family", FAMILIES)
def test_family_takes_its_own_ordering_and_no_other(family: str) -> None:
    orders = [points for points in permutations((4.0, 3.0, 2.0, 1.0)) if accepted(family, *points)]
    [points] = orders
    named = dict(zip(("reward", "sucker", "temptation", "punishment"), points, strict=True))
    assert tuple(sorted(named, key=lambda name: -named[name])) == FAMILIES[family].order


@pytest.mark.parametrize(
    ("points", "families"),
    [
        ((1, 0, 1.6, 0), {"prisoners_dilemma", "snowdrift"}),  # Nowak and May's weak dilemma
        ((4, 0, 3, 3), {"stag_hunt", "assurance"}),
        ((1, 0, 0, 1), {"assurance", "coordination"}),
        ((5, 0, 5, 0), {"prisoners_dilemma", "snowdrift", "stag_hunt", "prisoners_delight"}),
        ((3, 3, 3, 3), set(FAMILIES)),
        ((0, 0, 0, 1), set()),
    ],
)
def test_a_game_with_ties_is_of_every_family_that_breaking_them_would_give(
    points: tuple[float, ...], families: set[str]
) -> None:
    assert {family for family in FAMILIES if accepted(family, *points)} == families


@pytest.mark.parametrize("points", list(permutations((4.0, 3.0, 2.0, 1.0))))
def test_the_family_other_takes_any_order(points: tuple[float, ...]) -> None:
    assert accepted("other", *points)


def test_payoff_that_breaks_its_ordering_names_file_ordering_and_values(project: Path) -> None:
    file = project / "scenarios" / "games" / "stag_hunt.yaml"
    change(file, payoffs={"reward": 10, "sucker": 4, "temptation": 5, "punishment": 3})
    with pytest.raises(InputError) as error:
        load_game(Path("scenarios"), "stag_hunt")
    assert str(error.value) == (
        "scenarios/games/stag_hunt.yaml: payoffs: those of the family stag_hunt must satisfy reward > temptation > "
        "punishment > sucker, or be equal; they are reward 10, temptation 5, punishment 3, sucker 4: the order of "
        "prisoners_delight"
    )


def test_payoffs_of_a_family_whose_actions_have_each_others_names_are_told_so(project: Path) -> None:
    # Rapoport's hero: the natural action is called cooperating there and defecting here.
    payoffs = {"reward": 2, "sucker": 4, "temptation": 3, "punishment": 1}
    change(project / "scenarios" / "games" / "stag_hunt.yaml", family="hero", payoffs=payoffs)
    with pytest.raises(InputError, match="the order of hero if cooperating is called defecting and the other way"):
        load_game(Path("scenarios"), "stag_hunt")


@pytest.mark.parametrize(
    ("family", "message"),
    [
        ("chicken", r"unknown family; here it is called snowdrift; allowed: .*snowdrift, .*other \(got 'chicken'\)"),
        ("Hawk dove", r"here it is called snowdrift"),
        ("leader", r"here it is called battle"),
        ("concord", r"here it is called prisoners_delight"),
        ("ultimatum", r"unknown family; allowed: prisoners_dilemma, .*, other \(got 'ultimatum'\)"),
    ],
)
def test_unknown_family_names_the_known_ones(project: Path, family: str, message: str) -> None:
    change(project / "scenarios" / "games" / "snowdrift.yaml", family=family)
    with pytest.raises(InputError, match=rf"snowdrift\.yaml: family: .*{message}"):
        load_game(Path("scenarios"), "snowdrift")


def test_no_name_of_a_family_is_that_of_another() -> None:
    names = [*FAMILIES, *(name for family in FAMILIES.values() for name in family.also)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("points", ["many", float("inf"), None])
def test_payoff_that_is_no_finite_number_is_refused(project: Path, points: object) -> None:
    payoffs = {"reward": 10, "sucker": 2, "temptation": points, "punishment": 3}
    change(project / "scenarios" / "games" / "stag_hunt.yaml", payoffs=payoffs)
    with pytest.raises(InputError, match=r"stag_hunt\.yaml: payoffs\.temptation: "):
        load_game(Path("scenarios"), "stag_hunt")


@pytest.mark.parametrize("field", [name for name, field in Context.model_fields.items() if field.is_required()])
def test_context_without_a_needed_field_names_file_and_field(project: Path, field: str) -> None:
    change(project / "scenarios" / "contexts" / "team.yaml", **{field: None})
    with pytest.raises(InputError) as error:
        load_context(read_wording(Path("scenarios"), "english"), "team")
    assert str(error.value) == f"scenarios/contexts/team.yaml: {field}: missing; it must be given"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_context_with_an_empty_field_is_refused(project: Path, text: str) -> None:
    change(project / "scenarios" / "contexts" / "team.yaml", once=text)
    with pytest.raises(InputError, match=r"team\.yaml: once: String should"):
        load_context(read_wording(Path("scenarios"), "english"), "team")


def test_context_that_names_no_coplayer_is_refused(project: Path) -> None:
    change(project / "scenarios" / "contexts" / "team.yaml", independence="You are asked in separate rooms.")
    with pytest.raises(InputError, match=r"team\.yaml: independence: the other person must be called the 'coplayer'"):
        load_context(read_wording(Path("scenarios"), "english"), "team")


def test_unknown_game_and_context_list_what_there_is() -> None:
    with pytest.raises(InputError, match=r"stag_hnt\.yaml: no such file\. .* has: .*snowdrift\.yaml, stag_hunt\.yaml"):
        load_game(SCENARIOS, "stag_hnt")
    with pytest.raises(InputError, match=r"sport\.yaml: no such file\. .* has: .*sports\.yaml, team\.yaml"):
        load_context(ENGLISH, "sport")


@pytest.mark.parametrize("name", GAMES)
def test_multiplied_payoffs_keep_their_ordering(name: str) -> None:
    game = load_game(SCENARIOS, name)
    doubled = game.payoffs.times(2)
    assert doubled.model_dump() == {key: 2 * points for key, points in game.payoffs.model_dump().items()}
    assert validate(Game, {"title": "t", "family": game.family, "payoffs": doubled.model_dump()}, "f")


def test_the_neutral_context_tells_of_nobody_and_of_nothing_but_points() -> None:
    for language, relations in (("english", "friend colleague neighbour"), ("german", "Freund Kollege Nachbar")):
        neutral = load_context(read_wording(SCENARIOS, language), "neutral")
        told = " ".join(sentences(neutral))
        assert neutral.relation is None
        assert 40 <= len(told.split()) <= 60
        assert not [relation for relation in relations.split() if relation in told]
