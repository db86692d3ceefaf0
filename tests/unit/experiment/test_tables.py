"""Tables of keyed rows: only what is missing is computed, and a kill leaves what was there."""

import polars as pl
import pytest

from tomtransfer.experiment import tables
from tomtransfer.experiment.files import write_whole
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.experiment.validation import InputError
from tomtransfer.respondents.elicited import compute_missing, fill_missing, row_key, with_known_rows

COMPUTED = {"value": pl.Float64, "software": pl.String, "computation": pl.String}


def wanted(*names):
    return pl.DataFrame({"key": [row_key(name=name) for name in names], "name": list(names)})


def computed(path, *names, value=1.0):
    table = with_known_rows(wanted(*names), path, COMPUTED)
    missing = [number for number, known in enumerate(table["value"].is_not_null()) if not known]
    table = fill_missing(table, missing, {"value": [value] * len(missing)}) if missing else table
    write_table(table, path)
    return table, missing


def test_only_missing_rows_are_computed_and_known_ones_keep_their_computation(tmp_path):
    path = tmp_path / "table.parquet"
    first, missing = computed(path, "a", "b")
    assert missing == [0, 1]
    second, missing = computed(path, "c", "b", "a", value=2.0)
    assert missing == [0]
    assert second["name"].to_list() == ["c", "b", "a"]
    assert second["value"].to_list() == [2.0, 1.0, 1.0]
    before = dict(first.select("name", "computation").iter_rows())
    after = dict(second.select("name", "computation").iter_rows())
    assert after["a"] == before["a"]
    assert after["c"] not in before.values()


def test_rows_that_are_no_longer_wanted_are_dropped(tmp_path):
    computed(tmp_path / "table.parquet", "a", "b")
    table, missing = computed(tmp_path / "table.parquet", "b")
    assert (table["name"].to_list(), missing) == (["b"], [])


def test_what_belongs_to_a_row_but_not_to_its_key_is_renewed(tmp_path):
    path = tmp_path / "table.parquet"
    computed(path, "a")
    renamed = wanted("a").with_columns(name=pl.lit("renamed"))
    assert with_known_rows(renamed, path, COMPUTED).select("name", "value").row(0) == ("renamed", 1.0)


def test_a_job_that_is_stopped_leaves_the_parts_that_it_finished(tmp_path, monkeypatch):
    path = tmp_path / "table.parquet"
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 2)
    parts = []

    def compute(part):
        if len(parts) == 2:
            raise KeyboardInterrupt
        parts.append(list(part))
        return {"value": [float(number) for number in part]}

    table = with_known_rows(wanted(*"abcde"), path, COMPUTED)
    with pytest.raises(KeyboardInterrupt):
        compute_missing(table, range(5), compute, path)
    assert not path.exists()
    assert parts == [[0, 1], [2, 3]]
    table = with_known_rows(wanted(*"abcde"), path, COMPUTED)
    assert table["value"].to_list() == [0, 1, 2, 3, None]
    parts.clear()
    whole = compute_missing(table, [4], compute, path)
    assert (whole["value"].to_list(), parts) == ([0, 1, 2, 3, 4], [[4]])
    tables.forget_finished(tmp_path.parent)
    assert tables.unfinished(path).exists()
    write_table(whole, path)
    tables.forget_finished(tmp_path.parent)
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_depends_on_every_part_and_not_on_their_order():
    assert row_key(a=1, b=2) == row_key(b=2, a=1)
    assert row_key(a=1, b=2) != row_key(a=1, b=3)
    assert row_key(a=1) != row_key(b=1)


def test_a_damaged_table_is_named(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"not a table")
    with pytest.raises(InputError, match=r"table\.parquet: cannot be read as a table"):
        read_table(path)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "table.parquet"
    computed(path, "a")
    whole = path.read_bytes()

    def fail(partial):
        partial.write_bytes(b"half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_whole(path, fail)
    assert path.read_bytes() == whole
    assert [file.name for file in tmp_path.iterdir()] == ["table.parquet"]
