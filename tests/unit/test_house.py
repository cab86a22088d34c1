"""What a start costs. The other rules of the house are asked by tests/conftest.py, before any
test."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from lvstui.tui.screens import SCREENS

ROOT = Path(__file__).parents[2]


IMPORTS = """
import sys
{statement}
heavy = [name for name in ("textual", "paramiko", "pyroute2", "rich") if name in sys.modules]
print(",".join(heavy))
"""


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import lvstui.watch, lvstui.sources.local, lvstui.shell.report", ""),
        ("import lvstui.cli; lvstui.cli.build_parser()", ""),
        ("import lvstui.operations.weight_changes", ""),
        ("import lvstui.lab", ""),
        ("import lvstui.realserver.probes", ""),
        ("import lvstui.remote.connect", ""),
        ("import lvstui.tui.app", "textual,rich"),
    ],
)
def test_start_up_loads_no_more_than_it_needs(statement: str, allowed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS.format(statement=statement)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == allowed


def test_no_two_files_import_each_other() -> None:
    """Wherever an import stands: in a function and under TYPE_CHECKING it ties two files too."""
    assert circles(imports_of(ROOT / "lvstui")) == []


def test_a_circle_is_found_wherever_its_imports_stand(tmp_path: Path) -> None:
    files = {
        "__init__": "",
        "a": "from lvstui import b\n",
        "b": "def f():\n    import lvstui.c\n",
        "c": "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from lvstui.a import X\n",
        "d": "from lvstui.a import X\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.py").write_text(text)
    assert circles(imports_of(tmp_path)) == [["lvstui.a", "lvstui.b", "lvstui.c"]]


BY_NAME = {"__main__", "lab.inside.agent", "lab.inside.machine"}
"""Modules that are started, not imported."""


def test_no_module_is_left_behind() -> None:
    package = ROOT / "lvstui"
    graph = imports_of(package)
    used = set().union(*graph.values()) | {f"lvstui.{name}" for name in BY_NAME}
    rooms = {
        ".".join(("lvstui", *path.parent.relative_to(package).parts))
        for path in package.rglob("__init__.py")
    }
    used |= {f"lvstui.tui.{screen.mode}.screen" for screen in SCREENS}
    left = graph.keys() - used - rooms
    assert left == set()


def test_no_two_classes_have_one_name() -> None:
    """Classes within a class (messages of a widget) are known by their owner."""
    places: dict[str, list[str]] = {}
    for path in (ROOT / "lvstui").rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def imports_of(package: Path) -> dict[str, set[str]]:
    """Each module of ours, and those that it imports."""
    files = {
        ".".join(("lvstui", *path.relative_to(package).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in package.rglob("*.py")
    }
    graph: dict[str, set[str]] = {}
    for module, path in files.items():
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{module} imports by a relative name"
                for alias in node.names:
                    inner = f"{node.module}.{alias.name}"
                    found.add(inner if inner in files else str(node.module))
        graph[module] = (found & files.keys()) - {module}
    return graph


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Every set of modules each of which can be reached from each other one."""
    reached = {module: _reached(module, graph) for module in graph}
    tied = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in graph
        if module in reached[module]
    }
    return sorted(list(found) for found in tied)


def _reached(module: str, graph: dict[str, set[str]]) -> set[str]:
    found, ahead = set[str](), [module]
    while ahead:
        new = graph[ahead.pop()] - found
        found |= new
        ahead += new
    return found
