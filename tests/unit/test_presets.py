"""Presets: each is a whole experiment when merged over config.yaml, keeps its results apart, and names known models."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scenarios_of import scenarios
from tomtransfer.experiment.config import Experiment
from tomtransfer.models.registry import Hub, Planted, Recorded, find, read_registry
from tomtransfer.respondents.recorded import check_record
from tomtransfer.scenarios.amounts import AMOUNT
from tomtransfer.scenarios.shares import games_of_splits

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
    assert PRESETS == [
        "control",
        "control_both",
        "control_letters",
        "frames",
        "gemma3",
        "german",
        "gpt_oss",
        "llama2",
        "llama3",
        "plane",
        "plane_small",
        "published_mirrored",
        "published_teacher",
        "qwen",
        "qwen3",
        "smoke",
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_valid_over_the_default_experiment(read: Read, name: str) -> None:
    experiment = read([f"presets/{name}.yaml"])
    assert len(list(scenarios(experiment))) == (53 if not name.startswith("plane") else len(experiment.splits))
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
    # Null takes a split back.
    stated = {key: value for key, value in stated.items() if not (key.startswith("splits.") and value is None)}
    merged = dict(settings(read([f"presets/{name}.yaml"]).model_dump(mode="json")))
    assert {key: merged[key] for key in stated} == stated


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


@pytest.mark.parametrize(
    ("preset", "teacher", "student", "license_of_student"),
    [
        ("llama3", "meta-llama/Llama-3.3-70B-Instruct", "meta-llama/Llama-3.1-8B-Instruct", "Llama 3.1"),
        ("qwen3", "Qwen/Qwen3-32B", "Qwen/Qwen3-4B", "Apache-2.0"),
        ("gemma3", "google/gemma-3-27b-it", "google/gemma-3-4b-it", "Gemma"),
        ("gpt_oss", "openai/gpt-oss-120b", "openai/gpt-oss-20b", "Apache-2.0"),
    ],
)
def test_a_large_model_teaches_a_small_one_of_its_family(
    project: Path, read: Read, preset: str, teacher: str, student: str, license_of_student: str
) -> None:
    experiment, registry = read([f"presets/{preset}.yaml"]), read_registry(project / "models.yaml")
    sources = [registry[model] for model in (experiment.teacher.model, experiment.student.model)]
    assert [source.repository for source in sources if isinstance(source, Hub)] == [teacher, student]
    assert str(sources[1].license).startswith(license_of_student)
    said = (project / f"presets/{preset}.yaml").read_text()
    assert all(word in said for word in ("Disk: ", "GB of GPU memory", "licence"))
    assert experiment.compute.gpu > 0


def test_models_that_think_are_told_not_to(read: Read) -> None:
    experiment = read(["presets/qwen3.yaml"])
    assert experiment.teacher.chat == experiment.student.chat == {"enable_thinking": False}


def test_weights_in_mxfp4_are_unpacked_for_the_student_alone(read: Read) -> None:
    experiment = read(["presets/gpt_oss.yaml"])
    assert (experiment.teacher.quantization, experiment.student.quantization) == ("as_stored", "none")


def test_smoke_needs_no_gpu_and_no_download(read: Read) -> None:
    experiment = read(["presets/smoke.yaml"])
    registry = read_registry(Path(experiment.paths.registry))
    assert {registry[name].source for name in (experiment.teacher.model, experiment.student.model)} == {"random"}
    assert (experiment.compute.gpu, experiment.student.quantization) == (0, "nf4")


def test_control_has_the_default_student_and_a_teacher_that_costs_nothing(read: Read) -> None:
    default, control = read(), read(["presets/control.yaml"])
    assert control.student == default.student
    assert read_registry(Path(control.paths.registry))[control.teacher.model].source == "planted"


@pytest.mark.parametrize(
    ("name", "payoffs", "letters"),
    [("control", True, False), ("control_letters", False, True), ("control_both", True, True)],
)
def test_controls_plant_a_policy_a_habit_or_both_and_train_alike(
    project: Path, read: Read, name: str, payoffs: bool, letters: bool
) -> None:
    control = read([f"presets/{name}.yaml"])
    policy = read_registry(project / "models.yaml")[control.teacher.model]
    assert isinstance(policy, Planted)
    assert (policy.rationality > 0, bool(policy.labels)) == (payoffs, letters)
    one_seed = {"seeds": read(["presets/control.yaml"]).training.seeds}
    assert control.training.model_copy(update=one_seed) == read(["presets/control.yaml"]).training
    assert control.trained_frames == read(["presets/control.yaml"]).trained_frames


@pytest.mark.parametrize("name", ["control", "published_teacher", "llama2", "llama3", "qwen3", "gemma3", "gpt_oss"])
def test_presets_that_make_claims_train_from_three_seeds(read: Read, name: str) -> None:
    assert len(read([f"presets/{name}.yaml"]).training.seeds) == 3
    assert "shuffled" in read([f"presets/{name}.yaml"]).arms or name not in {"control", "published_teacher"}


def test_the_published_teacher_is_recorded_in_every_scenario_of_the_canonical_frame(read: Read, project: Path) -> None:
    default, preset = read(), read(["presets/published_teacher.yaml"])
    assert preset.student.model == default.student.model
    assert list(preset.trained_frames) == ["canonical"]
    path = Path(preset.paths.registry)
    check_record(preset, read_registry(path), path, {"donation": AMOUNT})
    assert "licence" in (project / "presets/published_teacher.yaml").read_text().lower()


def test_planes_teach_recorded_answers_in_letters_that_are_not_asked_last(read: Read, project: Path) -> None:
    registry = read_registry(project / "models.yaml")
    for name, games in (("plane", 441), ("small_plane", 121)):
        preset = read([f"presets/{name if name == 'plane' else 'plane_small'}.yaml"])
        assert sum(map(len, games_of_splits(preset, name).values())) == games
        teacher = registry[preset.teacher.model]
        assert isinstance(teacher, Recorded) and set(teacher.frames) == set(preset.frames)
        drawn = {label for frame in preset.frames.values() for label in frame.labels or ()}
        new = {label for frame in preset.frames.values() if not frame.labels for label in frame.options}
        assert len(drawn) == 20 and new == {"C", "D"} and not new & drawn
        assert "licence" in (project / f"presets/{name if name == 'plane' else 'plane_small'}.yaml").read_text()
    assert read(["presets/plane.yaml"]).training.seeds == (1, 2, 3)


def test_german_is_the_default_experiment_in_other_words(read: Read) -> None:
    default, german = read(), read(["presets/german.yaml"])
    apart = {name for name in Experiment.model_fields if getattr(default, name) != getattr(german, name)}
    assert apart == {"paths", "templates"}
