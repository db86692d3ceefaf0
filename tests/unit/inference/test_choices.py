"""Exact choice distributions, alone and computed together."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from made import make_prompt

from tomtransfer.inference.choices import choice_distributions
from tomtransfer.inference.encoding import encode_prompts
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.prefill import share_beginnings


@pytest.fixture(scope="module")
def tokenizer(random_model: Path):
    return load_tokenizer(random_model)


@pytest.fixture(scope="module")
def model(random_model: Path):
    return load_model(random_model, "none", torch.device("cpu"))


@pytest.fixture(scope="module")
def encoded(tokenizer, random_model: Path):
    prompts = [make_prompt(context) for context in ("team", "business", "sports")]
    return encode_prompts(tokenizer, prompts, random_model)


def test_choices_are_those_of_a_plain_forward_pass(model, encoded):
    exact = choice_distributions(model, encoded, temperature=0.8, tokens_per_batch=10_000)
    for prompt, distribution in zip(encoded, exact, strict=True):
        with torch.no_grad():
            logits = model(torch.tensor([prompt.tokens])).logits[0, -1]
        probabilities = torch.softmax(logits.float() / 0.8, dim=-1)
        assert distribution.cooperate == pytest.approx(float(probabilities[prompt.cooperate].sum()), abs=1e-6)
        assert distribution.defect == pytest.approx(float(probabilities[prompt.defect].sum()), abs=1e-6)
        assert distribution.cooperate + distribution.defect + distribution.other == pytest.approx(1, abs=1e-6)


def test_the_batch_size_changes_nothing(model, encoded):
    together = choice_distributions(model, encoded, 0.8, 10_000)
    alone = choice_distributions(model, encoded, 0.8, 1)
    for one, other in zip(together, alone, strict=True):
        assert one.cooperate == pytest.approx(other.cooperate, abs=1e-6)


def test_prompts_that_begin_alike_are_computed_together_and_read_as_if_alone(model, encoded):
    start = encoded[0].tokens
    alike = [replace(encoded[0], tokens=[*start, *rest]) for rest in ([5], [6, 7, 8], [6, 9], [5, 5, 5, 5])]
    groups = list(share_beginnings([prompt.tokens for prompt in alike], 10_000))
    assert [(shared, sorted(group)) for shared, group in groups] == [(len(start), [0, 1, 2, 3])]
    together = choice_distributions(model, alike, 0.8, 10_000)
    for prompt, distribution in zip(alike, together, strict=True):
        [alone] = choice_distributions(model, [prompt], 0.8, 10_000)
        assert distribution.cooperate == pytest.approx(alone.cooperate, abs=1e-6)
        assert distribution.other == pytest.approx(alone.other, abs=1e-6)


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


def test_swapping_the_labels_swaps_what_is_read(model, encoded):
    swapped = [replace(prompt, cooperate=prompt.defect, defect=prompt.cooperate) for prompt in encoded]
    for one, other in zip(
        choice_distributions(model, encoded, 0.8, 10_000),
        choice_distributions(model, swapped, 0.8, 10_000),
        strict=True,
    ):
        assert (one.cooperate, one.defect) == (other.defect, other.cooperate)
