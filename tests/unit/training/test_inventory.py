"""What the store is listed to hold, of every stage, and that what no results folder uses can be removed."""

import json
import sys
from pathlib import Path

import pytest
from made import ASKING, local_model, make_prompt

from saved_models import save_model
from tomtransfer import command_line
from tomtransfer.experiment.files import write_text
from tomtransfer.experiment.store import Store
from tomtransfer.inference.examination import EXAMINED
from tomtransfer.respondents.checking import CHECKED
from tomtransfer.respondents.elicitation import Elicitation
from tomtransfer.scenarios.questions import write_prompts
from tomtransfer.training.inventory import broken
from tomtransfer.training.preparation import Plan, check_models


def asked(folder: Path, temperature: float, quantization: str) -> Path:
    """Have a tiny student checked, examined and asked with results in `folder`, whose store stands beside it."""
    store, model = Store(folder.parent / "store"), save_model(folder / "models/tiny")
    prompts = folder / "prompts.json"
    write_prompts([make_prompt("team")], prompts)
    about = {"temperature": temperature, "quantization": quantization}
    plan = Plan([prompts], {"teacher": about, "student": about}, ASKING, ASKING, ["canonical"], ["q_proj"])
    notes = {"examinations": store.folder / EXAMINED, "checks": store.folder / CHECKED}
    student = local_model(model, **notes, **about)
    for role, facts in check_models(plan, student, student, store.folder / CHECKED).items():
        write_text(json.dumps(facts), folder / "results" / role / "checked.json")
    Elicitation(student, ASKING, store).tables([prompts], {"choices": folder / "results/student/base.parquet"})
    store.note_use(folder / "results")
    return folder / "results"


def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what `tomtransfer store` prints of the store in the working directory."""
    monkeypatch.setattr(sys, "argv", ["tomtransfer", "store", "--store", "store", *arguments])
    with pytest.raises(SystemExit):
        command_line.main()
    return capsys.readouterr().out


def stages(page: str) -> dict[str, list[int]]:
    """Return how many rows each stage on a page has that no results folder uses, by what holds them."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if "tiny" in line]
    found: dict[str, list[int]] = {}
    for stage, *_, unused in rows:
        found.setdefault(stage, []).append(int(unused))
    return {stage: sorted(unused) for stage, unused in found.items()}


def test_what_was_found_out_about_models_is_listed_and_removed_as_answers_are(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    one, other = asked(tmp_path / "one", 0.8, "none"), asked(tmp_path / "other", 0.9, "nf4")
    page = said(monkeypatch, capsys)
    assert str(one) in page
    assert stages(page) == {"choices": [0, 0], "examined": [0, 0], "checked": [0] * 6}
    (other / "student/base.parquet").unlink()
    for role in ("teacher", "student"):
        (other / role / "checked.json").unlink()
    assert stages(said(monkeypatch, capsys)) == {"choices": [0, 1], "examined": [0, 1], "checked": [0] * 3 + [1] * 3}
    assert " MB removed" in said(monkeypatch, capsys, "--remove-unused", "--yes")
    assert stages(said(monkeypatch, capsys)) == {"choices": [0], "examined": [0], "checked": [0] * 3}
    assert [found["quantization"] for found in examinations(tmp_path)] == ["none"]


def examinations(folder: Path) -> list[dict[str, str]]:
    return [json.loads(place.read_text())["about"] for place in (folder / "store" / EXAMINED).iterdir()]


def test_nothing_is_examined_or_checked_again_where_models_are_unchanged(tmp_path, monkeypatch):
    results = asked(tmp_path / "one", 0.8, "none")
    held = {place: place.stat().st_mtime_ns for place in (tmp_path / "store").rglob("*.*")}
    for path in [*results.rglob("*.json"), *results.rglob("*.parquet")]:
        path.unlink()
    for module in ("proof.prove", "loading.load_model", "loading.load_tokenizer", "skeleton.skeleton"):
        monkeypatch.setattr(f"tomtransfer.inference.{module}", refuse)
    asked(tmp_path / "one", 0.8, "none")
    assert {place: place.stat().st_mtime_ns for place in (tmp_path / "store").rglob("*.*")} == held
    assert (results / "student/base.parquet").exists()


def refuse(*_: object) -> None:
    raise AssertionError("a model was looked at again")


@pytest.mark.parametrize("stage", [EXAMINED, CHECKED])
def test_what_was_found_out_about_a_model_is_verified(tmp_path, stage):
    asked(tmp_path / "one", 0.8, "none")
    store = Store(tmp_path / "store")
    count, mistakes = broken(tmp_path / "one/results", store)
    assert (count, mistakes) == (5, [])
    place = next((store.folder / stage).iterdir())
    place.write_text(place.read_text()[:-10])
    assert [mistake.partition(":")[0] for mistake in broken(tmp_path / "one/results", store)[1]] == [str(place)]
