"""How a scenario becomes a prompt: strict, sandboxed Jinja templates, and a hash that tells when a prompt changed."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, StrictUndefined, TemplateNotFound, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tomtransfer.config import Experiment, Frame
from tomtransfer.games import Context, Payoffs, load_context, load_game
from tomtransfer.validation import InputError

TEMPLATES = ("system.j2", "user.j2")


@dataclass(frozen=True)
class Prompt:
    """One scenario in one frame, as it is put to a model."""

    split: str
    game: str
    context: str
    frame: str
    question: str
    cooperate: str
    defect: str
    payoffs: dict[str, float]
    system: str
    user: str
    sha256: str

    @property
    def labels(self) -> tuple[str, str]:
        """Return the labels of cooperation and defection."""
        return self.cooperate, self.defect


@dataclass(frozen=True)
class Outcome:
    """What both earn for a pair of choices."""

    own: str
    coplayer: str
    own_points: str
    coplayer_points: str


def render_scenario(experiment: Experiment, game_name: str, context_name: str) -> list[Prompt]:
    """Return every prompt of one game in one context: each split that has it, each frame, each question.

    Raises InputError naming the file when game, context or template is wrong.
    """
    folder = Path(experiment.paths.scenarios)
    game, context = load_game(folder, game_name), load_context(folder, context_name)
    questions = dict.fromkeys((experiment.teacher.question, experiment.student.question))
    prompts = []
    for split_name, split in experiment.splits.items():
        if context_name not in split.contexts:
            continue
        payoffs = game.payoffs.times(split.payoff_factor)
        for frame_name, frame in experiment.frames.items():
            for question in questions:
                system, user = render(folder / "prompts", context, payoffs, frame, question)
                place = (split_name, game_name, context_name, frame_name, question)
                digest = _hash([system, user, frame.cooperate, frame.defect])
                prompts.append(
                    Prompt(*place, frame.cooperate, frame.defect, payoffs.model_dump(), system, user, digest)
                )
    return prompts


def render(folder: Path, context: Context, payoffs: Payoffs, frame: Frame, question: str) -> tuple[str, str]:
    """Return the system and the user message for a game with `payoffs`, told as `context`, in `frame`.

    Raises InputError when a template is missing, broken, uses an undefined name, or comes out empty.
    """
    options = (frame.cooperate, frame.defect) if frame.first == "cooperate" else (frame.defect, frame.cooperate)
    variables = {
        "context": context.model_dump(),
        "options": options,
        "outcomes": _outcomes(payoffs, frame, options),
        "question": question,
    }
    # A template can reach the two templates and these variables, and nothing else.
    loader = DictLoader({name: _read_template(folder / name) for name in TEMPLATES})
    environment = ImmutableSandboxedEnvironment(loader=loader, undefined=StrictUndefined)
    messages = []
    for name in TEMPLATES:
        try:
            text = environment.get_template(name).render(variables).strip()
        except Exception as error:  # whatever a template raises, such as a division by zero, is a mistake in it
            line = f":{error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
            message = f"there is no template {error}" if isinstance(error, TemplateNotFound) else error
            known = ", ".join([*variables, *TEMPLATES])
            raise InputError(f"{folder / name}{line}: {message}. A template may use: {known}") from error
        if not text:
            raise InputError(f"{folder / name}: renders to nothing")
        messages.append(text)
    return messages[0], messages[1]


def _read_template(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}; {' and '.join(TEMPLATES)} are needed") from error


def _outcomes(payoffs: Payoffs, frame: Frame, options: Sequence[str]) -> list[Outcome]:
    """Return the four outcomes, own choice first, in the order in which the options are named."""
    points = {
        (frame.cooperate, frame.cooperate): (payoffs.reward, payoffs.reward),
        (frame.cooperate, frame.defect): (payoffs.sucker, payoffs.temptation),
        (frame.defect, frame.cooperate): (payoffs.temptation, payoffs.sucker),
        (frame.defect, frame.defect): (payoffs.punishment, payoffs.punishment),
    }
    return [
        Outcome(own, coplayer, *(f"{value:.15g}" for value in points[own, coplayer]))
        for own in options
        for coplayer in options
    ]


def scenario_hash(prompts: Sequence[Prompt]) -> str:
    """Return the sha256 of everything that a scenario's prompts say, and of where they belong."""
    return _hash([asdict(prompt) for prompt in prompts])


def write_prompts(prompts: Sequence[Prompt], path: Path) -> None:
    """Write the prompts of one scenario as JSON that a person can read."""
    content = {
        "game": prompts[0].game,
        "context": prompts[0].context,
        "sha256": scenario_hash(prompts),
        "prompts": [asdict(prompt) for prompt in prompts],
    }
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_prompts(paths: Sequence[Path], question: str | None = None) -> list[Prompt]:
    """Return the prompts in files that `write_prompts` wrote, of one question or of all."""
    contents: list[Mapping[str, Any]] = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    prompts = [Prompt(**prompt) for content in contents for prompt in content["prompts"]]
    return [prompt for prompt in prompts if question in (None, prompt.question)]


def _hash(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
