"""Texts that branch off from prompts: what is computed is what each would be alone."""

import pytest
import torch
from transformers import (
    DynamicCache,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from tomtransfer.inference.branches import BRANCHES
from tomtransfer.inference.continuation import SharedContinuation
from tomtransfer.inference.general_attention import UnknownAttentionError, attending
from tomtransfer.inference.prefill import Prefix
from tomtransfer.inference.sampling import pick, share_prompts

SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 50,
}
PROMPTS = [[3, 1, 4, 1, 5, 9, 2, 6], [2, 7, 1, 8], [1, 4, 1, 4, 2, 1]]
COUNTS = [2, 1, 3]


def models():
    torch.manual_seed(0)
    yield LlamaForCausalLM(LlamaConfig(**SHAPE))
    yield Qwen2ForCausalLM(Qwen2Config(**SHAPE))
    yield MistralForCausalLM(MistralConfig(**SHAPE, sliding_window=5))


def prefilled(model, prompts):
    caches = [DynamicCache() for _ in prompts]
    for prompt, cache in zip(prompts, caches, strict=True):
        model(torch.tensor([prompt]), past_key_values=cache)
    return [Prefix([(layer.keys, layer.values) for layer in cache.layers]) for cache in caches]


@pytest.mark.parametrize("model", list(models()), ids=lambda model: type(model).__name__)
def test_branches_have_the_logits_that_each_has_alone_also_when_others_are_dropped_or_part(model):
    owners = [number for number, count in enumerate(COUNTS) for _ in range(count)]
    begun, kept = torch.randint(50, (len(owners), 3)), [1, 3, 3, 5]
    later = torch.randint(50, (len(kept), 4))
    with torch.no_grad():
        continuation = SharedContinuation(model, prefilled(model, PROMPTS), COUNTS, 7, flat=False)
        together = [continuation.step(begun[:, :2]), continuation.step(begun[:, 2:])]
        continuation.keep(kept)
        rest = [continuation.step(later[:, place : place + 1]) for place in range(4)]
        assert continuation.counts == [1, 3]

        def alone(branch, tokens):
            prompt = PROMPTS[owners[branch]]
            return model(torch.tensor([[*prompt, *tokens.tolist()]])).logits[0, len(prompt) :]

        for branch in range(len(owners)):
            computed = torch.stack([part[branch] for part in together])
            assert torch.allclose(computed, alone(branch, begun[branch])[1:], atol=1e-5)
        for part, branch in enumerate(kept):
            computed = torch.stack([logits[part] for logits in rest])
            assert torch.allclose(computed, alone(branch, torch.cat([begun[branch], later[part]]))[3:], atol=1e-5)


def test_a_model_computes_as_before_after_branching():
    model = next(models())
    before = model.config._attn_implementation
    with pytest.raises(KeyboardInterrupt), attending(model, BRANCHES):
        raise KeyboardInterrupt
    assert model.config._attn_implementation == before


def test_attention_that_asks_for_what_is_not_known_is_refused():
    model = next(models())
    continuation = SharedContinuation(model, prefilled(model, PROMPTS[:1]), [1], 1, flat=False)
    with attending(model, BRANCHES), pytest.raises(UnknownAttentionError, match="its attention takes alibi"):
        model(torch.tensor([[1]]), position_ids=torch.tensor([[8]]), past_key_values=continuation.cache, alibi=30.0)


def test_groups_hold_every_draw_once_each_prompt_once_within_the_budget():
    prompts, lengths = [2, 0, 1, 0, 2, 0, 0], [30, 10, 20]
    for budget in (1, 45, 55, 200):
        groups = list(share_prompts(prompts, lengths, 5, budget))
        assert sorted(index for group in groups for index in group) == list(range(7))
        for group in groups:
            owners = [prompts[index] for index in group]
            assert owners == sorted(owners)
            tokens = sum(lengths[owner] for owner in set(owners)) + 5 * len(group)
            assert len(group) == 1 or tokens <= budget
    assert [len(group) for group in share_prompts(prompts, lengths, 5, 45)] == [3, 1, 3]
    assert list(share_prompts([], lengths, 5, 45)) == []


def test_tokens_are_picked_over_many_blocks_as_from_one_sum():
    torch.manual_seed(0)
    logits = torch.randn(200, 5_000) * 4
    logits[:, 1_000:2_000] = float("-inf")
    uniform = torch.rand(200, dtype=torch.float64)
    cumulative = torch.softmax(logits, dim=-1).double().cumsum(-1)
    expected = torch.searchsorted(cumulative, (uniform[:, None] * cumulative[:, -1:]), right=True)[:, 0]
    assert pick(logits, range(200), uniform.tolist()) == expected.tolist()
