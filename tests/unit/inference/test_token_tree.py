"""Exact probabilities of texts of several tokens: against all paths of a tiny model, one by one."""

from types import SimpleNamespace

import pytest
import torch
from made import make_prompt

from tomtransfer.inference import token_tree
from tomtransfer.inference.branches import BranchCache
from tomtransfer.inference.choices import choice_distributions
from tomtransfer.inference.encoding import encode_prompts, encode_texts
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.token_tree import Vocabulary, candidate_distributions, verdict

AMOUNTS = tuple(str(amount) for amount in range(11))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        (' "$', True),
        ("1", True),
        ("7", True),
        ("7 ", 7),
        ("7.", True),
        ("7.\n", 7),
        ("7.0", True),
        ("7.00 ", 7),
        ("**10**", 10),
        ("$10 dollars", 10),
        ("10", True),
        ("11", False),
        ("7.5", False),
        ("100 ", False),
        ("-3", False),
        ("seven", False),
        ("7th ", False),
    ],
)
def test_a_text_may_become_an_amount_is_one_or_cannot_be(text, found):
    assert verdict(text, AMOUNTS) is found or verdict(text, AMOUNTS) == found != (found is True)


def test_words_are_candidates_too():
    assert verdict("C", ("C", "D")) is True
    assert verdict("D\n", ("C", "D")) == 1
    assert verdict("Co", ("C", "D")) is False
    assert verdict("Co", ("Cooperate", "D")) is True


class Digits:
    """A tokenizer of few tokens, all of whose paths can be walked."""

    texts = ("1", "0", " 1", "5", "10", ".", " ", "$", "x", "<end>")

    def __len__(self):
        return len(self.texts)

    def batch_decode(self, tokens):
        return [self.texts[token] for (token,) in tokens]


class Chain:
    """A model whose next token depends on the last one alone."""

    device = torch.device("cpu")

    config = SimpleNamespace(_attn_implementation="sdpa")

    def __init__(self):
        self.logits = torch.randn(len(Digits.texts), len(Digits.texts), generator=torch.Generator().manual_seed(1))

    def set_attn_implementation(self, name):
        pass

    def __call__(self, input_ids, past_key_values, logits_to_keep, **_):
        nothing = torch.zeros(*input_ids.shape, 1)[:, None]
        past_key_values.update(nothing, nothing, 0)
        last = slice(-1, None) if isinstance(logits_to_keep, int) else logits_to_keep
        return type("Output", (), {"logits": self.logits[input_ids[:, last]]})


def walk(model, last, text, share, depth, found):
    """Add up the mass of every path by what it spells, without any of the search's shortcuts."""
    for token, probability in enumerate(torch.softmax(model.logits[last] / 0.8, -1).tolist()):
        what = verdict(text + Digits.texts[token], AMOUNTS)
        if what is True and depth:
            walk(model, token, text + Digits.texts[token], share * probability, depth - 1, found)
        elif what is not True and what is not False:
            found[what] = found.get(what, 0) + share * probability


def test_every_spelling_counts_and_nothing_counts_twice(monkeypatch):
    monkeypatch.setattr(token_tree, "LEAST_MASS", 0)
    monkeypatch.setattr(token_tree, "LONGEST_PATH", 5)
    model, found = Chain(), {}
    walk(model, 8, "", 1.0, 4, found)
    (exact,) = candidate_distributions(model, Vocabulary(Digits()), [[8]], [AMOUNTS], 0.8, 1000)
    assert set(found) == {0, 1, 5, 10}
    for amount, mass in enumerate(exact.candidates):
        assert mass == pytest.approx(found.get(amount, 0), abs=1e-6)
    assert sum(exact.candidates) + exact.other == pytest.approx(1)


def test_the_shared_cache_gives_what_separate_passes_give(random_model):
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    (prompt,) = encode_texts(tokenizer, [make_prompt("team")], random_model)
    [(_, _, prefix)] = prefill(model, [prompt.tokens], 10_000, [0])
    with torch.inference_mode():
        cache = BranchCache([prefix], [2], 2)
        steps = [token_tree._next_tokens(model, cache, [5, 7], prefix.tokens, 0.8)]
        cache.keep([0, 0, 1])
        steps.append(token_tree._next_tokens(model, cache, [9, 2, 11], prefix.tokens + 1, 0.8))
    for paths, rows in zip(([[5], [7]], [[5, 9], [5, 2], [7, 11]]), steps, strict=True):
        for path, row in zip(paths, rows, strict=True):
            with torch.no_grad():
                logits = model(torch.tensor([[*prompt.tokens, *path]])).logits[0, -1]
            assert torch.allclose(row, torch.softmax(logits / 0.8, -1), atol=1e-6)


def test_a_label_of_one_token_has_the_mass_that_the_fast_reading_gives(random_model):
    """But for what goes on with the label as a word, which only the tree looks at."""
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    prompts = encode_prompts(tokenizer, [make_prompt("team")], random_model)
    (fast,) = choice_distributions(model, prompts, 0.8, 10_000)
    (tree,) = candidate_distributions(model, Vocabulary(tokenizer), [prompts[0].tokens], [("C", "D")], 0.8, 1000)
    assert 0 < tree.candidates[0] <= 2 * fast.cooperate
    assert sum(tree.candidates) + tree.other == pytest.approx(1)


class Many(Digits):
    """A tokenizer with tokens of every sort: words, spaces, brackets, numbers, parts of numbers, nothing at all."""

    texts = (
        *("", " ", "0", "1", ".", ".5", ".0", "0.", ", ", " apples", "apples", "*", "**.", "$1", " 10", "e", "o", "1"),
        *("-1", "00", "C", " C", "CD", "D)", "\n", "\n1", "one", " one.", "ne", "ne ", "\u00e9", "_", "(2.5", " a"),
    )


@pytest.mark.parametrize("candidates", [AMOUNTS, ("C", "D"), ("2.5", "10", "3"), ("one", "two")])
@pytest.mark.parametrize("text", ["", "1", "10", "1.", "2.", "2.5", "1.0", "C", "on"])
def test_looking_at_the_first_character_of_tokens_finds_what_looking_at_all_of_each_finds(text, candidates):
    looked = Vocabulary(Many()).after(text, candidates)
    found = {token: number for number, tokens in looked.completing for token in tokens.tolist()}
    found |= dict.fromkeys(looked.going_on.tolist(), True)
    verdicts = {token: verdict(text + addition, candidates) for token, addition in enumerate(Many.texts)}
    assert found == {token: what for token, what in verdicts.items() if what is not False}
