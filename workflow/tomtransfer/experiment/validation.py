"""Checking what people write by hand: one clear error per mistake, naming file, key, value and what is allowed."""

import json
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tomtransfer.experiment.names import NAME, NAME_IN_WORDS


class InputError(Exception):
    """Something a person gave is wrong; the message says where, what it is and what it may be."""


class Record(BaseModel):
    """A typed record read from YAML: frozen, and refusing keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


RecordType = TypeVar("RecordType", bound=Record)

LABEL = r"^[^\W_]+(?:[ _-][^\W_]+)*$"
"""What a label may be: no punctuation, which stands around labels in an answer, but what joins words."""
LABEL_IN_WORDS = "words: letters and digits, joined by single spaces, `-` or `_`"

# What pydantic calls by its Python name, in the words of a YAML file.
YAML_WORDS = {
    "tuple": "list",
    "Tuple": "List",
    "dictionary": "mapping",
    "Dictionary": "Mapping",
    "integer": "whole number",
    "array": "list",
    "an object": "keys and values",
}
PATTERNS_IN_WORDS = {NAME: NAME_IN_WORDS, LABEL: LABEL_IN_WORDS}


class FieldError(ValueError):
    """What a validator of a record raises about one of its keys, whose parts are joined by dots."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def _with_exponent(value: Any) -> Any:
    """Return the number that a text such as 5e-5 is, which YAML 1.1 takes for text because it has no point."""
    if isinstance(value, str) and set(value) <= set("0123456789eE+-.") and value[:1].isdigit():
        try:
            return float(value)
        except ValueError:
            return value
    return value


WITH_EXPONENT = BeforeValidator(_with_exponent)

Number = Annotated[float, WITH_EXPONENT]
"""A number, with or without an exponent."""

Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
"""A text that says something."""

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""A seed that every random generator takes."""


def validate(record: type[RecordType], content: Mapping[str, Any], source: str | Path) -> RecordType:
    """Return `content` as `record`; a number must be a number, a text a text, and neither true nor false.

    Raises InputError listing every mistake, each as `source: key: what is wrong (got value)`.
    """
    try:
        return _validate(record, content)
    except ValidationError as error:
        found = error.errors()
        # An item that is wrong is left out of its list, which may then be called too short.
        inside = {tuple(each["loc"])[:-1] for each in found}
        told = [each for each in found if not (each["type"] == "too_short" and tuple(each["loc"]) in inside)]
        raise InputError("\n".join(describe(each, record, source) for each in told)) from None
    except (TypeError, RecursionError) as error:
        raise InputError(f"{source}: {error}") from None


def _validate(record: type[RecordType], content: Mapping[str, Any]) -> RecordType:
    """Return `content` as `record`; a text that is a number, as Snakemake makes of what `--config` says, is one."""
    try:
        return record.model_validate_json(json.dumps(content, default=_no_json), strict=True)
    except ValidationError as error:
        meant = [each for each in error.errors() if each["type"] in MEANT and _meant(each["input"]) is not None]
        if not meant:
            raise
    corrected = json.loads(json.dumps(content))
    for each in meant:
        *path, last = each["loc"]
        reduce(getitem, path, corrected)[last] = _meant(each["input"])
    return record.model_validate_json(json.dumps(corrected), strict=True)


MEANT = frozenset({"int_type", "float_type", "bool_type"})
"""Mistakes that a text makes where a number or true or false is wanted."""


def _meant(given: Any) -> int | float | bool | None:
    """Return the number or truth value that a text is written as, or None for any other text."""
    number = r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?"
    if isinstance(given, str) and re.fullmatch(f"true|false|{number}", given):
        return json.loads(given.removeprefix("+"))  # type: ignore[no-any-return]
    return None


def _no_json(value: object) -> str:
    raise TypeError(f"{value!s} is read as a {type(value).__name__}; put it in quotes")


def describe(found: Mapping[str, Any], record: type[BaseModel], source: str | Path) -> str:
    """Put one of pydantic's mistakes into a line that names file, key, value and what is allowed."""
    location: Sequence[str | int] = found["loc"]
    raised = found.get("ctx", {}).get("error")
    if isinstance(raised, FieldError):
        location = [*location, *raised.key.split(".")]
    key = ".".join(str(part) for part in location if part != "[key]") or "(the whole file)"
    if found["type"] == "extra_forbidden":
        allowed = known_keys(record, location[:-1])
        near = get_close_matches(str(location[-1]), allowed, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        return f"{source}: {key}: unknown key; {hint}Allowed here: {', '.join(allowed) or 'nothing'}"
    if found["type"] == "missing":
        return f"{source}: {key}: missing; it must be given"
    message = _message(found)
    if found["type"] == "value_error" and isinstance(found["input"], Mapping):
        return f"{source}: {key}: {message}"  # the message names the values that clash; the rest of the record is noise
    return f"{source}: {key}: {message} (got {_shown(found['input'])})"


def _message(found: Mapping[str, Any]) -> str:
    """Return what is wrong, in words that somebody who writes YAML knows."""
    if found["type"] == "string_pattern_mismatch" and found["ctx"]["pattern"] in PATTERNS_IN_WORDS:
        return f"must be {PATTERNS_IN_WORDS[found['ctx']['pattern']]}"
    message = str(found["msg"]).removeprefix("Value error, ")
    for jargon, word in YAML_WORDS.items():
        message = message.replace(jargon, word)
    given = found["input"]
    if found["type"] == "string_type" and isinstance(given, bool | int | float):
        message += "; put it in quotes"
    if found["type"] in {"float_type", "int_type"} and isinstance(given, str):
        message += ", without quotes and without a unit"
    return message


def _shown(value: Any) -> str:
    """Return a value as it would be written in YAML, cut short."""
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, bool | None) else repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


LONGEST_VALUE = 200
"""Characters of a value that an error shows, at most."""


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
