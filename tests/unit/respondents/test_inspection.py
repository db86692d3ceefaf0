"""What is shown of a model before it is asked."""

import pytest
from made import local_model, make_prompt

from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.inspection import inspection_page


def test_the_page_shows_the_prompt_the_labels_the_end_and_what_was_found_out(random_model):
    prompt = make_prompt("team")
    page = inspection_page(local_model(random_model), prompt)
    assert prompt.system in page
    assert prompt.user in page
    assert "- architecture: LlamaForCausalLM" in page
    assert "- prompts and completions share rows; drawn texts: branches" in page
    assert "C as `'C'` `'Ċ'`; D as `'D'` `'Ċ'`" in page
    assert "- an answer ends with `'<|end|>'`" in page
    assert "- prompts in one row: " in page


def test_a_model_whose_template_loses_the_situation_is_refused(random_model):
    model = local_model(random_model)
    model.tokenizer.chat_template = "{% for m in messages %}{{ m.role }}{% endfor %}"
    with pytest.raises(InputError, match="does not give the messages as they are"):
        inspection_page(model, make_prompt("team"))
