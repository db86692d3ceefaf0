"""Prompts as tests ask them."""

from pathlib import Path
from typing import Any

from tomtransfer.experiment.framing import Frame
from tomtransfer.respondents.asking import Asking
from tomtransfer.respondents.local_model import LocalModel
from tomtransfer.scenarios.games import TWO_ACTIONS, load_context, load_game
from tomtransfer.scenarios.questions import Prompt
from tomtransfer.scenarios.rendering import read_templates, render
from tomtransfer.scenarios.wording import read_wording

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def make_prompt(context: str, frame: Frame | None = None) -> Prompt:
    """Return the prompt of the stag hunt in a context."""
    frame = frame or Frame()
    payoffs = load_game(SCENARIOS, "stag_hunt").payoffs
    wording = read_wording(SCENARIOS, "english")
    system, user = render(
        read_templates(wording, TWO_ACTIONS), load_context(wording, context), payoffs, frame, "answer_first"
    )
    place = ("in_sample", "stag_hunt", context, "canonical", "answer_first")
    return Prompt(
        *place, frame.cooperate, frame.defect, payoffs.model_dump(), system, user, "hash", wording.words.phrases
    )


def local_model(directory: Path, **changes: Any) -> LocalModel:
    """Return the respondent that is the model in a folder."""
    given = {"directory": directory, "model_revision": "1", "quantization": "none", "temperature": 0.8}
    return LocalModel(**{**given, "stage_revision": 1, "device": "cpu", "tokens_per_batch": 8_000, **changes})


ASKING = Asking(
    "answer_first",
    exact=True,
    answers=3,
    frames=(),
    longest=6,
    one_line=True,
    seed=1,
    motivations={"canonical": 3},
    motivation_tokens=6,
    motivation_seed=1,
)
