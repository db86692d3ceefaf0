"""What is shown of a model before it is asked."""

import re

import pytest
from made import local_model, make_prompt

from saved_models import ALWAYS_THINKS, save_model
from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.inspection import Speed, expected_time, inspection_page, measured_speed


def test_the_page_shows_the_prompt_the_labels_the_end_and_what_was_found_out(random_model):
    prompt = make_prompt("team")
    page = inspection_page(local_model(random_model), [prompt, prompt])
    assert prompt.system in page
    assert prompt.user in page
    assert "- architecture: LlamaForCausalLM" in page
    assert "- prompts and completions share rows; drawn texts: branches" in page
    assert "C as `'C'` `'Ċ'`; D as `'D'` `'Ċ'`" in page
    assert "- an answer ends with `'<|end|>'`" in page
    assert "- prompts in one row: " in page
    assert "loaded none: 0.0 GB of memory" in page
    assert re.search(r"- expected time, estimated from one prompt here and now: [0-9.e-]+ seconds at most", page)
    assert "of all 2 prompts of this game" in page


def test_a_model_that_always_thinks_is_shown_as_it_is_asked(tmp_path):
    page = inspection_page(local_model(save_model(tmp_path / "thinker", template=ALWAYS_THINKS)), [make_prompt("team")])
    assert "- it always thinks first" in page
    assert "- expected time, estimated" in page


@pytest.mark.parametrize(
    ("speed", "prompts", "said"),
    [
        (Speed(0.0213, 0.0031), 40, ("0.85 seconds at most", "0.31 seconds for a drawn text of 100 tokens")),
        (Speed(10, 0.5), 40, ("6.7 minutes at most", "50 seconds for")),
        (Speed(300, 90), 40, ("3.3 hours at most", "2.5 hours for")),
    ],
)
def test_the_expected_time_is_said_in_a_unit_that_fits(speed, prompts, said):
    assert all(part in expected_time(speed, prompts) for part in said)


def test_what_is_measured_is_the_time_of_prompts_and_of_tokens(random_model):
    speed = measured_speed(local_model(random_model), make_prompt("team"))
    assert 0 < speed.reading < 10
    assert 0 <= speed.drawing < 10


def test_a_model_whose_template_loses_the_situation_is_refused(random_model):
    model = local_model(random_model)
    model.tokenizer.chat_template = "{% for m in messages %}{{ m.role }}{% endfor %}"
    with pytest.raises(InputError, match="does not give the messages as they are"):
        inspection_page(model, [make_prompt("team")])
