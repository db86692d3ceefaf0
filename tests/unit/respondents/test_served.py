"""A respondent behind a server: what it is asked, what is made of the answers, and every fault in one sentence."""

import json
import logging
import math
import os
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from made import ASKING, make_prompt

from loopback import Loopback, loopback
from tomtransfer.experiment.framing import Frame
from tomtransfer.experiment.store import Store
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.answers import Spent
from tomtransfer.inference.examination import EXAMINED
from tomtransfer.models.registry import Endpoint
from tomtransfer.respondents import crew
from tomtransfer.respondents.abilities import Abilities
from tomtransfer.respondents.asking import Questions
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.respondents.foreseen import Foreseen
from tomtransfer.respondents.opening import open_respondent
from tomtransfer.respondents.protocol import Drawn, Reasons
from tomtransfer.respondents.served import ServedRespondent
from tomtransfer.respondents.spending import SPENT, Expected, needed_rows, read_spent
from tomtransfer.respondents.walking import at_temperature, read_options
from tomtransfer.scenarios.english import ENGLISH
from tomtransfer.scenarios.questions import Query
from tomtransfer.scenarios.spelling import spellings_of

KEY = "sk-canary-0123456789abcdef"
IDENTITY = {
    "model": "teacher",
    "model_revision": "1" * 64,
    "quantization": "as_stored",
    "adapter": "",
    "temperature": 0.8,
    "stage_revision": 1,
}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    """The pauses between tries are the client's own; here they are short."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)
    monkeypatch.setattr("openai._base_client.MAX_RETRY_DELAY", 0.02)


@pytest.fixture
def here():
    with loopback(Loopback()) as behaviour:
        yield behaviour


def served(behaviour: Loopback, folder=None, chat=None, **changes: Any) -> ServedRespondent:
    source = {"base_url": behaviour.url, "model": "served", "revision": "1", "timeout": 5.0, "concurrency": 4}
    entry = Endpoint(source="endpoint", **{**source, **changes})
    return ServedRespondent(entry, IDENTITY, chat or {}, folder / EXAMINED if folder else None)


def prompts(*contexts: str):
    return [replace(make_prompt(context), sha256=context) for context in contexts]


def gift() -> Query:
    asked = make_prompt("team")
    place = ("new_game", "donation", "well", "amount", "answer_first")
    amounts = tuple(map(str, range(11)))
    return Query(*place, amounts, None, {}, asked.system, asked.user, "abc1", "dollars", asked.phrases)


def true_shares(behaviour: Loopback, prompt, temperature: float) -> dict[bytes, float]:
    messages = [{"content": prompt.system}, {"content": prompt.user}]
    weights = {word: math.exp(value / temperature) for word, value in behaviour.distribution(messages, "").items()}
    return {word: weight / sum(weights.values()) for word, weight in weights.items()}


def test_log_probabilities_are_known_to_be_before_or_after_temperature_and_give_the_same_choices():
    found = []
    for before in (True, False):
        with loopback(Loopback(before_temperature=before)) as behaviour:
            respondent = served(behaviour)
            found.append(respondent.choose(prompts("team", "sports"), 1))
            assert respondent.abilities.before_temperature is before
    for one, other in zip(*found, strict=True):
        assert one.cooperate == pytest.approx(other.cooperate, abs=1e-9)
        assert one.defect == pytest.approx(other.defect, abs=1e-9)
        assert one.cooperate + one.defect + one.other == pytest.approx(1)


def test_what_temperature_does_must_be_one_of_two_things(here, monkeypatch):
    answer = here.answer
    monkeypatch.setattr(here, "answer", lambda body: answer({**body, "temperature": body["temperature"] ** 3}))
    here.before_temperature = False
    with pytest.raises(InputError, match="cannot tell whether its log-probabilities are before or after temperature"):
        served(here).choose(prompts("team"), 1)


@pytest.mark.parametrize("temperature", [0.3, 0.8, 1.0, 1.7])
@pytest.mark.parametrize("shown", [3, 10, 40])
def test_what_is_not_shown_is_bounded(temperature, shown):
    abilities = Abilities("", "", "", shown, True, 60, "", False, False, "max_tokens")
    values = {f"t{place}".encode(): math.exp(-0.35 * place) for place in range(60)}
    total = sum(values.values())
    logprobs = {word: math.log(value / total) for word, value in values.items()}
    weights = {word: math.exp(value / temperature) for word, value in logprobs.items()}
    true = {word: weight / sum(weights.values()) for word, weight in weights.items()}
    found = at_temperature(list(logprobs.items())[:shown], abilities, temperature)
    assert sum(found.shares.values()) + found.unseen == pytest.approx(1)
    assert sum(share for word, share in true.items() if word not in found.shares) <= found.unseen + 1e-12
    for word, share in found.shares.items():
        assert share - 1e-12 <= true[word] <= share + found.unseen + 1e-12


def test_nothing_is_unseen_of_a_whole_vocabulary():
    abilities = Abilities("", "", "", 3, True, 3, "", False, False, "max_tokens")
    found = at_temperature([(b"C", math.log(0.5)), (b"D", math.log(0.3)), (b"x", math.log(0.2))], abilities, 0.5)
    assert found.unseen == 0
    assert found.shares[b"C"] == pytest.approx(0.25 / 0.38)


def test_a_label_is_followed_by_what_ends_it(here):
    prompt = make_prompt("team")
    found = served(here, top_logprobs=20).choose([prompt], 1)[0]
    first = true_shares(here, prompt, 0.8)
    assert 0 < found.cooperate < first[b"C"] + first[b" C"] + first[b"**"] + first[b"\n"]
    assert found.unseen < 0.02
    assert {"C", "D"} <= {body["messages"][-1]["content"] for body in here.bodies if len(body["messages"]) == 3}


def test_without_prefixes_a_label_counts_by_its_first_token(here):
    here.continues = ""
    prompt = make_prompt("team")
    respondent = served(here)
    found = respondent.choose([prompt], 1)[0]
    first = true_shares(here, prompt, 0.8)
    assert respondent.abilities.continuing == ""
    assert found.cooperate == pytest.approx(first[b"C"] + first[b" C"])
    assert found.defect == pytest.approx(first[b"D"])
    assert found.unseen == pytest.approx(first[b"**"] + first[b"\n"])


def test_without_prefixes_a_label_of_several_tokens_is_refused(here):
    here.continues, here.pieces = "", (b"Co", b"De")
    prompt = make_prompt("team", Frame(cooperate="Cooperate", defect="Defect"))
    with pytest.raises(InputError, match=r"option 'Cooperate' takes several tokens \('Co' is the first\).*sampled"):
        served(here).choose([prompt], 1)


@pytest.mark.parametrize("way", ["last message", "continue_final_message"])
def test_reasons_follow_the_label_that_is_given(here, way):
    here.continues = way
    respondent = served(here)
    wanted = [Reasons(make_prompt("team"), choice, "ab12") for choice in ("cooperate", "defect")]
    found = respondent.motivate(wanted, 20)
    assert [each.text for each in found] == ["because we agreed."] * 2
    assert all(each.finished and each.spent.requests == 1 for each in found)
    sent = [body for body in here.bodies if body["messages"][-1]["role"] == "assistant"][-2:]
    assert {body["messages"][-1]["content"] for body in sent} == {"C\n", "D\n"}
    assert all(bool(body.get("continue_final_message")) for body in sent)


def test_a_template_that_strips_the_line_break_lets_the_answer_go_on(here):
    here.keeps_line = False
    respondent = served(here)
    found = respondent.motivate([Reasons(make_prompt("team"), "defect", "ab12")], 20)
    assert respondent.abilities.keeps_line is False
    assert found[0].text == "because we agreed."


def test_without_prefixes_reasons_are_those_of_answers_that_made_the_choice(here):
    here.continues = ""
    wanted = [Reasons(prompts("team")[0], choice, f"{n}ab12") for n in range(3) for choice in ("cooperate", "defect")]
    found = served(here).motivate(wanted, 20)
    assert [each.text for each in found] == ["because we agreed."] * 6
    drawn = [body for body in here.bodies if "seed" in body]
    assert sum(each.spent.requests for each in found) == len(drawn) <= 48


def test_amounts_are_drawn_and_counted_where_they_cannot_be_followed(here, tmp_path):
    here.continues = ""
    respondent = served(here, tmp_path)
    assert respondent.evidence(gift()) == "counted"
    assert respondent.evidence(make_prompt("team")) == "exact"
    found = respondent.read([gift()])[0]
    assert sum(found.candidates) + found.other == 20


def test_sampling_is_that_of_temperature_alone(here):
    here.owner = "llamacpp"
    respondent = served(here)
    respondent.draw([Drawn(make_prompt("team"), "ab12")], ASKING)
    body = here.bodies[-1]
    neutral = {"top_p": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0, "samplers": ["temperature"]}
    assert neutral.items() <= body.items()
    assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.8, 6, 0xAB12)
    assert "samplers" in respondent.abilities.said


def test_variables_of_the_chat_template_are_sent(here):
    served(here, chat={"enable_thinking": False}).draw([Drawn(make_prompt("team"), "ab12")], ASKING)
    assert here.bodies[-1]["chat_template_kwargs"] == {"enable_thinking": False}


def test_no_log_probabilities_are_refused_and_say_what_to_do(here):
    here.logprobs = 0
    respondent = served(here)
    with pytest.raises(InputError, match=r"no log-probabilities.*set choices: sampled"):
        respondent.choose(prompts("team"), 1)
    with pytest.raises(InputError, match="set choices: sampled"):
        respondent.check(Questions(prompts("team"), [], [], [], []), ASKING)
    assert respondent.draw([Drawn(make_prompt("team"), "2")], ASKING)[0].text == "C\nbecause we agreed."


def test_a_server_gives_as_many_log_probabilities_as_it_will(here):
    respondent = served(here, top_logprobs=500)
    assert respondent.abilities.logprobs == 12
    assert [body["top_logprobs"] for body in here.bodies][:1] == [20]


FAULTS = {
    "an unknown model": ({}, {"model": "other"}, r"the server has no model 'other', .*\(404\): The model `other`"),
    "a wrong path": ({}, {"path": "/v2"}, r"the server has no model 'served', or base_url is not where it answers"),
    "asked too much": ({"fault": lambda *_: 429}, {}, r"is asked too much, \d+ times \(429\): fault 429.*concurrency"),
    "broken": ({"fault": lambda *_: 503}, {}, r"the server failed, \d+ times \(503\): fault 503.*run again"),
    "a reset": ({"fault": lambda *_: b""}, {}, r"cannot be reached, or hung up, \d+ times: Server disconnected"),
    "half an answer": (
        {"fault": lambda *_: b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"choices": ['},
        {},
        r"cannot be reached, or hung up, \d+ times: peer closed connection",
    ),
    "half of its JSON": (
        {"fault": lambda *_: b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 13\r\n\r\n{"choices": ['},
        {},
        r"an answer that cannot be read, 4 times: no JSON",
    ),
    "something else": (
        {"fault": lambda *_: b'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 17\r\n\r\n{"error": "busy"}'},
        {},
        r"an answer that cannot be read, 4 times: no completion of a chat: busy",
    ),
    "silence": ({"fault": lambda *_: 3.0}, {"timeout": 0.2}, r"no answer within 0.2 seconds, \d+ times.*timeout"),
    "a refusal": ({"fault": lambda *_: 400}, {}, r"refuses the request \(400\): fault 400"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_stays_is_named(here, name):
    behaviour, changes, message = FAULTS[name]
    for attribute, value in behaviour.items():
        setattr(here, attribute, value)
    here.url = here.url.replace("/v1", changes.pop("path", "/v1")) if "path" in changes else here.url
    with pytest.raises(InputError, match=f"^teacher: http://127.0.0.1.*{message}"):
        served(here, **changes).choose(prompts("team"), 1)


PASSING = {
    name: FAULTS[name][0]["fault"]
    for name in ("asked too much", "broken", "a reset", "half an answer", "half of its JSON", "something else")
}


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_is_tried_again(here, name):
    right = served(here).choose(prompts("team", "sports"), 1)
    asked = here.requests
    seen = set()

    def at_first(number, body):
        """Everything fails when it is asked for the first time."""
        known, _ = json.dumps(body) in seen, seen.add(json.dumps(body))
        return None if known else PASSING[name](number, body)

    here.fault = at_first
    respondent = served(here)
    again = respondent.choose(prompts("team", "sports"), 1)
    assert [(each.cooperate, each.defect) for each in again] == [(each.cooperate, each.defect) for each in right]
    assert respondent.ledger.own.requests == here.requests - asked


def test_a_server_says_when_to_come_again(here):
    times = []
    here.headers = {"Retry-After-Ms": "300"}

    def fault(number, body):
        times.append(time.monotonic())
        return 429 if len(times) == 1 else None

    here.fault = fault
    served(here).draw([Drawn(make_prompt("team"), "2")], ASKING)
    assert times[1] - times[0] >= 0.3


def test_nothing_is_listening():
    with loopback(Loopback()) as behaviour:
        pass
    with pytest.raises(InputError, match="asking for its models: the server cannot be reached"):
        served(behaviour).choose(prompts("team"), 1)


def test_the_key_is_read_from_the_environment_and_told_to_nobody_else(here, tmp_path, monkeypatch, caplog):
    here.key = KEY
    monkeypatch.setenv("SERVER_KEY", KEY)
    monkeypatch.setenv("OPENAI_ORG_ID", "somebody")
    caplog.set_level(logging.DEBUG)
    respondent = served(here, tmp_path, key="SERVER_KEY")
    elicitation = Elicitation(respondent, ASKING, Store(tmp_path))
    elicitation.choices(tmp_path / "choices.parquet", prompts("team"))
    monkeypatch.setenv("SERVER_KEY", wrong := "sk-wrong-canary")
    with pytest.raises(
        InputError, match=r"does not accept the key in SERVER_KEY \(401\): Incorrect.*\(the key\)"
    ) as no:
        served(here, tmp_path / "other", key="SERVER_KEY").choose(prompts("team"), 1)
    with pytest.raises(InputError, match=r"does not accept requests without a key; name one in `key` \(401\)"):
        served(here, tmp_path / "other").choose(prompts("team"), 1)
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (KEY, wrong):
        assert secret.encode() not in written
        assert secret not in caplog.text + str(no.value) + repr(respondent.server)
    assert all("somebody" not in json.dumps(body) for body in here.bodies)


def test_a_key_that_is_not_there_is_said_before_anything_is_asked(here, monkeypatch):
    monkeypatch.delenv("SERVER_KEY", raising=False)
    with pytest.raises(InputError, match="teacher: key: the environment variable SERVER_KEY is not set"):
        served(here, key="SERVER_KEY").choose(prompts("team"), 1)
    assert not here.bodies


def test_a_wrong_key_ends_the_work_at_once(here, tmp_path):
    respondent = served(here, tmp_path)
    assert respondent.abilities
    here.key = KEY
    asked = here.requests
    with pytest.raises(InputError, match="401"):
        respondent.draw([Drawn(make_prompt("team"), str(number)) for number in range(200)], ASKING)
    assert here.requests <= asked + 4


def test_rows_are_kept_as_they_arrive_and_asked_once(here, tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "SECONDS_BETWEEN_PIECES", 0.02)
    asking = replace(ASKING, answers=60)

    def drawn():
        return [body["seed"] for body in here.answered if "seed" in body]

    def ask():
        elicitation = Elicitation(served(here, tmp_path, concurrency=8), asking, Store(tmp_path))
        return elicitation.answers(tmp_path / "answers.parquet", prompts("team"))

    here.fault = lambda number, body: 400 if number > 60 else 0.01
    with pytest.raises(InputError, match="400"):
        ask()
    assert 30 < len(drawn()) < 60
    here.fault = lambda number, body: None
    table = ask()
    assert len(table) == sum(table["requests"]) == len(drawn()) == len(set(drawn())) == 60
    assert here.most_at_once == 8


def test_what_arrived_is_kept_when_the_process_is_told_to_end(here, tmp_path, monkeypatch):
    monkeypatch.setattr(crew, "SECONDS_BETWEEN_PIECES", 0.05)

    def told(*_):
        raise InputError("stopped from outside")

    before = signal.signal(signal.SIGTERM, told)
    here.fault = lambda number, body: 0.02
    elicitation = Elicitation(served(here, tmp_path), replace(ASKING, answers=5000), Store(tmp_path))
    threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
    try:
        with pytest.raises(InputError, match="stopped from outside"):
            elicitation.answers(tmp_path / "answers.parquet", prompts("team"))
    finally:
        signal.signal(signal.SIGTERM, before)
    kept = sum(len(pl.read_parquet(part)) for part in tmp_path.glob("answers/answers/*/[!.]*.parquet"))
    drawn = len([body for body in here.answered if "seed" in body])
    assert kept > 0
    assert drawn - 2 * 4 <= kept <= drawn


def test_what_is_spent_is_noted_for_every_run_and_the_budget_ends_the_work(here, tmp_path):
    asking, asked = replace(ASKING, answers=30), prompts("team")
    prices = {"prompt": 2.0, "answer": 10.0}
    with pytest.raises(InputError, match=r"teacher: budget.requests: reached: \d+ requests.* USD were spent of 25\."):
        Elicitation(served(here, tmp_path, budget={"requests": 25}, prices=prices), asking, Store(tmp_path)).answers(
            tmp_path / "answers.parquet", asked
        )
    assert here.requests == 25
    [folder] = (tmp_path / SPENT).iterdir()
    spent = read_spent(folder)
    assert spent.requests == 25
    assert spent.money == pytest.approx((2 * spent.prompt_tokens + 10 * spent.answer_tokens) / 1e6)
    with pytest.raises(InputError, match=r"budget\.requests: reached"):
        served(here, tmp_path, budget={"requests": 25}).choose(asked, 1)
    assert here.requests == 25
    with pytest.raises(InputError, match=r"budget\.tokens: reached"):
        served(here, tmp_path, budget={"tokens": 2000}).choose(prompts("team", "sports", "business"), 1)
    table = Elicitation(served(here, tmp_path), asking, Store(tmp_path)).answers(tmp_path / "answers.parquet", asked)
    assert len(table) == 30


def test_what_is_needed_is_a_range_and_asks_nothing(here, tmp_path):
    asked = Questions(prompts("team"), prompts("team"), prompts("team"), [gift()], [])
    respondent = served(here, tmp_path, prices={"prompt": 1.0, "answer": 2.0})
    before = respondent.needs(asked, ASKING)
    assert not here.bodies
    assert before.least.requests == 1 + 6 + 3 + 1
    assert "USD" in before.said(respondent.source.prices)
    assert respondent.abilities
    found = served(here, tmp_path).needs(asked, ASKING)
    assert found.least.requests == 3 + 6 + 3 + 12
    assert before.least.requests < found.least.requests <= found.most.requests <= before.most.requests
    rows = needed_rows("answers", prompts("team", "team"), ASKING, None)
    assert (rows.least.requests, rows.most.requests, rows.most.answer_tokens) == (2, 2, 12)
    assert Expected(Spent(1), Spent(1)).said(None) == "1 requests, 0 tokens"


@pytest.mark.parametrize("continues", ["last message", ""])
def test_what_is_needed_is_what_it_takes(here, tmp_path, continues):
    here.continues = continues
    respondent = served(here, tmp_path)
    assert respondent.abilities
    expected = respondent.needs(Questions(prompts("team"), [], [], [gift()], []), ASKING)
    before = respondent.ledger.own.requests
    respondent.choose(prompts("team"), 1)
    respondent.read([gift()])
    assert expected.least.requests <= respondent.ledger.own.requests - before <= 3 * expected.most.requests


def test_every_row_says_what_it_cost_and_by_which_server_it_was_answered(here, tmp_path):
    respondent = served(here, tmp_path)
    elicitation = Elicitation(respondent, ASKING, Store(tmp_path))
    table = elicitation.choices(tmp_path / "choices.parquet", prompts("team", "sports"))
    assert set(table["software"]) == {"loopback"}
    assert set(table["examination"]) == {respondent.abilities.key}
    assert (table["requests"] >= 3).all()
    assert (table["unseen"] < 0.05).all()
    elicitation.examinations(tmp_path / "examined.json", [table])
    [noted] = json.loads((tmp_path / "examined.json").read_text())["examinations"]
    assert noted["about"]["served"]["before_temperature"] is True
    assert "before temperature" in noted["in_words"]
    asked = here.requests
    again = Elicitation(served(here, tmp_path), ASKING, Store(tmp_path))
    assert again.choices(tmp_path / "choices.parquet", prompts("team", "sports")).equals(table)
    assert here.requests == asked


def test_what_was_asked_is_not_foreseen_again(here, tmp_path):
    respondent = served(here, tmp_path)
    elicitation = Elicitation(respondent, ASKING, Store(tmp_path))
    elicitation.choices(tmp_path / "choices.parquet", prompts("team"))
    elicitation.readings(tmp_path / "amounts.parquet", [gift()], "amounts")
    asked, again = here.requests, served(here, tmp_path)
    foreseen = Foreseen(again, False, ASKING, again)
    later = Elicitation(foreseen, ASKING, Store(tmp_path))
    later.choices(tmp_path / "later.parquet", prompts("team"))
    later.readings(tmp_path / "later_amounts.parquet", [gift()], "amounts")
    assert (foreseen.rows, here.requests) == (0, asked)
    later.choices(tmp_path / "more.parquet", prompts("team", "sports"))
    assert (foreseen.rows, here.requests) == (1, asked)


def test_options_are_read_as_the_parser_reads_them(here):
    respondent = served(here)
    spellings = spellings_of(("C", "D"), "", ENGLISH)

    async def read():
        return await read_options(respondent.server, respondent.abilities, make_prompt("team"), spellings, 1.0)

    assert respondent.abilities
    found = respondent.server.one(read)
    assert 0 < sum(found.candidates) < 1


def test_a_fetched_entry_opens_as_a_respondent_that_is_asked_as_the_registry_says_now(here, tmp_path):
    from tomtransfer.models.fetching import fetch

    entry = Endpoint(source="endpoint", base_url=here.url, model="served", revision="1")
    fetch("teacher", entry, tmp_path / "teacher")
    settings = {"quantization": "none", "temperature": 0.8, "stage_revision": 1, "device": "cpu", "tokens_per_batch": 1}
    opened = open_respondent(tmp_path / "teacher", model_revision="1", **settings)
    assert isinstance(opened, ServedRespondent)
    assert opened.source == entry
    for change in ({"concurrency": 3}, {"base_url": "https://elsewhere/v1"}, {"key": "KEY"}, {"timeout": 9.0}):
        now = entry.model_copy(update=change)
        again = open_respondent(tmp_path / "teacher", {"teacher": now}, model_revision="1", **settings)
        assert again.source == now
    other = {"teacher": entry.model_copy(update={"model": "other"}), "base": entry}
    assert open_respondent(tmp_path / "teacher", other, model_revision="1", **settings).source == entry
