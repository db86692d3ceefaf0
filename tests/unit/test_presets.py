"""Presets: each is a whole experiment when merged over config.yaml, keeps its results apart, and names known models."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios_of import scenarios
from tomtransfer.experiment.config import Experiment
from tomtransfer.models.registry import find, read_registry

Read = Callable[..., Experiment]

PRESETS = sorted(path.stem for path in (Path(__file__).parents[2] / "presets").glob("*.yaml"))


def settings(content: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of nested mappings in dotted form, with its value."""
    for key, value in content.items():
        if isinstance(value, dict):
            yield from settings(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def test_the_presets_are_there() -> None:
    assert PRESETS == ["control", "frames", "german", "llama2", "qwen", "smoke"]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_valid_over_the_default_experiment(read: Read, name: str) -> None:
    experiment = read([f"presets/{name}.yaml"])
    assert len(list(scenarios(experiment))) == 53
    registry = read_registry(Path(experiment.paths.registry))
    for model in (experiment.teacher.model, experiment.student.model):
        assert find(model, registry, Path(experiment.paths.registry))


def test_each_experiment_has_results_of_its_own_and_models_are_shared(read: Read) -> None:
    experiments = [read(), *(read([f"presets/{name}.yaml"]) for name in PRESETS)]
    assert len({experiment.paths.results for experiment in experiments}) == len(experiments)
    assert {experiment.paths.models for experiment in experiments} == {"results/models"}
    assert [read([f"presets/{name}.yaml"]).paths.results for name in PRESETS] == [f"results/{name}" for name in PRESETS]


@pytest.mark.parametrize("name", PRESETS)
def test_every_value_of_a_preset_arrives_as_written(project: Path, read: Read, name: str) -> None:
    stated = dict(settings(yaml.safe_load((project / "presets" / f"{name}.yaml").read_text())))
    merged = dict(settings(read([f"presets/{name}.yaml"]).model_dump(mode="json")))
    assert stated.items() <= merged.items()


def test_llama2_is_the_published_protocol(read: Read) -> None:
    experiment = read(["presets/llama2.yaml"])
    training = experiment.training
    answers = 2 * experiment.teacher.motivations_per_choice
    assert (experiment.teacher.question, experiment.student.question) == ("answer_first", "answer_only")
    assert (experiment.temperature, answers, 20 * answers) == (0.8, 300, 6000)
    assert (training.learning_rate, training.schedule, training.epochs) == (5e-5, "cosine", 3)
    assert training.completions_per_row * training.rows_per_step == 64
    assert (training.lora.rank, training.lora.alpha, training.lora.dropout) == (8, 16, 0)
    assert training.lora.targets == ("q_proj", "v_proj")
    assert (training.choice_share, training.temperature) == (None, 1)
    assert experiment.teacher.quantization == "nf4"
    assert experiment.trained_frames == {"canonical": 150}
    assert (experiment.choices, experiment.sampling.answers) == ("both", 300)


def test_smoke_needs_no_gpu_and_no_download(read: Read) -> None:
    experiment = read(["presets/smoke.yaml"])
    registry = read_registry(Path(experiment.paths.registry))
    assert {registry[name].source for name in (experiment.teacher.model, experiment.student.model)} == {"random"}
    assert (experiment.compute.gpu, experiment.student.quantization) == (0, "nf4")


def test_control_has_the_default_student_and_a_teacher_that_costs_nothing(read: Read) -> None:
    default, control = read(), read(["presets/control.yaml"])
    assert control.student == default.student
    assert read_registry(Path(control.paths.registry))[control.teacher.model].source == "planted"


def test_german_is_the_default_experiment_in_other_words(read: Read) -> None:
    default, german = read(), read(["presets/german.yaml"])
    apart = {name for name in Experiment.model_fields if getattr(default, name) != getattr(german, name)}
    assert apart == {"paths", "templates"}
