"""Whether keepalived's processes can do anything: their states in /proc/PID/stat (proc(5)).

A stopped process (SIGSTOP, a frozen cgroup shows as D) keeps its pid files, sockets and children:
nothing else on its host tells that it does nothing.
"""

from __future__ import annotations

from lvstui.model.facts import DaemonSeen, ProcessesSeen, ProcessState
from lvstui.model.numbers import number
from lvstui.sources.processes import stat_fields

AT_ONCE = frozenset("TZ")
"""Nobody is in these for a moment only: a zombie that is about to be reaped lasts microseconds."""
LASTING = frozenset("tD")
"""Every process is in these now and then."""
LASTS_S = 4.0
"""How long one of those has to be seen at every look before it counts."""
_PARENT, _STARTED = 1, 19
"""Places of the fields, counted from the state."""


class ProcessStates:
    """Follows the processes of one daemon from look to look."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, str]] = {}
        """By pid: role, and start in clock ticks, which with the pid names a process for good."""
        self._seen: dict[int, tuple[str, float, bool]] = {}
        """By pid: letter, epoch since when, and whether it was so at the first look."""
        self._parent = 0

    def look(self, daemon: DaemonSeen, now: float) -> ProcessesSeen:
        """The states at epoch `now`. A child that ended and that nobody reaps is no child of a
        running daemon any more, but it is one that was."""
        first = self._parent != daemon.pid and not self._parent
        if daemon.pid != self._parent:
            self._known.clear()
            self._parent = daemon.pid
        roles = {pid: role for role, pid in (("parent", daemon.pid), *daemon.children) if pid}
        found = []
        for pid in dict.fromkeys((*roles, *self._known)):
            fields = stat_fields(pid)
            known = self._known.get(pid)
            if len(fields) <= _STARTED or (known is not None and known[1] != fields[_STARTED]):
                # It is gone, or its number belongs to somebody else.
                self._known.pop(pid, None)
                self._seen.pop(pid, None)
                continue
            if pid not in roles and not self._is_left(fields):
                continue
            role = roles.get(pid) or (known[0] if known is not None else "")
            self._known[pid] = role, fields[_STARTED]
            found.append(self._state(role, pid, fields[0][:1], now, first))
        self._seen = {pid: seen for pid, seen in self._seen.items() if pid in self._known}
        return ProcessesSeen(tuple(found))

    def _is_left(self, fields: list[str]) -> bool:
        """Whether it ended and its parent, still the daemon, does not take notice."""
        return fields[0] == "Z" and number(fields[_PARENT]) == self._parent

    def _state(self, role: str, pid: int, letter: str, now: float, first: bool) -> ProcessState:
        before = self._seen.get(pid)
        if before is None or before[0] != letter:
            before = self._seen[pid] = letter, now, first
        _, since, unknown = before
        if letter not in AT_ONCE and not (letter in LASTING and now - since >= LASTS_S):
            return ProcessState(role, pid)
        return ProcessState(role, pid, letter, None if unknown else since)
