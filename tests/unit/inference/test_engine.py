"""Asking a model: labels, chats, batches and exact choice distributions."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tomtransfer.experiment.sections import Frame
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference import engine
from tomtransfer.inference.prefill import share_beginnings
from tomtransfer.scenarios.games import load_context, load_game
from tomtransfer.scenarios.questions import Prompt
from tomtransfer.scenarios.rendering import read_templates, render

SCENARIOS = Path("scenarios")


def make_prompt(context: str, frame: Frame | None = None) -> Prompt:
    frame = frame or Frame()
    payoffs = load_game(SCENARIOS, "stag_hunt").payoffs
    system, user = render(
        read_templates(SCENARIOS / "prompts"), load_context(SCENARIOS, context), payoffs, frame, "answer_first"
    )
    place = ("in_sample", "stag_hunt", context, "canonical", "answer_first")
    return Prompt(*place, frame.cooperate, frame.defect, payoffs.model_dump(), system, user, "hash")


@pytest.fixture(scope="module")
def tokenizer(random_model: Path):
    return engine.load_tokenizer(random_model)


@pytest.fixture(scope="module")
def model(random_model: Path):
    return engine.load_model(random_model, "none", torch.device("cpu"))


@pytest.fixture(scope="module")
def encoded(tokenizer, random_model: Path):
    prompts = [make_prompt(context) for context in ("team", "business", "sports")]
    return engine.encode_prompts(tokenizer, prompts, random_model)


def test_every_spelling_of_a_label_counts(tokenizer):
    spellings = engine.spell_labels(tokenizer, ["C", "D"], "random")
    texts = {label: {tokenizer.decode([token]) for token in tokens} for label, tokens in spellings.items()}
    assert {"C", " C"} <= texts["C"]
    assert {"D", " D"} <= texts["D"]
    assert tokenizer.encode("C", add_special_tokens=False) == spellings["C"][:1]


def test_what_stands_around_a_label_inside_a_token_is_taken_away():
    class Tokenizer:
        vocabulary = ("C", ' "C', "(C", "C.", "c", "CC", "C1", "Co", "D", "*D*")

        def __len__(self):
            return len(self.vocabulary)

        def batch_decode(self, tokens):
            return [self.vocabulary[token] for (token,) in tokens]

        def encode(self, text, add_special_tokens):
            return [self.vocabulary.index(text)]

    assert engine.spell_labels(Tokenizer(), ["C", "D"], "any") == {"C": [0, 1, 2, 3], "D": [8, 9]}


def test_a_label_without_a_token_names_label_and_model(tokenizer):
    with pytest.raises(InputError, match=r"'cooperation' is not a single token of some-model"):
        engine.spell_labels(tokenizer, ["cooperation"], "some-model")


def test_a_prompt_longer_than_the_context_is_refused_before_the_model_loads(tokenizer, random_model, tmp_path):
    narrow = tmp_path / "narrow"
    shutil.copytree(random_model, narrow)
    config = narrow / "config.json"
    limit = engine.json.loads(config.read_text())["max_position_embeddings"]
    config.write_text(
        config.read_text().replace(f'"max_position_embeddings": {limit}', '"max_position_embeddings": 64')
    )
    with pytest.raises(InputError, match=r"stag_hunt in team .*needs 5 for the answer; narrow can attend to 64"):
        engine.encode_prompts(tokenizer, [make_prompt("team")], narrow, room=5)


def test_a_chat_template_without_a_system_message_gets_it_before_the_users(tokenizer, random_model):
    tokenizer = engine.load_tokenizer(random_model)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    )
    tokens = engine.encode_chat(tokenizer, "The situation.", "The question?")
    assert tokenizer.decode(tokens, skip_special_tokens=True) == "The situation.\n\nThe question?"


def test_a_tokenizer_without_a_chat_template_gets_a_plain_one(tokenizer):
    text = tokenizer.decode(engine.encode_chat(tokenizer, "The situation.", "The question?"))
    assert text.endswith("The situation.\n\nThe question?\n\nAnswer:\n")


def test_choices_are_those_of_a_plain_forward_pass(model, encoded):
    exact = engine.choice_distributions(model, encoded, temperature=0.8, tokens_per_batch=10_000)
    for prompt, distribution in zip(encoded, exact, strict=True):
        with torch.no_grad():
            logits = model(torch.tensor([prompt.tokens])).logits[0, -1]
        probabilities = torch.softmax(logits.float() / 0.8, dim=-1)
        assert distribution.cooperate == pytest.approx(float(probabilities[prompt.cooperate].sum()), abs=1e-6)
        assert distribution.defect == pytest.approx(float(probabilities[prompt.defect].sum()), abs=1e-6)
        assert distribution.cooperate + distribution.defect + distribution.other == pytest.approx(1, abs=1e-6)


def test_the_batch_size_changes_nothing(model, encoded):
    together = engine.choice_distributions(model, encoded, 0.8, 10_000)
    alone = engine.choice_distributions(model, encoded, 0.8, 1)
    for one, other in zip(together, alone, strict=True):
        assert one.cooperate == pytest.approx(other.cooperate, abs=1e-6)


def test_prompts_that_begin_alike_are_computed_together_and_read_as_if_alone(model, encoded):
    start = encoded[0].tokens
    alike = [replace(encoded[0], tokens=[*start, *rest]) for rest in ([5], [6, 7, 8], [6, 9], [5, 5, 5, 5])]
    groups = list(share_beginnings([prompt.tokens for prompt in alike], 10_000))
    assert [(shared, sorted(group)) for shared, group in groups] == [(len(start), [0, 1, 2, 3])]
    together = engine.choice_distributions(model, alike, 0.8, 10_000)
    for prompt, distribution in zip(alike, together, strict=True):
        [alone] = engine.choice_distributions(model, [prompt], 0.8, 10_000)
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
        engine.choice_distributions(model, encoded, 0.8, 10_000),
        engine.choice_distributions(model, swapped, 0.8, 10_000),
        strict=True,
    ):
        assert (one.cooperate, one.defect) == (other.defect, other.cooperate)


def test_four_bit_weights_compute_alike_in_training_and_evaluation(random_model, encoded):
    """On a CPU with AVX512-BF16, bitsandbytes alone would compute in bfloat16 in one mode and float32 in the other."""
    model = engine.load_model(random_model, "nf4", torch.device("cpu"))
    tokens = torch.tensor([encoded[0].tokens])
    with torch.no_grad():
        evaluated = model(tokens).logits
        trained = model.train()(tokens).logits
    assert torch.allclose(evaluated, trained, atol=1e-5)


def test_a_gpu_that_is_not_there_is_said_to_be_missing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="torch sees no GPU"):
        engine.choose_device("cuda")
    assert engine.choose_device("auto").type == "cpu"


def test_a_cpu_computes_in_single_precision_and_a_gpu_in_brain_float_where_it_has_it(monkeypatch):
    assert engine.compute_type(torch.device("cpu")) is torch.float32
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert engine.compute_type(torch.device("cuda")) is torch.bfloat16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert engine.compute_type(torch.device("cuda")) is torch.float32


def test_the_compiler_is_not_imported():
    code = (
        "import sys, torch; real = torch.compile; sys.path.insert(0, 'workflow'); import tomtransfer.inference.engine, peft\n"
        "print('bitsandbytes' in sys.modules, 'torch._inductor.compile_fx' in sys.modules, torch.compile is real)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["True", "False", "True"]
