"""From a teacher's answers to a tuned student, on a tiny random model: weights, keys, resuming, held-out splits."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from made import ASKING, local_model, make_prompt

from tomtransfer.experiment.sections import Lora, Training
from tomtransfer.experiment.store import Store
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.encoding import label_tokens
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.rows import row_inputs
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.training import completions
from tomtransfer.training import trainer as training
from tomtransfer.training.examples import assemble
from tomtransfer.training.lora import add_adapter
from tomtransfer.training.loss import row_targets, weighted_loss

FRAMES = {"canonical": 3}
SETTINGS = Training(epochs=2, completions_per_row=4, rows_per_step=1, learning_rate=0.01)


def make_prompts(*contexts: str, split: str = "in_sample"):
    return [replace(make_prompt(context), split=split, sha256=f"{split}-{context}") for context in contexts]


def asked(teacher: Elicitation, motivations: dict[str, int]) -> Elicitation:
    """The same teacher, asked for so many motivations in each frame."""
    return replace(teacher, asking=replace(teacher.asking, motivations=motivations))


@pytest.fixture(scope="module")
def answers(random_model: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("teacher")
    trained, held_out = make_prompts("team", "business"), make_prompts("sports", split="new_contexts")
    teacher = Elicitation(local_model(random_model), ASKING, Store(folder / "store"))
    teacher.choices(folder / "choices.parquet", [*trained, *held_out])
    teacher.motivations(folder / "motivations.parquet", trained)
    return folder, [*trained, *held_out], teacher


@pytest.fixture(scope="module")
def examples(answers):
    folder, prompts, _ = answers
    return assemble([folder / "choices.parquet"], [folder / "motivations.parquet"], prompts, list(FRAMES), 0.3)


def test_examples_stand_in_the_order_of_the_motivations(tmp_path):
    """An adapter's key depends on their order: if it could change by itself, an edit elsewhere would train again."""
    first = make_prompt("team")
    prompts = [replace(first, context=f"context{number}", sha256=f"hash{number}") for number in range(2_000)]
    rows = [
        {
            "split": "in_sample" if number < 100 else "new_contexts",
            "game": "stag_hunt",
            "context": prompt.context,
            "frame": "canonical",
            "question": "answer_first",
            "prompt": prompt.sha256,
        }
        for number, prompt in enumerate(prompts)
    ]
    choices = pl.DataFrame(rows).with_columns(cooperate=pl.lit(0.6), defect=pl.lit(0.3))
    drawn = [
        {**row, "choice": choice, "label": label, "draw": draw, "motivation": f"{draw}", "finished": True}
        for row in reversed(rows[:100])
        for choice, label in (("cooperate", "C"), ("defect", "D"))
        for draw in range(2)
    ]
    motivations = pl.DataFrame(drawn).with_row_index("key")
    write_table(choices, tmp_path / "choices.parquet")
    write_table(motivations, tmp_path / "motivations.parquet")
    assembled = assemble(
        [tmp_path / "choices.parquet"], [tmp_path / "motivations.parquet"], prompts, ["canonical"], 0.3
    )
    assert assembled["key"].to_list() == list(range(len(drawn)))


def test_weights_show_the_student_the_teachers_exact_policy(answers, examples):
    choices = read_table(answers[0] / "choices.parquet")
    for part in (True, False):
        shown = examples.filter(held_back=part).group_by("prompt", "choice").agg(pl.sum("weight"))
        for row in choices.filter(split="in_sample").iter_rows(named=True):
            weight = shown.filter(prompt=row["prompt"], choice="cooperate")["weight"].item()
            assert weight == pytest.approx(row["cooperate"] / (row["cooperate"] + row["defect"]))
    assert examples.filter(held_back=False)["weight"].sum() == pytest.approx(2)


def test_examples_say_where_they_came_from_and_begin_with_the_choice(examples):
    assert set(examples["split"]) == {"in_sample"}
    for row in examples.iter_rows(named=True):
        assert row["completion"] == f"{row['label']}\n{row['motivation']}"
        assert row["label"] == {"cooperate": "C", "defect": "D"}[row["choice"]]


def test_no_scenario_is_dropped_on_its_way_to_training(answers, tmp_path):
    folder, prompts, _ = answers
    paths = {name: folder / f"{name}.parquet" for name in ("choices", "motivations")}

    def without(name: str, context: str) -> dict[str, Path]:
        table = read_table(paths[name])
        write_table(table.filter(pl.col("context") != context), tmp_path / f"{name}.parquet")
        return paths | {name: tmp_path / f"{name}.parquet"}

    for name, said in (("choices", "the choices lack"), ("motivations", "the motivations lack")):
        files = without(name, "business")
        with pytest.raises(InputError, match=f"{said} in_sample/stag_hunt/business in frame canonical"):
            assemble([files["choices"]], [files["motivations"]], prompts, list(FRAMES), 0.3)
    known = [prompt for prompt in prompts if prompt.context != "team"]
    with pytest.raises(InputError, match="the prompts lack in_sample/stag_hunt/team in frame canonical"):
        assemble([paths["choices"]], [paths["motivations"]], known, list(FRAMES), 0.3)


def test_a_held_out_split_cannot_be_trained_on(answers, random_model, tmp_path):
    folder, prompts, teacher = answers
    teacher.motivations(tmp_path / "stolen.parquet", prompts)
    with pytest.raises(InputError, match="motivations of new_contexts: only in_sample may be trained on"):
        assemble([folder / "choices.parquet"], [tmp_path / "stolen.parquet"], prompts, list(FRAMES), 0.3)


def test_a_held_out_frame_cannot_be_trained_on(answers, random_model, tmp_path):
    folder, prompts, teacher = answers
    letters = [replace(prompt, frame="new_letters") for prompt in prompts[:2]]
    asked(teacher, {"new_letters": 2}).motivations(tmp_path / "stolen.parquet", letters)
    with pytest.raises(InputError, match="motivations of new_letters: only canonical may be trained on"):
        assemble([folder / "choices.parquet"], [tmp_path / "stolen.parquet"], prompts, list(FRAMES), 0.3)


def test_later_draws_are_held_back_over_all_frames_and_never_the_first_of_one(answers, tmp_path):
    _, prompts, teacher = answers
    frames = {"canonical": 3, "swapped": 2, "reversed": 1}
    played = [
        replace(prompt, frame=frame, sha256=f"{prompt.sha256}-{frame}") for prompt in prompts[:2] for frame in frames
    ]
    asked(teacher, frames).choices(tmp_path / "choices.parquet", played)
    asked(teacher, frames).motivations(tmp_path / "motivations.parquet", played)

    def held_back(share: float) -> set[tuple[str, int]]:
        examples = assemble(
            [tmp_path / "choices.parquet"], [tmp_path / "motivations.parquet"], played, list(frames), share
        )
        shown = examples.filter(held_back=False).group_by("prompt").agg(pl.sum("weight"))
        assert shown["weight"].to_list() == pytest.approx([1] * len(played))
        draws = read_table(tmp_path / "motivations.parquet").select("key", "draw")
        return set(examples.filter("held_back").join(draws, on="key").select("frame", "draw").iter_rows())

    assert held_back(0.1) == {("canonical", 2)}
    assert held_back(0.5) == {("canonical", 2), ("swapped", 1), ("canonical", 1)}
    assert held_back(0.9) == held_back(0.5)


def test_rows_hold_labels_reasons_and_an_end_only_where_there_was_one(random_model):
    tokenizer = load_tokenizer(random_model)
    example = completions.Example("system", "user", "C", "because", finished=True, weight=2.0)
    cut = replace(example, label="D", finished=False, weight=1.0)
    (row,) = completions.make_rows(tokenizer, [example, cut], 8, "random")
    finished, unfinished = (completion.tokens for completion in row.completions)
    written = label_tokens(tokenizer, ["C", "D"], "random")
    assert ([finished[0]], [unfinished[0]]) == (written["C"], written["D"])
    assert tokenizer.decode(finished[1:-1]).strip() == "because"
    assert finished[-1] == tokenizer.eos_token_id
    assert unfinished[-1] != tokenizer.eos_token_id
    assert [completion.weight for completion in row.completions] == pytest.approx([2 / 3, 1 / 3])


def reasoned(label, words, weight, **changes):
    return completions.Example("system", "user", label, " ".join(["because"] * words), False, weight, **changes)


def test_choices_at_equal_odds_are_learnt_at_equal_odds_whatever_the_length_of_their_reasons(random_model):
    """At odds of 1 the gradient of the choice's loss vanishes where its probability is the share of its weight: 1/2."""
    tokenizer = load_tokenizer(random_model)
    examples = [reasoned("C", 4, 0.5), reasoned("D", 10, 0.5)]
    (row,) = completions.make_rows(tokenizer, examples, 8, "random", by_token=True)
    short, long = (len(completion.tokens) for completion in row.completions)
    assert short < long
    targets = row_targets(row, None)
    # Every token of the prompt weighs one of short + long, whichever completion it is of.
    assert targets["weights"].tolist() == pytest.approx([1 / (short + long)] * (short + long))
    cooperate, defect = targets["weights"][0], targets["weights"][short]
    assert float(cooperate / (cooperate + defect)) == pytest.approx(0.5)


def test_weights_of_tokens_sum_to_one_over_rows_and_are_those_of_the_completion(random_model):
    tokenizer = load_tokenizer(random_model)
    examples = [reasoned("C", 1, 0.9), reasoned("D", 7, 0.1), reasoned("C", 3, 0.25), reasoned("D", 5, 0.75)]
    examples[2:] = [replace(each, user="another") for each in examples[2:]]
    rows = completions.make_rows(tokenizer, examples, 1, "random", by_token=True)
    weights = [row_targets(row, None)["weights"].tolist() for row in rows]
    # Four rows with a mean of one, and two prompts of the same weight: each prompt has two.
    assert [sum(map(sum, part)) for part in (weights[:2], weights[2:])] == pytest.approx([2, 2])
    # Within a prompt a token weighs what its completion does: 9 times as much, and a third as much.
    assert weights[0][0] / weights[1][0] == pytest.approx(9)
    assert weights[2][-1] / weights[3][0] == pytest.approx(1 / 3)


def test_a_token_loss_is_the_models_own_mean_over_all_completion_tokens(random_model):
    """As TRL's SFTTrainer with loss on completions: the mean of cross-entropies over the tokens of the batch."""
    tokenizer, model = load_tokenizer(random_model), load_model(random_model, "none", torch.device("cpu"))
    (row,) = completions.make_rows(
        tokenizer, [reasoned("C", 2, 1.0), reasoned("D", 9, 1.0)], 8, "random", by_token=True
    )
    targets = row_targets(row, None)
    with torch.no_grad():
        logits = model(**row_inputs(row), logits_to_keep=targets["sources"]).logits[0]
        ours = weighted_loss(logits, targets["labels"], targets["weights"], temperature=1.0)
        longest = max(len(each.tokens) for each in row.completions)
        width = len(row.prompt) + longest
        batch = torch.zeros(2, width, dtype=torch.long)
        labels, mask = torch.full((2, width), -100), torch.zeros(2, width, dtype=torch.long)
        for number, each in enumerate(row.completions):
            tokens = [*row.prompt, *each.tokens]
            batch[number, : len(tokens)], mask[number, : len(tokens)] = torch.tensor(tokens), 1
            labels[number, len(row.prompt) : len(tokens)] = torch.tensor(each.tokens)
        theirs = model(input_ids=batch, attention_mask=mask, labels=labels).loss
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_a_choice_without_reasons_weighs_as_one_with_them(random_model):
    (row,) = completions.make_rows(
        load_tokenizer(random_model), [reasoned("C", 0, 1.0), reasoned("D", 6, 1.0)], 8, "random"
    )
    assert len(row.completions[0].tokens) == 1
    weights = row_targets(row, 0.7)["weights"].tolist()
    assert weights[0] == weights[1] == pytest.approx(0.7 / 2)
    assert sum(weights[1:]) == pytest.approx(1 / 2)


def test_several_visible_gpus_are_refused(random_model, tmp_path, monkeypatch):
    """A machine with two GPUs, as far as the Trainer's arguments can tell."""
    monkeypatch.setattr(training.TrainingArguments, "n_gpu", property(lambda arguments: 2))
    model = add_adapter(load_model(random_model, "none", torch.device("cpu")), SETTINGS)
    with pytest.raises(InputError, match="training sees 2 GPUs and can use one"):
        training.make_trainer(model, [], [], SETTINGS, tmp_path, None)


def test_a_layer_that_is_not_there_is_named_with_those_that_are(random_model):
    model = load_model(random_model, "none", torch.device("cpu"))
    with pytest.raises(InputError, match=r"training\.lora\.targets: no layer is called query.*q_proj"):
        add_adapter(model, Training(lora=Lora(targets=("query", "v_proj"))))
