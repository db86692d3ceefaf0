"""Opening a respondent: what the note in its folder says decides who answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from made import local_model

from tomtransfer.experiment.validation import InputError
from tomtransfer.models.fetching import fetch
from tomtransfer.models.registry import Planted
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.respondents.opening import open_respondent
from tomtransfer.respondents.planted import PlantedRespondent

POLICY = Planted(source="planted", rationality=0.4, social_weights={"team": 0.5}, belief=0.25)
SETTINGS: dict[str, Any] = {
    "model_revision": "1",
    "quantization": "none",
    "temperature": 0.8,
    "stage_revision": 1,
    "device": "cpu",
    "tokens_per_batch": 8_000,
}


def test_a_model_that_was_fetched_is_run_here_with_the_settings_that_are_given(random_model):
    opened = open_respondent(random_model, **{**SETTINGS, "temperature": 0.5})
    assert opened == local_model(random_model, temperature=0.5)
    assert opened.identity["temperature"] == 0.5


def test_a_folder_without_a_note_is_a_model_that_somebody_put_there(tmp_path):
    assert isinstance(open_respondent(tmp_path / "by_hand", **SETTINGS), LocalModel)


def test_an_adapter_makes_another_respondent(random_model, tmp_path):
    bare = open_respondent(random_model, **SETTINGS)
    tuned = open_respondent(random_model, adapter=tmp_path, adapter_key="key", **SETTINGS)
    assert tuned.adapter == tmp_path
    assert {name for name in bare.identity if bare.identity[name] != tuned.identity[name]} == {"adapter"}


def test_a_planted_policy_is_that_of_the_registry_and_is_known_as_a_model_is(tmp_path):
    fetch("planted", POLICY, tmp_path / "planted")
    opened = open_respondent(tmp_path / "planted", **SETTINGS)
    assert isinstance(opened, PlantedRespondent)
    assert opened.policy == POLICY
    assert opened.identity == local_model(tmp_path / "planted").identity


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ("{", "cannot be read: .*; delete it to have it made again"),
        ("[]", "cannot be read: .*; delete it to have it made again"),
        ("{}", "cannot be read: 'source'; delete it to have it made again"),
        (json.dumps({"source": {"source": "guessed"}}), "model: source: unknown source 'guessed'"),
        (json.dumps({"source": {"source": "planted"}}), "model: social_weights: missing"),
    ],
)
def test_a_note_that_says_nothing_is_named(tmp_path: Path, note: str, message: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "source.json").write_text(note)
    with pytest.raises(InputError, match=rf"source\.json: {message}"):
        open_respondent(folder, **SETTINGS)
