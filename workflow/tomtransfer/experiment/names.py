"""Which names people may give, and which are taken, because files of the results are called so."""

from typing import Annotated

from pydantic import AfterValidator, Field

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
NAME_IN_WORDS = "a name: letters without accents, digits, `_`, `.` and `-`, beginning with a letter or a digit"

LONGEST_NAME = 80
"""Characters of a name, at most: names become parts of file names."""

TAKEN_GAMES = frozenset({"summary", "checks", "answers", "comprehension", "understanding"})
"""Files beside those of a game in results/alignment/."""

TAKEN_ENDINGS = (".answers", ".motivations", ".amounts", ".comprehension")
"""What stands after the name of a game in results/teacher/."""

TAKEN_FRAMES = frozenset({"counterbalanced", "held_out_frames"})
"""Names of views over several frames."""


def _free_game(name: str) -> str:
    if name in TAKEN_GAMES:
        raise ValueError(f"this name is taken by a file of the results; no game may be called {_listed(TAKEN_GAMES)}")
    if name.endswith(TAKEN_ENDINGS):
        raise ValueError(
            f"files of another game's results end so; a game's name may not end in {_listed(TAKEN_ENDINGS)}"
        )
    return name


def _free_frame(name: str) -> str:
    if name in TAKEN_FRAMES:
        raise ValueError(
            f"this name is taken by a view of several frames; no frame may be called {_listed(TAKEN_FRAMES)}"
        )
    return name


def _listed(names: frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(names))


Name = Annotated[str, Field(pattern=NAME, max_length=LONGEST_NAME)]
GameName = Annotated[Name, AfterValidator(_free_game)]
FrameName = Annotated[Name, AfterValidator(_free_frame)]
