"""An edit of any module of the package plans the cheap steps whose scripts import it, and what follows from them.

Which scripts import a module is held against another tool for every module in tests/unit/experiment/test_imports.py.
Here Snakemake is asked for one module of each set of scripts.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grimp
import pytest

from project import ROOT, plan
from reduced import copy_with_results

WORKERS = 2


def cheap_rules() -> dict[str, str]:
    """Return the scripts of the rules of `all` that run again for their code, by rule."""
    files = [file for file in sorted((ROOT / "workflow/rules").glob("*.smk")) if file.stem != "alone"]
    text = "\n".join(file.read_text() for file in files)
    parts = re.findall(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    return {rule: found[1] for rule, body in parts if (found := re.search(r'code=code\("(\w+)\.py"', body))}


def imported_by(script: str, graph: grimp.ImportGraph) -> set[str]:
    """Return all modules that a script runs, by a graph that is not ours."""
    text = (ROOT / "workflow/scripts" / f"{script}.py").read_text()
    direct = set()
    for module, names in re.findall(r"^ *from (tomtransfer[\w.]*) import (.+)$", text, re.MULTILINE):
        inner = {f"{module}.{name.split(' as ')[0].strip()}" for name in names.split(",")}
        direct |= (inner & graph.modules) or {module}
    reached = direct | {found for module in direct for found in graph.find_upstream_modules(module)}
    # Importing a module runs the packages that it is in.
    return reached | {module.rsplit(".", depth)[0] for module in reached for depth in range(1, module.count(".") + 1)}


def planned_after(project: Path, module: str) -> set[str]:
    """Return the rules that are planned after an edit of a module, which is then taken back."""
    path = project / "workflow" / f"{module.replace('.', '/')}.py"
    file = path if path.exists() else path.with_suffix("") / "__init__.py"
    text = file.read_text()
    file.write_text(f"{text}\n# edited\n")
    jobs = plan(project)
    file.write_text(text)
    return set(jobs)


@pytest.mark.slow
def test_an_edit_of_a_module_plans_the_cheap_steps_that_import_it(finished, tmp_path):
    graph = grimp.build_graph("tomtransfer", cache_dir=None)
    projects = [copy_with_results(finished, tmp_path / str(number)) for number in range(WORKERS)]
    rules = {
        rule: imported_by(script, graph) for rule, script in cheap_rules().items() if rule != "report_published"
    }  # not in `all`
    following = {rule: set(plan(projects[0], "--forcerun", rule)) for rule in rules}
    importers = {module: frozenset(rule for rule in rules if module in rules[rule]) for module in sorted(graph.modules)}
    modules = list({scripts: module for module, scripts in importers.items()}.values())
    expected = [set().union(*(following[rule] for rule in importers[module])) for module in modules]

    def share(number: int) -> list[set[str]]:
        return [planned_after(projects[number], module) for module in modules[number::WORKERS]]

    with ThreadPoolExecutor(WORKERS) as workers:
        shares = list(workers.map(share, range(WORKERS)))
    found = [shares[number % WORKERS][number // WORKERS] for number in range(len(modules))]
    assert len(rules) > 7
    assert len(modules) > len(rules)
    unlike = {m: (e, f) for m, e, f in zip(modules, expected, found, strict=True) if e != f}
    assert not unlike
