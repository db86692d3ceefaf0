"""Prompts: what they say, word for word, what their hash depends on, and what a template may not do."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from scenarios_of import scenarios
from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.families import FAMILIES
from tomtransfer.scenarios.kinds import game_facts
from tomtransfer.scenarios.questions import Prompt, prompts_hash, read_prompts, write_prompts
from tomtransfer.scenarios.rendering import render_scenario

Read = Callable[..., Experiment]

GOLDEN = Path(__file__).parent / "golden"
FRAMES = {"canonical": {}, "swapped": {"cooperate": "D", "defect": "C", "first": "defect"}}
BOTH_QUESTIONS = {"student": {"question": "answer_only"}}


@pytest.fixture
def read(project: Path, read: Read) -> Read:
    """Read the default experiment without its frames: the canonical one is there, and those that a test gives."""
    config = yaml.safe_load((project / "config.yaml").read_text())
    (project / "config.yaml").write_text(yaml.safe_dump({**config, "frames": {"canonical": {}}}))
    return read


def all_prompts(experiment: Experiment) -> list[Prompt]:
    places = dict.fromkeys(
        (scenario.game, scenario.context) for scenario in scenarios(experiment) if scenario.split != "new_game"
    )
    return [prompt for place in places for prompt in render_scenario(experiment, *place)]


def hashes(experiment: Experiment) -> dict[str, str]:
    """The hash of the prompts of every scenario, by game and context."""
    return {
        f"{game}/{context}": prompts_hash(render_scenario(experiment, game, context))
        for game in experiment.games
        for context in experiment.contexts
    }


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    assert before.keys() == after.keys()
    return {place for place in before if before[place] != after[place]}


@pytest.mark.parametrize(
    "place",
    [
        "in_sample.prisoners_dilemma.international_relations.canonical.answer_first",
        "in_sample.stag_hunt.team.canonical.answer_only",
        "in_sample.snowdrift.friend_sharing.swapped.answer_first",
        "new_contexts.prisoners_delight.sports.canonical.answer_first",
        "doubled_payoffs.snowdrift.environment.canonical.answer_first",
    ],
)
def test_rendered_prompt_is_the_golden_one(read: Read, place: str) -> None:
    split, game, context, frame, question = place.split(".")
    experiment = read(frames=FRAMES, **BOTH_QUESTIONS)
    [prompt] = [
        prompt
        for prompt in render_scenario(experiment, game, context)
        if (prompt.split, prompt.frame, prompt.question) == (split, frame, question)
    ]
    golden = (GOLDEN / f"{place}.txt").read_text(encoding="utf-8")
    assert f"[system]\n{prompt.system}\n\n[user]\n{prompt.user}\n" == golden


def test_every_prompt_is_there_once_per_frame_and_question(read: Read) -> None:
    prompts = all_prompts(read(frames=FRAMES, **BOTH_QUESTIONS))
    places = {(prompt.split, prompt.game, prompt.context, prompt.frame, prompt.question) for prompt in prompts}
    assert len(places) == len(prompts) == 52 * 2 * 2
    assert len({prompt.sha256 for prompt in prompts}) == len(prompts)


def test_questions_that_are_the_same_are_asked_once(read: Read) -> None:
    assert len(all_prompts(read())) == 52


def test_doubled_payoffs_are_derived_from_no_file_of_their_own(project: Path, read: Read) -> None:
    prompts = all_prompts(read())
    plain = {(prompt.game, prompt.context): prompt for prompt in prompts if prompt.split == "in_sample"}
    doubled = [prompt for prompt in prompts if prompt.split == "doubled_payoffs"]
    assert len(doubled) == len(plain) == 20
    for prompt in doubled:
        origin = plain[prompt.game, prompt.context]
        assert prompt.payoffs == {name: 2 * points for name, points in origin.payoffs.items()}
        assert prompt.system == origin.system
    others = {"donation", "plane", "small_plane"}
    assert {file.stem for file in (project / "scenarios" / "games").iterdir()} == {*read().games, *others}


def test_prompts_of_a_context_share_their_beginning(read: Read) -> None:
    prompts = all_prompts(read(frames=FRAMES, **BOTH_QUESTIONS))
    assert len({prompt.system for prompt in prompts}) == len({prompt.context for prompt in prompts}) == 8


def test_payoffs_are_written_out_in_full(project: Path, read: Read) -> None:
    edit_game(project, reward=5_000_001, temptation=10_000_000, punishment=3.5, sucker=0.1)
    [prompt] = render_scenario(read(splits={"doubled_payoffs": {"payoff_factor": 3}}), "prisoners_dilemma", "sports")
    assert "each of you earns 5000001 points" in prompt.user
    assert "you earn 0.1 points and your coplayer earns 10000000 points" in prompt.user
    assert "each of you earns 3.5 points" in prompt.user


def test_labels_that_are_phrases_stand_in_every_sentence_as_they_are(read: Read) -> None:
    frame = {"cooperate": "the stag", "defect": "合作 2"}
    [prompt] = render_scenario(read(frames={"canonical": frame}), "stag_hunt", "sports")
    assert (prompt.cooperate, prompt.defect) == ("the stag", "合作 2")
    for sentence in (
        "the same two options, called the stag and 合作 2.",
        "If both of you choose the stag, each of you earns 10 points.",
        "If you choose the stag and your coplayer chooses 合作 2, you earn 2 points and your coplayer earns 5 points.",
        "Answer with the stag or 合作 2 on the first line",
    ):
        assert sentence in prompt.user


@pytest.mark.parametrize("family", FAMILIES)
def test_a_game_of_every_family_is_a_file_and_a_name(project: Path, read: Read, family: str) -> None:
    payoffs = dict(zip(FAMILIES[family].order, (5, 4, 3, 2), strict=True))
    content = {"title": "Mine", "family": family, "payoffs": payoffs}
    (project / "scenarios" / "games" / "mine.yaml").write_text(yaml.safe_dump(content))
    experiment = read(games=["mine"])
    assert f"each of you earns {payoffs['reward']} points." in render_scenario(experiment, "mine", "sports")[0].user
    assert game_facts(experiment, "mine")["solution"]["families"] == (family,)


def edit_game(project: Path, **payoffs: float) -> None:
    file = project / "scenarios" / "games" / "prisoners_dilemma.yaml"
    content = yaml.safe_load(file.read_text())
    content["payoffs"] |= payoffs
    file.write_text(yaml.safe_dump(content))


def test_hash_stays_when_a_template_gets_a_comment(project: Path, read: Read) -> None:
    before = hashes(read())
    for name in ("system.j2", "user.j2"):
        template = project / "scenarios" / "prompts" / "english" / "two_actions" / name
        template.write_text("{#- a remark -#}\n" + template.read_text())
    assert not changed(before, hashes(read()))


def test_hash_stays_when_yaml_is_laid_out_anew(project: Path, read: Read) -> None:
    before = hashes(read())
    for file in (project / "scenarios").glob("*/*.yaml"):
        file.write_text("# a remark\n" + yaml.safe_dump(yaml.safe_load(file.read_text())))
    assert not changed(before, hashes(read()))


def test_payoff_changes_the_hashes_of_its_game_alone(project: Path, read: Read) -> None:
    before = hashes(read())
    edit_game(project, reward=6)
    after = changed(before, hashes(read()))
    assert after == {f"prisoners_dilemma/{context}" for context in read().contexts}


def test_wording_of_a_context_changes_the_hashes_of_that_context_alone(project: Path, read: Read) -> None:
    before = hashes(read())
    file = project / "scenarios" / "contexts" / "sports.yaml"
    file.write_text(file.read_text().replace("distance runner", "marathon runner"))
    after = changed(before, hashes(read()))
    assert after == {f"{game}/sports" for game in read().games}


def test_wording_of_a_template_changes_every_hash(project: Path, read: Read) -> None:
    before = hashes(read())
    template = project / "scenarios" / "prompts" / "english" / "two_actions" / "user.j2"
    template.write_text(template.read_text().replace("have the same", "have the very same"))
    assert changed(before, hashes(read())) == before.keys()


@pytest.mark.parametrize("frame", [{"cooperate": "A"}, {"defect": "B"}, {"first": "defect"}])
def test_label_or_order_changes_every_hash(read: Read, frame: dict[str, str]) -> None:
    assert changed(hashes(read()), hashes(read(frames={"canonical": frame}))) == hashes(read()).keys()


def test_hash_of_a_prompt_tells_which_label_cooperates(read: Read) -> None:
    # A wording that names no payoff: the text is the same, and yet the answer C means something else.
    [plain] = render_scenario(read(), "stag_hunt", "sports")
    template = Path("scenarios/prompts/english/two_actions/user.j2")
    template.write_text("C or D?")
    [one] = render_scenario(read(), "stag_hunt", "sports")
    [other] = render_scenario(read(frames={"canonical": {"cooperate": "D", "defect": "C"}}), "stag_hunt", "sports")
    assert (one.system, one.user) == (other.system, other.user)
    assert len({plain.sha256, one.sha256, other.sha256}) == 3


def test_written_prompts_are_read_back(tmp_path: Path, read: Read) -> None:
    prompts = render_scenario(read(frames=FRAMES, **BOTH_QUESTIONS), "stag_hunt", "team")
    write_prompts(prompts, tmp_path / "team.json")
    assert read_prompts([tmp_path / "team.json"]) == prompts
    alone = read_prompts([tmp_path / "team.json"], "answer_only")
    assert alone == [prompt for prompt in prompts if prompt.question == "answer_only"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ contxt.you }}", "'contxt' is undefined"),
        ("{{ context.yuo }}", "has no attribute 'yuo'"),
        ("{{ options[2] }}", "has no element 2"),
        ("{% if %}", "Expected an expression"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ range(1000000000) | list }}", "at most 20000 is allowed"),
        ("{# nothing #}", "renders to nothing"),
        # What would reach out of the sandbox.
        ("{{ ''.__class__.__mro__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ outcomes[0].__init__.__globals__ }}", "access to attribute '__init__' of 'Outcome' object is unsafe"),
        ("{{ '{0.__class__.__mro__}'.format('') }}", "format is not allowed in a template"),
        ("{% include '/etc/passwd' %}", "there is no template /etc/passwd"),
        ("{% include 'other.j2' %}", "there is no template other.j2"),
        ("{% import 'other.j2' as other %}", "there is no template other.j2"),
        ("{% include 'user.j2' %}", "maximum recursion depth"),
        # What would change the variables behind the back of the next template.
        ("{{ context.update({'you': 'x'}) }}", "access to attribute 'update' of 'dict' object is unsafe"),
        ("{{ context.pop('you') }}", "access to attribute 'pop' of 'dict' object is unsafe"),
        ("{{ outcomes.clear() }}", "access to attribute 'clear' of 'list' object is unsafe"),
        ("{{ outcomes.append(1) }}", "access to attribute 'append' of 'list' object is unsafe"),
        ("{% set context.you = 'x' %}", "cannot assign attribute on non-namespace object"),
    ],
)
def test_template_that_is_wrong_or_reaches_out_is_refused(
    project: Path, read: Read, template: str, message: str
) -> None:
    (project / "scenarios" / "prompts" / "english" / "two_actions" / "other.j2").write_text(
        "beside the templates, and still out of reach"
    )
    (project / "scenarios" / "prompts" / "english" / "two_actions" / "user.j2").write_text(template)
    with pytest.raises(InputError) as error:
        render_scenario(read(), "stag_hunt", "team")
    assert str(error.value).startswith("scenarios/prompts/english/two_actions/user.j2")
    assert message in str(error.value)


def test_mistake_in_a_template_says_what_a_template_may_use(project: Path, read: Read) -> None:
    (project / "scenarios" / "prompts" / "english" / "two_actions" / "user.j2").write_text("one line\n{{ payoffs }")
    with pytest.raises(InputError) as error:
        render_scenario(read(), "stag_hunt", "team")
    assert str(error.value) == (
        "scenarios/prompts/english/two_actions/user.j2:2: unexpected '}'. "
        "A template may use: context, options, outcomes, question, asked, words, system.j2, user.j2"
    )


def test_missing_template_is_named(project: Path, read: Read) -> None:
    (project / "scenarios" / "prompts" / "english" / "two_actions" / "system.j2").unlink()
    with pytest.raises(
        InputError,
        match=r"^scenarios/prompts/english/two_actions/system\.j2: no such file.* system\.j2 and user\.j2 are needed",
    ):
        render_scenario(read(), "stag_hunt", "team")


def test_mistake_in_a_game_is_told_when_its_prompts_are_rendered(project: Path, read: Read) -> None:
    edit_game(project, reward=1)
    with pytest.raises(InputError, match=r"^scenarios/games/prisoners_dilemma\.yaml: .* must satisfy temptation >"):
        render_scenario(read(), "prisoners_dilemma", "team")
