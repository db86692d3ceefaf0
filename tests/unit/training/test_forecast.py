"""What is missing is what would be asked: counted against the store, which is left as it is."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from project import PRICED
from reduced import REDUCED
from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.origins import merged_config, read_experiment
from tomtransfer.experiment.store import Store
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.answers import Spent
from tomtransfer.models.costs import AROUND, Range, tokens_of
from tomtransfer.models.registry import read_registry, revision
from tomtransfer.report.holdings import forecast_page
from tomtransfer.respondents.asking import ask_student, ask_teacher
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.respondents.opening import respondent_from
from tomtransfer.respondents.spending import Ledger, spent_folder
from tomtransfer.scenarios.kinds import write_game
from tomtransfer.training import forecast as module
from tomtransfer.training.forecast import Forecast, forecast

PAIR = {"student": {"base": "planted-teacher", "tuned": "planted-teacher"}}
STAGES = ("choices", "motivations", "amounts", "answers", "comprehension")


def experiment_of(**changes: object) -> Experiment:
    return read_experiment({**REDUCED, **changes}, [])


def foretold(experiment: Experiment) -> Forecast:
    return forecast(experiment, read_registry(Path("models.yaml")))


def ask_for_real(experiment: Experiment, role: str) -> None:
    """Ask a planted respondent everything, as the workflow does."""
    name, settings = experiment.respondents[role], experiment.teacher if role == "teacher" else experiment.student
    source = read_registry(Path("models.yaml"))[name]
    respondent = respondent_from(
        source,
        Path(name),
        model_revision=revision(name, source),
        quantization=settings.quantization,
        temperature=experiment.temperature,
        stage_revision=1,
        device="cpu",
        tokens_per_batch=1,
    )
    files = [Path(f"{game}.json") for game in experiment.every_game]
    for game, file in zip(experiment.every_game, files, strict=True):
        write_game(experiment, game, file)
    asking = ask_teacher(experiment) if role == "teacher" else ask_student(experiment)
    store = Store(Path(experiment.paths.store))
    Elicitation(respondent, asking, store).tables(files, {stage: Path(f"{role}.{stage}.parquet") for stage in STAGES})


def missing(found: Forecast, role: str) -> dict[str, tuple[int, int]]:
    return {each.stage: (each.missing, each.rows) for each in found.stages if each.role == role}


def test_nothing_is_held_at_first_and_everything_after_it_was_asked(project):
    experiment = experiment_of(**PAIR)
    found = missing(foretold(experiment), "teacher")
    # Two games in three contexts and two frames; answers to the scored frame and to the donation; no motivations.
    assert found["choices"] == (12, 12)
    assert found["answers"] == (2 * (6 + 1), 2 * (6 + 1))
    assert "motivations" not in found
    assert not Path(experiment.paths.store).exists()
    ask_for_real(experiment, "teacher")
    held = sorted(Path(experiment.paths.store).rglob("*"))
    again = foretold(experiment)
    assert missing(again, "teacher") == {stage: (0, rows) for stage, (_, rows) in found.items()}
    # The student's precision is another, so that its rows are others.
    assert missing(again, "base")["choices"] == (12, 12)
    assert sorted(Path(experiment.paths.store).rglob("*")) == held


def test_an_edit_is_missing_where_it_reaches_and_more_answers_are_the_additional_ones(project):
    ask_for_real(experiment_of(**PAIR), "teacher")
    template = project / "scenarios/contexts/team.yaml"
    template.write_text(template.read_text().replace("have both just been", "were both"))
    assert missing(foretold(experiment_of(**PAIR)), "teacher")["choices"] == (2 * 2, 12)
    more = experiment_of(**PAIR, sampling={"answers": 5})
    assert missing(foretold(more), "teacher")["answers"] == (3 * 7 + 2 * 2, 5 * 7)


def test_tokens_are_ranges_between_one_reading_and_one_per_answer(project):
    experiment = experiment_of(teacher={**REDUCED["teacher"], "model": "random-teacher"}, student=None)
    write_game(experiment, "stag_hunt", Path("stag_hunt.json"))
    [answers] = [each for each in foretold(experiment).stages if each.stage == "answers"]
    assert (answers.prompts, answers.requests.low, answers.requests.high) == (7, 7, 14)
    assert (answers.tokens.answer.low, answers.tokens.answer.high) == (14, 14 * experiment.sampling.answer_tokens)
    assert answers.tokens.prompt.low * 5 < answers.tokens.prompt.high
    assert tokens_of("ab" * 5) == Range(2, 5)
    assert AROUND > 0


def test_a_server_is_counted_as_it_is_asked_and_is_not_asked_for_it(project):
    """Nobody answers at its address. A choice takes a request for its first token and more for what may follow."""
    (project / "models.yaml").write_text((project / "models.yaml").read_text() + PRICED)
    found = foretold(experiment_of(teacher={**REDUCED["teacher"], "model": "hosted"}, student=None))
    choices = next(each for each in found.stages if each.stage == "choices")
    assert choices.missing == choices.rows
    assert choices.requests.low == choices.rows
    assert choices.requests.high > 10 * choices.rows
    assert choices.tokens.prompt.high > 10 * choices.tokens.prompt.low
    assert 0 < found.costs["hosted"].low < found.costs["hosted"].high


def test_what_was_spent_on_a_server_is_taken_off_its_budget(project):
    (project / "models.yaml").write_text(
        (project / "models.yaml").read_text() + f"{PRICED}  budget: {{requests: 100000}}\n"
    )
    experiment = experiment_of(teacher={**REDUCED["teacher"], "model": "hosted"}, student=None)
    assert foretold(experiment).costs["hosted"].beyond == ()
    source = read_registry(project / "models.yaml")["hosted"]
    place = spent_folder(Path(experiment.paths.store), "hosted", revision("hosted", source))
    ledger = Ledger("hosted", source.budget, source.prices, place)
    ledger.spend(Spent(requests=99_999))
    assert foretold(experiment).costs["hosted"].beyond == (
        "its budget of 100,000 requests, of which 99,999 are spent, does not reach",
    )


def test_policies_and_tables_cost_nothing(project):
    recorded = {"teacher": {"model": "published-llama-2-70b"}, "choices": "exact", "comprehension": []}
    found = foretold(experiment_of(**PAIR, **recorded, frames={"canonical": {}}))
    assert {(each.requests.high, each.tokens.both.high) for each in found.stages} == {(0, 0)}
    assert missing(found, "teacher")["choices"] == (6, 6)
    assert found.costs == {}


def test_the_page_says_it_in_words_with_prices(project, monkeypatch):
    experiment = experiment_of(teacher={**REDUCED["teacher"], "model": "random-teacher"}, student=None)
    page = forecast_page(foretold(experiment))
    assert "| teacher: random-teacher | choices" in " ".join(page.split())
    assert "rows are missing" in page
    terms = SimpleNamespace(
        prices=SimpleNamespace(prompt=1000.0, answer=0.0, currency="USD"), budget=SimpleNamespace(requests=1)
    )
    monkeypatch.setattr(module, "cost", lambda entry, *what: real_cost(terms, *what))
    assert "its budget of 1 requests does not reach" in forecast_page(foretold(experiment))


real_cost = module.cost


def test_files_are_laid_over_each_other_as_snakemake_does(project):
    Path("mine.yaml").write_text("student: null\nteacher: {seed: 7}\ncomprehension: []\n")
    merged = merged_config([Path("config.yaml"), Path("mine.yaml")])
    assert merged["student"] is None
    assert merged["teacher"] == {"model": "qwen2.5-coder-0.5b-instruct", "seed": 7}
    assert merged["comprehension"] == []
    assert merged["games"] == yaml.safe_load(Path("config.yaml").read_text())["games"]
    with pytest.raises(Exception, match=r"nowhere\.yaml: no such file"):
        merged_config([Path("nowhere.yaml")])


def test_values_are_laid_over_the_files_as_those_of_snakemake_are(project):
    given = ["temperature=1.5", "training={epochs: 4, lora: {rank: 2}}", "training={lora: {alpha: 1}}", "student="]
    merged = merged_config([Path("config.yaml")], given)
    assert (merged["temperature"], merged["student"]) == (1.5, None)
    assert merged["training"] == {"epochs": 4, "lora": {"rank": 2, "alpha": 1}}


@pytest.mark.parametrize("value", ["temperature", "=1", "a.b=1", "training={epochs", "games=[a"])
def test_a_value_that_is_none_is_named_with_what_is_expected(project, value):
    with pytest.raises(InputError, match=re.escape(f"--config {value}: expected KEY=VALUE, such as temperature=1")):
        merged_config([Path("config.yaml")], [value])
