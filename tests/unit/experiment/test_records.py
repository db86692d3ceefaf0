"""Records: a job runs again exactly when its settings, its inputs or its outputs are no longer what they were."""

import shutil
from dataclasses import asdict

import pytest

from tomtransfer.experiment.records import (
    broken_outputs,
    changes,
    known_hash,
    make_record,
    read_record,
    write_record,
)

SETTINGS = {"temperature": 0.8, "frames": ("canonical", "swapped"), "scoring": {"seed": 0}}


@pytest.fixture
def done(tmp_path):
    """A job that has read and written something, as the path of its record and its inputs by name."""
    results = tmp_path / "results"
    results.mkdir()
    inputs = {"prompts": [results / "one.json", results / "two.json"]}
    for file in (*inputs["prompts"], results / "table.parquet"):
        file.write_text(file.name)
    record = results / "records" / "job.json"
    known_hash.cache_clear()
    hashes = {"prompts": [known_hash(file) for file in inputs["prompts"]]}
    write_record(record, make_record(record, SETTINGS, hashes, [results / "table.parquet"]))
    return record, inputs


def found(done, settings=SETTINGS, **inputs):
    known_hash.cache_clear()
    return changes(done[0], settings, {**done[1], **inputs})


def test_nothing_changed(done):
    assert found(done) == []


def test_a_record_comes_back_as_it_was(done):
    record = read_record(done[0])
    assert record.settings == {"temperature": 0.8, "frames": ["canonical", "swapped"], "scoring": {"seed": 0}}
    assert set(asdict(record)) == {"settings", "inputs", "outputs"}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({**SETTINGS, "temperature": 0.9}, "temperature"),
        ({**SETTINGS, "more": 1}, "more"),
        ({name: value for name, value in SETTINGS.items() if name != "scoring"}, "scoring"),
    ],
)
def test_another_setting_is_named(done, settings, name):
    assert found(done, settings) == [f"other settings: {name}"]


def test_other_content_of_an_input_is_named(done):
    done[1]["prompts"][0].write_text("edited")
    assert found(done) == ["other content: prompts"]


def test_an_input_that_is_gone_or_new_is_seen(done):
    assert found(done, prompts=done[1]["prompts"][:1]) == ["other content: prompts"]
    assert found(done, more=done[1]["prompts"][:1]) == ["other content: more"]
    done[1]["prompts"][1].unlink()
    assert found(done) == ["other content: prompts"]


def test_an_output_that_is_gone_or_was_changed_is_named(done):
    table = done[0].parent.parent / "table.parquet"
    table.write_text("by hand")
    assert "table.parquet: changed since it was written" in found(done)[0]
    table.unlink()
    assert "table.parquet: gone" in found(done)[0]


def test_all_outputs_that_are_not_what_was_written_are_named_with_where_they_are(done):
    record, folder = done[0], done[0].parent.parent
    (folder / "page.md").write_text("page")
    tables = [folder / "table.parquet", folder / "page.md"]
    write_record(record, make_record(record, SETTINGS, {}, tables))
    known_hash.cache_clear()
    assert broken_outputs(record, read_record(record)) == []
    tables[0].write_text("by hand")
    tables[1].unlink()
    known_hash.cache_clear()
    assert broken_outputs(record, read_record(record)) == [
        f"{record.parent}/../table.parquet: changed since it was written",
        f"{record.parent}/../page.md: gone",
    ]


def test_several_changes_are_all_named(done):
    done[1]["prompts"][0].write_text("edited")
    (done[0].parent.parent / "table.parquet").unlink()
    assert len(found(done, {**SETTINGS, "temperature": 0.9, "more": 1})) == 3


def test_a_folder_that_is_renamed_has_nothing_to_do_and_its_broken_outputs_are_still_seen(done, tmp_path):
    moved = (tmp_path / "results").rename(tmp_path / "renamed")
    record, inputs = moved / "records" / "job.json", {"prompts": [moved / "one.json", moved / "two.json"]}
    known_hash.cache_clear()
    assert changes(record, SETTINGS, inputs) == []
    (moved / "table.parquet").write_text("by hand")
    known_hash.cache_clear()
    assert len(changes(record, SETTINGS, inputs)) == 1


def test_times_and_places_do_not_count(done, tmp_path):
    moved = shutil.copytree(tmp_path / "results", tmp_path / "elsewhere", copy_function=shutil.copyfile)
    known_hash.cache_clear()
    inputs = {"prompts": [moved / "one.json", moved / "two.json"]}
    assert changes(moved / "records" / "job.json", SETTINGS, inputs) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"settings": 1}'])
def test_without_a_record_that_can_be_read_a_job_runs(done, text):
    done[0].write_text(text)
    assert found(done) == ["never finished"]
