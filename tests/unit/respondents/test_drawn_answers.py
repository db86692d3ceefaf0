"""Drawn answers and exact readings as tables, how models are asked, and training on what a teacher answered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from test_engine import make_prompt
from test_training import respondent
from tomtransfer.respondents.drawn_answers import update_answers
from tomtransfer.respondents.readings import update_readings

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.encoding import spell_labels
from tomtransfer.inference.loading import load_tokenizer
from tomtransfer.respondents.asking import Asking, how_asked, to_draw
from tomtransfer.respondents.counting import answers_path, read_choices
from tomtransfer.scenarios.questions import Query
from tomtransfer.training import trainer as training
from tomtransfer.training.examples import assemble_drawn
from tomtransfer.training.loss import token_shares

ASKING = Asking("answer_first", True, answers=3, frames=(), longest=6, one_line=True, seed=1)


def prompts(*contexts: str, question: str = "answer_first"):
    return [replace(make_prompt(context), question=question, sha256=f"{question}-{context}") for context in contexts]


def test_raising_their_number_draws_only_the_missing_answers(random_model, tmp_path):
    path, teacher = tmp_path / "answers.parquet", respondent(random_model)
    update_answers(path, prompts("team", "sports"), teacher, ASKING)
    before = read_table(path)
    update_answers(path, prompts("team", "sports"), teacher, replace(ASKING, answers=5))
    after = read_table(path)
    assert (len(before), len(after)) == (6, 10)
    kept = after.filter(pl.col("computation").is_in(before["computation"].unique().to_list()))
    assert kept.sort("key").equals(before.sort("key"))
    assert after["options"].to_list() == [["C", "D"]] * 10


def test_answers_that_are_known_load_no_model(random_model, tmp_path):
    path, teacher = tmp_path / "answers.parquet", respondent(random_model)
    update_answers(path, prompts("team"), teacher, ASKING)
    whole = read_table(path)
    nowhere = replace(teacher, directory=tmp_path / "nowhere" / random_model.name)
    update_answers(path, prompts("team"), nowhere, ASKING)
    assert read_table(path).equals(whole)


def test_nothing_asked_leaves_a_table_with_columns_and_no_rows(random_model, tmp_path):
    update_answers(tmp_path / "a.parquet", [], respondent(random_model), ASKING)
    update_answers(tmp_path / "b.parquet", prompts("team"), respondent(random_model), replace(ASKING, answers=0))
    update_readings(tmp_path / "c.parquet", [], respondent(random_model))
    for name in "abc":
        table = read_table(tmp_path / f"{name}.parquet")
        assert len(table) == 0
        assert {"key", "split", "model", "computation"} <= set(table.columns)


def test_exact_readings_sum_to_one_and_are_kept(random_model, tmp_path):
    asked = make_prompt("team")
    place = ("new_game", "donation", "well", "amount", "answer_first")
    query = Query(*place, ("0", "5", "10"), None, {}, asked.system, asked.user, "h")
    path = tmp_path / "amounts.parquet"
    update_readings(path, [query], respondent(random_model))
    row = read_table(path).row(0, named=True)
    assert sum(row["probabilities"]) + row["other"] == pytest.approx(1)
    assert len(row["probabilities"]) == 3
    update_readings(path, [query], replace(respondent(random_model), directory=tmp_path / random_model.name))
    assert read_table(path).row(0, named=True) == row


def test_how_models_are_asked_follows_from_question_and_evidence(read: Callable[..., Experiment]) -> None:
    both = read(choices="both")
    student = how_asked(both, both.student)
    assert (student.exact, student.frames, student.one_line) == (True, ("canonical",), True)
    assert student.answers == both.sampling.answers > 0
    exact = read(choices="exact")
    assert how_asked(exact, exact.teacher).answers == 0
    sampled = read(choices="sampled")
    teacher = how_asked(sampled, sampled.teacher)
    assert (teacher.exact, teacher.frames, teacher.one_line) == (False, (), False)
    assert teacher.longest == sampled.sampling.answer_tokens + sampled.teacher.motivation_tokens
    reasoned = read(choices="both", teacher={"question": "reason_first"})
    assert how_asked(reasoned, reasoned.teacher).exact is False
    assert how_asked(reasoned, reasoned.teacher).longest == reasoned.sampling.reason_tokens
    assert how_asked(reasoned, reasoned.student).exact is True


def test_answers_are_drawn_in_the_frames_that_the_asking_names():
    asked = [replace(make_prompt("team"), frame=frame) for frame in ("canonical", "swapped")]
    assert to_draw(asked, replace(ASKING, frames=("canonical",))) == asked[:1]
    assert to_draw(asked, ASKING) == asked


def answered(path: Path, model: Path, question: str, texts: list[str]) -> Path:
    """Write a table of answers that say `texts`."""
    asking = replace(ASKING, question=question, answers=len(texts), longest=2)
    update_answers(path, prompts("team", question=question), respondent(model), asking)
    write_table(read_table(path).with_columns(answer=pl.Series(texts)), path)
    return path


@pytest.mark.parametrize(
    ("question", "texts", "completions"),
    [
        ("answer_first", ["C\nIt pays.", "D", "C or D", "D\nSafe."], {"C\nIt pays.", "D", "D\nSafe."}),
        ("reason_first", ["It pays.\nC", "D", "C or D", "Safe.\n**D**"], {"It pays.\nC", "D", "Safe.\nD"}),
    ],
)
def test_a_teacher_known_from_answers_is_trained_on_them_in_its_own_order(
    random_model, tmp_path, question, texts, completions
):
    path = answered(tmp_path / "answers.parquet", random_model, question, texts)
    examples = assemble_drawn([path], prompts("team", question=question), ["canonical"], 0.25)
    assert set(examples["completion"]) == completions
    assert examples.filter("held_back")["completion"].to_list() == [next(c for c in completions if "Safe" in c)]
    assert examples.filter(~pl.col("held_back"))["weight"].to_list() == [0.5, 0.5]
    assert set(examples["question"]) == {question}


def test_a_teacher_that_never_chooses_cannot_be_learnt_from(random_model, tmp_path):
    path = answered(tmp_path / "answers.parquet", random_model, "reason_first", ["hm", "well", ""])
    with pytest.raises(InputError, match="none of the teacher's 3 answers in in_sample chooses"):
        assemble_drawn([path], prompts("team", question="reason_first"), ["canonical"], 0.25)


def test_counts_stand_in_where_no_choice_was_read_exactly(random_model, tmp_path):
    choices = tmp_path / "stag_hunt.parquet"
    answered(answers_path(choices), random_model, "reason_first", ["It pays.\nC", "D", "C or D"])
    write_table(read_table(answers_path(choices)).head(0), choices)
    row = read_choices(choices).row(0, named=True)
    assert (row["cooperate"], row["defect"], row["other"], row["evidence"]) == (1, 1, 1, "counted")


def test_the_choice_has_its_share_of_the_loss_where_it_stands(random_model):
    tokenizer = load_tokenizer(random_model)
    example = training.Example("system", "user", "D", "It pays.", True, 1.0, "reason_first")
    (row,) = training.make_rows(tokenizer, [example], 8, "random")
    (completion,) = row.completions
    label = spell_labels(tokenizer, ["D"], "random")["D"][0]
    assert completion.tokens[completion.choice :] == [label, tokenizer.eos_token_id]
    assert tokenizer.decode(completion.tokens[: completion.choice]).strip() == "It pays."
    shares = token_shares(len(completion.tokens), 0.5, completion.choice)
    assert shares[completion.choice] == 0.5
    assert sum(shares) == pytest.approx(1)
