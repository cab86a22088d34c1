"""What a start costs. The other rules of the house are asked by tests/conftest.py, before any
test."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
        ("import lvstui.operations.operator", ""),
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
