"""What ends an experiment before it begins: each fault of a model is one line that names the model."""

from dataclasses import replace

import pytest
from made import ASKING, local_model, make_prompt
from tokenizers.normalizers import Lowercase

from saved_models import ALWAYS_THINKS, change_settings, save_model
from tomtransfer.experiment.store import digest_of
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.registry import Planted
from tomtransfer.respondents.asking import Questions
from tomtransfer.respondents.checking import noted_check
from tomtransfer.respondents.planted import PlantedRespondent
from tomtransfer.scenarios.questions import Query

PROMPT = make_prompt("team")
NUMBER = Query("in_sample", "stag_hunt", "team", "canonical", "points", ("3", "10"), "3", {}, "A game.", "Points?", "n")
QUESTIONS = Questions([PROMPT], [PROMPT], [PROMPT], [], [NUMBER])
NOTHING = Questions([], [], [], [], [])


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("models") / "small")


def check(folder, questions=QUESTIONS, asking=ASKING, **changes):
    return local_model(folder, **changes).check(questions, asking)


def test_a_model_that_can_be_asked_is_described_without_being_loaded(small):
    model = local_model(small)
    facts = model.check(QUESTIONS, ASKING)
    assert facts["architecture"] == "LlamaForCausalLM"
    assert facts["labels"] == {"C": "ĠC", "D": "ĠD"}
    assert facts["an_answer_ends_with"]
    assert facts["around_the_messages"] == "[system] {system message} [/][user] {user message} [/][assistant] "
    assert facts["longest_prompt_and_answer"] > 300
    assert not facts["thinks_first"]
    assert "loaded" not in vars(model)
    assert "examination" not in vars(model)


def test_every_room_for_an_answer_counts(small, tmp_path):
    change_settings(save_model(tmp_path / "narrow"), max_position_embeddings=900)
    narrow = tmp_path / "narrow"
    assert check(narrow)["longest_prompt_and_answer"] < 900
    long = Questions([PROMPT], [PROMPT], [], [], [])
    with pytest.raises(InputError, match=r"stag_hunt in team .* for the answer; narrow can attend to 900"):
        check(narrow, long, replace(ASKING, motivation_tokens=600))
    with pytest.raises(InputError, match=r"needs 600 for the answer; narrow can attend to 900"):
        check(narrow, replace(NOTHING, drawn=[PROMPT]), replace(ASKING, longest=600))


def test_the_context_of_a_model_in_parts_is_that_of_its_text_part(tmp_path):
    folder = save_model(tmp_path / "pictures", "gemma3")
    change_settings(folder, text_config={"max_position_embeddings": 128})
    with pytest.raises(InputError, match=r"needs 2 for the answer; pictures can attend to 128"):
        check(folder, replace(NOTHING, chosen=[PROMPT]))


def test_a_label_that_the_tokenizer_cannot_write_is_named(small):
    model = local_model(small)
    # As a model has it whose tokenizer knows no capitals.
    model.tokenizer.backend_tokenizer.normalizer = Lowercase()
    with pytest.raises(InputError, match="label 'C' cannot be written with the tokens of small, which make 'c' of it"):
        model.check(QUESTIONS, ASKING)


def test_a_tokenizer_without_an_end_is_refused(tmp_path):
    folder = save_model(tmp_path / "endless", template="{% for m in messages %}{{ m.content }}\n{% endfor %}")
    model = local_model(folder)
    model.tokenizer.eos_token = None
    with pytest.raises(InputError, match="endless: neither its chat template nor its tokenizer says what ends"):
        model.check(QUESTIONS, ASKING)


def test_a_template_that_loses_the_situation_is_refused(tmp_path):
    folder = save_model(tmp_path / "deaf", template="{% for m in messages %}[{{ m.role }}]{% endfor %}")
    with pytest.raises(InputError, match="deaf: its chat template does not give the messages as they are"):
        check(folder)


def test_a_model_that_always_thinks_is_offered_reasons_first(tmp_path):
    folder = save_model(tmp_path / "thinker", template=ALWAYS_THINKS)
    with pytest.raises(InputError, match=r"thinker: .*always leads it to think .*; set question: reason_first") as said:
        check(folder)
    assert "\n" not in str(said.value)
    drawn = replace(NOTHING, drawn=[replace(PROMPT, question="reason_first")])
    facts = check(folder, drawn)
    assert facts["thinks_first"]
    assert facts["around_the_messages"].endswith("{user message} [/][assistant] <think>\n")
    with pytest.raises(InputError, match=r"comprehension: \[\]"):
        check(folder, replace(drawn, comprehension=[NUMBER]))
    assert not check(folder, chat={"enable_thinking": False})["thinks_first"]


def test_weights_that_are_not_there_are_named_before_anything_is_loaded(tmp_path):
    folder = save_model(tmp_path / "shallow")
    change_settings(folder, num_hidden_layers=3)
    with pytest.raises(InputError, match=r"shallow: the checkpoint has no weights for: model\.layers\.2"):
        check(folder)


def test_a_policy_in_closed_form_can_be_asked_anything():
    policy = PlantedRespondent(Planted(source="planted", social_weights={"team": 0.5}), {"model": "planted"})
    assert policy.check(QUESTIONS, ASKING)["policy"]["social_weights"] == {"team": 0.5}
    assert policy.examined == ""


def test_what_was_checked_before_is_not_checked_again(tmp_path):
    calls = []

    def look():
        calls.append(1)
        return {"model": "small"}

    for about in ({"revision": "1"}, {"revision": "1"}, {"revision": "2"}):
        assert noted_check(about, tmp_path, look) == {"key": digest_of(about), "model": "small"}
    assert len(calls) == 2
    next(iter(tmp_path.iterdir())).write_text("{")
    noted_check({"revision": "1"}, tmp_path, look)
    noted_check({"revision": "2"}, tmp_path, look)
    assert len(calls) == 3
