"""Reading text and YAML that people write: what a careless editor or YAML itself would change in silence is refused."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tomtransfer.experiment.validation import InputError

# The same safe loader in C is ten times faster; PyYAML may have been built without it.
LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

LARGEST_FILE = 1_000_000
"""Bytes of a file that a person writes, at most."""

DEEPEST = 50
"""How deep lists and mappings may stand in each other."""

YTE = "__use_yte__"
"""The key that has Snakemake run the Python code in a config file."""

# What YAML 1.1 reads as another number than the one that is written.
OCTAL, SEXAGESIMAL = re.compile(r"[-+]?0[0-9_]+"), re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
READ_AS = {"bool": "true or false", "int": "a number", "float": "a number", "null": "nothing", "timestamp": "a date"}
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2060\ufeff]")


def read_text(path: Path) -> str:
    """Return the text of a file that a person wrote, without a byte-order mark, lines ended by line feeds.

    Raises InputError when the file is missing, too large, no UTF-8, or has characters that nobody sees.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path}: {path.stat().st_size} bytes; at most {LARGEST_FILE} are read")
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = sorted(file.name for file in path.parent.glob(f"*{path.suffix}"))
        raise InputError(f"{path}: no such file. {path.parent} has: {', '.join(near) or 'nothing'}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: byte {error.start} is no UTF-8 ({error.object[error.start]:#04x}); save the file as UTF-8"
        ) from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if found := UNSEEN.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise InputError(f"{path}:{line}: a character that cannot be seen, U+{ord(found[0]):04X}; delete it")
    return text


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; top-level keys that begin with `x-` are left out, being there for anchors.

    Raises InputError when the file cannot be read, is not YAML, holds no mapping, has a key twice, or has a name or a
    number that YAML takes for something else than what is written.
    """
    text = read_text(path)
    try:
        loader = LOADER(text)
        node = loader.get_single_node()
        for mistake in _mistakes(node, [], str(path)):
            raise InputError(mistake)
        content = loader.construct_document(node) if node else None
    except RecursionError:
        raise InputError(f"{path}: lists or mappings stand more than {DEEPEST} deep in each other") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"{path}: {_in_words(error)}") from None
    if content is None:
        raise InputError(f"{path}: empty; expected keys and values")
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys and values, got {type(content).__name__}")
    return {key: value for key, value in content.items() if not str(key).startswith("x-")}


def _in_words(error: Exception) -> str:
    """Return what is wrong with a YAML file and in which line, in one line."""
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    mark = getattr(error, "problem_mark", None)
    tab = "; YAML is indented with spaces" if "\\t" in problem or "tab" in problem else ""
    return f"line {mark.line + 1}: not YAML: {problem}{tab}" if mark else f"not YAML: {problem}"


def _mistakes(node: yaml.Node | None, place: list[str], path: str, depth: int = 0) -> Iterator[str]:
    """Yield what YAML would read in silence as something else than what is written."""
    if depth > DEEPEST:
        yield f"{path}: {'.'.join(place[:3])}: lists or mappings stand more than {DEEPEST} deep in each other"
        return
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                line, name = key.start_mark.line + 1, ".".join([*place, key.value])
                if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                    yield f"{path}: {name}: stands here twice, in lines {seen[key.value]} and {line}; keep one"
                seen[key.value] = line
                if key.value == YTE:
                    yield f"{path}: {YTE}: would run Python code of this file, which tomtransfer does not allow"
                if key.tag not in {"tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"}:
                    kind = key.tag.rsplit(":", 1)[-1]
                    yield f"{path}: {name}: YAML reads this name as {READ_AS.get(kind, kind)}; put it in quotes"
            yield from _mistakes(value, [*place, str(key.value)], path, depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _mistakes(item, [*place, str(number)], path, depth + 1)
    elif isinstance(node, yaml.ScalarNode) and not node.style:  # written plainly: None in Python's loader, "" in C's
        yield from _misread(node, ".".join(place), path)


def _misread(node: yaml.ScalarNode, place: str, path: str) -> Iterator[str]:
    """Yield that a number which is written in one way is read in another."""
    kind = node.tag.rsplit(":", 1)[-1]
    if "\t" in node.value:
        yield f"{path}: {place}: has a tab, which not every reader of YAML takes; put it in quotes"
    if kind in {"int", "float"} and (OCTAL.fullmatch(node.value) or SEXAGESIMAL.fullmatch(node.value)):
        yield f"{path}: {place}: YAML reads {node.value} as another number; write it in digits, without leading zeros"
    if kind == "timestamp":
        yield f"{path}: {place}: YAML reads {node.value} as a date; put it in quotes"
