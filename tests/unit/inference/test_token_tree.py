"""Exact probabilities of texts of any number of tokens: against all paths of a tiny model, one by one."""

from types import SimpleNamespace

import pytest
import torch
from made import make_prompt

from tomtransfer.inference import token_tree
from tomtransfer.inference.continuation import SharedContinuation
from tomtransfer.inference.encoding import encode_prompts
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.sampling import end_tokens
from tomtransfer.inference.token_tree import candidate_distributions
from tomtransfer.inference.vocabulary import Vocabulary, split, token_bytes
from tomtransfer.scenarios.spelling import spellings_of

AMOUNTS = spellings_of(tuple(str(amount) for amount in range(11)), "dollars")
START, END = "<start>", "<end>"


class Few:
    """A tokenizer of few tokens, all of whose paths can be walked. Tokens are named by their texts."""

    all_special_ids = (0, 1)

    def __init__(self, *texts: str) -> None:
        self.texts = (START, END, *texts)

    def __len__(self):
        return len(self.texts)

    def convert_ids_to_tokens(self, tokens):
        return [self.texts[token] for token in tokens]

    def encode(self, text, add_special_tokens):
        """Return the longest tokens that write a text."""
        if not text:
            return []
        own = max((each for each in self.texts if each and text.startswith(each)), key=len, default=text)
        return [self.texts.index(own) if own in self.texts else 0, *self.encode(text[len(own) :], False)]


DIGITS = Few("1", "0", " 1", "5", "10", ".", " ", "$", "x")
LETTERS = Few("C", " C", "D", "Co", "op", "erate", "cooperate", "de", "fect", ".", "\n", " because", " I", "x")
BYTES = Few("<0xE5>", "<0x90>", "<0x88>", "作", "合作", "<0xE4>", "背", "叛", "。", "\n", "x")


class Chain:
    """A model whose next token depends on the last one alone."""

    device = torch.device("cpu")

    config = SimpleNamespace(_attn_implementation="sdpa")

    def __init__(self, size):
        self.logits = torch.randn(size, size, generator=torch.Generator().manual_seed(1))

    def set_attn_implementation(self, name):
        pass

    def __call__(self, input_ids, past_key_values, logits_to_keep, **_):
        nothing = torch.zeros(*input_ids.shape, 1)[:, None]
        past_key_values.update(nothing, nothing, 0)
        last = slice(-1, None) if isinstance(logits_to_keep, int) else logits_to_keep
        return type("Output", (), {"logits": self.logits[input_ids[:, last]]})


def walk(model, tokenizer, candidates, last, written, share, depth, found):
    """Add up the mass of every path by what it spells, without any of the search's shortcuts."""
    texts = [b"", b"\n", *token_bytes(tokenizer)[2:]]
    for token, probability in enumerate(torch.softmax(model.logits[last] / 0.8, -1).tolist()):
        longer = written + texts[token]
        text = split(longer)[0]
        # A character that breaks off is no text.
        what = "\ufffd" not in text and candidates.begun(text)
        if what is True and depth:
            walk(model, tokenizer, candidates, token, longer, share * probability, depth - 1, found)
        elif what is not True and what is not False:
            found[what] = found.get(what, 0) + share * probability


@pytest.mark.parametrize(
    ("tokenizer", "candidates", "named"),
    [
        (DIGITS, AMOUNTS, {0, 1, 5, 10}),
        (DIGITS, spellings_of(("0.5", "1.5", "50"), "dollars"), {0, 1, 2}),
        (DIGITS, spellings_of(("10000", "5", "10.5")), {0, 1, 2}),
        (LETTERS, spellings_of(("C", "D")), {0, 1}),
        (LETTERS, spellings_of(("cooperate", "defect")), {0, 1}),
        (BYTES, spellings_of(("合作", "背叛")), {0, 1}),
    ],
    ids=["amounts", "decimals", "long numbers", "letters", "words", "characters of several tokens"],
)
def test_every_spelling_counts_and_nothing_counts_twice(monkeypatch, tokenizer, candidates, named):
    depth = 5
    monkeypatch.setattr(token_tree, "LEAST_MASS", 0)
    vocabulary = Vocabulary(tokenizer, {1})
    monkeypatch.setattr(token_tree, "TOKENS_AROUND", depth - vocabulary.longest(candidates.options))
    model, found = Chain(len(tokenizer)), {}
    walk(model, tokenizer, candidates, 3, b"", 1.0, depth - 1, found)
    (exact,) = candidate_distributions(model, vocabulary, [[3]], [candidates], 0.8, 1000)
    assert set(found) == named
    for place, mass in enumerate(exact.candidates):
        assert mass == pytest.approx(found.get(place, 0), abs=1e-6)
    assert sum(exact.candidates) + exact.other == pytest.approx(1)


def test_prompts_are_followed_together_as_if_alone(random_model):
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    vocabulary = Vocabulary(tokenizer, end_tokens(model, tokenizer))
    contexts = ("team", "business", "sports")
    prompts = encode_prompts(tokenizer, [make_prompt(each) for each in contexts], random_model)
    candidates = [AMOUNTS, spellings_of(("C", "D")), spellings_of(("Stag", "Hare"))]
    together = candidate_distributions(model, vocabulary, prompts, candidates, 0.8, 10_000)
    for prompt, options, distribution in zip(prompts, candidates, together, strict=True):
        (alone,) = candidate_distributions(model, vocabulary, [prompt], [options], 0.8, 1)
        assert distribution.candidates == pytest.approx(alone.candidates, abs=1e-6)


def plain_pass(model, tokens):
    with torch.no_grad():
        return torch.softmax(model(torch.tensor([tokens])).logits[0, -1].float() / 0.8, -1)


@pytest.mark.parametrize("labels", [("C", "D"), ("Stag", "Hare"), ("keep quiet", "speak up"), ("合作", "背叛")])
def test_a_label_has_at_least_the_product_of_the_conditionals_of_its_own_tokens_and_of_an_end(random_model, labels):
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    ends = end_tokens(model, tokenizer)
    (prompt,) = encode_prompts(tokenizer, [make_prompt("team")], random_model)
    (read,) = candidate_distributions(model, Vocabulary(tokenizer, ends), [prompt], [spellings_of(labels)], 0.8, 10_000)
    line_break = tokenizer.encode("\n", add_special_tokens=False)[-1]
    for label, mass in zip(labels, read.candidates, strict=True):
        product, said = 1.0, list(prompt)
        for token in tokenizer.encode(label, add_special_tokens=False):
            product *= float(plain_pass(model, said)[token])
            said.append(token)
        assert mass >= 0.999 * product * float(plain_pass(model, said)[[*ends, line_break]].sum()) > 0


def test_the_shared_cache_gives_what_separate_passes_give(random_model):
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    (prompt,) = encode_prompts(tokenizer, [make_prompt("team")], random_model)
    [(_, _, prefix)] = prefill(model, [prompt], 10_000, [0])
    with torch.inference_mode():
        continuation = SharedContinuation(model, [prefix], [2], 2, flat=False)
        steps = [torch.softmax(continuation.step(torch.tensor([[5], [7]])) / 0.8, -1)]
        continuation.keep([0, 0, 1])
        steps.append(torch.softmax(continuation.step(torch.tensor([[9], [2], [11]])) / 0.8, -1))
    for paths, rows in zip(([[5], [7]], [[5, 9], [5, 2], [7, 11]]), steps, strict=True):
        for path, row in zip(paths, rows, strict=True):
            assert torch.allclose(row, plain_pass(model, [*prompt, *path]), atol=1e-6)


def test_swapping_the_labels_swaps_what_is_read(random_model):
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    vocabulary = Vocabulary(tokenizer, end_tokens(model, tokenizer))
    (prompt,) = encode_prompts(tokenizer, [make_prompt("team")], random_model)
    one, other = (
        candidate_distributions(model, vocabulary, [prompt], [spellings_of(labels)], 0.8, 10_000)[0]
        for labels in (("C", "D"), ("D", "C"))
    )
    assert one.candidates == pytest.approx(other.candidates[::-1], abs=1e-7)


def test_labels_whose_mass_is_too_small_for_a_number_end_the_search(random_model):
    """Else all tokens would be followed after them, to all depths, and memory would not suffice."""
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    vocabulary = Vocabulary(tokenizer, end_tokens(model, tokenizer))
    (prompt,) = encode_prompts(tokenizer, [make_prompt("team")], random_model)
    branches = []
    seen = model.register_forward_pre_hook(
        lambda _, __, given: branches.append(given["input_ids"].shape[0]), with_kwargs=True
    )
    (read,) = candidate_distributions(model, vocabulary, [prompt], [spellings_of(("Stag", "Hare"))], 0.01, 10_000)
    seen.remove()
    assert read.candidates == pytest.approx([0, 0], abs=1e-12)
    assert max(branches) < 50


def test_tokens_that_a_model_has_and_its_tokenizer_has_not_count_as_other(random_model):
    """Many models have a vocabulary that is padded to a round number."""
    tokenizer = load_tokenizer(random_model)
    model = load_model(random_model, "none", torch.device("cpu"))
    model.resize_token_embeddings(model.get_input_embeddings().weight.shape[0] + 64)
    vocabulary = Vocabulary(tokenizer, end_tokens(model, tokenizer))
    (prompt,) = encode_prompts(tokenizer, [make_prompt("team")], random_model)
    (read,) = candidate_distributions(model, vocabulary, [prompt], [spellings_of(("C", "D"))], 1.0, 10_000)
    assert all(share > 0 for share in read.candidates)
    assert sum(read.candidates) + read.other == pytest.approx(1)
