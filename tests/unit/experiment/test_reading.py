"""What people write is read as it is written, or refused with its file, its key and what is allowed."""

from pathlib import Path

import pytest

from tomtransfer.experiment.reading import DEEPEST, LARGEST_FILE, read_text, read_yaml
from tomtransfer.experiment.validation import InputError


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("game.yaml")


def refused(read, file: Path, content: str | bytes) -> str:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as error:
        read(file)
    return str(error.value)


def test_a_byte_order_mark_and_windows_line_ends_are_no_part_of_a_text(file):
    file.write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert read_text(file) == "one\ntwo\n"
    file.write_bytes(b"\xef\xbb\xbftitle: one\r\n")
    assert read_yaml(file) == {"title": "one"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"caf\xe9\n", "game.yaml: byte 3 is no UTF-8 (0xe9); save the file as UTF-8"),
        ("one\ntw\0o\n", "game.yaml:2: a character that cannot be seen, U+0000; delete it"),
        ("one\n\x1b[31m", "game.yaml:2: a character that cannot be seen, U+001B; delete it"),
        ("zero\u200bwidth", "game.yaml:1: a character that cannot be seen, U+200B; delete it"),
        ("a" * (LARGEST_FILE + 1), "game.yaml: 1000001 bytes; at most 1000000 are read"),
    ],
)
def test_bytes_that_nobody_sees_are_told(file, content, message):
    assert refused(read_text, file, content) == message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("reward: 1\nreward: 2\n", "reward: stands here twice, in lines 1 and 2; keep one"),
        ("payoffs:\n  reward: 1\n  reward: 2\n", "payoffs.reward: stands here twice, in lines 2 and 3; keep one"),
        ("reward: 010\n", "reward: YAML reads 010 as another number; write it in digits, without leading zeros"),
        ("reward: 1:30\n", "reward: YAML reads 1:30 as another number; write it in digits, without leading zeros"),
        ("born: 2001-01-01\n", "born: YAML reads 2001-01-01 as a date; put it in quotes"),
        ("frames:\n  no: {}\n", "frames.no: YAML reads this name as true or false; put it in quotes"),
        ("frames:\n  1: {}\n", "frames.1: YAML reads this name as a number; put it in quotes"),
        ("frames:\n  1.5: {}\n", "frames.1.5: YAML reads this name as a number; put it in quotes"),
        ("~: 1\n", "~: YAML reads this name as nothing; put it in quotes"),
        ("__use_yte__: true\n", "__use_yte__: would run Python code of this file, which tomtransfer does not allow"),
        ("a: 1\n\tb: 2\n", "line 2: not YAML: found a tab character that violates indentation; YAML is indented with"),
        ("a: b\tc\n", "a: has a tab, which not every reader of YAML takes; put it in quotes"),
        ("", "empty; expected keys and values"),
        ("# nothing\n", "empty; expected keys and values"),
        ("- 1\n", "expected keys and values, got list"),
        ("just words\n", "expected keys and values, got str"),
        ("a: 1\n---\nb: 2\n", "line 2: not YAML: but found another document"),
        ("a: *nowhere\n", "line 1: not YAML: found undefined alias"),
        ("a: !!python/object/apply:os.system [ls]\n", "line 1: not YAML: could not determine a constructor"),
        ("a: 'open\n", "not YAML: found unexpected end of stream"),
        ("a: " + "[" * 20_000 + "]" * 20_000, f"lists or mappings stand more than {DEEPEST} deep in each other"),
        ("a: " + "[" * 60 + "]" * 60, f"lists or mappings stand more than {DEEPEST} deep in each other"),
    ],
)
def test_what_yaml_would_change_in_silence_is_refused(file, content, message):
    told = refused(read_yaml, file, content)
    assert told.startswith("game.yaml: ")
    assert message in told
    assert "\n" not in told


def test_keys_for_anchors_are_left_out(file):
    file.write_text("x-common: &common {seed: 1}\nteacher: {<<: *common, model: one}\nstudent: *common\n")
    assert read_yaml(file) == {"teacher": {"seed": 1, "model": "one"}, "student": {"seed": 1}}


def test_a_file_that_is_not_there_names_those_that_are(file):
    Path("other.yaml").write_text("a: 1\n")
    with pytest.raises(InputError, match=r"game\.yaml: no such file\. \. has: other\.yaml"):
        read_yaml(file)


def test_a_folder_is_no_file(file):
    file.mkdir()
    with pytest.raises(InputError, match=r"game\.yaml: cannot be read: Is a directory"):
        read_yaml(file)
