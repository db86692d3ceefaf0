"""The planted teacher: its policy is what its formula says, and it answers without a model."""

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from made import ASKING, local_model, make_prompt

from tomtransfer.experiment.store import Store
from tomtransfer.experiment.tables import read_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.fetching import fetch
from tomtransfer.models.registry import Planted, check_social_weights, find_student, read_registry, revision
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.respondents.opening import open_respondent
from tomtransfer.respondents.planted import cooperation_log_odds, planted_rates, planted_reading, planted_reasons
from tomtransfer.scenarios.questions import Query, write_prompts

ROOT = Path(__file__).parents[3]
PAYOFFS = {"reward": 5.0, "sucker": 2.0, "temptation": 10.0, "punishment": 3.0}


def policy(**changes) -> Planted:
    return Planted(**{"source": "planted", "rationality": 0.4, "social_weights": {"team": 0.5}, **changes})


def prompt(context: str = "team", labels: tuple[str, str] = ("C", "D")):
    cooperate, defect = labels
    return replace(
        make_prompt(context), split="in_sample", payoffs=PAYOFFS, cooperate=cooperate, defect=defect, sha256=context
    )


def test_log_odds_are_the_logit_quantal_response_worked_out_by_hand() -> None:
    # Cooperating earns 3.5 for oneself and 7.5 for the coplayer, defecting 6.5 and 2.5.
    assert cooperation_log_odds(prompt(), policy()) == pytest.approx(0.4 * (-3 + 0.5 * 5))
    assert cooperation_log_odds(prompt(), policy(belief=1)) == pytest.approx(0.4 * ((5 - 10) + 0.5 * (5 - 2)))
    assert cooperation_log_odds(prompt(), policy(belief=0)) == pytest.approx(0.4 * ((2 - 3) + 0.5 * (10 - 3)))
    assert planted_rates([prompt()], policy()) == pytest.approx([1 / (1 + math.exp(0.2))])


def test_no_rationality_is_a_coin_and_labels_change_nothing() -> None:
    assert planted_rates([prompt()], policy(rationality=0)) == [0.5]
    assert planted_rates([prompt(labels=("D", "C"))], policy()) == planted_rates([prompt()], policy())


def test_reasons_name_the_label_that_was_chosen_and_what_it_earns() -> None:
    assert planted_reasons(prompt(labels=("X", "Y")), "defect", policy()).endswith(
        "On average Y earns me 6.5 points and my coplayer 2.5; X earns me 3.5 and my coplayer 7.5."
    )


def test_a_liking_for_a_label_is_added_to_what_payoffs_are_worth_and_follows_the_label() -> None:
    both, letters = policy(labels={"C": 1.5, "D": 0.5}), policy(labels={"C": 1.5, "D": 0.5}, rationality=0)
    assert cooperation_log_odds(prompt(), both) == pytest.approx(cooperation_log_odds(prompt(), policy()) + 1)
    assert cooperation_log_odds(prompt(labels=("D", "C")), both) == pytest.approx(-0.2 - 1)
    assert cooperation_log_odds(prompt(), letters) == -cooperation_log_odds(prompt(labels=("D", "C")), letters) == 1
    assert cooperation_log_odds(prompt(labels=("X", "Y")), letters) == 0


def test_reasons_name_the_liking_that_is_weighed_and_payoffs_only_where_they_are() -> None:
    liking = "What an option is called counts for me, whatever it stands for: I like C better than D."
    letters = policy(labels={"C": 1}, rationality=0)
    for labels in (("C", "D"), ("D", "C")):
        assert planted_reasons(prompt(labels=labels), "defect", letters) == liking
    payoffs = planted_reasons(prompt(), "defect", policy())
    assert planted_reasons(prompt(), "defect", policy(labels={"C": 1})) == f"{payoffs} {liking}"


def test_a_context_without_a_social_weight_is_named() -> None:
    with pytest.raises(InputError, match=r"no social_weights\.sports; it has team"):
        planted_rates([prompt("sports")], policy())


def planted(folder: Path, source: Planted):
    """The planted teacher, fetched and opened as a workflow does it."""
    fetch("planted", source, folder / "planted")
    settings = {"quantization": "none", "temperature": 0.8, "stage_revision": 1, "device": "cpu"}
    return open_respondent(
        folder / "planted", model_revision=revision("planted", source), tokens_per_batch=1000, **settings
    )


def test_answers_come_from_the_policy_and_a_changed_policy_is_another_revision(tmp_path: Path) -> None:
    teacher = Elicitation(planted(tmp_path, policy()), ASKING, Store(tmp_path / "store"))
    teacher.choices(tmp_path / "choices.parquet", [prompt()])
    replace(teacher, asking=replace(ASKING, motivations={prompt().frame: 2})).motivations(
        tmp_path / "reasons.parquet", [prompt()]
    )
    row = read_table(tmp_path / "choices.parquet").row(0, named=True)
    assert row["cooperate"] == planted_rates([prompt()], policy())[0]
    assert (row["cooperate"] + row["defect"], row["other"]) == (1, 0)
    reasons = read_table(tmp_path / "reasons.parquet")
    assert reasons["motivation"].to_list() == [
        planted_reasons(prompt(), choice, policy()) for choice in ("cooperate", "cooperate", "defect", "defect")
    ]
    assert revision("planted", policy(belief=0.4)) != revision("planted", policy())


def test_a_context_that_is_renamed_is_answered_anew(tmp_path: Path) -> None:
    """The policy hangs on the name of a context, which no prompt has in it."""
    teacher = Elicitation(
        planted(tmp_path, policy(social_weights={"team": 0.5, "crew": 0.9})), ASKING, Store(tmp_path / "store")
    )
    before, after = prompt(), replace(prompt(), context="crew")
    teacher.choices(tmp_path / "choices.parquet", [before])
    teacher.choices(tmp_path / "renamed.parquet", [after])
    rates = [read_table(tmp_path / f"{name}.parquet")["cooperate"][0] for name in ("choices", "renamed")]
    assert rates[0] < rates[1]


RICHER = {**PAYOFFS, "reward": 9.0}
FUND = {"endowment": 10.0, "people": 4.0, "multiplier": 2.0}


def fund(context: str = "team", payoffs: dict[str, float] | None = None) -> Query:
    """A prompt for an amount, which says nothing of its context and its payoffs."""
    place = ("new_game", "donation", context, "amount", "answer_first")
    return Query(*place, ("0", "5", "10"), None, payoffs or FUND, "system", "user", "fund")


@pytest.mark.parametrize(
    "other", [replace(prompt(), context="crew"), replace(prompt(), payoffs=RICHER)], ids=["context", "payoffs"]
)
def test_the_key_of_an_answer_hangs_on_context_and_payoffs_which_the_text_need_not_have(tmp_path, other):
    source = policy(social_weights={"team": 0.5, "crew": 0.9})
    teacher = Elicitation(planted(tmp_path, source), ASKING, Store(tmp_path / "store"))
    both = [prompt(), other]
    assert both[0].sha256 == both[1].sha256
    for ask in ("choices", "motivations", "answers"):
        getattr(teacher, ask)(tmp_path / "alone.parquet", both[:1])
        getattr(teacher, ask)(tmp_path / "other.parquet", both[1:])
        alone, changed = (read_table(tmp_path / f"{name}.parquet") for name in ("alone", "other"))
        assert not set(alone["key"]) & set(changed["key"])
        assert not set(alone["computation"]) & set(changed["computation"])
        getattr(teacher, ask)(tmp_path / "both.parquet", both)
        assert read_table(tmp_path / "both.parquet")["key"].to_list() == [*alone["key"], *changed["key"]]
    teacher.choices(tmp_path / "choices.parquet", both)
    assert read_table(tmp_path / "choices.parquet")["cooperate"].to_list() == planted_rates(both, source)


@pytest.mark.parametrize("other", [fund("crew"), fund(payoffs={**FUND, "multiplier": 3.0})], ids=["context", "payoffs"])
def test_the_key_of_an_amount_hangs_on_context_and_payoffs_too(tmp_path, other):
    source = policy(social_weights={"team": 0.0, "crew": 0.2})
    teacher = Elicitation(planted(tmp_path, source), ASKING, Store(tmp_path / "store"))
    teacher.readings(tmp_path / "alone.parquet", [fund()], "amounts")
    teacher.readings(tmp_path / "both.parquet", [other, fund()], "amounts")
    rows = read_table(tmp_path / "both.parquet")
    assert rows["key"].n_unique() == 2
    assert rows.row(1) == read_table(tmp_path / "alone.parquet").row(0)
    assert rows["probabilities"].to_list() == [planted_reading(each, source) for each in (other, fund())]
    assert planted_reading(other, source) != planted_reading(fund(), source)


def test_a_model_gets_the_text_alone_so_that_its_key_hangs_on_nothing_else(tmp_path):
    asked = [prompt(), replace(prompt(), context="crew"), replace(prompt(), payoffs=RICHER)]
    assert [local_model(tmp_path).asked(each) for each in asked] == [{"prompt": "team"}] * 3


def test_everything_that_can_be_asked_is_answered_from_the_policy_and_kept(tmp_path):
    source = policy()
    teacher = Elicitation(planted(tmp_path, source), replace(ASKING, answers=400), Store(tmp_path / "store"))
    right = replace(fund(), right="5", sha256="right")
    write_prompts([prompt()], tmp_path / "stag_hunt.json", comprehension=[right])
    write_prompts([fund()], tmp_path / "donation.json", "amount")
    paths = {
        name: tmp_path / f"{name}.parquet" for name in ("choices", "motivations", "amounts", "answers", "comprehension")
    }
    files = [tmp_path / "stag_hunt.json", tmp_path / "donation.json"]
    teacher.tables(files, paths)
    first = {name: read_table(path) for name, path in paths.items()}
    assert first["amounts"]["probabilities"].to_list() == [planted_reading(fund(), source)]
    assert first["comprehension"]["probabilities"].to_list() == [[0.0, 1.0, 0.0]]
    chosen = first["answers"].filter(game="stag_hunt")["answer"].str.starts_with("C\n").mean()
    # Within four standard errors of 400 draws.
    assert chosen == pytest.approx(planted_rates([prompt()], source)[0], abs=0.1)
    assert set(first["answers"].filter(game="donation")["answer"]) <= {"0", "5", "10"}
    teacher.tables(files, paths)
    assert all(read_table(path).equals(first[name]) for name, path in paths.items())


def test_it_needs_no_torch() -> None:
    code = "import sys, tomtransfer.respondents.opening, tomtransfer.models.fetching; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": str(ROOT / "workflow")})


def test_every_context_of_the_project_has_a_weight_and_no_student_can_be_planted() -> None:
    path = ROOT / "models.yaml"
    registry = read_registry(path)
    planted = registry["planted-teacher"]
    assert isinstance(planted, Planted)
    contexts = {file.stem for file in (ROOT / "scenarios" / "contexts").glob("*.yaml")}
    assert set(planted.social_weights) == contexts
    with pytest.raises(InputError, match="planted-teacher: source: planted: it has no weights to tune"):
        find_student("planted-teacher", registry, path)


def test_contexts_that_the_planted_teacher_has_no_weight_for_are_named_before_it_is_asked() -> None:
    path = ROOT / "models.yaml"
    registry = read_registry(path)
    check_social_weights("planted-teacher", ["team", "village_well"], registry, path)
    check_social_weights("smollm2-135m-instruct", ["choir"], registry, path)
    with pytest.raises(InputError) as error:
        check_social_weights("planted-teacher", ["team", "choir", "abbey"], registry, path)
    assert str(error.value) == (
        f"{path}: planted-teacher: social_weights: missing for contexts that it is asked in: abbey, choir"
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{source: planted}", "m: social_weights: missing"),
        ("{source: planted, social_weights: {}}", "m: social_weights: Mapping should have at least 1 item"),
        ("{source: planted, social_weights: {team: 1}, rationality: -1}", "m: rationality: Input should be greater"),
        ("{source: planted, social_weights: {team: 1}, belief: 2}", "m: belief: Input should be less"),
        ("{source: planted, social_weights: {team: much}}", r"m: social_weights.team: .* \(got 'much'\)"),
    ],
)
def test_an_impossible_policy_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    path = tmp_path / "models.yaml"
    path.write_text(f"m: {entry}\n")
    with pytest.raises(InputError, match=message):
        read_registry(path)
