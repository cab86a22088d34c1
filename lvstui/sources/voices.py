"""Whose words a line of the log is: any local user may write in keepalived's name.

A syslog daemon writes the name and the number of a process as the writer gives them. A line counts
as the word of the daemon that runs only when its number is one of that daemon's processes'; lines
from before its start are the words of an earlier one. Numbers inside containers differ from ours:
/proc/PID/status names all that a process has (`NSpid`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lvstui.model import facts as f
from lvstui.sources.processes import PROC, in_our_network, is_keepalived, start_time

_LOOK_AGAIN_S = 0.5
_REMEMBERED = 4096
_TRIES_PER_S = 20.0


def numbers_of(pid: int) -> frozenset[int]:
    """The numbers that a process has here and in the containers it is in."""
    try:
        text = (PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    for line in text.splitlines():
        if line.startswith("NSpid:"):
            return frozenset(int(word) for word in line.split()[1:] if word.isdigit())
    return frozenset((pid,))


def children_of(pid: int) -> list[int]:
    try:
        text = (PROC / str(pid) / "task" / str(pid) / "children").read_text()
    except OSError:
        return []
    return [int(word) for word in text.split()]


class Voices:
    """The numbers under which the daemon that runs speaks. `pid` gives its parent (0: unknown)."""

    def __init__(self, pid: Callable[[], int]) -> None:
        self._pid = pid
        self._parent = 0
        self._known: set[int] = set()
        self._began: float | None = None
        self._looked = 0.0
        self._tries, self._tried = 0.0, 0.0

    def believes(self, number: int, at: float) -> bool:
        """Whether the process of that number, at epoch `at`, spoke for keepalived."""
        pid = self._pid()
        if not pid:
            return True  # nobody to compare with, and nothing that words could change
        if pid != self._parent:
            self._parent, self._known = pid, set()
            self._looked = 0.0
        if number in self._known:
            return True
        now = time.monotonic()
        if now - self._looked >= _LOOK_AGAIN_S or not self._looked:
            self._looked = now
            self._look(pid)
            if number in self._known:
                return True
        if self._began is not None and at < self._began - f.STAMP_S:
            return True  # of an earlier daemon
        return self._is_new(number, now)

    def _is_new(self, number: int, now: float) -> bool:
        """Whether it is a process of a daemon that has just begun; asked some times a second."""
        self._tries = min(_TRIES_PER_S, self._tries + (now - self._tried) * _TRIES_PER_S)
        self._tried = now
        if self._tries < 1:
            return False
        self._tries -= 1
        if not is_keepalived(number) or in_our_network(number) is False:
            return False
        self._known.add(number)
        return True

    def _look(self, pid: int) -> None:
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        # What is known stays: a child that has ended spoke before.
        for one in (pid, *filter(is_keepalived, children_of(pid))):
            self._known |= numbers_of(one)
        self._began = start_time(pid)


STATES = (
    f.ServerChanged,
    f.CheckSeen,
    f.InstanceChanged,
    f.GroupChanged,
    f.PriorityChanged,
    f.WeightChanged,
    f.QuorumChanged,
)
"""What words can make believe; anything else is only an event."""
