"""What /proc says of processes that do nothing, seen at real ones."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from lvstui.model.facts import DaemonSeen, ProcessState
from lvstui.sources.process_states import LASTS_S, ProcessStates
from lvstui.sources.processes import stat_fields

T0 = 1_000_000.0
FIELDS = "lvstui.sources.process_states.stat_fields"


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"])
    yield process
    process.kill()
    process.wait()


def daemon(*children: subprocess.Popen[bytes]) -> DaemonSeen:
    """A daemon whose parent is this process."""
    roles = ("checkers", "vrrp")
    found = tuple((role, child.pid) for role, child in zip(roles, children, strict=False))
    return DaemonSeen(True, pid=os.getpid(), children=found)


def state(states: ProcessStates, seen: DaemonSeen, role: str, now: float) -> ProcessState:
    (found,) = [p for p in states.look(seen, now).processes if p.role == role]
    return found


def test_a_stopped_process_is_seen_at_once_and_so_is_that_it_goes_on(
    child: subprocess.Popen[bytes],
) -> None:
    states, seen = ProcessStates(), daemon(child)
    assert state(states, seen, "checkers", T0) == ProcessState("checkers", child.pid)
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    assert state(states, seen, "checkers", T0 + 1) == ProcessState(
        "checkers", child.pid, "T", T0 + 1
    )
    assert state(states, seen, "checkers", T0 + 9).since == T0 + 1
    child.send_signal(signal.SIGCONT)
    os.waitid(os.P_PID, child.pid, os.WCONTINUED | os.WNOWAIT)
    assert state(states, seen, "checkers", T0 + 10).state == ""


def test_what_was_so_at_the_first_look_began_nobody_knows_when(
    child: subprocess.Popen[bytes],
) -> None:
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    found = state(ProcessStates(), daemon(child), "checkers", T0)
    assert (found.state, found.since) == ("T", None)


def test_a_child_that_nobody_reaps_is_a_zombie(child: subprocess.Popen[bytes]) -> None:
    states = ProcessStates()
    states.look(daemon(child), T0)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    # The daemon has no such child any more.
    assert state(states, daemon(), "checkers", T0 + 1) == ProcessState(
        "checkers", child.pid, "Z", T0 + 1
    )
    child.wait()
    assert [p.role for p in states.look(daemon(), T0 + 2).processes] == ["parent"]


def test_waiting_for_the_kernel_counts_only_when_it_lasts(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = "D"
    real = stat_fields
    monkeypatch.setattr(FIELDS, lambda pid: [letter, *real(pid)[1:]])
    states, seen = ProcessStates(), daemon(child)
    assert state(states, seen, "checkers", T0).state == ""
    assert state(states, seen, "checkers", T0 + LASTS_S / 2).state == ""
    letter = "S"
    states.look(seen, T0 + LASTS_S * 0.6)
    letter = "D"
    assert state(states, seen, "checkers", T0 + LASTS_S).state == ""
    lasting = state(states, seen, "checkers", T0 + 2 * LASTS_S + 1)
    assert (lasting.state, lasting.since) == ("D", T0 + LASTS_S)


def test_a_number_that_belongs_to_another_process_now_tells_nothing(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    states, seen = ProcessStates(), daemon(child)
    states.look(seen, T0)
    real = stat_fields
    monkeypatch.setattr(FIELDS, lambda pid: ["T", *real(pid)[1:19], "1", *real(pid)[20:]])
    assert states.look(seen, T0 + 1).processes == ()
