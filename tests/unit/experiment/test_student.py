"""A student is trained here, or a pair that is asked as it is, or nobody."""

import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.asking import ask_student, ask_teacher


def test_one_that_is_trained_is_both(read):
    experiment = read()
    assert experiment.trains
    assert experiment.respondents == {
        "teacher": "qwen2.5-coder-0.5b-instruct",
        "base": "smollm2-135m-instruct",
        "tuned": "smollm2-135m-instruct",
    }
    assert ask_teacher(experiment).motivations


def test_a_pair_is_asked_as_it_is_and_the_teacher_for_no_reasons(read):
    experiment = read(student={"model": None, "base": "planted-teacher", "tuned": "random-student"})
    assert not experiment.trains
    assert experiment.respondents["base"] == "planted-teacher"
    assert ask_teacher(experiment).motivations == {}
    assert ask_student(experiment).question == "answer_first"


def test_without_a_student_only_the_teacher_is_asked(read):
    experiment = read(student=None)
    assert (experiment.trains, list(experiment.respondents)) == (False, ["teacher"])
    with pytest.raises(InputError, match="config: student: missing, so that only the teacher can be asked"):
        ask_student(experiment)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"base": "a"}, r"config.yaml: student.model: must be given, or both base and tuned .*got model, base\)"),
        ({"model": None, "tuned": "a"}, r"student.model: must be given, or both base and tuned .*\(got tuned\)"),
        ({"model": None}, r"\(got none of them\); what a file laid under this one gives is taken back with null"),
    ],
)
def test_half_a_pair_and_all_three_are_refused(read, given, message):
    with pytest.raises(InputError, match=message):
        read(student=given)
