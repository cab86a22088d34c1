"""One guest for the whole session; each test finds it whole and leaves it to be healed.

On a host that cannot run the lab these tests fail, because a green run would claim what nobody has
seen; LVSTUI_NO_LAB=1 says that this is known, and skips them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvstui.lab import Lab, LabError

_HERE = Path(__file__).parent
_GROUPS = {
    "test_lab_machines.py": "machines",
    "test_realserver_machines.py": "machines",
    "test_director_machine.py": "machines",
    "test_restart.py": "restart",
    "test_realserver.py": "realserver",
    "test_undo.py": "realserver",
    "test_configuration.py": "configuration",
    "test_config_command.py": "configuration",
    "test_effective.py": "configuration",
    "test_keywords.py": "configuration",
    "test_lint.py": "configuration",
    "test_readonly.py": "readonly",
}
"""Files that make worker groups of their own: those that start labs of their own, and those that
would keep the others waiting for the shared guest too long."""


# First, because xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests of this folder; those that share a guest stay on one xdist worker."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.lab)
            group = _GROUPS.get(item.path.name, "lab")
            item.add_marker(pytest.mark.xdist_group(group))
            if os.environ.get("LVSTUI_NO_LAB"):
                item.add_marker(pytest.mark.skip(reason="LVSTUI_NO_LAB is set"))


@pytest.fixture(scope="session")
def shared_lab() -> Iterator[Lab]:
    """The session's guest, with everything up."""
    try:
        lab = Lab()
        lab.start()
    except LabError as error:
        pytest.fail(f"the lab does not start (LVSTUI_NO_LAB=1 skips its tests): {error}")
    try:
        lab.wait_all_up()
        lab.connection.wait_phase("ssh", 30)
        yield lab
    finally:
        lab.stop()


@pytest.fixture
def lab(shared_lab: Lab) -> Iterator[Lab]:
    """The default cluster with everything up; faults, weights, daemons and keepalived.conf are put
    back afterwards (30 ms when nothing was changed)."""
    yield shared_lab
    shared_lab.reset()
