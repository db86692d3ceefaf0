"""Eliciting answers: tables of what was asked, in order; only what the store lacks is asked."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import polars as pl
import pytest
from made import ASKING, local_model, make_prompt

from tomtransfer.experiment.store import Store
from tomtransfer.experiment.tables import read_table
from tomtransfer.inference.answers import CandidateDistribution, ChoiceDistribution, DrawnText
from tomtransfer.inference.examination import EXAMINED
from tomtransfer.respondents import elicitation, elicited
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.scenarios.questions import Query, write_prompts


@dataclass(frozen=True)
class Parrot:
    """A respondent that says the same to everything, and remembers what it was asked."""

    identity: dict = field(
        default_factory=lambda: {
            **dict.fromkeys(("model", "model_revision", "quantization", "adapter"), "parrot"),
            "temperature": 1.0,
            "stage_revision": 1,
        }
    )
    heard: list = field(default_factory=list)
    examined: str = "examination"

    def known(self, questions):
        return questions

    def evidence(self, prompt):
        return "exact"

    def asked(self, prompt):
        return {"prompt": prompt.sha256}

    def choose(self, prompts, room, drawn_after=()):
        self.heard.append(("choose", len(prompts)))
        return [ChoiceDistribution(0.5, 0.25, 0.25) for _ in prompts]

    def motivate(self, wanted, longest):
        self.heard.append(("motivate", len(wanted)))
        return [DrawnText(f"because {each.choice}", 2, True) for each in wanted]

    def draw(self, wanted, asking):
        self.heard.append(("draw", len(wanted)))
        return [DrawnText(each.prompt.options[0], 1, True) for each in wanted]

    def read(self, queries):
        self.heard.append(("read", len(queries)))
        return [CandidateDistribution([1.0] + [0.0] * (len(each.candidates) - 1), 0.0) for each in queries]


def prompts(*contexts: str, **changes):
    return [replace(make_prompt(context), sha256=context, **changes) for context in contexts]


def query(right=None):
    asked = make_prompt("team")
    place = ("new_game", "donation", "well", "amount", "answer_first")
    return Query(*place, ("0", "5", "10"), right, {}, asked.system, asked.user, "query")


@pytest.fixture
def parrot(tmp_path) -> Elicitation:
    return Elicitation(Parrot(), ASKING, Store(tmp_path / "store"))


def test_rows_come_in_the_order_of_the_prompts_whatever_was_known(parrot, tmp_path):
    path = tmp_path / "choices.parquet"
    parrot.choices(path, prompts("team", "sports"))
    first = read_table(path)
    parrot.choices(path, prompts("business", "sports", "team"))
    second = read_table(path)
    assert second["context"].to_list() == ["business", "sports", "team"]
    assert parrot.respondent.heard == [("choose", 2), ("choose", 1)]
    assert (
        dict(first.select("context", "computation").iter_rows()).items()
        <= dict(second.select("context", "computation").iter_rows()).items()
    )


def test_an_edit_and_its_revert_ask_nothing_the_second_time(parrot, tmp_path):
    path, before = tmp_path / "choices.parquet", prompts("team")
    parrot.choices(path, before)
    whole = read_table(path)
    parrot.choices(path, [replace(before[0], sha256="edited")])
    parrot.choices(path, before)
    assert parrot.respondent.heard == [("choose", 1), ("choose", 1)]
    assert read_table(path).equals(whole)


def test_what_belongs_to_a_row_but_not_to_its_key_is_that_of_today(parrot, tmp_path):
    path = tmp_path / "choices.parquet"
    parrot.choices(path, prompts("team"))
    parrot.choices(path, prompts("team", game="another_name"))
    assert read_table(path)["game"].to_list() == ["another_name"]
    assert parrot.respondent.heard == [("choose", 1)]


def test_a_key_that_stands_twice_is_asked_once(parrot, tmp_path):
    [prompt] = prompts("team")
    parrot.choices(tmp_path / "choices.parquet", [prompt, replace(prompt, split="new_contexts")])
    assert parrot.respondent.heard == [("choose", 1)]
    assert read_table(tmp_path / "choices.parquet")["cooperate"].to_list() == [0.5, 0.5]


def test_more_draws_leave_the_earlier_ones_as_they_are(parrot, tmp_path):
    for name, ask, few, many in (
        ("answers", "answers", 6, 10),
        ("motivations", "motivations", 12, 20),
    ):
        path = tmp_path / f"{name}.parquet"
        getattr(parrot, ask)(path, prompts("team", "sports"))
        before = read_table(path)
        more = replace(parrot, asking=replace(ASKING, answers=5, motivations={"canonical": 5}))
        getattr(more, ask)(path, prompts("team", "sports"))
        after = read_table(path)
        assert (len(before), len(after)) == (few, many)
        kept = after.filter(pl.col("computation").is_in(before["computation"].unique().to_list()))
        assert kept.sort("key").equals(before.sort("key"))


def test_both_choices_get_the_same_number_of_motivations(parrot, tmp_path):
    parrot.motivations(tmp_path / "motivations.parquet", prompts("team"))
    rows = read_table(tmp_path / "motivations.parquet")
    assert rows["choice"].to_list() == ["cooperate"] * 3 + ["defect"] * 3
    assert rows["motivation"].to_list() == ["because cooperate"] * 3 + ["because defect"] * 3
    assert rows["label"].to_list() == ["C"] * 3 + ["D"] * 3


def test_nothing_asked_leaves_tables_with_columns_and_no_rows(parrot, tmp_path):
    parrot.answers(tmp_path / "a.parquet", [])
    replace(parrot, asking=replace(ASKING, answers=0)).answers(tmp_path / "b.parquet", prompts("team"))
    parrot.readings(tmp_path / "c.parquet", [], "amounts")
    parrot.choices(tmp_path / "d.parquet", [])
    for name in "abcd":
        table = read_table(tmp_path / f"{name}.parquet")
        assert len(table) == 0
        assert {"key", "split", "model", "computation"} <= set(table.columns)
    assert parrot.respondent.heard == []


def test_a_job_that_is_stopped_keeps_the_parts_that_it_finished(tmp_path, monkeypatch):
    monkeypatch.setattr(elicited, "ROWS_AT_ONCE", 2)
    path, asked = tmp_path / "choices.parquet", prompts("team", "sports", "business", "environment", "room_sharing")

    class Tired(Parrot):
        def choose(self, prompts: Sequence, room, drawn_after=()):
            if len(self.heard) == 2:
                raise KeyboardInterrupt
            return super().choose(prompts, room, drawn_after)

    with pytest.raises(KeyboardInterrupt):
        Elicitation(Tired(), ASKING, Store(tmp_path / "store")).choices(path, asked)
    assert not path.exists()
    rested = Elicitation(Parrot(), ASKING, Store(tmp_path / "store"))
    rested.choices(path, asked)
    assert rested.respondent.heard == [("choose", 1)]
    assert len(read_table(path)) == 5


def test_a_job_that_is_killed_loses_the_answers_of_a_few_minutes_and_not_of_hours(tmp_path):
    heard = []

    def compute(part):
        heard.append(len(part))
        return {"value": [0.5] * len(part)}

    wanted = pl.DataFrame({"key": [str(number) for number in range(2244)]})
    table, count = elicited.complete_rows(
        wanted, Store(tmp_path / "store"), "choices", {"model": "m"}, {"value": pl.Float64}, compute
    )
    assert (len(table), count, sum(heard)) == (2244, 2244, 2244)
    assert max(heard) <= 256


def test_every_kind_of_answer_that_has_a_place_is_asked_for_and_no_other(parrot, tmp_path):
    write_prompts(prompts("team", "sports"), tmp_path / "stag_hunt.json", comprehension=[query("5")])
    write_prompts([query()], tmp_path / "donation.json", "amount")
    files = [tmp_path / "stag_hunt.json", tmp_path / "donation.json"]
    names = ("choices", "motivations", "amounts", "answers", "comprehension")
    parrot.tables(files, {name: tmp_path / f"{name}.parquet" for name in names})
    assert {name: len(read_table(tmp_path / f"{name}.parquet")) for name in names} == {
        "choices": 2,
        "motivations": 2 * 2 * 3,
        "amounts": 1,
        "answers": 3 * 3,
        "comprehension": 1,
    }
    parrot.tables(files[1:], {"answers": tmp_path / "only.parquet"})
    assert len(read_table(tmp_path / "only.parquet")) == 3
    assert not (tmp_path / "donation.parquet").exists()


def test_readings_are_kept_and_not_asked_for_again(parrot, tmp_path):
    path = tmp_path / "amounts.parquet"
    parrot.readings(path, [query()], "amounts")
    row = read_table(path).row(0, named=True)
    assert (row["probabilities"], row["candidates"], row["right"]) == ([1.0, 0.0, 0.0], ["0", "5", "10"], None)
    parrot.readings(path, [query()], "amounts")
    assert read_table(path).row(0, named=True) == row
    assert parrot.respondent.heard == [("read", 1)]


def test_each_answer_says_what_could_be_answered(parrot, tmp_path):
    parrot.answers(tmp_path / "answers.parquet", [*prompts("team"), query()])
    rows = read_table(tmp_path / "answers.parquet")
    assert rows["options"].to_list() == [["C", "D"]] * 3 + [["0", "5", "10"]] * 3
    assert rows["labelled"].to_list() == [True] * 3 + [False] * 3
    assert rows["phrases"].to_list() == ["english"] * 3 + [None] * 3
    assert rows["draw"].to_list() == [0, 1, 2] * 2


def test_exact_answers_are_read_anew_with_the_phrases_of_another_language_and_drawn_ones_are_not(parrot, tmp_path):
    for phrases in ("english", "german", None):
        asked, amount = prompts("team", phrases=phrases), replace(query(), phrases=phrases)
        parrot.choices(tmp_path / "choices.parquet", asked)
        parrot.readings(tmp_path / "amounts.parquet", [amount], "amounts")
        parrot.answers(tmp_path / "answers.parquet", [*asked, amount])
        assert "phrases" not in read_table(tmp_path / "choices.parquet").columns
    assert parrot.respondent.heard == [("choose", 1), ("read", 1), ("draw", 6)] + 2 * [("choose", 1), ("read", 1)]


@pytest.mark.parametrize(
    "name", ["model", "model_revision", "quantization", "adapter", "temperature", "stage_revision"]
)
def test_who_is_another_in_anything_is_asked_anew(parrot, tmp_path, name):
    path = tmp_path / "choices.parquet"
    parrot.choices(path, prompts("team"))
    before = read_table(path)
    identity = parrot.respondent.identity
    other = Parrot({**identity, name: 2 if name in {"temperature", "stage_revision"} else "other"})
    replace(parrot, respondent=other).choices(path, prompts("team"))
    after = read_table(path)
    assert other.heard == [("choose", 1)]
    assert after["key"].to_list() != before["key"].to_list()
    assert after[name].to_list() != before[name].to_list()


def test_what_was_read_by_another_definition_is_read_anew_and_what_was_drawn_is_not_drawn_anew(
    parrot, tmp_path, monkeypatch
):
    def ask():
        parrot.choices(tmp_path / "choices.parquet", prompts("team"))
        parrot.readings(tmp_path / "amounts.parquet", [query()], "amounts")
        parrot.answers(tmp_path / "answers.parquet", prompts("team"))

    ask()
    monkeypatch.setattr(elicitation, "READING_REVISION", 1)
    ask()
    assert sorted(parrot.respondent.heard) == [("choose", 1)] * 2 + [("draw", 3)] + [("read", 1)] * 2


@pytest.mark.parametrize(
    ("ask", "change"),
    [
        ("answers", {"longest": 7}),
        ("answers", {"one_line": False}),
        ("answers", {"seed": 2}),
        ("motivations", {"motivation_tokens": 7}),
        ("motivations", {"motivation_seed": 2}),
    ],
)
def test_texts_that_are_drawn_in_another_way_are_drawn_anew(parrot, tmp_path, ask, change):
    path = tmp_path / "texts.parquet"
    getattr(parrot, ask)(path, prompts("team"))
    before = set(read_table(path)["key"])
    getattr(replace(parrot, asking=replace(ASKING, **change)), ask)(path, prompts("team"))
    assert not before & set(read_table(path)["key"])
    assert len(parrot.respondent.heard) == 2


def test_every_draw_has_a_key_of_its_own(parrot, tmp_path):
    parrot.answers(tmp_path / "answers.parquet", prompts("team", "sports"))
    parrot.motivations(tmp_path / "motivations.parquet", prompts("team", "sports"))
    keys = [key for name in ("answers", "motivations") for key in read_table(tmp_path / f"{name}.parquet")["key"]]
    assert len(set(keys)) == len(keys) == 6 + 12


def test_the_respondent_hears_how_long_answers_may_be_and_where_texts_will_be_drawn(tmp_path):
    told = []

    class Attentive(Parrot):
        def choose(self, prompts: Sequence, room, drawn_after=()):
            told.append((room, set(drawn_after)))
            return super().choose(prompts, room, drawn_after)

    asked = [*prompts("team"), *prompts("sports", split="new_contexts"), *prompts("business", frame="swapped")]
    write_prompts(asked, tmp_path / "stag_hunt.json")
    for name, asking in (
        ("both", replace(ASKING, frames=("swapped",))),
        ("motivations", replace(ASKING, frames=("none",))),
        ("neither", replace(ASKING, frames=("none",), motivations={})),
    ):
        elicitation = Elicitation(Attentive(), asking, Store(tmp_path / name))
        elicitation.tables([tmp_path / "stag_hunt.json"], {"choices": tmp_path / "choices.parquet"})
    assert told == [(6, {"team", "business"}), (6, {"team"}), (1, set())]


def test_reasons_are_asked_for_where_the_student_is_trained_and_nowhere_else(parrot, tmp_path):
    asked = [*prompts("team"), *prompts("sports", split="new_contexts"), *prompts("business", frame="swapped")]
    write_prompts(asked, tmp_path / "stag_hunt.json")
    parrot.tables([tmp_path / "stag_hunt.json"], {"motivations": tmp_path / "motivations.parquet"})
    assert set(read_table(tmp_path / "motivations.parquet")["context"]) == {"team"}


def test_who_is_known_from_answers_alone_is_asked_for_nothing_else(parrot, tmp_path):
    write_prompts(prompts("team"), tmp_path / "stag_hunt.json", comprehension=[query("5")])
    write_prompts([query()], tmp_path / "donation.json", "amount")
    names = ("choices", "motivations", "amounts", "answers")
    replace(parrot, asking=replace(ASKING, exact=False)).tables(
        [tmp_path / "stag_hunt.json", tmp_path / "donation.json"],
        {name: tmp_path / f"{name}.parquet" for name in names},
    )
    assert [len(read_table(tmp_path / f"{name}.parquet")) for name in names] == [0, 0, 0, 6]
    assert parrot.respondent.heard == [("draw", 6)]


def test_a_model_is_not_loaded_when_the_store_has_every_answer(random_model, tmp_path):
    path, store = tmp_path / "choices.parquet", Store(tmp_path / "store")
    Elicitation(local_model(random_model), ASKING, store).choices(path, prompts("team"))
    whole = read_table(path)
    nowhere = local_model(tmp_path / "nowhere" / random_model.name)
    Elicitation(nowhere, ASKING, store).choices(path, prompts("team"))
    assert read_table(path).equals(whole)


def test_exact_readings_of_a_model_sum_to_one(random_model, tmp_path):
    elicitation = Elicitation(local_model(random_model), ASKING, Store(tmp_path / "store"))
    elicitation.readings(tmp_path / "amounts.parquet", [query()], "amounts")
    row = read_table(tmp_path / "amounts.parquet").row(0, named=True)
    assert sum(row["probabilities"]) + row["other"] == pytest.approx(1)
    assert len(row["probabilities"]) == 3


@pytest.mark.parametrize("change", ["model_revision", "quantization", "adapter_key", "temperature", "stage_revision"])
def test_every_setting_of_a_model_is_in_the_key(random_model, change):
    teacher = local_model(random_model)
    value = 2 if change in {"temperature", "stage_revision"} else "other"
    assert replace(teacher, **{change: value}).identity != teacher.identity


def test_device_and_batch_size_are_in_no_key(random_model):
    teacher = local_model(random_model)
    assert replace(teacher, device="cuda", tokens_per_batch=1).identity == teacher.identity


def test_rows_cite_the_examination_that_they_were_computed_by_and_the_tables_say_what_it_found(random_model, tmp_path):
    store = Store(tmp_path / "store")
    model = local_model(random_model, examinations=store.folder / EXAMINED)
    write_prompts([make_prompt("team")], tmp_path / "prompts.json")
    paths = {"choices": tmp_path / "choices.parquet", "examined": tmp_path / "examined.json"}
    Elicitation(model, ASKING, store).tables([tmp_path / "prompts.json"], paths)
    assert read_table(paths["choices"])["examination"].to_list() == [model.examined]
    content = json.loads(paths["examined"].read_text())
    assert content["model"] == "random"
    [examination] = content["examinations"]
    assert examination == model.examination.noted()
    again = local_model(random_model, examinations=store.folder / EXAMINED)
    Elicitation(again, ASKING, store).tables([tmp_path / "prompts.json"], paths)
    assert json.loads(paths["examined"].read_text()) == content
    assert not {"loaded", "examination", "tokenizer"} & set(vars(again))


def test_a_model_is_examined_anew_for_another_precision_and_device_and_not_for_a_tuned_student(random_model, tmp_path):
    model = local_model(random_model, examinations=tmp_path)
    assert model.examination.about["device"] == "cpu"
    assert local_model(random_model, device="auto").examined == model.examined
    assert local_model(random_model, examinations=tmp_path, adapter_key="key").examined == model.examined
    assert local_model(random_model, quantization="nf4").examined != model.examined
    assert len(list(tmp_path.iterdir())) == 1


def test_an_examination_that_is_gone_is_cited_all_the_same(parrot, tmp_path):
    write_prompts(prompts("team"), tmp_path / "prompts.json")
    paths = {"choices": tmp_path / "choices.parquet", "examined": tmp_path / "examined.json"}
    parrot.tables([tmp_path / "prompts.json"], paths)
    assert json.loads(paths["examined"].read_text())["examinations"] == [{"key": "examination"}]


def test_answers_that_were_kept_before_models_were_examined_are_taken_as_they_are(parrot, tmp_path):
    path = tmp_path / "choices.parquet"
    parrot.choices(path, prompts("team"))
    [part] = parrot.store.folder.glob("answers/choices/*/*.parquet")
    older = pl.read_parquet(part).drop("examination")
    part.unlink()
    elicited.keep_rows(older, parrot.store, part.parent)
    parrot.choices(path, prompts("team", "sports"))
    assert parrot.respondent.heard == [("choose", 1), ("choose", 1)]
    assert read_table(path)["examination"].to_list() == ["", "examination"]
