"""A model behind llama.cpp and the same weights in the workflow's own engine: the same answers, but for arithmetic."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from llama_server import VOCABULARY, Relay, fetched, llama_server
from loopback import loopback
from project import ROOT
from tomtransfer.experiment.origins import read_experiment
from tomtransfer.experiment.reading import read_yaml
from tomtransfer.models.registry import Endpoint
from tomtransfer.respondents.asking import Questions, ask_teacher, read_questions_of
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.respondents.parsing import parse_label
from tomtransfer.respondents.protocol import Drawn, Reasons
from tomtransfer.respondents.served import ServedRespondent
from tomtransfer.scenarios.kinds import write_game

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

MODEL = "smollm2-135m-instruct"
IDENTITY = {
    "model": MODEL,
    "model_revision": "1",
    "quantization": "as_stored",
    "adapter": "",
    "temperature": 0.8,
    "stage_revision": 1,
}
LARGEST_DIFFERENCE, MEAN_DIFFERENCE = 0.1, 0.03
"""Of rates: llama.cpp multiplies what it has rounded to 8 bits, the engine does not round."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with llama_server(fetched(MODEL)[1]) as url:
        yield url


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Questions:
    """Every scenario of the default experiment in the scored frame, its amounts, its questions about the payoffs."""
    folder = tmp_path_factory.mktemp("prompts")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        experiment = read_experiment(read_yaml(Path("config.yaml")), [])
        files = [folder / f"{game}.json" for game in experiment.every_game]
        for file in files:
            write_game(experiment, file.stem, file)
    found = read_questions_of(files, ask_teacher(experiment))
    scored = [prompt for prompt in found.chosen if prompt.frame == experiment.scored_frame]
    assert len(scored) == 52
    return Questions(scored, found.reasoned, found.drawn, found.amounts, found.comprehension)


@pytest.fixture(scope="module")
def engine() -> LocalModel:
    settings: dict[str, Any] = {"device": "cpu", "tokens_per_batch": 8_000, "temperature": 0.8, "stage_revision": 1}
    return LocalModel(fetched(MODEL)[0], "1", "as_stored", **settings)


def served(url: str, **changes: Any) -> ServedRespondent:
    entry = {"base_url": url, "model": "served", "revision": "1", "concurrency": 4, "timeout": 600.0, **changes}
    return ServedRespondent(Endpoint(source="endpoint", **entry), IDENTITY, {})


@pytest.fixture(scope="module")
def server(address: str) -> ServedRespondent:
    return served(address)


def test_the_server_is_known_for_what_it_is(server):
    found = server.abilities
    assert (found.server, found.logprobs, found.vocabulary) == ("llama.cpp", 1000, VOCABULARY)
    assert found.before_temperature
    assert found.continuing
    assert found.keeps_line
    assert found.neutral["samplers"] == ["temperature"]


def test_choices_of_all_scenarios_are_those_of_the_engine(server, engine, asked, record_property):
    own = engine.choose(asked.chosen, 1)
    found = server.choose(asked.chosen, 1)
    rates = np.array([[each.cooperate / (each.cooperate + each.defect) for each in one] for one in (own, found)])
    others = np.array([[each.other for each in one] for one in (own, found)])
    unseen = np.array([each.unseen for each in found])
    apart, requests = np.abs(rates[0] - rates[1]), sum(each.spent.requests for each in found)
    said = (
        f"52 scenarios: rates differ by {apart.max():.4f} at most, {apart.mean():.4f} on average (r = "
        f"{np.corrcoef(rates)[0, 1]:.4f}); other by {np.abs(others[0] - others[1]).max():.4f} at most; unseen "
        f"{unseen.max():.4f} at most, {unseen.mean():.4f} on average; {requests} requests"
    )
    record_property("choices", said)
    print(said)
    assert apart.max() < LARGEST_DIFFERENCE
    assert apart.mean() < MEAN_DIFFERENCE


def test_bounds_hold_against_the_whole_vocabulary_before_and_after_temperature(address, asked):
    prompts = asked.chosen[::26]
    whole = served(address, top_logprobs=VOCABULARY)
    exact = whole.choose(prompts, 1)
    assert whole.abilities.whole_vocabulary
    bounded = {"before": served(address, top_logprobs=20).choose(prompts, 1)}
    with loopback(Relay(to=address, before_temperature=False)) as relay:
        after = served(relay.url, top_logprobs=20)
        bounded["after"] = after.choose(prompts, 1)
        assert not after.abilities.before_temperature
    for name, found in bounded.items():
        for true, seen in zip(exact, found, strict=True):
            print(name, true, seen)
            for part in ("cooperate", "defect"):
                assert getattr(seen, part) <= getattr(true, part) + true.unseen + 1e-4
                assert getattr(true, part) <= getattr(seen, part) + seen.unseen + 1e-4
            assert seen.other - seen.unseen <= true.other + 1e-4


def test_answers_are_drawn_as_the_probabilities_say(server, asked):
    prompt = asked.chosen[0]
    exact = server.choose([prompt], 1)[0]
    draws = [Drawn(prompt, f"{number:x}") for number in range(1, 201)]
    asking = type("Asking", (), {"longest": 6})()
    texts = server.draw(draws, asking)
    read = [parse_label(each.text, prompt.labels, prompt.question).choice for each in texts]
    for label, probability in ((prompt.cooperate, exact.cooperate), (prompt.defect, exact.defect)):
        count = read.count(label)
        print(label, count, probability)
        low, high = probability, min(1.0, probability + exact.unseen)
        expected = min(max(count / 200, low), high)
        assert binomtest(count, 200, expected).pvalue > 1e-3
    assert {each.text for each in server.draw(draws[:3], asking)} <= {each.text for each in texts}


def test_reasons_follow_each_choice(server, asked):
    prompts = asked.reasoned[:3]
    wanted = [
        Reasons(prompt, choice, f"{n}ab") for n, prompt in enumerate(prompts) for choice in ("cooperate", "defect")
    ]
    found = server.motivate(wanted, 24)
    assert all(each.spent.requests == 1 for each in found)
    assert not [each.text for each in found if each.text.startswith(("C\n", "D\n"))]
    words = [len(each.text.split()) for each in found]
    print([each.text for each in found])
    assert np.mean(words) > 4


def test_amounts_and_questions_are_those_of_the_engine(server, engine, asked):
    queries = [*asked.amounts, *asked.comprehension[:6]]
    for query, own, found in zip(queries, engine.read(queries), server.read(queries), strict=True):
        apart = np.abs(np.array(own.candidates) - np.array(found.candidates))
        print(query.game, query.context, apart.max(), own.other, found.other, found.unseen, found.spent)
        assert apart.max() < LARGEST_DIFFERENCE + found.unseen
