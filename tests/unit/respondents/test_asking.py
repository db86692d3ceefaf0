"""How models are asked follows from the question, and from what is evidence."""

from collections.abc import Callable
from dataclasses import replace

from made import ASKING, make_prompt

from tomtransfer.experiment.config import Experiment
from tomtransfer.respondents.asking import ask_student, ask_teacher


def test_how_models_are_asked_follows_from_question_and_evidence(read: Callable[..., Experiment]) -> None:
    both = read(choices="both")
    student = ask_student(both)
    assert (student.exact, student.frames, student.one_line) == (True, ("canonical",), True)
    assert student.answers == both.sampling.answers > 0
    exact = read(choices="exact")
    assert ask_teacher(exact).answers == 0
    sampled = read(choices="sampled")
    teacher = ask_teacher(sampled)
    assert (teacher.exact, teacher.frames, teacher.one_line) == (False, (), False)
    assert teacher.longest == sampled.sampling.answer_tokens + sampled.teacher.motivation_tokens
    reasoned = read(choices="both", teacher={"question": "reason_first"})
    assert ask_teacher(reasoned).exact is False
    assert ask_teacher(reasoned).longest == reasoned.sampling.reason_tokens
    assert ask_student(reasoned).exact is True


def test_answers_are_drawn_in_the_frames_that_the_asking_names():
    asked = [replace(make_prompt("team"), frame=frame) for frame in ("canonical", "swapped")]
    assert replace(ASKING, frames=("canonical",)).drawn(asked) == asked[:1]
    assert ASKING.drawn(asked) == asked
