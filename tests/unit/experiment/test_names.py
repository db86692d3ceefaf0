"""Names that files of the results have already are refused, and so are those that no file can have."""

import pytest
from pydantic import TypeAdapter, ValidationError

from tomtransfer.experiment.names import FrameName, GameName, Name

GAME, FRAME, NAME = TypeAdapter(GameName), TypeAdapter(FrameName), TypeAdapter(Name)


@pytest.mark.parametrize("name", ["stag_hunt", "a.b", "A-1", "2x2", "summary_of_all"])
def test_free_names(name):
    assert GAME.validate_python(name) == name


@pytest.mark.parametrize("name", ["summary", "checks", "stag_hunt.answers", "x.motivations", "x.amounts"])
def test_names_of_other_files_are_taken(name):
    with pytest.raises(ValidationError, match=r"no game may be called .*summary|a game's name may not end in"):
        GAME.validate_python(name)


@pytest.mark.parametrize("name", ["counterbalanced", "held_out_frames"])
def test_names_of_views_are_taken(name):
    with pytest.raises(ValidationError, match="no frame may be called counterbalanced, held_out_frames"):
        FRAME.validate_python(name)


@pytest.mark.parametrize("name", ["", ".", "..", "../up", "a/b", "{game}", "é", "a b", "-a", "a" * 81, "a\n"])
def test_what_no_file_can_be_called(name):
    with pytest.raises(ValidationError):
        NAME.validate_python(name)
