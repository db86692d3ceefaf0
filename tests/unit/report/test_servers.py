"""What a server was asked and did not show, as the report has it."""

import polars as pl
import pytest

from tomtransfer.report.servers import largest_change, served_table


@pytest.fixture
def tables(tmp_path):
    """The choices and motivations of a served teacher, and the choices of a student that runs here."""
    spent = {"requests": [5, 7], "prompt_tokens": [500, 700], "answer_tokens": [5, 7], "money": [0.1, 0.2]}
    choices = {"cooperate": [0.5, 0.1], "defect": [0.3, 0.3], "other": [0.2, 0.6], "unseen": [0.0, 0.1]}
    pl.DataFrame({**choices, **spent}).write_parquet(tmp_path / "stag_hunt.parquet")
    pl.DataFrame({"motivation": ["x", "y"], **spent}).write_parquet(tmp_path / "stag_hunt.motivations.parquet")
    pl.DataFrame({"cooperate": [1.0], "defect": [0.0], "other": [0.0]}).write_parquet(tmp_path / "base.parquet")
    return {"teacher": [tmp_path / "stag_hunt.parquet"], "base": [tmp_path / "base.parquet"]}


def test_costs_are_summed_by_what_was_asked(tables):
    table = served_table(tables)
    assert [(row["model"], row["answers"], row["rows"], row["requests"]) for row in table.rows] == [
        ("teacher", "choices", 2, 12),
        ("teacher", "motivations", 2, 12),
    ]
    first, second = table.rows
    assert first["money"] == pytest.approx(0.3)
    assert (first["unseen"], first["most_unseen"]) == (pytest.approx(0.05), pytest.approx(0.1))
    assert second["unseen"] is None


def test_what_is_unseen_changes_a_rate_by_so_much_at_most(tables):
    # 0.1 of 0.4 are labels of cooperation; with 0.1 more of either, 0.2 or 0.1 of 0.5 are.
    assert largest_change(served_table(tables)) == pytest.approx(0.2)
    assert 0.2 / 0.5 - 0.1 / 0.4 <= 0.2
    assert largest_change(served_table({"base": tables["base"]})) is None
