"""Mistakes that people make in what they write, and what is said of each before anything runs.

python tests/mistakes.py > docs/mistakes.md
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from mutations import ROOT, WRITTEN, read_all
from reduced import replacing
from tomtransfer.experiment.validation import InputError

Change = Callable[[Path], object]

CONFIG, REGISTRY, PRESET = "config.yaml", "models.yaml", "presets/mine.yaml"
GAME = "scenarios/games/stag_hunt.yaml"
CONTEXT = "scenarios/contexts/team.yaml"
DONATION = "scenarios/games/donation.yaml"
TEMPLATE = "scenarios/prompts/english/two_actions/user.j2"
FRAMES = "\nframes:\n"


def appending(file: str, text: str) -> Change:
    """Return a change that writes `text` at the end of a file."""
    return lambda folder: (folder / file).write_text((folder / file).read_text() + text)


def preset(content: str | bytes) -> Change:
    """Return a change that writes a preset of one's own."""
    return lambda folder: (folder / PRESET).write_bytes(content if isinstance(content, bytes) else content.encode())


def another_game(name: str) -> Change:
    """Return a change that adds a game of this name to the experiment."""

    def change(folder: Path) -> None:
        shutil.copy(folder / GAME, folder / f"scenarios/games/{name}.yaml")
        replacing(CONFIG, "  - stag_hunt\n", f"  - stag_hunt\n  - {name}\n")(folder)

    return change


def labels(cooperate: str, defect: str) -> Change:
    """Return a change that adds a frame with these labels."""
    return replacing(CONFIG, FRAMES, f"{FRAMES}  other: {{cooperate: {cooperate}, defect: {defect}}}\n")


def with_mark(file: str) -> Change:
    """Return a change that puts a byte-order mark before a file."""
    return lambda folder: (folder / file).write_bytes(b"\xef\xbb\xbf" + (folder / file).read_bytes())


MISTAKES: dict[str, dict[str, Change]] = {
    "Bytes": {
        "a template with a byte-order mark": with_mark(TEMPLATE),
        "text that is not UTF-8 in a preset": preset(b"temperature: 0.5 # caf\xe9\n"),
        "a tab in a preset": preset("scoring:\n\tconfidence: 0.9\n"),
        "NUL in a context": appending(CONTEXT, "# \0\n"),
    },
    "YAML": {
        "a key twice in a game": appending(GAME, "title: Hunt\n"),
        "a key twice in a context": appending(CONTEXT, "title: Team\n"),
        "a key twice in the registry": appending(REGISTRY, "planted-teacher: {}\n"),
        "a key twice in a preset": preset("temperature: 0.5\ntemperature: 0.6\n"),
        "a payoff of 010": replacing(GAME, "reward: 10", "reward: 010"),
        "a payoff of 1:30": replacing(GAME, "reward: 10", "reward: 1:30"),
        "a payoff of yes": replacing(GAME, "reward: 10", "reward: yes"),
        "a frame called no": replacing(CONFIG, FRAMES, f"{FRAMES}  no: {{cooperate: A, defect: B}}\n"),
        "labels on and off": labels("on", "off"),
        "an empty config": lambda folder: (folder / CONFIG).write_text(""),
        "20,000 brackets": preset("x-deep: " + "[" * 20_000 + "]" * 20_000 + "\n"),
        "__use_yte__": preset("__use_yte__: true\n"),
    },
    "Paths": {
        "a path with ~": preset("paths: {results: ~/results}\n"),
        "a path with $HOME": preset("paths: {results: $HOME/results}\n"),
        "a variable that is not set": preset("paths: {results: $NOT_SET/results}\n"),
        "an empty path": preset("paths: {results: ''}\n"),
        "results among the scenarios": preset("paths: {results: scenarios}\n"),
        "a path with braces": preset("paths: {results: 'results/{game}'}\n"),
        "./x": preset("paths: {results: ./x}\n"),
        "x/": preset("paths: {results: x/}\n"),
    },
    "Names": {
        "a game called summary": another_game("summary"),
        "a game called checks": another_game("checks"),
        "stag_hunt.answers beside stag_hunt": another_game("stag_hunt.answers"),
        "stag.hunt beside stag_hunt": another_game("stag.hunt"),
        "a game that has no file": replacing(CONFIG, "  - stag_hunt\n", "  - stag_hnut\n"),
        "a key that nothing has": preset("temprature: 0.5\n"),
    },
    "Numbers": {
        "a payoff of -0.0": replacing(GAME, "sucker: 2", "sucker: -0.0"),
        "a payoff of 1.0e+15": replacing(GAME, "reward: 10", "reward: 1.0e+15"),
        "a payoff of 3.0e-05": replacing(GAME, "sucker: 2", "sucker: 3.0e-05"),
        "a multiplier that a prompt would round": replacing(DONATION, "multiplier: 2", "multiplier: 2.0000001"),
        "a seed beyond 63 bits": preset("training: {seeds: [9223372036854775808]}\n"),
        "a temperature of 1.0e-300": preset("temperature: 1.0e-300\n"),
        "10 ** 12 answers": preset("sampling: {answers: 1000000000000}\n"),
        "a payoff factor of 1.0e+308": preset("splits: {doubled_payoffs: {payoff_factor: 1.0e+308}}\n"),
        "no answers": preset("sampling: {answers: 0}\n"),
    },
    "Labels": {
        "C and c": labels("C", "c"),
        "the same accent composed and decomposed": labels("\u00e9", "e\u0301"),
        "a full-width letter beside its like": labels("A", "\uff21"),
        "one the beginning of the other": labels("stag", "staghunt"),
        "the same labels in the same order": labels("C", "D"),
    },
    "Templates": {
        "text that grows without end": appending(TEMPLATE, "{{ 'a' * 10**9 }}"),
        "a loop without end": appending(
            TEMPLATE, "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
        ),
        "random": appending(TEMPLATE, "{{ [1, 2] | random }}"),
        "a name that is not defined": appending(TEMPLATE, "{{ payoff }}"),
    },
    "Models": {
        "a teacher that the registry does not have": preset("teacher: {model: planted-techer}\n"),
        "a policy as student": preset("student: {model: planted-teacher}\n"),
        "a planted teacher without a weight for a context": lambda folder: (
            preset("teacher: {model: planted-teacher}\n")(folder),
            replacing(REGISTRY, "    team: 0.4\n", "")(folder),
        ),
        "half a pair of students": preset("student: {base: planted-teacher}\n"),
        "scored_frame: nope": preset("scored_frame: nope\n"),
    },
}


PLANE = "scenarios/games/plane.yaml"


def plane(changes: str, of_the_file: Change | None = None) -> Change:
    """Return a change that plays the plane of games, with other splits beside the one that is trained on."""

    def change(folder: Path) -> None:
        others = "doubled_payoffs: null, new_game: null, new_contexts: null"
        splits = f"in_sample: {{contexts: [neutral]}}, {others}, {changes}"
        preset(f"games: [plane]\ncomprehension: []\nsplits: {{{splits}}}\n")(folder)
        if of_the_file:
            of_the_file(folder)

    return change


CORNER = "corner: {contexts: [neutral], where: sucker >= 15}"
MISTAKES["Planes of games"] = {
    "a region without a game": plane("corner: {contexts: [neutral], where: sucker > 20}"),
    "a game in two regions": plane(f"{CORNER}, edge: {{contexts: [neutral], where: temptation >= 20}}"),
    "a condition on a payoff that does not exist": plane("corner: {contexts: [neutral], where: risk > 3}"),
    "a condition that says no yes or no": plane("corner: {contexts: [neutral], where: sucker + 1}"),
    "a share of all games": plane("unseen: {contexts: [neutral], share: 1}"),
    "a share of a single game": preset("splits: {new_contexts: {share: 0.5}}\n"),
    "a range from high to low": plane(CORNER, replacing(PLANE, "sucker: 0..20", "sucker: 20..0")),
    "a range that has no end": plane(CORNER, replacing(PLANE, "sucker: 0..20", "sucker: 0..999999999")),
    "a payoff that is no number": plane(CORNER, replacing(PLANE, "sucker: 0..20", "sucker: much")),
    "a table that is not there": plane(
        CORNER, lambda folder: (folder / PLANE).write_text("kind: plane\ntitle: Mine\ntable: {path: games/mine.csv}\n")
    ),
    "labels to draw from that begin alike": preset(
        "frames: {canonical: {cooperate: X, defect: Y, labels: [A, AB]}, swapped: null}\n"
    ),
}


def said_of(change: Change) -> str:
    """Make one change in a copy of what people write, and return what is said of it when it is read."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in WRITTEN:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, folder / part)
        change(folder)
        os.chdir(folder)
        try:
            read_all([Path(PRESET)] if Path(PRESET).exists() else [])
        except InputError as error:
            return str(error)
        finally:
            os.chdir(here)
    return ""


def page() -> str:
    """Return the page of all mistakes and what is said of them."""
    lines = [
        "# What people write, and what is said of it",
        "",
        "Each line was tried on the default experiment; `tests/mistakes.py` makes this page. A message ends the run",
        "before any model is loaded. Where none stands, the text means what its writer meant, and is taken so.",
    ]
    for kind, mistakes in MISTAKES.items():
        lines += ["", f"## {kind}", "", "| what is written | what is said |", "|---|---|"]
        for what, change in mistakes.items():
            said = said_of(change).replace("|", "\\|").replace("\n", " ")
            lines.append(f"| {what} | {f'`{said}`' if said else 'taken as it was meant'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
