"""The store: what is in it is what its name says, whoever wrote it and however often."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest

from tomtransfer.experiment.store import Store, digest_of, is_whole
from tomtransfer.respondents.elicited import complete_rows, known_rows

IDENTITY = {"model": "m", "temperature": 0.8}
COLUMNS = {"value": pl.Float64}


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


def wanted(*names: str) -> pl.DataFrame:
    return pl.DataFrame({"key": [digest_of(name) for name in names], "name": list(names)})


def complete(store: Store, *names: str, value: float = 1.0):
    """Return the values of names, and how many of them were computed."""
    table, count = complete_rows(
        wanted(*names), store, "choices", IDENTITY, COLUMNS, lambda part: {"value": [value] * len(part)}
    )
    return table["value"].to_list(), count


def parts(store: Store):
    return sorted(store.folder.glob("answers/*/*/*.parquet"))


def test_a_digest_depends_on_every_part_and_not_on_their_order():
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert len({digest_of(each) for each in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": "1"})}) == 4


def test_what_was_computed_once_is_taken_from_the_store(store):
    assert complete(store, "a", "b", value=1.0) == ([1.0, 1.0], 2)
    assert complete(store, "c", "b", value=2.0) == ([2.0, 1.0], 1)
    assert complete(store, "a", "b", "c", value=3.0) == ([1.0, 1.0, 2.0], 0)


def test_another_identity_has_another_shelf(store):
    complete(store, "a")
    other, count = complete_rows(
        wanted("a"), store, "choices", {**IDENTITY, "temperature": 1.0}, COLUMNS, lambda part: {"value": [9.0]}
    )
    assert (other["value"].to_list(), count) == ([9.0], 1)
    assert {json.loads(note.read_text())["temperature"] for note in store.folder.rglob("identity.json")} == {0.8, 1.0}


@pytest.mark.parametrize(
    "harm",
    [
        lambda part: part.write_bytes(part.read_bytes()[:-10]),
        lambda part: part.write_bytes(part.read_bytes().replace(b"PAR1", b"PAR2")),
        lambda part: part.write_bytes(b""),
        lambda part: part.with_name("f" * 64 + ".parquet").write_bytes(part.read_bytes()) and part.unlink(),
    ],
    ids=["cut short", "corrupted", "empty", "another name"],
)
def test_a_broken_part_is_named_set_aside_and_computed_again(store, caplog, harm):
    complete(store, "a", value=1.0)
    [part] = parts(store)
    harm(part)
    assert complete(store, "a", value=2.0) == ([2.0], 1)
    assert "its content is not what its name says; set aside as" in caplog.text
    assert len(list((store.folder / "set_aside").iterdir())) == 1
    assert complete(store, "a", value=3.0) == ([2.0], 0)


def test_a_foreign_file_is_never_read_as_an_answer(store, caplog):
    complete(store, "a", value=1.0)
    [part] = parts(store)
    shelf = part.parent
    store.put(shelf, b"no table", ".parquet")
    other = pl.DataFrame({"key": [digest_of("b")], "name": ["b"]})
    other.write_parquet(shelf / "foreign.parquet")
    assert complete(store, "a", "b", value=2.0) == ([1.0, 2.0], 1)
    assert "not a table of answers" in caplog.text
    assert len(parts(store)) == 2


def test_a_part_that_is_being_written_is_left_alone(store):
    complete(store, "a")
    [part] = parts(store)
    partial = part.with_name(f".{part.name}.0123456789ab")
    partial.write_bytes(b"half")
    assert complete(store, "a")[1] == 0
    assert partial.exists()


def test_many_writers_at_once_lose_nothing(store):
    names = [f"{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: complete(store, name, value=float(name)), names * 2))
    assert complete(store, *names, value=-1.0) == ([float(name) for name in names], 0)


def test_two_jobs_that_computed_the_same_at_once_are_read_alike(store):
    shelf = store.shelf("answers/choices", "m", IDENTITY)
    columns = {**COLUMNS, "software": pl.String, "computation": pl.String}
    for value in (1.0, 2.0):
        row = pl.DataFrame({"key": ["k"], "value": [value], "software": ["s"], "computation": [str(value)]})
        store.put(shelf, _bytes(row), ".parquet")
    first = known_rows(store, shelf, columns)
    assert len(first) == 1
    assert known_rows(store, shelf, columns).equals(first)


def _bytes(table: pl.DataFrame) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def made(folder, content: bytes):
    folder.mkdir(parents=True)
    (folder / "weights").write_bytes(content)
    return folder


def test_a_folder_is_adopted_whole_and_the_first_one_stays(store, tmp_path):
    place = store.folder / "adapters" / "key"
    store.adopt(made(tmp_path / "one", b"one"), place)
    store.adopt(made(tmp_path / "two", b"two"), place)
    assert (place / "weights").read_bytes() == b"one"
    assert store.whole(place)
    assert not (tmp_path / "one").exists()
    assert not (tmp_path / "two").exists()


def test_of_many_that_are_adopted_at_once_one_stays_whole(store, tmp_path):
    place = store.folder / "adapters" / "key"
    folders = [made(tmp_path / f"{number}", f"{number}".encode()) for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda folder: store.adopt(folder, place), folders))
    assert store.whole(place)
    assert not any(folder.exists() for folder in folders)


def test_a_folder_that_cannot_be_put_in_place_is_not_lost(store, tmp_path):
    place = store.folder / "adapters" / "key"
    folder = made(tmp_path / "one", b"one")
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="no space"):
        patch.setattr("pathlib.Path.rename", fail)
        store.adopt(folder, place)
    assert (folder / "weights").read_bytes() == b"one"


def fail(*_):
    raise OSError("no space left on device")


def test_the_name_of_a_part_is_the_hash_of_its_bytes_and_the_same_bytes_are_one_part(store):
    shelf = store.shelf("answers/choices", "m", IDENTITY)
    one = store.put(shelf, b"content", ".parquet")
    assert one.name == f"{hashlib.sha256(b'content').hexdigest()}.parquet"
    assert store.put(shelf, b"content", ".parquet") == one
    assert store.put(shelf, b"other", ".parquet") != one
    assert {content for _, content in store.parts(shelf, ".parquet")} == {b"content", b"other"}


def test_what_another_job_has_set_aside_in_the_meantime_is_passed_over(store):
    shelf = store.shelf("answers/choices", "m", IDENTITY)
    paths = sorted(store.put(shelf, content, ".parquet") for content in (b"one", b"two"))
    read = store.parts(shelf, ".parquet")
    assert next(read)[0] == paths[0]
    paths[1].unlink()
    assert list(read) == []
    store.set_aside(paths[1], "broken")
    assert list((store.folder / "set_aside").iterdir()) == []


@pytest.mark.parametrize("harm", ["changed", "gone", "added"])
def test_a_folder_that_is_not_whole_is_set_aside(store, tmp_path, harm):
    place = store.folder / "adapters" / "key"
    store.adopt(made(tmp_path / "one", b"one"), place)
    if harm == "changed":
        (place / "weights").write_bytes(b"eno")
    elif harm == "gone":
        (place / "weights").unlink()
    else:
        (place / "more").write_bytes(b"")
    assert not is_whole(place)
    assert not store.whole(place)
    assert not place.exists()
    assert len(list((store.folder / "set_aside").iterdir())) == 1
    assert not store.whole(place)


def test_results_folders_that_take_from_the_store_are_noted_once(store, tmp_path):
    store.note_use(tmp_path / "results")
    store.note_use(tmp_path / "results")
    [note] = (store.folder / "used_by").iterdir()
    assert json.loads(note.read_text())["results"] == str(tmp_path / "results")
