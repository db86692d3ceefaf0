"""What a model directory must hold, as far as names, headers and sizes tell: no weights are loaded."""

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from tomtransfer.experiment.validation import InputError

MODEL_FILE_PATTERNS = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt")
"""The files of a model that are used: weights that cannot run code, settings, tokenizer. No pickles, no Python."""

SOURCE = "source.json"
"""Where this program writes down what it made a model directory from."""

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
TOKENIZERS = (("tokenizer.json",), ("tokenizer.model",), ("vocab.json", "merges.txt"))

ADAPTER_FILES = ("adapter_model.safetensors", "adapter_config.json")

_AGAIN = "delete {} to have it fetched again"
_LENGTH_BYTES = 8  # a safetensors file opens with the length of its header, as a little-endian number
_SAMPLE_BYTES = 4096


def model_files(directory: Path) -> list[Path]:
    """Return the files of the model in `directory`, by name, without the note that this program adds."""
    found = {file for pattern in MODEL_FILE_PATTERNS for file in directory.glob(pattern)}
    return sorted(file for file in found if file.is_file() and file.name != SOURCE)


def check(directory: Path) -> None:
    """Make sure that `directory` holds a complete model; takes milliseconds, whatever the size of the model.

    Raises InputError naming what is missing (configuration, tokenizer, weights, a shard, the target of a link) or the
    weights file that was cut short, with its expected and actual bytes.
    """
    if not directory.is_dir():
        raise InputError(f"{directory}: no such directory")
    for link in directory.iterdir():
        if not link.exists():
            raise InputError(f"{link}: links to {link.readlink()}, which is gone")
    present = {file.name for file in directory.iterdir()}
    if "config.json" not in present:
        raise InputError(f"{directory}: no config.json; it must say what kind of model this is")
    if not any(present.issuperset(names) for names in TOKENIZERS):
        wanted = ", or ".join(" with ".join(names) for names in TOKENIZERS)
        raise InputError(f"{directory}: no tokenizer; looked for {wanted}")
    for file in _weights(directory, present):
        check_weights(file)


def verify(directory: Path) -> None:
    """Make sure that `directory` holds a complete model, and that its files are those that were noted when it was made.

    A file whose time of change is the noted one is taken for unchanged, so that a large model is not read twice at
    every start. Raises InputError as `check` does, and naming the file that is another, is gone or was added.
    """
    try:
        check(directory)
    except InputError as error:
        raise InputError(f"{error}; {_AGAIN.format(directory)}") from None
    note = directory / SOURCE
    if not note.exists():
        return
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
        hashes, times = content["files"], content.get("times", {})
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError(f"{note}: damaged; {_AGAIN.format(directory)}") from None
    files = {file.name: file for file in model_files(directory)}
    for name in sorted(files.keys() ^ hashes.keys()):
        what = "was not there when" if name in files else "is gone that was there when"
        raise InputError(f"{directory / name}: {what} the model was fetched; {_AGAIN.format(directory)}")
    for name, file in files.items():
        if file.stat().st_mtime_ns != times.get(name) and (found := sha256(file)) != hashes[name]:
            raise InputError(
                f"{file}: not the file that was fetched: expected sha256 {hashes[name]}, got {found}; "
                f"{_AGAIN.format(directory)}"
            )


def check_adapter(directory: Path) -> None:
    """Make sure that `directory` holds an adapter as safetensors, whole; raises InputError saying what is wrong."""
    for name in ADAPTER_FILES:
        if not (directory / name).exists():
            raise InputError(f"{directory}: no {name}; an adapter is taken as safetensors alone")
    check_weights(directory / ADAPTER_FILES[0])


def check_weights(file: Path) -> None:
    """Make sure that a safetensors file is whole; raises InputError when it is cut short or something else."""
    try:
        with safe_open(file, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        actual, (_, expected) = file.stat().st_size, read_header(file)
        if actual != expected:
            raise InputError(f"{file}: {actual} bytes where its header promises {expected}") from None
        raise InputError(f"{file}: not a safetensors file: {error}") from None


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read_header(file: Path) -> tuple[dict[str, Any], int]:
    """Return the header of a safetensors file, and the bytes that the file must have by that header.

    Raises InputError when there is no whole header to read.
    """
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
        size = file.stat().st_size
        if size < _LENGTH_BYTES + length:
            raise InputError(
                f"{file}: {size} bytes where its header alone takes {_LENGTH_BYTES + length}; it is cut short"
            )
        try:
            header: dict[str, Any] = json.loads(stream.read(length))
            end = max((tensor["data_offsets"][1] for tensor in _tensors(header)), default=0)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            raise InputError(f"{file}: not a safetensors file: its header cannot be read") from None
    return header, _LENGTH_BYTES + length + end


def fingerprint(directory: Path) -> str:
    """Return a SHA-256, in hexadecimal digits, of the model in `directory`, cheap enough to take at every start.

    It covers names and sizes, small files as a whole, and of the weights the header and the first 4 KiB of every
    tensor. A header alone would not do: a model that was trained further has the same one. Reading all of it would take
    minutes for a large model; training moves whole tensors, so their beginnings tell.
    """
    digest = hashlib.sha256()
    for file in model_files(directory):
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        digest.update(_sample(file) if file.suffix == ".safetensors" else file.read_bytes())
    return digest.hexdigest()


def stored_types(directory: Path) -> dict[str, str]:
    """Return the type of each tensor in the weights files of the model in `directory`, such as `F8_E4M3`, by name."""
    files = _weights(directory, {file.name for file in directory.iterdir()})
    headers = [read_header(file)[0] for file in files]
    return {name: entry["dtype"] for header in headers for name, entry in header.items() if name != "__metadata__"}


def _weights(directory: Path, present: set[str]) -> list[Path]:
    """Return the weights files of a model directory, all of them there."""
    if INDEX in present:
        try:
            shards = set(json.loads((directory / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(f"{directory / INDEX}: not an index of weights: it has no weight_map") from None
        if missing := sorted(shards - present):
            raise InputError(f"{directory}: {len(missing)} of {len(shards)} shards missing: {', '.join(missing)}")
        return [directory / shard for shard in sorted(shards)]
    if WEIGHTS not in present:
        others = sorted(name for name in present if name.endswith((".bin", ".pt", ".pth", ".gguf")))
        hint = f" {', '.join(others)} cannot be used: save the model as safetensors" if others else ""
        raise InputError(f"{directory}: no weights; looked for {WEIGHTS} or {INDEX}.{hint}")
    return [directory / WEIGHTS]


def _sample(file: Path) -> bytes:
    """Return the header of a safetensors file and the beginning of each of its tensors."""
    header, expected = read_header(file)
    start = expected - max((tensor["data_offsets"][1] for tensor in _tensors(header)), default=0)
    with file.open("rb") as stream:
        pieces = [stream.read(start)]
        for tensor in _tensors(header):
            begin, end = tensor["data_offsets"]
            stream.seek(start + begin)
            pieces.append(stream.read(min(_SAMPLE_BYTES, end - begin)))
    return b"".join(pieces)


def _tensors(header: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what a safetensors header says of each tensor."""
    return [entry for name, entry in header.items() if name != "__metadata__"]
