"""Presets of large models, run to their reports: each with tiny models of the same architecture and a like template."""

import json
from pathlib import Path

import polars as pl
import pytest
import yaml

from project import copy_project, plan, run_snakemake
from reduced import REDUCED
from saved_models import save_model

LLAMA3 = (
    "{% if date_string is not defined %}{% if strftime_now is defined %}"
    "{% set date_string = strftime_now('%d %b %Y') %}{% else %}{% set date_string = '26 Jul 2024' %}{% endif %}"
    "{% endif %}"
    "{% if messages[0].role == 'system' %}{% set said = messages[0].content | trim %}{% set messages = messages[1:] %}"
    "{% else %}{% set said = '' %}{% endif %}[system]\n\nToday Date: {{ date_string }}\n\n{{ said }}<|end|>"
    "{% for m in messages %}[{{ m.role }}]\n\n{{ m.content | trim }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}[assistant]\n\n{% endif %}"
)
QWEN3 = (
    "{% for m in messages %}[{{ m.role }}]\n"
    "{% if m.role == 'assistant' and loop.last %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)
GEMMA3 = (
    "{% if messages[0].role == 'system' %}{% set first = messages[0].content + '\n\n' %}{% set rest = messages[1:] %}"
    "{% else %}{% set first = '' %}{% set rest = messages %}{% endif %}"
    "{% for m in rest %}"
    "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate') }}{% endif %}"
    "[{{ 'model' if m.role == 'assistant' else m.role }}]\n{{ first if loop.first else '' }}{{ m.content | trim }}"
    "<|end|>\n{% endfor %}{% if add_generation_prompt %}[model]\n{% endif %}"
)
HARMONY = (
    "[system][message]Current date: {{ strftime_now('%Y-%m-%d') }}\n"
    "Reasoning: {{ reasoning_effort or 'medium' }}<|end|>"
    "{% for m in messages %}{% if m.role == 'system' %}[developer][message]# Instructions\n\n{{ m.content }}\n\n<|end|>"
    "{% elif m.role == 'user' %}[user][message]{{ m.content }}<|end|>"
    "{% else %}[assistant][channel]final[message]{{ m.content }}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)
"""As the published templates are, in what matters: dates, empty thoughts, a folded system message, channels."""

PRESETS = {
    "llama3": ("llama", LLAMA3, "Today Date: 01 Jan 2026"),
    "qwen3": ("qwen3", QWEN3, "[assistant]\n<think>\n\n</think>\n\n"),
    "gemma3": ("gemma3", GEMMA3, "[user]\n{system message}\n\n{user message}<|end|>\n[model]\n"),
    "gpt_oss": ("gpt_oss", HARMONY, "Reasoning: low<|end|>"),
}
SMALL = {
    **{name: REDUCED[name] for name in ("frames", "sampling", "scoring", "compute")},
    "games": ["stag_hunt"],
    "splits": {"in_sample": {"contexts": ["team"]}, "new_contexts": {"contexts": ["sports"]}},
    "comprehension": [],
}


def tiny_project(folder: Path, preset: str) -> Path:
    """Copy the project, and have the models of a preset be tiny ones of the same architecture, asked about little."""
    project = copy_project(folder)
    architecture, template, _ = PRESETS[preset]
    registry = yaml.safe_load((project / "models.yaml").read_text())
    content = yaml.safe_load((project / f"presets/{preset}.yaml").read_text())
    for role in ("teacher", "student"):
        save_model(folder / "tiny" / role, architecture, template)
        registry[content[role]["model"]] = {"source": "local", "path": f"tiny/{role}"}
        content[role] |= {"motivations_per_choice": 2, "motivation_tokens": 8} if role == "teacher" else {}
    (project / "models.yaml").write_text(yaml.safe_dump(registry))
    content["training"] |= {"epochs": 1, "seeds": [1]}
    content |= SMALL
    (project / "config.yaml").write_text(yaml.safe_dump(content))
    return project


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_runs_to_its_report_on_tiny_models_of_its_architecture(tmp_path, preset):
    project = tiny_project(tmp_path, preset)
    done = run_snakemake(project, "--cores", "all")
    assert done.returncode == 0, done.stdout
    [results] = (project / "results").glob(f"{preset}/report.html")
    results = results.parent
    shown = json.loads((results / "student/checked.json").read_text())["around_the_messages"]
    assert PRESETS[preset][2] in shown
    keys = set()
    for variant in ("base", "transfer-1"):
        answers = pl.read_parquet(results / f"student/{variant}.parquet")
        assert ((answers["cooperate"] + answers["defect"] + answers["other"] - 1).abs() < 1e-4).all()
        [examination] = json.loads((results / f"student/{variant}.examined.json").read_text())["examinations"]
        assert set(answers["examination"]) == {examination["key"]}
        keys.add(examination["key"])
    assert {json.loads((results / "student/transfer-1/training.json").read_text())["examination"]} == keys
    assert "The student, examined" in (results / "report.html").read_text()
    assert plan(project) == {}
