"""Prompts computed together: what follows each, and which are put together."""

import pytest
import torch
from made import make_prompt

from tomtransfer.inference.encoding import encode_prompts
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.prefill import prefill, share_beginnings


@pytest.fixture(scope="module")
def model(random_model):
    return load_model(random_model, "none", torch.device("cpu"))


@pytest.fixture(scope="module")
def prompts(random_model):
    asked = [make_prompt(context) for context in ("team", "business", "sports")]
    return encode_prompts(load_tokenizer(random_model), asked, random_model)


def logits_of(model, prompts, tokens_per_batch):
    found = {number: logits for number, logits, _ in prefill(model, prompts, tokens_per_batch)}
    return [found[number] for number in range(len(prompts))]


@pytest.mark.parametrize("tokens_per_batch", [1, 10_000])
def test_what_follows_is_that_of_a_plain_forward_pass(model, prompts, tokens_per_batch):
    for prompt, logits in zip(prompts, logits_of(model, prompts, tokens_per_batch), strict=True):
        with torch.no_grad():
            plain = model(torch.tensor([prompt])).logits[0, -1]
        assert torch.allclose(logits, plain, atol=1e-4)


def test_prompts_that_begin_alike_are_computed_together_and_read_as_if_alone(model, prompts):
    start = prompts[0]
    alike = [[*start, *rest] for rest in ([5], [6, 7, 8], [6, 9], [5, 5, 5, 5])]
    groups = list(share_beginnings(alike, 10_000))
    assert [(shared, sorted(group)) for shared, group in groups] == [(len(start), [0, 1, 2, 3])]
    for prompt, logits in zip(alike, logits_of(model, alike, 10_000), strict=True):
        [alone] = logits_of(model, [prompt], 10_000)
        assert torch.allclose(logits, alone, atol=1e-4)


def test_groups_hold_every_prompt_once_share_what_they_say_and_stay_within_the_budget():
    prompts = [[1, 2, 3, 4, 9], [1, 2, 3, 4], [7, 7, 7, 7], [1, 2, 3, 4, 9], [1, 8, 8, 8, 8, 8, 8, 8], [1, 2, 3, 5]]
    for budget in (1, 8, 100):
        groups = list(share_beginnings(prompts, budget))
        assert sorted(index for _, group in groups for index in group) == list(range(6))
        for shared, group in groups:
            assert len({tuple(prompts[index][:shared]) for index in group}) == 1
            assert all(shared < len(prompts[index]) for index in group)
            assert len(group) == 1 or shared + sum(len(prompts[index]) - shared for index in group) <= budget
    assert sorted(map(len, (group for _, group in groups))) == [1, 1, 4]
