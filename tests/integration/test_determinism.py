"""The same seed on the same machine: the same results."""

import shutil

import polars as pl
import pytest

from reduced import contents, reduced_project, run_to_the_end

pytestmark = pytest.mark.slow


def test_two_runs_from_scratch_are_equal_to_the_last_bit(finished, tmp_path):
    again = reduced_project(tmp_path / "again")
    shutil.copytree(finished / "results" / "models", again / "results" / "models")
    run_to_the_end(again)
    first, second = contents(finished), contents(again)
    assert first.keys() == second.keys()
    assert len(first) > 50
    assert [name for name in first if not equal(first[name], second[name])] == []


def equal(one: pl.DataFrame | bytes, other: pl.DataFrame | bytes) -> bool:
    return one.equals(other) if isinstance(one, pl.DataFrame) and isinstance(other, pl.DataFrame) else one == other
