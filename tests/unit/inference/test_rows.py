"""Shared-prefix rows: the loss and the gradient of separate rows, and never a prompt token among the targets."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM

from tomtransfer.inference.rows import Completion, Row, row_inputs
from tomtransfer.training.loss import pack, row_targets, token_shares, weighted_loss

SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 50,
}
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]
COMPLETIONS = [Completion([10, 11, 12], 0.5), Completion([20, 21], 0.2), Completion([10, 13, 14, 15, 16], 0.3)]


def models():
    torch.manual_seed(0)
    yield LlamaForCausalLM(LlamaConfig(**SHAPE))
    yield Qwen2ForCausalLM(Qwen2Config(**SHAPE))
    yield MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=4096))


def loss_of(model, row, choice_share=0.5):
    targets = row_targets(row, choice_share)
    logits = model(**row_inputs(row), logits_to_keep=targets["sources"]).logits[0]
    return weighted_loss(logits, targets["labels"], targets["weights"], temperature=0.8)


def separate_loss(model, completion, choice_share):
    """The loss of one completion alone, computed the ordinary way: shifted labels, causal mask, no shared prefix."""
    tokens = torch.tensor([[*PROMPT, *completion.tokens]])
    logits = model(tokens).logits[0, len(PROMPT) - 1 : -1] / 0.8
    losses = -torch.log_softmax(logits, dim=-1)[range(len(completion.tokens)), completion.tokens]
    return completion.weight * (losses * torch.tensor(token_shares(completion, choice_share))).sum()


@pytest.mark.parametrize("model", list(models()), ids=lambda model: type(model).__name__)
@pytest.mark.parametrize("choice_share", [0.5, None])
def test_loss_and_gradient_are_those_of_separate_rows(model, choice_share):
    shared = loss_of(model, Row(PROMPT, COMPLETIONS), choice_share)
    shared_gradient = torch.autograd.grad(shared, list(model.parameters()))
    separate = sum(separate_loss(model, completion, choice_share) for completion in COMPLETIONS)
    separate_gradient = torch.autograd.grad(separate, list(model.parameters()))
    assert shared.item() == pytest.approx(separate.item(), rel=1e-6)
    for one, other in zip(shared_gradient, separate_gradient, strict=True):
        assert (one - other).norm() <= 1e-5 * other.norm() + 1e-8


def test_prompt_tokens_are_never_among_the_targets():
    row = Row(PROMPT, COMPLETIONS)
    targets = row_targets(row, 0.5)
    assert targets["labels"].tolist() == [token for completion in COMPLETIONS for token in completion.tokens]
    assert (targets["sources"] >= len(PROMPT) - 1).all()
    inputs = row_inputs(row)["input_ids"][0]
    assert inputs[: len(PROMPT)].tolist() == PROMPT
    assert len(inputs) == len(PROMPT) + sum(len(completion.tokens) - 1 for completion in COMPLETIONS)


def test_a_completion_sees_the_prompt_and_itself_alone():
    row = Row(PROMPT, COMPLETIONS)
    inputs = row_inputs(row)
    seen, positions = inputs["attention_mask"][0, 0], inputs["position_ids"][0]
    second = len(PROMPT) + 2
    assert seen[second].nonzero()[:, 0].tolist() == [*range(len(PROMPT)), second]
    assert positions[second] == len(PROMPT)


def test_identical_completions_merged_with_their_weights_added_have_the_same_loss():
    model = next(models())
    twice = Row(PROMPT, [Completion([10, 11], 0.2), Completion([10, 11], 0.3)])
    once = Row(PROMPT, [Completion([10, 11], 0.5)])
    assert float(loss_of(model, twice)) == pytest.approx(float(loss_of(model, once)), rel=1e-6)


@given(st.integers(1, 9), st.integers(0, 40), st.integers(0, 40), st.one_of(st.none(), st.floats(0, 1)))
def test_a_choice_has_its_share_and_reasons_the_rest_or_all_tokens_count_the_same(chosen, before, after, choice_share):
    shares = token_shares(Completion([1] * (before + chosen + after), 1.0, before, chosen), choice_share)
    assert len(shares) == before + chosen + after
    if choice_share is None:
        assert set(shares) == {1 / len(shares)}
    else:
        assert sum(shares[before : before + chosen]) == pytest.approx(choice_share)
        assert sum(shares) == pytest.approx(1 if before + after else choice_share)


@given(st.integers(1, 40), st.integers(1, 12))
def test_packing_keeps_every_completion_once_in_even_rows(count, per_row):
    completions = [Completion([number], 1.0) for number in range(count)]
    rows = pack(PROMPT, completions, per_row)
    sizes = [len(row.completions) for row in rows]
    assert sorted(one.tokens[0] for row in rows for one in row.completions) == list(range(count))
    assert max(sizes) <= per_row
    assert max(sizes) - min(sizes) <= 1
