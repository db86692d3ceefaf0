"""How a scenario becomes a prompt: strict templates in a sandbox."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateNotFound, TemplateSyntaxError

from tomtransfer.experiment.config import Experiment
from tomtransfer.experiment.framing import Frame, Split
from tomtransfer.experiment.reading import read_text
from tomtransfer.experiment.validation import InputError
from tomtransfer.scenarios.games import (
    LARGEST_POINTS,
    TWO_ACTIONS,
    Context,
    Game,
    Payoffs,
    load_context,
    load_game,
)
from tomtransfer.scenarios.numbers import in_digits
from tomtransfer.scenarios.questions import Prompt, content_hash
from tomtransfer.scenarios.sandbox import Sandbox
from tomtransfer.scenarios.wording import Wording, Words, read_wording

TEMPLATES = ("system.j2", "user.j2")


@dataclass(frozen=True)
class Outcome:
    """What both earn for a pair of choices."""

    own: str
    coplayer: str
    own_points: str
    coplayer_points: str


@dataclass(frozen=True)
class Sources:
    """What prompts are made from, read once: games and contexts by name, and the templates."""

    games: dict[str, Game]
    contexts: dict[str, Context]
    templates: "Templates"


@dataclass(frozen=True)
class Templates:
    """The templates of one folder, compiled. They can reach each other and their variables, and nothing else.

    Besides the filters of the sandbox they have `number`, which writes digits as the language does, and `points`, which
    adds what is earned.
    """

    folder: Path
    environment: Sandbox
    words: Words


def read_sources(experiment: Experiment, games: Sequence[str], contexts: Sequence[str]) -> Sources:
    """Return the named games and contexts and the templates; raises InputError naming the file that is wrong."""
    wording = read_wording(Path(experiment.paths.scenarios), experiment.templates)
    return Sources(
        {name: load_game(wording.scenarios, name) for name in games},
        {name: load_context(wording, name) for name in contexts},
        read_templates(wording, TWO_ACTIONS),
    )


def read_templates(wording: Wording, kind: str) -> Templates:
    """Return the templates that a wording has for a kind of game; raises InputError when one cannot be read."""
    folder, words = wording.prompts / kind, wording.words
    texts = {}
    for name in TEMPLATES:
        try:
            texts[name] = read_text(folder / name)
        except InputError as error:
            raise InputError(f"{error}; {' and '.join(TEMPLATES)} are needed") from None
    return Templates(folder, Sandbox(texts, {"number": words.number, "points": words.earned}), words)


def render_scenario(
    experiment: Experiment, game_name: str, context_name: str, sources: Sources | None = None
) -> list[Prompt]:
    """Return every prompt of one game in one context: each split that has it, each frame, each question.

    Raises InputError naming the file when game, context or template is wrong.
    """
    sources = sources or read_sources(experiment, [game_name], [context_name])
    context = sources.contexts[context_name]
    prompts = []
    for split_name, split in experiment.splits.items():
        if context_name not in split.contexts or game_name not in experiment.games_of(split_name):
            continue
        payoffs = scaled_payoffs(sources.games[game_name], game_name, split, split_name)
        place = (split_name, game_name, context_name)
        prompts += render_payoffs(experiment, place, context, payoffs, sources.templates)
    return prompts


def render_payoffs(
    experiment: Experiment, place: tuple[str, str, str], context: Context, payoffs: Payoffs, templates: Templates
) -> list[Prompt]:
    """Return every prompt of the scenario at a place, its split, game and context: each frame, each question."""
    split, game, scenario = place
    prompts = []
    for frame_name, frame in experiment.frames_of(split).items():
        played = frame.drawn_for(f"{game} {scenario}")
        for question in dict.fromkeys(experiment.questions.values()):
            system, user = render(templates, context, payoffs, played, question)
            digest = content_hash([system, user, played.cooperate, played.defect])
            asked = (split, game, scenario, frame_name, question)
            labels, points, phrases = (played.cooperate, played.defect), payoffs.model_dump(), templates.words.phrases
            prompts.append(Prompt(*asked, *labels, points, system, user, digest, phrases))
    return prompts


def scaled_payoffs(game: Game, game_name: str, split: Split, split_name: str) -> Payoffs:
    """Return the payoffs of a game in a split; raises InputError when its factor makes them too large to be told."""
    return within_bounds(game.payoffs, game_name, split, split_name)


def within_bounds(payoffs: Payoffs, game_name: str, split: Split, split_name: str) -> Payoffs:
    """Return payoffs times the factor of a split; raises InputError when that makes them too large to be told."""
    largest = max(abs(points) for points in payoffs.model_dump().values())
    if largest * split.payoff_factor > LARGEST_POINTS:
        raise InputError(
            f"splits.{split_name}.payoff_factor: {split.payoff_factor:g} times the payoffs of {game_name} is more than "
            f"{LARGEST_POINTS:.0f} points"
        )
    return payoffs.times(split.payoff_factor)


def render(
    templates: Templates, context: Context, payoffs: Payoffs, frame: Frame, question: str, asked: Outcome | None = None
) -> tuple[str, str]:
    """Return the system and the user message for a game with `payoffs`, in `context` and `frame`.

    A question about one outcome is about `asked`. Raises InputError when a template is broken, uses an undefined name,
    or comes out empty.
    """
    variables = {
        "context": context.model_dump(),
        "options": frame.options,
        "outcomes": outcomes(payoffs, frame),
        "question": question,
        "asked": asked,
    }
    return render_templates(templates, variables)


def render_templates(templates: Templates, variables: Mapping[str, Any]) -> tuple[str, str]:
    """Return the system and the user message that templates make of `variables`; raises InputError as `render` does."""
    variables = {**variables, "words": templates.words.model_dump()}
    system, user = (_render_template(templates, name, variables) for name in TEMPLATES)
    return system, user


def _render_template(templates: Templates, name: str, variables: Mapping[str, Any]) -> str:
    try:
        text = templates.environment.render(name, variables).strip()
    except Exception as error:  # whatever a template raises, such as a division by zero, is a mistake in it
        line = f":{error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        message = f"there is no template {error}" if isinstance(error, TemplateNotFound) else str(error).rstrip(".")
        known = ", ".join([*variables, *TEMPLATES])
        raise InputError(f"{templates.folder / name}{line}: {message}. A template may use: {known}") from error
    if not text:
        raise InputError(f"{templates.folder / name}: renders to nothing")
    return text


def outcomes(payoffs: Payoffs, frame: Frame) -> list[Outcome]:
    """Return the four outcomes, own choice first, in the order in which the options are named."""
    points = {
        (frame.cooperate, frame.cooperate): (payoffs.reward, payoffs.reward),
        (frame.cooperate, frame.defect): (payoffs.sucker, payoffs.temptation),
        (frame.defect, frame.cooperate): (payoffs.temptation, payoffs.sucker),
        (frame.defect, frame.defect): (payoffs.punishment, payoffs.punishment),
    }
    return [
        Outcome(own, coplayer, *map(in_digits, points[own, coplayer]))
        for own in frame.options
        for coplayer in frame.options
    ]
