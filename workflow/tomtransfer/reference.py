"""The reference of config.yaml and models.yaml, as JSON schema and as a page, made from the types that check them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.names import NAME
from tomtransfer.experiment.validation import LABEL
from tomtransfer.models.registry import SOURCES
from tomtransfer.report.claims import verdicts_page
from tomtransfer.scenarios.numbers import in_digits

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "workflow" / "config.schema.json"
PAGE = ROOT / "docs" / "config.md"
VERDICTS_PAGE = PAGE.with_name("verdicts.md")

DIALECT = "https://json-schema.org/draft/2020-12/schema"
LONGEST_DEFAULT = 120

# JSON schema in words.
TYPE_WORDS = {
    "boolean": "`true` or `false`",
    "integer": "whole number",
    "null": "`null`",
    "number": "number",
    "object": "names, with the keys below under each",
    "string": "text",
}
LIMITS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
    "minItems": "at least",
    "minProperties": "at least",
}
PATTERN_WORDS = {NAME: "name", LABEL: "words"}

CONFIG = """\
<!-- Made by `make docs` from experiment/ and models/registry.py in workflow/tomtransfer/. Edit there. -->

# Configuration

An experiment is what `config.yaml` says. A preset or a file of your own states only what differs and is merged over it:
`snakemake --configfile presets/smoke.yaml`. A single value can be given on the command line, as YAML:
`snakemake --config 'temperature=1' 'training={epochs: 4}'`. Lists are replaced, keys are merged, and the last word
counts: command line, then `--configfile`, then `config.yaml`, then the default below. An unknown key or an impossible
value ends the run before anything is computed, with the file, the key, the value and what is allowed.

The same as a JSON schema, for editors: [`workflow/config.schema.json`](../workflow/config.schema.json).

`{name}` stands for a name that you choose, of letters, digits, `_`, `.` and `-`; words are letters and
digits of any language, joined by single spaces, `-` or `_`.
"""

REGISTRY = """\
## models.yaml

The model registry. `{name}` is what `teacher.model` and `student.model` may be; the keys under it say where the model
comes from. Which keys there are depends on `source`.
"""


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of an experiment, with a description at every key; null takes back a split or a frame."""
    schema = _described_schema()
    for section in ("splits", "frames"):
        for kind in ("patternProperties", "additionalProperties"):
            if isinstance(members := schema["properties"][section].get(kind), dict):
                named = members if kind == "patternProperties" else {kind: members}
                or_null = {name: {"anyOf": [member, {"type": "null"}]} for name, member in named.items()}
                schema["properties"][section][kind] = or_null if kind == "patternProperties" else or_null[kind]
    return schema


def _described_schema() -> dict[str, Any]:
    schema = Experiment.model_json_schema()
    definitions = schema["$defs"]
    for record in (schema, *definitions.values()):
        for child in record["properties"].values():
            child.setdefault("description", _follow(child, definitions).get("description"))
            if "patternProperties" in child:
                child["additionalProperties"] = False  # a name that breaks the pattern is refused, as it is when read
    return {"$schema": DIALECT, **schema}


def page() -> str:
    """Return the page that describes every key of config.yaml and models.yaml."""
    schema = _described_schema()
    definitions = schema["$defs"]
    sections = [CONFIG]
    properties = schema["properties"]
    plain = {name: child for name, child in properties.items() if _follow(child, definitions) is child}
    top_level = schema | {"properties": plain}
    sections.append(_section("## config.yaml", "", top_level, definitions))
    for name, child in properties.items():
        if name not in plain:
            sections.append(_section(f"### {name}", f"{name}.", _follow(child, definitions), definitions))
    sections.append(REGISTRY)
    for name, source in SOURCES.items():
        record = source.model_json_schema()
        sections.append(_section(f"### source: {name}", "{name}.", record, record.get("$defs", {})))
    return "\n".join(sections)


def references() -> dict[Path, str]:
    """Return the text of every generated file."""
    return {SCHEMA: json.dumps(json_schema(), indent=2) + "\n", PAGE: page(), VERDICTS_PAGE: verdicts_page()}


def _section(heading: str, prefix: str, record: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Return a heading, what the record is, and the table of its keys."""
    table = ["| key | allowed | default | what it is |", "|---|---|---|---|"]
    table += [f"| {' | '.join(_one_line(cell) for cell in row)} |" for row in _rows(prefix, record, definitions)]
    return "\n".join([heading, "", _one_line(record["description"]), "", *table, ""])


def _rows(prefix: str, record: Mapping[str, Any], definitions: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield key, allowed values, default and description of every key of `record` and of the records inside it."""
    for name, child in record["properties"].items():
        nested = _follow(child, definitions)
        if nested is not child:
            yield from _rows(f"{prefix}{name}.", nested, definitions)
            continue
        default = _default(child, required=name in record.get("required", []))
        yield f"`{prefix}{name}`", _allowed(child), default, child["description"]
        for member in child.get("patternProperties", {}).values():
            if "properties" in (record_inside := _follow(member, definitions)):
                yield from _rows(f"{prefix}{name}.{{name}}.", record_inside, definitions)


def _follow(node: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the record that `node` refers to, also as one that may be null, or `node` itself where there is none."""
    [reference] = [each["$ref"] for each in (node, *node.get("anyOf", ())) if "$ref" in each][:1] or [None]
    followed: Mapping[str, Any] = definitions[reference.rsplit("/", 1)[-1]] if reference else node
    return followed


def _default(node: Mapping[str, Any], required: bool) -> str:
    """Return the default as it would be written in YAML, which reads JSON too."""
    if required:
        return "must be given"
    written = json.dumps(node["default"])
    return f"`{written}`" if len(written) <= LONGEST_DEFAULT else "a text that is built in"


def _allowed(node: Mapping[str, Any]) -> str:
    """Say in words which values a schema node allows."""
    if "anyOf" in node:
        return ", or ".join(dict.fromkeys(_allowed(alternative) for alternative in node["anyOf"]))
    if "const" in node or "enum" in node:
        return " or ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if keys := node.get("propertyNames", {}).get("enum"):
        return f"any of {', '.join(f'`{key}`' for key in keys)}, each with a value"
    if any("anyOf" in value for value in node.get("patternProperties", {}).values()):
        return "names, each with a value"
    if node.get("additionalProperties") == {"type": "number"}:
        return ", ".join(["names, each with a number", *(["at least 1"] if node.get("minProperties") else [])])
    kind = f"list, each item a {_allowed(node['items'])}" if node["type"] == "array" else TYPE_WORDS[node["type"]]
    limits = [f"{word} {in_digits(node[limit])}" for limit, word in LIMITS.items() if limit in node]
    if "pattern" in node:
        kind = PATTERN_WORDS.get(node["pattern"], f"{kind} matching `{node['pattern']}`")
    return ", ".join([kind, *limits])


def _one_line(text: str) -> str:
    """Return `text` as a cell of a table: on one line, without what would end the cell."""
    return " ".join(text.split()).replace("|", "\\|")
