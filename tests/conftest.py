"""What holds for every run and for every test of this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lvstui.process import privileges, readonly

ROOT = Path(__file__).parents[1]
HOUSE = ROOT / "tests" / "unit" / "test_house.py"
GATES = {
    "ruff check": (sys.executable, "-m", "ruff", "check"),
    "ruff format": (sys.executable, "-m", "ruff", "format", "--check"),
    "lint-imports": (str(Path(sys.executable).with_name("lint-imports")),),
    "mypy": (sys.executable, "-m", "mypy"),
}
"""The rules of the house, and the tools that know them."""


# First, because xdist starts its workers in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """A run that would collect the tests of the house asks the tools first, all at the same time,
    and ends here with their words when one of them is not content."""
    config = session.config
    paths = [config.invocation_params.dir / arg.partition("::")[0] for arg in config.args]
    if hasattr(config, "workerinput") or not {*paths} & {HOUSE, *HOUSE.parents}:
        return
    running = {
        name: subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for name, command in GATES.items()
    }
    said = {name: process.communicate()[0] for name, process in running.items()}
    broken = [f"{name}:\n{said[name]}" for name, one in running.items() if one.returncode]
    if broken:
        pytest.exit("\n".join(["the gates are closed", *broken]), returncode=1)


@pytest.fixture(autouse=True)
def _rights_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only command gives up root's rights and the right to write for its whole process, for
    good: the tests of that run it in a process of its own, all others go on after it."""
    monkeypatch.setattr(privileges, "drop", lambda: None)
    monkeypatch.setattr(readonly, "_active", False)
