"""Reading YAML: every mistake is one line with file, key, value and what is allowed."""

from pathlib import Path

import pytest
from pydantic import Field

from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import InputError, Record, validate


class Inner(Record):
    size: int = 1


class Outer(Record):
    name: str
    inner: Inner = Inner()
    members: dict[str, Inner] = Field(default={})
    perhaps: Inner | None = None
    listed: tuple[Inner, ...] = ()


def test_mapping_is_returned(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("name: x\nsize: 3\n")
    assert read_yaml(tmp_path / "a.yaml") == {"name": "x", "size": 3}


def test_missing_file_lists_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "stag_hunt.yaml").touch()
    with pytest.raises(InputError) as error:
        read_yaml(tmp_path / "stag_hnt.yaml")
    assert str(error.value) == f"{tmp_path}/stag_hnt.yaml: no such file. {tmp_path} has: stag_hunt.yaml"


def test_missing_file_in_missing_folder_is_told_as_well(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file\. .* has: nothing"):
        read_yaml(tmp_path / "nowhere" / "a.yaml")


@pytest.mark.parametrize("content", [b"a: [1", b"a: 1\n  b: 2", b"\xff\xfe\x00"])
def test_file_that_is_not_yaml_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.yaml: .*(not YAML|no UTF-8)"):
        read_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize(("content", "found"), [("- 1\n", "list"), ("words", "str")])
def test_file_without_keys_is_refused(tmp_path: Path, content: str, found: str) -> None:
    (tmp_path / "a.yaml").write_text(content)
    with pytest.raises(InputError, match=f"expected keys and values, got {found}"):
        read_yaml(tmp_path / "a.yaml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "f: name: missing; it must be given"),
        ({"nme": "x", "name": "x"}, "f: nme: unknown key; did you mean 'name'? Allowed here: inner, listed, members, "),
        ({"name": "x", "zzz": 1}, "f: zzz: unknown key; Allowed here: inner, listed, members, name, perhaps"),
        ({"name": "x", "inner": {"sze": 2}}, "f: inner.sze: unknown key; did you mean 'size'? Allowed here: size"),
        ({"name": "x", "members": {"a": {"sze": 2}}}, "f: members.a.sze: unknown key; did you mean 'size'? Allowed"),
        ({"name": "x", "perhaps": {"sze": 2}}, "f: perhaps.sze: unknown key; did you mean 'size'? Allowed here: size"),
        (
            {"name": "x", "listed": [{"sze": 2}]},
            "f: listed.0.sze: unknown key; did you mean 'size'? Allowed here: size",
        ),
        (
            {"name": "x", "inner": {"size": "big"}},
            "f: inner.size: Input should be a valid whole number, without quotes and",
        ),
        ({"name": "x", "members": 3}, "f: members: Input should be keys and values (got 3)"),
        ({"name": "x", "listed": 3}, "f: listed: Input should be a valid list (got 3)"),
    ],
)
def test_mistake_names_source_key_value_and_what_is_allowed(content: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        validate(Outer, content, "f")
    assert str(error.value).startswith(message)


def test_every_mistake_has_a_line() -> None:
    with pytest.raises(InputError) as error:
        validate(Outer, {"inner": {"size": "x", "weight": 1}}, "f")
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == ["name", "inner.size", "inner.weight"]


def test_record_cannot_be_changed() -> None:
    record = validate(Inner, {"size": 2}, "f")
    with pytest.raises(ValueError, match="frozen"):
        record.size = 3
