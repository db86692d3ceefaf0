"""What a teacher said becomes examples: its valid answers, in the order in which it gave choice and reasons."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from made import ASKING, local_model, make_prompt

from tomtransfer.experiment.store import Store
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.encoding import label_tokens
from tomtransfer.inference.loading import load_tokenizer
from tomtransfer.respondents.counting import answers_path, read_choices
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.training import completions
from tomtransfer.training.examples import assemble_drawn
from tomtransfer.training.loss import token_shares


def prompts(*contexts: str, question: str = "answer_first"):
    return [replace(make_prompt(context), question=question, sha256=f"{question}-{context}") for context in contexts]


def answered(path: Path, model: Path, question: str, texts: list[str]) -> Path:
    """Write a table of answers that say `texts`."""
    asking = replace(ASKING, question=question, answers=len(texts), longest=2)
    Elicitation(local_model(model), asking, Store(path.parent / "store")).answers(
        path, prompts("team", question=question)
    )
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
    example = completions.Example("system", "user", "D", "It pays.", True, 1.0, "reason_first")
    (row,) = completions.make_rows(tokenizer, [example], 8, "random")
    (completion,) = row.completions
    label = label_tokens(tokenizer, ["D"], "random")["D"]
    assert completion.tokens[completion.choice :] == [*label, tokenizer.eos_token_id]
    assert tokenizer.decode(completion.tokens[: completion.choice]).strip() == "It pays."
    shares = token_shares(completion, 0.5)
    assert shares[completion.choice] == 0.5
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize("question", ["answer_first", "reason_first"])
def test_a_label_of_several_tokens_is_taught_as_the_tokenizer_writes_it_and_has_one_share(random_model, question):
    tokenizer = load_tokenizer(random_model)
    label = label_tokens(tokenizer, ["Kooperieren"], "random")["Kooperieren"]
    assert len(label) > 1
    example = completions.Example("system", "user", "Kooperieren", "It pays.", True, 1.0, question)
    (row,) = completions.make_rows(tokenizer, [example], 8, "random")
    (completion,) = row.completions
    chosen = slice(completion.choice, completion.choice + completion.choice_tokens)
    assert completion.tokens[chosen] == label
    shares = token_shares(completion, 0.6)
    assert shares[chosen] == pytest.approx([0.6 / len(label)] * len(label))
    assert sum(shares) == pytest.approx(1)
