"""Environments: the pins of each are those of pyproject.toml, and each has what its rules import."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workflow" / "tomtransfer"
SCRIPTS = ROOT / "workflow" / "scripts"
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
ENVS = sorted((ROOT / "envs").glob("*.yaml"))

# What is needed without being imported by us: transformers loads and trains with accelerate, and reads GGUF with gguf.
UNSEEN = {"models": {"accelerate", "gguf"}}
RUN = {"snakemake", "snakemake-executor-plugin-slurm"}


def normal(name: str) -> str:
    """The name of a distribution as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def project_pins(*extras: str) -> dict[str, str]:
    """The pins of pyproject.toml: the dependencies of the package, and those of its extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return dict(pin(line) for line in lines if not line.startswith("tomtransfer["))


def file_pins(file: Path) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return dict(pin(line) for line in lines if line)


def pin(line: str) -> tuple[str, str]:
    assert re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.]+", line), f"{line} is no exact pin"
    name, version = line.split("==")
    return normal(name), version


def env_pins(file: Path) -> dict[str, str]:
    [by_pip] = [entry["pip"] for entry in yaml.safe_load(file.read_text())["dependencies"] if isinstance(entry, dict)]
    return dict(pin(line) for line in by_pip)


def imported(file: Path) -> Iterator[str]:
    """Modules that a file imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module.startswith("tomtransfer"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_file(module: str) -> Path | None:
    """The file of a module that belongs to this project."""
    if module.split(".", maxsplit=1)[0] != "tomtransfer":
        return None
    place = PACKAGE.joinpath(*module.split(".")[1:])
    return next((file for file in (place.with_suffix(".py"), place / "__init__.py") if file.exists()), None)


def reached(start: Path) -> set[Path]:
    """A file and every file of the project that it imports, directly or through others."""
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += [own for module in imported(file) if (own := own_file(module))]
    return seen


def distributions(files: set[Path]) -> set[str]:
    """The distributions that files import, less the standard library."""
    modules = {module.split(".")[0] for file in files for module in imported(file)}
    known = packages_distributions()
    outside = modules - sys.stdlib_module_names - {"tomtransfer", "snakemake"}
    return {normal(known[module][0]) for module in outside}


def scripts_by_env() -> dict[str, set[Path]]:
    """The scripts of the rules that use each environment; a rule that uses another has its environment and script."""
    found: dict[str, set[Path]] = {}
    for file in RULES:
        for rule in re.split(r"^rule ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            own = re.split(r"^use rule ", rule, flags=re.MULTILINE)[0]
            [env] = re.findall(r'conda:\s*"\.\./\.\./envs/(\w+)\.yaml"', own)
            [script] = re.findall(r'script:\s*"\.\./scripts/(\w+\.py)"', own)
            found.setdefault(env, set()).add(SCRIPTS / script)
    return found


@pytest.mark.parametrize("file", ENVS, ids=lambda file: file.stem)
def test_pins_of_an_environment_are_those_of_the_requirements(file: Path) -> None:
    assert env_pins(file).items() <= project_pins().items()


@pytest.mark.parametrize("file", ENVS, ids=lambda file: file.stem)
def test_environment_has_exactly_what_its_rules_need(file: Path) -> None:
    files = {own for script in scripts_by_env()[file.stem] for own in reached(script)}
    needed = distributions(files) | UNSEEN.get(file.stem, set())
    assert env_pins(file).keys() == needed


@pytest.mark.parametrize("file", ENVS, ids=lambda file: file.stem)
def test_environment_pins_python_and_leaves_the_default_channel_out(file: Path) -> None:
    content = yaml.safe_load(file.read_text())
    assert content["channels"] == ["conda-forge", "nodefaults"]
    assert content["dependencies"][:2] == ["python=3.11.*", "pip"]


def test_every_rule_has_an_environment_that_is_there_and_every_environment_a_rule() -> None:
    assert scripts_by_env().keys() == {file.stem for file in ENVS}


def test_requirements_are_what_is_imported_or_run() -> None:
    imports = distributions(set(PACKAGE.rglob("*.py")) | set(SCRIPTS.glob("*.py")))
    unseen = {name for names in UNSEEN.values() for name in names}
    assert project_pins().keys() == imports | unseen
    assert project_pins("workflow").keys() - project_pins().keys() == RUN


def test_constraints_pin_what_the_requirements_leave_open_and_nothing_of_one_machine() -> None:
    named = project_pins("workflow", "development").keys()
    frozen = file_pins(ROOT / "constraints.txt")
    assert not named & frozen.keys()
    assert not [name for name in frozen if name.startswith(("nvidia", "cuda", "triton"))]
    assert {"pandas", "markupsafe", "pluggy"} <= frozen.keys()
