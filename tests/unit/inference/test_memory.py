"""Work that does not fit into memory is done in halves, by an error such as a device raises."""

from pathlib import Path

import pytest
import torch
from made import make_prompt

from tomtransfer.inference.encoding import encode_prompts
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.inference.memory import TooLargeError, in_halves
from tomtransfer.inference.prefill import prefill
from tomtransfer.inference.sampling import Draw, draw_texts, end_tokens
from tomtransfer.inference.token_tree import candidate_distributions
from tomtransfer.inference.vocabulary import Vocabulary
from tomtransfer.scenarios.spelling import spellings_of


def fits(most):
    batches = []

    def work(batch):
        batches.append(len(batch))
        if len(batch) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return [10 * piece for piece in batch]

    return work, batches


def test_a_batch_that_does_not_fit_is_halved_until_it_does_and_keeps_its_order(caplog):
    work, batches = fits(2)
    assert in_halves(work, [1, 2, 3, 4, 5, 6, 7]) == [10, 20, 30, 40, 50, 60, 70]
    assert batches == [7, 3, 1, 2, 4, 2, 2]
    assert "out of memory on 7 prompts or texts at once; they are done in halves" in caplog.text


def test_a_batch_that_fits_is_done_at_once():
    work, batches = fits(7)
    in_halves(work, list(range(7)))
    assert batches == [7]


def test_a_single_piece_that_does_not_fit_is_an_error_in_words():
    with pytest.raises(TooLargeError, match=r"single prompt.*2\.00 GiB"):
        in_halves(fits(0)[0], [1, 2])


def test_other_errors_are_not_taken_for_it():
    with pytest.raises(ZeroDivisionError):
        in_halves(lambda batch: [1 / 0 for _ in batch], [1, 2])


@pytest.fixture(scope="module")
def asked(random_model: Path):
    tokenizer = load_tokenizer(random_model)
    [first] = encode_prompts(tokenizer, [make_prompt("team")], random_model, room=12)
    alike = [[*first, *rest] for rest in ([5], [6, 7, 8], [6, 9], [5, 5])]
    return load_model(random_model, "none", torch.device("cpu")), tokenizer, alike


def make_scarce(model, monkeypatch, tokens):
    """Let the model compute no more than so many tokens at once."""
    forward = model.forward

    def scarce(input_ids, **rest):
        if input_ids.numel() > tokens:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(input_ids=input_ids, **rest)

    monkeypatch.setattr(model, "forward", scarce)


def test_choices_are_the_same_where_memory_is_scarce(asked, monkeypatch, caplog):
    model, tokenizer, prompts = asked
    vocabulary, labels = Vocabulary(tokenizer, end_tokens(model, tokenizer)), [spellings_of(("C", "D"))] * len(prompts)
    plenty = candidate_distributions(model, vocabulary, prompts, labels, 0.8, 10_000)
    make_scarce(model, monkeypatch, len(prompts[0]) + 4)
    scarce = candidate_distributions(model, vocabulary, prompts, labels, 0.8, 10_000)
    assert "out of memory on 4" in caplog.text
    for one, other in zip(scarce, plenty, strict=True):
        assert one.candidates == pytest.approx(other.candidates, abs=1e-6)


def test_trees_are_the_same_where_memory_is_scarce(asked, monkeypatch, caplog):
    model, tokenizer, prompts = asked
    vocabulary, labels = Vocabulary(tokenizer, end_tokens(model, tokenizer)), [spellings_of(("C", "D"))] * len(prompts)
    plenty = candidate_distributions(model, vocabulary, prompts, labels, 0.8, 10_000)
    forward, most = model.forward, []

    def scarce(input_ids, **rest):
        most.append(len(input_ids))
        if len(input_ids) > max(1, max(most) // 2):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(input_ids=input_ids, **rest)

    monkeypatch.setattr(model, "forward", scarce)
    found = candidate_distributions(model, vocabulary, prompts, labels, 0.8, 10_000)
    assert "out of memory on 4" in caplog.text
    for one, other in zip(found, plenty, strict=True):
        assert one.candidates == pytest.approx(other.candidates, abs=1e-6)


def test_texts_are_the_same_where_memory_is_scarce(asked, monkeypatch, caplog):
    model, tokenizer, prompts = asked
    draws = [Draw(number, None, f"{number}/{draw}") for number in range(4) for draw in range(8)]
    plenty = draw_texts(model, tokenizer, prompts, draws, 0.8, 6, 100_000)
    # Enough for a prompt, and for a few of the texts that go on from it.
    forward = model.forward

    def scarce(input_ids, **rest):
        if len(input_ids) > 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return forward(input_ids=input_ids, **rest)

    monkeypatch.setattr(model, "forward", scarce)
    assert draw_texts(model, tokenizer, prompts, draws, 0.8, 6, 100_000) == plenty
    assert "out of memory on 32" in caplog.text


def test_a_prompt_that_does_not_fit_alone_is_said_to(asked, monkeypatch):
    model, _, prompts = asked
    make_scarce(model, monkeypatch, 3)
    with pytest.raises(TooLargeError, match="out of memory on a single prompt"):
        list(prefill(model, prompts, 10_000))
