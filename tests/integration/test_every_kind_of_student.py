"""Whole experiments whose student is of an architecture of its own kind: its rates are those of plain passes.

Sinks and experts (gpt-oss), capped scores (Gemma 2), convolutions (LFM2), linear attention (Qwen3.5), latent attention
(DeepSeek V3) and a vision tower (Gemma 3), each tiny and with random weights, as the student of a planted teacher.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import torch
import yaml
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from architectures import VOCABULARY, build
from reduced import reduced_project, run_to_the_end, setting
from tomtransfer.inference.loading import load_tokenizer
from tomtransfer.inference.sampling import end_tokens
from tomtransfer.inference.sharing import Sharing
from tomtransfer.inference.token_tree import candidate_distributions
from tomtransfer.inference.vocabulary import Vocabulary
from tomtransfer.models.conversion import train_tokenizer
from tomtransfer.models.registry import CORPUS
from tomtransfer.scenarios.languages import phrases_in
from tomtransfer.scenarios.questions import read_prompts
from tomtransfer.scenarios.spelling import spellings_of

pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]

TEMPERATURE = 0.8
TOLERANCE = 1e-4
SPLITS = {"in_sample": {"contexts": ["team"]}, "new_contexts": {"contexts": ["sports"]}}
ONE_BY_ONE = Sharing(rows=False, drawing="recomputed")
"""Plain passes alone: each prompt, and each beginning of an answer, computed by itself from its first token."""


@dataclass(frozen=True)
class Kind:
    """A student of an architecture, the layers of it that are tuned, and what has to be part of it."""

    architecture: str
    targets: tuple[str, ...]
    part: str


KINDS = [
    Kind("gpt_oss", ("q_proj", "v_proj"), "sinks"),
    Kind("gemma2", ("q_proj", "v_proj"), "post_feedforward_layernorm"),
    Kind("lfm2", ("q_proj", "v_proj", "in_proj"), "conv"),
    Kind("qwen3_5", ("q_proj", "v_proj", "in_proj_qkv"), "linear_attn"),
    Kind("deepseek_v3", ("q_a_proj", "q_b_proj", "kv_b_proj"), "kv_a_proj_with_mqa"),
    Kind("gemma3", ("q_proj", "v_proj"), "vision_tower"),
]


def write_student(kind: Kind, folder: Path) -> None:
    """Write a tiny model of a kind, and a tokenizer, as a folder of models has them."""
    model = build(kind.architecture)
    assert any(kind.part in name.split(".") for name, _ in model.named_parameters()), kind.part
    model.save_pretrained(folder)
    train_tokenizer(CORPUS, VOCABULARY).save_pretrained(folder)


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.architecture)
def run(request, tmp_path_factory):
    """An experiment that has come to its end, and its student."""
    kind = request.param
    project = reduced_project(tmp_path_factory.mktemp(kind.architecture) / "project")
    write_student(kind, project / "tiny")
    with (project / "models.yaml").open("a") as registry:
        registry.write(yaml.safe_dump({"tiny-student": {"source": "local", "path": "tiny"}}))
    edits = {
        "splits": SPLITS,
        # What is asked one by one takes its time with a model that may say anything: little is asked.
        "games": ["stag_hunt"],
        "choices": "exact",
        "comprehension": [],
        "student": {"model": "tiny-student", "quantization": "none"},
        "training": {"epochs": 2, "learning_rate": 0.01, "lora": {"targets": list(kind.targets)}},
    }
    for key, value in edits.items():
        setting(key, value)(project)
    run_to_the_end(project)
    return project, kind


def plain_rates(project: Path, adapter: Path | None) -> dict[str, float]:
    """Return the student's rate of cooperation after each prompt, in passes of its own that share nothing."""
    folder = project / "tiny"
    model = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager", dtype=torch.float32).eval()
    if adapter:
        model = PeftModel.from_pretrained(model, adapter).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompts = read_prompts(sorted((project / "results/prompts").glob("*.json")), "answer_first")
    # As the plain template of a tokenizer without one writes a conversation, up to the answer.
    encoded = [tokenizer.encode(f"{each.system}\n\n{each.user}\n\nAnswer:\n") for each in prompts]
    spelled = [spellings_of((each.cooperate, each.defect), "", phrases_in(each.phrases)) for each in prompts]
    written = load_tokenizer(folder)
    known = Vocabulary(written, end_tokens(model, written), VOCABULARY)
    found = candidate_distributions(model, known, encoded, spelled, TEMPERATURE, 1, sharing=ONE_BY_ONE)
    return {each.sha256: read.candidates[0] / sum(read.candidates) for each, read in zip(prompts, found, strict=True)}


@pytest.mark.parametrize("variant", ["base", "transfer-1"])
def test_rates_are_those_of_plain_passes(run, variant):
    project, _ = run
    answers = pl.read_parquet(project / f"results/student/{variant}.parquet")
    rates = {
        row["prompt"]: row["cooperate"] / (row["cooperate"] + row["defect"]) for row in answers.iter_rows(named=True)
    }
    expected = plain_rates(project, project / "results/student/transfer-1" if variant == "transfer-1" else None)
    assert rates == pytest.approx({prompt: expected[prompt] for prompt in rates}, abs=TOLERANCE)
    # Prompts are told apart by more than that, even by a student that hardly does.
    assert max(rates.values()) - min(rates.values()) > 10 * TOLERANCE


def test_the_student_has_learnt_and_only_where_text_reaches(run):
    project, kind = run
    base, tuned = (pl.read_parquet(project / f"results/student/{name}.parquet") for name in ("base", "transfer-1"))
    assert (base["cooperate"] - tuned["cooperate"]).abs().max() > 1e-3 * base["cooperate"].max()
    config = json.loads((project / "results/student/transfer-1/adapter_config.json").read_text())
    assert set(config["target_modules"]) == set(kind.targets)
    log = pl.read_csv(project / "results/student/transfer-1/training_log.csv")
    assert (log["gradient_norm"].drop_nulls() > 0).all()
