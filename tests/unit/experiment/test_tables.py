"""Tables and files are written as a whole or not at all, and a damaged one is named."""

import polars as pl
import pytest

from tomtransfer.experiment.files import write_text, write_whole
from tomtransfer.experiment.tables import read_table, write_table
from tomtransfer.experiment.validation import InputError


def test_a_table_comes_back_as_it_was(tmp_path):
    table = pl.DataFrame({"key": ["a", "b"], "probabilities": [[0.1, 0.9], []]})
    write_table(table, tmp_path / "folder" / "table.parquet")
    assert read_table(tmp_path / "folder" / "table.parquet").equals(table)


def test_a_damaged_table_is_named(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_bytes(b"not a table")
    with pytest.raises(InputError, match=r"table\.parquet: cannot be read as a table"):
        read_table(path)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "page.md"
    write_text("whole", path)

    def fail(partial):
        partial.write_bytes(b"half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        write_whole(path, fail)
    assert path.read_text() == "whole"
    assert [file.name for file in tmp_path.iterdir()] == ["page.md"]
