"""Random mutations of what people write: keys, types, names, numbers, lines, bytes, templates.

    python tests/mutations.py 2000

Each is read as a dry run reads it: it has to be refused with a message, or planned. Anything else is printed.
"""

import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from snakemake.common.configfile import load_configfile
from snakemake.exceptions import WorkflowError
from snakemake.utils import update_config

from tomtransfer.experiment.origins import read_experiment
from tomtransfer.experiment.reading import read_yaml
from tomtransfer.experiment.validation import InputError
from tomtransfer.models.registry import check_social_weights, find, find_student, read_registry, revision
from tomtransfer.scenarios.kinds import game_facts, game_hashes, game_kinds

ROOT = Path(__file__).parents[1]
WRITTEN = ("config.yaml", "models.yaml", "presets", "scenarios")

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e-300, 1e308, float("inf"), float("nan"), 10**12, 2**63, 2**200),
    *(
        "",
        " ",
        "yes",
        "010",
        "1:30",
        "2001-01-01",
        "é",
        "a" * 500,
        "{game}",
        "../..",
        "~",
        "$HOME",
        "/",
        ".",
        "\0",
        "C",
    ),
    *([], {}, [[]], [None], ["team"], [1, 2], {"a": 1}, {"model": "planted-teacher"}, {"path": "x", "sha256": "y"}),
)
NAMES = (
    "",
    "seed",
    "model",
    "summary",
    "checks",
    "canonical",
    "in_sample",
    "kind",
    "x-y",
    "__use_yte__",
    "1",
    "no",
    "é",
)
PIECES = (
    *(
        "\t",
        "\0",
        "\ufeff",
        "\u200b",
        "\r",
        "\n",
        "  ",
        ":",
        "- ",
        "[" * 9,
        "{",
        "}",
        "&a ",
        "*a",
        "!!python/none ",
        "'",
    ),
    *("{{", "}}", "{%", "{% for x in y %}", "{{ 1 / 0 }}", "{{ nothing }}", "{{ 'a' * 10**9 }}", "{{ context }}", "{#"),
    *("{% include 'user.j2' %}", "{{ range(10**9) | list }}", "{{ ''.__class__ }}", "{{ options[7] }}", "---\n", "0"),
)


def nodes(content: Any) -> list[tuple[Any, Any]]:
    """Return every place in nested mappings and lists, as what holds it and under which key."""
    found = []
    for key, value in list(content.items() if isinstance(content, dict) else enumerate(content)):
        found.append((content, key))
        if isinstance(value, dict | list):
            found += nodes(value)
    return found


def mutate_yaml(draw: random.Random, text: str) -> str:
    """Change one place of a YAML file."""
    content = yaml.safe_load(text)
    holder, key = draw.choice(nodes(content))
    way = draw.randrange(6)
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[draw.choice((*NAMES, str(key)[:-1], f"{key}s", str(key).upper()))] = holder.pop(key)
    elif way == 2:
        holder[key] = str(holder[key])
    elif way == 3:
        other, place = draw.choice(nodes(content))
        holder[key] = yaml.safe_load(yaml.safe_dump(other[place]))
    elif way == 4 and isinstance(holder[key], dict | list):
        grown = holder[key]
        grown.append(draw.choice(VALUES)) if isinstance(grown, list) else grown.update(a=draw.choice(VALUES))
    else:
        holder[key] = draw.choice(VALUES)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def mutate_text(draw: random.Random, text: str) -> bytes:
    """Change lines, characters or bytes of a file."""
    lines = text.splitlines(keepends=True)
    line, place = draw.randrange(len(lines)), draw.randrange(len(text))
    changed = [
        lambda: "".join(lines[:line] + lines[line + 1 :]),
        lambda: "".join([*lines[:line], lines[line], *lines[line:]]),
        lambda: "".join(draw.sample(lines, len(lines))),
        lambda: text[:place],
        lambda: text[:place] + draw.choice(PIECES) + text[place:],
        lambda: text[:place] + text[place + draw.randrange(1, 20) :],
        lambda: text.replace("\n", "\r\n"),
        lambda: text.replace("  ", " " * draw.randrange(1, 6)),
        lambda: "".join(str(draw.choice(VALUES)) if each.isdigit() and draw.random() < 0.2 else each for each in text),
        lambda: text.encode()[:place] + draw.randbytes(draw.randrange(1, 4)) + text.encode()[place:],
        lambda: b"\xef\xbb\xbf" + text.encode(),
        lambda: text.encode("utf-16"),
    ]
    mutated = draw.choice(changed)()
    return mutated if isinstance(mutated, bytes) else mutated.encode("utf-8", "surrogatepass")


def mutate(draw: random.Random, folder: Path) -> tuple[Path, list[str]]:
    """Change one file in `folder`; return which, and what of Snakemake's arguments brings it in."""
    files = sorted([*folder.rglob("*.yaml"), *folder.rglob("*.j2")])
    path = draw.choice([file for file in files if file.relative_to(folder).parts[0] in WRITTEN])
    text = path.read_text()
    structured = path.suffix == ".yaml" and draw.random() < 0.6
    path.write_bytes(mutate_yaml(draw, text).encode("utf-8", "replace") if structured else mutate_text(draw, text))
    return path, ["--configfile", str(path.relative_to(folder))] if path.parent.name == "presets" else []


def read_all(presets: list[Path]) -> list[Path]:
    """Read an experiment in the working folder as the workflow does; return the folders that it would write to."""
    for file in (Path("config.yaml"), *presets):
        read_yaml(file)
    config: dict[str, Any] = {}
    for file in (Path("config.yaml"), *presets):
        update_config(config, load_configfile(str(file)))
    experiment = read_experiment(config, [Path("config.yaml"), *presets])
    path = Path(experiment.paths.registry)
    registry = read_registry(path)
    if experiment.trains:
        find_student(experiment.respondents["base"], registry, path)
    for name in experiment.respondents.values():
        revision(name, find(name, registry, path))
    game_kinds(experiment)
    game_hashes(experiment, experiment.every_game)
    for game in experiment.every_game:
        game_facts(experiment, game)
        check_social_weights(experiment.teacher.model, experiment.contexts_of(game), registry, path)
    return [Path(getattr(experiment.paths, name)).resolve() for name in ("results", "models", "store")]


def outcome(seed: int, folder: Path) -> str:
    """Make one mutation in a copy of the project and return what became of it: refused, planned, or what went wrong."""
    here = Path.cwd()
    for name in WRITTEN:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    path, arguments = mutate(random.Random(seed), folder)
    before = sorted(folder.rglob("*"))
    os.chdir(folder)
    try:
        written = read_all([Path(each) for each in arguments[1:]])
    except InputError as error:
        lines = str(error).splitlines()
        said = all(line.split(":")[0].strip() for line in lines) and "Traceback" not in str(error)
        return "refused" if said else f"seed {seed}, {path.name}: said {error}"
    except WorkflowError as error:
        return f"seed {seed}, {path.name}: Snakemake says {error}"
    except Exception as error:
        return f"seed {seed}, {path.name}: {type(error).__name__}: {error}"
    finally:
        os.chdir(here)
    harmful = [place for place in written if any(place == file or file in place.parents for file in before)]
    if harmful or sorted(folder.rglob("*")) != before:
        return f"seed {seed}, {path.name}: would write to {harmful}"
    return "planned"


def outcomes(seeds: range) -> Counter[str]:
    """Return how often each outcome was met."""
    found: Counter[str] = Counter()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            found[outcome(seed, Path(folder).resolve())] += 1
    return found


if __name__ == "__main__":
    for what, times in outcomes(range(int(sys.argv[1]))).most_common():
        print(f"{times:5}  {what}")
