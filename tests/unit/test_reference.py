"""The generated reference: in step with the types, complete, and a schema that says what the program says."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from snakemake.utils import update_config

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.origins import read_experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.registry import SOURCES
from tomtransfer.reference import DIALECT, PAGE, SCHEMA, json_schema, page, references

Read = Callable[..., Experiment]

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "presets").glob("*.yaml"))


def written(*presets: Path) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for file in (ROOT / "config.yaml", *presets):
        update_config(config, yaml.safe_load(file.read_text(encoding="utf-8")))
    return config


def records() -> dict[str, dict[str, Any]]:
    schema = json_schema()
    sources = {name: kind.model_json_schema() for name, kind in SOURCES.items()}
    parts = {name: part for source in sources.values() for name, part in source.get("$defs", {}).items()}
    return {"Experiment": schema, **schema["$defs"], **sources, **parts}


@pytest.mark.parametrize("path", [SCHEMA, PAGE])
def test_generated_file_is_in_step_with_the_types(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == references()[path], "run `make docs`"


@pytest.mark.parametrize("record", records())
def test_every_key_has_a_description_and_a_default_or_must_be_given(record: str) -> None:
    schema = records()[record]
    for name, key in schema["properties"].items():
        assert key.get("description", "").endswith((".", ";")), f"{record}.{name}"
        assert ("default" in key) != (name in schema.get("required", [])), f"{record}.{name}"


def test_schema_is_one_of_draft_2020_12() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert json.loads(SCHEMA.read_text(encoding="utf-8"))["$schema"] == DIALECT


@pytest.mark.parametrize(
    "presets", [[], *([preset] for preset in PRESETS)], ids=["default", *(p.stem for p in PRESETS)]
)
def test_shipped_experiment_is_valid_by_the_schema_too(presets: list[Path]) -> None:
    Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(written(*presets))


@pytest.mark.parametrize(
    "change",
    [
        {"temprature": 1},
        {"temperature": 0},
        {"games": []},
        {"games": ["../secrets"]},
        {"splits": {"in_sample": {"contxts": ["team"]}}},
        {"splits": {"a name with spaces": {"contexts": ["team"]}}},
        {"frames": {"canonical": {"cooperate": "C, not D"}}},
        {"student": {"quantization": "nf8"}},
        {"training": {"lora": {"dropout": 1}}},
        {"training": {"choice_share": "half"}},
        {"compute": {"gradient_checkpointing": "sometimes"}},
    ],
)
def test_schema_refuses_what_the_program_refuses(change: dict[str, Any]) -> None:
    config = written()
    update_config(config, change)
    assert not Draft202012Validator(json_schema()).is_valid(config)
    with pytest.raises(InputError):
        read_experiment(config, [])


def test_page_has_every_key_in_dotted_form() -> None:
    text = page()
    for key in (
        "games",
        "temperature",
        "splits.{name}.payoff_factor",
        "frames.{name}.first",
        "paths.registry",
        "teacher.motivation_tokens",
        "student.quantization",
        "training.lora.targets",
        "training.choice_share",
        "compute.tokens_per_batch",
        "{name}.repository",
        "{name}.vocabulary_size",
    ):
        assert text.count(f"| `{key}` |") == 1, key
    keys = [key for record in records().values() for key in record["properties"].values()]
    # A key that holds a record, or one or nothing, has rows for what is in the record.
    rows = [key for key in keys if not any("$ref" in each for each in (key, *key.get("anyOf", [])))]
    assert sum(line.startswith("| `") for line in text.splitlines()) == len(rows)


def test_row_of_the_page_says_what_is_allowed() -> None:
    assert (
        "| `training.lora.dropout` | number, at least 0, below 1 | `0` | "
        "Share of the adapter's inputs that is dropped in training. |"
    ) in page().splitlines()
    assert '| `student.quantization` | `as_stored` or `nf4` or `none` | `"nf4"` | ' in page()
    assert "| `teacher.model` | name | must be given | " in page()
    assert "| `training.choice_share` | number, at least 0, at most 1, or `null` | `0.7` | " in page()
