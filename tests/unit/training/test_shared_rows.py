"""Training on shared-prefix rows is training on separate rows: gradients, losses step by step, and what comes of it."""

import copy

import pytest
import torch
from transformers import (
    Gemma2Config,
    Gemma2ForCausalLM,
    GptOssConfig,
    GptOssForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tomtransfer.experiment.sections import Lora, Training
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.row_attention import SHARED_ROWS
from tomtransfer.inference.rows import Completion, Row, row_inputs, row_lengths
from tomtransfer.training import together
from tomtransfer.training.completions import by_scenario
from tomtransfer.training.lora import add_adapter
from tomtransfer.training.loss import pack, row_targets, token_shares, weighted_loss
from tomtransfer.training.together import compute_together, shared_beginning, tokens_together
from tomtransfer.training.trainer import make_trainer

SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 50,
    "attn_implementation": SHARED_ROWS,
}
SHAPES = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE)),
    "a window over all": lambda: MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=4096)),
    "a window shorter than the prompt": lambda: MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=5)),
    "a window within a completion": lambda: MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=10)),
}
OTHER_SCORES = {
    "capped scores": lambda: Gemma2ForCausalLM(
        Gemma2Config(**SHAPE, head_dim=8, attn_logit_softcapping=2.0, sliding_window=4096)
    ),
    "sinks": lambda: GptOssForCausalLM(
        GptOssConfig(**SHAPE, head_dim=8, num_local_experts=2, num_experts_per_tok=1, sliding_window=4096)
    ),
}
"""Their own attention has to be told what a row is made of."""
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
UNEVEN = [[10, 11, 12], [20], [10, 13, 14, 15, 16], [20, 21], [11, 12, 13, 14, 15, 16, 17]]
STEPS = 20


def make_model(shape):
    torch.manual_seed(0)
    return (SHAPES | OTHER_SCORES)[shape]()


def completions(texts=UNEVEN):
    return [Completion(tokens, (number + 1) / sum(range(len(texts) + 1))) for number, tokens in enumerate(texts)]


def next_tokens(model, prompts):
    """What follows each prompt, as the product computes it: beginnings together."""
    found = {number: torch.softmax(logits / 0.8, dim=-1) for number, logits, _ in prefill(model, prompts, 1_000)}
    return [found[number] for number in range(len(prompts))]


def shared_loss(model, row, choice_share=0.5):
    targets = row_targets(row, choice_share)
    logits = model(**row_inputs(row), row_lengths=row_lengths(row), logits_to_keep=targets["sources"]).logits[0]
    return weighted_loss(logits, targets["labels"], targets["weights"], temperature=0.8)


def separate_loss(model, row, choice_share=0.5):
    """The loss of each completion in a row of its own: the model's own causal mask and positions, shifted labels."""
    losses = []
    for completion in row.completions:
        logits = model(torch.tensor([[*row.prompt, *completion.tokens]])).logits[0, len(row.prompt) - 1 : -1] / 0.8
        each = -torch.log_softmax(logits, dim=-1)[range(len(completion.tokens)), completion.tokens]
        shares = torch.tensor(token_shares(completion, choice_share))
        losses.append(completion.weight * (each * shares).sum())
    return torch.stack(losses).sum()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("texts", [UNEVEN, UNEVEN[:1], [[20], [21]]], ids=["uneven", "one", "labels alone"])
def test_gradients_are_those_of_separate_rows(shape, texts):
    model = make_model(shape)
    row = Row(PROMPT, completions(texts))
    losses = [loss(model, row) for loss in (shared_loss, separate_loss)]
    shared, separate = (torch.autograd.grad(loss, list(model.parameters())) for loss in losses)
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-6)
    for one, other in zip(shared, separate, strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-8


@pytest.mark.parametrize("shape", SHAPES)
def test_twenty_steps_lead_where_separate_rows_lead(shape):
    """Losses within 1e-3 at each step, choice probabilities within 1e-3 after them."""
    row = Row(PROMPT, completions())
    prompts = [PROMPT, [*PROMPT[:6], 7]]
    histories, choices = [], []
    for loss_of in (shared_loss, separate_loss):
        model = make_model(shape)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        history = []
        for _ in range(STEPS):
            loss = loss_of(model, row)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.append(loss.item())
        histories.append(history)
        choices.append(next_tokens(model, prompts))
    assert histories[0] == pytest.approx(histories[1], abs=1e-3)
    assert histories[0][-1] < 0.9 * histories[0][0]
    for one, other in zip(*choices, strict=True):
        assert one[[10, 20]].tolist() == pytest.approx(other[[10, 20]].tolist(), abs=1e-3)


@pytest.mark.parametrize("shape", ["a window shorter than the prompt", "a window within a completion"])
def test_choices_of_a_model_with_a_short_window_are_those_of_a_plain_forward_pass(shape):
    model = make_model(shape)
    prompts = [[*PROMPT, *rest] for rest in ([5], [6, 7, 8, 1, 2, 3, 4], [6, 9])]
    read = next_tokens(model, prompts)
    for prompt, distribution in zip(prompts, read, strict=True):
        with torch.no_grad():
            exact = torch.softmax(model(torch.tensor([prompt])).logits[0, -1] / 0.8, dim=-1)
        assert torch.allclose(distribution, exact, atol=1e-6)


def test_attention_that_does_not_know_the_lengths_goes_by_the_mask():
    model = make_model("llama")
    row = Row(PROMPT, completions())
    known = model(**row_inputs(row), row_lengths=row_lengths(row)).logits
    assert torch.allclose(known, model(**row_inputs(row)).logits, atol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_training_lowers_the_loss_with_dropout_and_with_gradient_checkpointing(tmp_path, dropout, checkpointing):
    settings = Training(
        lora=Lora(dropout=dropout), epochs=15, rows_per_step=1, learning_rate=0.05, schedule="constant", warmup_share=0
    )
    model = add_adapter(make_model("llama"), settings)
    rows = [Row(PROMPT, completions()), Row(PROMPT[::-1], completions(UNEVEN[::-1]))]
    before = {name: value.clone() for name, value in model.named_parameters() if value.requires_grad}
    trainer = make_trainer(model, rows, rows[:1], settings, tmp_path, checkpointing)
    trainer.args.save_strategy = "no"
    trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert sum(losses[-4:]) < 0.97 * sum(losses[:4])
    assert all(not torch.equal(value, before[name]) for name, value in model.named_parameters() if name in before)


def test_gradient_checkpointing_changes_nothing(tmp_path):
    settings = Training(epochs=3, rows_per_step=1, learning_rate=0.05)
    base, rows = make_model("llama"), [Row(PROMPT, completions())]
    trained = []
    for checkpointing in (False, True):
        model = add_adapter(copy.deepcopy(base), settings)
        trainer = make_trainer(model, rows, rows, settings, tmp_path, checkpointing)
        trainer.args.save_strategy = "no"
        trainer.train()
        trained.append([value for value in model.parameters() if value.requires_grad])
    for one, other in zip(*trained, strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_a_number_that_does_not_divide_is_dealt_evenly_and_the_gradient_is_that_of_all():
    model = make_model("llama")
    whole = Row(PROMPT, completions())
    rows = pack(PROMPT, whole.completions, 3)
    assert [len(row.completions) for row in rows] == [3, 2]
    parameters = list(model.parameters())
    packed = torch.autograd.grad(sum(shared_loss(model, row) for row in rows), parameters)
    for one, other in zip(packed, torch.autograd.grad(shared_loss(model, whole), parameters), strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-8


def test_rows_that_would_be_too_long_are_more_and_even():
    many = [Completion([1] * length, 1.0) for length in (3, 9, 4, 8, 5, 7)]
    rows = pack(PROMPT, many, 6, longest=30)
    assert [len(row.completions) for row in rows] == [3, 3]
    assert all(len(row_inputs(row)["input_ids"][0]) <= 30 for row in rows)
    assert [len(row.completions) for row in pack(PROMPT, many, 6, longest=1)] == [1] * 6


def mirrored(scenario, *prompts):
    """Rows of one scenario, each prompt another frame of it."""
    return [Row(prompt, completions(), scenario) for prompt in prompts]


FRAMES = (PROMPT, PROMPT[::-1], [*PROMPT, 7])


def test_a_counterbalanced_step_has_the_gradient_of_all_rows_of_one_scenario(tmp_path):
    """The norm of each gradient, worked out from separate rows: the weights hardly move at this learning rate."""
    rows = [*mirrored("one", *FRAMES), *mirrored("other", [8, *PROMPT])]
    settings = Training(
        epochs=2, counterbalanced_steps=True, learning_rate=1e-9, max_gradient_norm=1e9, choice_share=0.5
    )
    model = add_adapter(make_model("llama"), settings)
    trained = [value for value in model.parameters() if value.requires_grad]
    expected = {}
    for scenario in ("one", "other"):
        losses = [separate_loss(model, row) for row in rows if row.scenario == scenario]
        # Four rows in two steps: a step's loss is the sum over its rows, divided by the two rows of a mean step.
        loss = torch.stack(losses).sum() / 2
        gradient = torch.autograd.grad(loss, trained)
        expected[round(float(loss), 3)] = float(torch.cat([each.flatten() for each in gradient]).norm())
    trainer = make_trainer(model, rows, rows[:1], settings, tmp_path, False)
    trainer.args.save_strategy = "no"
    trainer.train()
    logged = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert [entry["step"] for entry in logged] == [1, 2, 3, 4]
    assert sorted(round(entry["loss"], 3) for entry in logged) == sorted([*expected, *expected])
    for entry in logged:
        assert entry["grad_norm"] == pytest.approx(expected[round(entry["loss"], 3)], rel=1e-3)


BEGINNING = [3, 1, 4, 1, 5, 9]
LIKE_FRAMES = tuple([*BEGINNING, *rest] for rest in ([2, 6], [6, 2, 7], [8], [2, 8, 2, 8]))


def gradient_of(loss, model):
    parameters = list(model.parameters())
    return torch.cat([each.flatten() for each in torch.autograd.grad(loss, parameters)])


@pytest.mark.parametrize("shape", ["llama", "qwen2", "a window over all", "capped scores", "sinks"])
@pytest.mark.parametrize("choice_share", [0.7, None])
def test_a_pass_over_the_frames_of_a_scenario_has_the_gradient_of_their_rows(shape, choice_share):
    model = make_model(shape)
    rows = mirrored("one", *LIKE_FRAMES)
    assert shared_beginning(rows) == len(BEGINNING)
    given = compute_together(rows, choice_share)
    count = given["input_ids"].shape[1]
    assert count == tokens_together(rows) < sum(len(row_inputs(row)["input_ids"][0]) for row in rows)
    labels, sources, weights = (given.pop(name) for name in ("labels", "sources", "weights"))
    logits = model(**given, logits_to_keep=sources).logits[0]
    one_pass = weighted_loss(logits, labels, weights, temperature=0.8)
    apart = torch.stack([shared_loss(model, row, choice_share) for row in rows]).sum()
    assert float(one_pass) == pytest.approx(float(apart), rel=1e-6)
    expected = gradient_of(apart, model)
    assert (gradient_of(one_pass, model) - expected).norm() <= 1e-5 * expected.norm()


def test_prompts_with_nothing_in_common_and_one_that_is_the_others_beginning_are_exact_too():
    model = make_model("llama")
    for prompts in ((PROMPT, [9, 9, 9]), (PROMPT, [*PROMPT, 7]), (PROMPT, PROMPT)):
        rows = mirrored("one", *prompts)
        given = compute_together(rows, 0.5)
        labels, sources, weights = (given.pop(name) for name in ("labels", "sources", "weights"))
        one_pass = weighted_loss(model(**given, logits_to_keep=sources).logits[0], labels, weights, 0.8)
        assert float(one_pass) == pytest.approx(float(sum(shared_loss(model, row) for row in rows)), rel=1e-6)


def test_a_counterbalanced_training_in_one_pass_a_scenario_is_that_in_a_pass_a_row(tmp_path):
    rows = [*mirrored("one", *LIKE_FRAMES), *mirrored("other", *LIKE_FRAMES[:2])]
    settings = Training(epochs=3, counterbalanced_steps=True, rows_per_step=2, learning_rate=1e-3)
    passes, losses = [], []
    for longest in (0, 1_000):
        model = add_adapter(make_model("llama"), settings)
        counts = []
        model.register_forward_pre_hook(lambda *_, counts=counts: counts.append(1))
        trainer = make_trainer(model, rows, rows[:1], settings, tmp_path, False, longest_together=longest)
        trainer.args.save_strategy = "no"
        trainer.train()
        passes.append(len(counts))
        losses.append([entry["loss"] for entry in trainer.state.log_history if "loss" in entry])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    # Three epochs of six rows or of two scenarios, the evaluations, and the look whether one pass is exact.
    assert passes[0] - passes[1] == 3 * (6 - 2) - (4 + 1)


@pytest.mark.parametrize(("held_back", "evaluated"), [(0, 0), (5, 5), (96, 96), (97, 49), (960, 96), (1_000, 91)])
def test_what_is_held_back_is_evaluated_in_part_where_it_is_much(tmp_path, held_back, evaluated):
    rows = mirrored("one", PROMPT)
    model = add_adapter(make_model("llama"), Training())
    trainer = make_trainer(model, rows, rows * held_back, Training(), tmp_path, False)
    assert len(trainer.eval_dataset) == evaluated


def test_a_model_that_does_not_heed_the_mask_has_a_pass_for_every_row(tmp_path, monkeypatch, caplog):
    def all_seen(rows, choice_share):
        given = compute_together(rows, choice_share)
        return {**given, "attention_mask": torch.ones_like(given["attention_mask"]).tril()}

    monkeypatch.setattr(together, "compute_together", all_seen)
    rows = mirrored("one", *LIKE_FRAMES)
    settings = Training(counterbalanced_steps=True)
    model = add_adapter(make_model("llama"), settings)
    trainer = make_trainer(model, rows, rows[:1], settings, tmp_path, False, longest_together=1_000)
    assert "trained in passes of their own" in caplog.text
    assert set(trainer.data_collator([trainer.train_dataset[0]])) == {"rows"}


def test_rows_of_a_scenario_stand_together_and_weigh_what_they_weighed_before():
    one, other = mirrored("one", *FRAMES), mirrored("other", PROMPT)
    found = by_scenario([one[0], *other, *one[1:]])
    assert [[row.scenario for row in step] for step in found] == [["one"] * 3, ["other"]]
    assert [row.prompt for row in found[0]] == [row.prompt for row in one]
    for row in (row for step in found for row in step):
        assert [each.weight for each in row.completions] == [each.weight / 2 for each in completions()]
