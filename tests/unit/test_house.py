"""The shape of the package: names that can be told apart, and no idea in two places."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from project import ROOT

PACKAGE = ROOT / "workflow" / "tomtransfer"
MODULES = sorted(PACKAGE.rglob("*.py"))
WINGS = ("report", "measurement", "training", "respondents", "inference", "models", "scenarios", "experiment")


def public_names(module: Path) -> set[str]:
    """Return what a module defines at its top level without an underscore in front."""
    names = set()
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return {name for name in names if not name.startswith("_") and name != "logger"}


def test_no_public_name_is_defined_twice():
    places = defaultdict(list)
    for module in MODULES:
        for name in public_names(module):
            places[name].append(str(module.relative_to(PACKAGE)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_is_named_like_another_or_like_a_stage():
    names = [module.stem for module in MODULES if module.stem != "__init__"]
    assert len(set(names)) == len(names)
    stages = {path.stem for path in (ROOT / "workflow" / "rules").glob("*.smk")}
    assert not stages & set(names)


def test_no_two_modules_differ_by_a_prefix_alone():
    names = {module.stem for module in MODULES if module.stem != "__init__"}
    assert [(one, other) for one in names for other in names if one.endswith(f"_{other}")] == []


@pytest.mark.parametrize("wing", WINGS)
def test_every_wing_says_what_it_is_and_has_tests_of_its_own(wing):
    assert ast.get_docstring(ast.parse((PACKAGE / wing / "__init__.py").read_text()))
    assert list((ROOT / "tests" / "unit" / wing).glob("test_*.py"))


def test_the_wings_are_all_there_is():
    assert {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(WINGS)


def test_the_package_knows_nothing_of_snakemake():
    for module in MODULES:
        assert "import snakemake" not in module.read_text()
        assert "from snakemake" not in module.read_text()


SLOW_TO_IMPORT = ("torch", "transformers", "peft", "polars", "scipy", "statsmodels", "matplotlib")


def test_planning_imports_nothing_that_is_slow():
    rules = "\n".join(file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk"))
    imports = "\n".join(re.findall(r"^from tomtransfer[^(\n]+(?:\([^)]+\))?", rules, re.MULTILINE))
    assert imports.count("\n") > 10
    command = f"{imports}\nimport sys\nprint([name for name in {SLOW_TO_IMPORT} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=ROOT / "workflow", text=True, capture_output=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("wing", ["report", "measurement"])
def test_numbers_that_round_to_nought_are_shown_without_a_minus(wing):
    plain = re.compile(r":[+,]*\.\d[f]")  # Python's "z" drops the sign of a negative zero
    shown = {module.name: plain.findall(module.read_text()) for module in (PACKAGE / wing).glob("*.py")}
    assert {name: found for name, found in shown.items() if found} == {}
