"""One guest for the whole session; each test finds it whole and leaves it to be healed.

On a host that cannot run the lab these tests fail, because a green run would claim what nobody has
seen; LVSTUI_NO_LAB=1 says that this is known, and skips them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lvstui.lab import LabError
from lvstui.lab.topology import Topology
from tests.labs import Lab

_HERE = Path(__file__).parent
_GROUPS = {
    "test_lab_machines.py": "machines",
    "test_realserver_machines.py": "machines",
    "test_director_machine.py": "director",
    "test_restart.py": "restart",
    "test_realserver.py": "realserver",
    "test_undo.py": "realserver",
    "test_configuration.py": "configuration",
    "test_config_command.py": "commands",
    "test_effective.py": "commands",
    "test_keywords.py": "commands",
    "test_lint.py": "commands",
    "test_readonly.py": "readonly",
    "test_left_out.py": "own kernel",
    "test_evidence.py": "evidence",
    "test_truth.py": "truth",
}
"""Files that make worker groups of their own: those that share a lab of their own, and those that
would keep the others waiting for the shared guest too long (a guest is up in ten seconds). xdist
begins with the groups that have the most tests, all of them before tests without a group."""


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


Labs = Callable[[Topology], Lab]


@pytest.fixture(scope="session")
def labs() -> Iterator[Labs]:
    """The running lab of a topology, started by the first who asks; what others do to it stays.
    One other than the default runs at a time."""
    with ExitStack() as default, ExitStack() as other:
        started: dict[Topology, Lab] = {}

        def of(topology: Topology) -> Lab:
            if topology not in started:
                try:
                    lab = Lab(topology).start()
                except LabError as error:
                    pytest.fail(
                        f"the lab does not start (LVSTUI_NO_LAB=1 skips its tests): {error}"
                    )
                if topology != Topology():
                    other.close()
                    for ended in started.keys() - {Topology()}:
                        del started[ended]
                (default if topology == Topology() else other).callback(lab.stop)
                started[topology] = lab
            return started[topology]

        yield of


@pytest.fixture(scope="session")
def shared_lab(labs: Labs) -> Lab:
    """The session's guest, with everything up."""
    lab = labs(Topology())
    lab.wait_all_up()
    lab.connection.wait_phase("ssh", 30)
    return lab


@pytest.fixture
def lab(shared_lab: Lab) -> Iterator[Lab]:
    """The default cluster with everything up; faults, weights, daemons and keepalived.conf are put
    back afterwards (30 ms when nothing was changed)."""
    yield shared_lab
    shared_lab.reset()
