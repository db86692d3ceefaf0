"""Drawing motivations: seeded, independent of their company, distributed as the model says."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made import make_prompt

from tomtransfer.inference import sampling
from tomtransfer.inference.encoding import encode_prompts, label_tokens
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.sampling import Draw, draw_texts, end_tokens, pick
from tomtransfer.inference.token_tree import candidate_distributions
from tomtransfer.inference.vocabulary import Vocabulary
from tomtransfer.scenarios.spelling import spellings_of


@pytest.fixture(scope="module")
def asked(random_model: Path):
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    prompts = encode_prompts(tokenizer, [make_prompt("team"), make_prompt("sports")], random_model, room=12)
    return model, tokenizer, prompts


def draws_of(asked, count, seed="1", labels=("C", "D")):
    _, tokenizer, prompts = asked
    return [
        Draw(index, tokens, f"{seed}/{index}/{tokens[0]}/{number}")
        for index in range(len(prompts))
        for tokens in label_tokens(tokenizer, labels, "random").values()
        for number in range(count)
    ]


def draw(asked, draws, tokens_per_batch=20_000, longest=8):
    model, tokenizer, prompts = asked
    return draw_texts(model, tokenizer, prompts, draws, 0.8, longest, tokens_per_batch)


def test_the_same_seed_gives_the_same_text_and_another_seed_another(asked):
    draws = draws_of(asked, 3)
    assert draw(asked, draws) == draw(asked, draws)
    assert draw(asked, draws) != draw(asked, draws_of(asked, 3, seed="2"))


def test_a_draw_does_not_depend_on_what_is_drawn_beside_it(asked):
    draws = draws_of(asked, 3)
    together = draw(asked, draws)
    assert draw(asked, draws, tokens_per_batch=1) == together
    assert draw(asked, draws[5:7]) == together[5:7]


def test_labels_of_different_lengths_are_drawn_behind_as_if_alone(asked):
    draws = draws_of(asked, 2, labels=("Stag", "a rather long label"))
    assert len({len(each.label) for each in draws}) == 2
    together = draw(asked, draws)
    assert [draw(asked, [each])[0] for each in draws] == together


def test_tokens_follow_the_models_own_distribution(asked):
    """The first drawn token of many draws against the exact next-token distribution, by a chi-squared test."""
    from scipy.stats import chisquare

    model, tokenizer, prompts = asked
    label = label_tokens(tokenizer, ["C\n"], "random")["C\n"]
    count = 2_000
    drawn = draw(asked, [Draw(0, label, f"many/{number}") for number in range(count)], 400_000, longest=1)
    seen = np.zeros(len(tokenizer))
    texts = {tokenizer.decode([token], skip_special_tokens=True).strip(): token for token in range(len(tokenizer))}
    for motivation in drawn:
        seen[texts[motivation.text]] += 1
    with torch.no_grad():
        logits = model(torch.tensor([[*prompts[0], *label]])).logits[0, -1]
    merged = np.zeros(len(tokenizer))
    for token, probability in enumerate(torch.softmax(logits / 0.8, dim=-1).numpy()):
        merged[texts[tokenizer.decode([token], skip_special_tokens=True).strip()]] += probability
    common = merged * count >= 5
    observed = np.append(seen[common], seen[~common].sum())
    expected = np.append(merged[common], merged[~common].sum()) * count
    assert chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 0.001


def test_an_answer_that_ends_leaves_the_others_as_they_are(asked, monkeypatch):
    model, tokenizer, _ = asked
    draws = draws_of(asked, 4)
    before = draw(asked, draws, longest=12)
    # Of a longer text nobody can tell as which tokens it was drawn; a text of one token may be of this one alone.
    texts = [tokenizer.decode([token], skip_special_tokens=True).strip() for token in range(len(tokenizer))]
    known = [one.text for one in draw(asked, draws, longest=1) if texts.count(one.text) == 1]
    common = texts.index(known[0])
    monkeypatch.setattr(model.generation_config, "eos_token_id", common)
    after = draw(asked, draws, longest=12)
    assert any(one.finished for one in after)
    for short, whole in zip(after, before, strict=True):
        assert whole.text.startswith(short.text)
        assert short.tokens <= whole.tokens


def test_what_was_kept_of_a_prompt_when_its_choice_was_read_is_gone_on_from(asked, monkeypatch):
    model, tokenizer, prompts = asked
    draws = draws_of(asked, 3)
    alone = draw(asked, draws)
    prefixes: dict = {}
    vocabulary, labels = Vocabulary(tokenizer, end_tokens(model, tokenizer)), [spellings_of(("C", "D"))] * 2
    candidate_distributions(model, vocabulary, prompts, labels, 0.8, 10_000, [0, 1], prefixes)
    assert set(prefixes) == {tuple(prompt) for prompt in prompts}
    monkeypatch.setattr(sampling, "prefill", lambda *_: iter(()))
    assert draw_texts(model, tokenizer, prompts, draws, 0.8, 8, 20_000, prefixes=prefixes) == alone


def test_draws_that_have_said_the_same_are_one_row_until_they_part(asked):
    model, tokenizer, prompts = asked
    rows = []
    seen = model.register_forward_pre_hook(
        lambda _, __, given: rows.append(given["input_ids"].shape[0]), with_kwargs=True
    )
    many = [Draw(0, None, f"many/{number}") for number in range(200)]
    drawn = draw_texts(model, tokenizer, prompts, many, 0.8, 3, 400_000)
    seen.remove()
    distinct = [
        len({one.text for one in draw_texts(model, tokenizer, prompts, many, 0.8, longest, 400_000)})
        for longest in (1, 2)
    ]
    assert len(drawn) == 200
    # All but the last token of the prompt, the last one, a row for every first token, one for every pair of tokens.
    assert rows[:2] == [1, 1]
    assert distinct[0] <= rows[2] < distinct[1] <= rows[3] <= 200


def test_pick_takes_the_token_at_the_quantile_of_the_draws_own_row():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0]]))
    assert pick(logits, [0, 1], [0.0, 0.0]) == [0, 1]
    assert pick(logits, [0, 0, 1, 0], [0.6, 0.999999, 0.5, 0.0]) == [1, 2, 1, 0]
    assert pick(logits, [0], [0.999999]) == [2]
