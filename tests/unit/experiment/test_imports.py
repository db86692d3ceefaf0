"""The closure of a script's imports, against a graph that somebody else has drawn."""

import ast
from pathlib import Path

import grimp
import pytest

from project import ROOT
from tomtransfer.experiment.imports import PACKAGE, closure, code_hash, imported

SCRIPTS = sorted((ROOT / "workflow" / "scripts").glob("*.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("tomtransfer", cache_dir=None)


def name_of(module: Path) -> str:
    parts = module.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_the_closure_is_what_another_tool_finds(script, graph):
    direct = set()
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("tomtransfer"):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                direct.add(name if name in graph.modules else node.module)
    reached = direct | {name for module in direct for name in graph.find_upstream_modules(module)}
    found = {name_of(file) for file in closure(script) if file != script}
    assert {name for name in found if (PACKAGE.parent / name.replace(".", "/")).with_suffix(".py").exists()} == {
        name for name in reached if (PACKAGE.parent / name.replace(".", "/")).with_suffix(".py").exists()
    }
    assert PACKAGE / "__init__.py" in closure(script)


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_an_edit_of_a_module_changes_the_hash_of_exactly_the_scripts_that_run_it(module, monkeypatch):
    before = {script: code_hash(script) for script in SCRIPTS}
    runs = {script for script in SCRIPTS if module in closure(script)}
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"# edited" if path == module else b""))
    assert {script for script in SCRIPTS if code_hash(script) != before[script]} == runs


def test_an_edit_of_a_script_counts(monkeypatch):
    before = code_hash(SCRIPTS[0])
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: read(path) + (b"#" if path == SCRIPTS[0] else b""))
    assert code_hash(SCRIPTS[0]) != before


def test_imports_over_several_lines_and_inside_functions_count(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from tomtransfer.report.style import (\n    INK,  # a colour\n    PAPER,\n)\nimport tomtransfer.job\n\n\n"
        "def late():\n    from tomtransfer.models import registry as where\n    return where, INK, PAPER\n"
    )
    found = {name_of(file) for file in imported(script)}
    assert found >= {"tomtransfer.report.style", "tomtransfer.report", "tomtransfer.job", "tomtransfer.models.registry"}
    assert "tomtransfer.models.gpus" not in found


def test_files_beside_the_code_count_where_they_are_named(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("")
    assert code_hash(script) != code_hash(script, "report/captions") != code_hash(script, "report/templates")
