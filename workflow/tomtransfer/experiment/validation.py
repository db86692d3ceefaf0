"""Reading what people write by hand: one clear error per mistake, naming file, key, value and what is allowed."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError


class InputError(Exception):
    """Something a person gave is wrong; the message says where, what it is and what it may be."""


class Record(BaseModel):
    """A typed record read from YAML: frozen, and refusing keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


RecordType = TypeVar("RecordType", bound=Record)

# The same safe loader in C is ten times faster; PyYAML may have been built without it.
LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader

# What pydantic calls by its Python name, in the words of a YAML file.
YAML_WORDS = {"tuple": "list", "Tuple": "List", "dictionary": "mapping", "Dictionary": "Mapping"}


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file.

    Raises InputError when the file is missing, is not YAML, or holds no mapping.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), LOADER)  # noqa: S506
    except FileNotFoundError:
        near = sorted(file.name for file in path.parent.glob(f"*{path.suffix}"))
        raise InputError(f"{path}: no such file. {path.parent} has: {', '.join(near) or 'nothing'}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected keys and values, got {type(content).__name__}")
    return content


def validate(record: type[RecordType], content: Mapping[str, Any], source: str | Path) -> RecordType:
    """Return `content` as `record`.

    Raises InputError listing every mistake, each as `source: key: what is wrong (got value)`.
    """
    try:
        return record.model_validate(content)
    except ValidationError as error:
        raise InputError("\n".join(describe(mistake, record, source) for mistake in error.errors())) from None


def describe(mistake: Mapping[str, Any], record: type[BaseModel], source: str | Path) -> str:
    """Put one of pydantic's mistakes into a line that names file, key, value and what is allowed."""
    location: Sequence[str | int] = mistake["loc"]
    key = ".".join(str(part) for part in location) or "(the whole file)"
    if mistake["type"] == "extra_forbidden":
        allowed = known_keys(record, location[:-1])
        near = get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return f"{source}: {key}: unknown key; {hint}Allowed here: {', '.join(allowed) or 'nothing'}"
    if mistake["type"] == "missing":
        return f"{source}: {key}: missing; it must be given"
    message = str(mistake["msg"]).removeprefix("Value error, ")
    for jargon, word in YAML_WORDS.items():
        message = message.replace(jargon, word)
    if mistake["type"] == "value_error" and isinstance(mistake["input"], Mapping):
        return f"{source}: {key}: {message}"  # the message names the values that clash; the rest of the record is noise
    return f"{source}: {key}: {message} (got {mistake['input']!r})"


def known_keys(record: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    """Return the keys that the record at `location` inside `record` may have."""
    schema = record.model_json_schema()
    here: Mapping[str, Any] = schema
    for part in location:
        here = _child(here, str(part), schema)
    return sorted(_resolve(here, schema).get("properties", {}))


def _resolve(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references, and the one record among alternatives such as `Record or null`."""
    if "$ref" in node:
        resolved: Mapping[str, Any] = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
        return resolved
    for alternative in node.get("anyOf", []):
        if "$ref" in alternative:
            return _resolve(alternative, schema)
    return node


def _child(node: Mapping[str, Any], part: str, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema at `part`: a property, a tagged alternative, a mapping's value or a list's item."""
    here = _resolve(node, schema)
    tags = here.get("discriminator", {}).get("mapping", {})
    for child in (
        here.get("properties", {}).get(part),
        {"$ref": tags[part]} if part in tags else None,
        *here.get("patternProperties", {}).values(),
        here.get("additionalProperties"),
        here.get("items"),
    ):
        if isinstance(child, dict):
            return child
    return {}
