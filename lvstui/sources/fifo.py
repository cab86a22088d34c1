"""Source "fifo": keepalived's notify fifos, where the operator has configured them.

keepalived (1.3.6 and later) writes one line for each transition, at once. It makes the fifo anew
on every reload, opens it for reading and writing itself, and two readers steal lines from each
other: a fifo that somebody else reads is left alone.
"""

from __future__ import annotations

import os
import re
import select
import stat
import time
from collections.abc import Callable

from lvstui.model.facts import (
    UNDATED,
    Available,
    DaemonSaid,
    Fact,
    GroupChanged,
    InstanceChanged,
    Missing,
    PriorityChanged,
    QuorumChanged,
    ServerChanged,
)
from lvstui.model.numbers import PIDS, number
from lvstui.model.text import plain
from lvstui.process import readonly
from lvstui.sources.base import Context, Source
from lvstui.sources.log_lines import server_of, service_of
from lvstui.sources.log_patterns import RS, VS
from lvstui.sources.processes import PROC, is_keepalived

_VRRP = re.compile(
    r'(?P<kind>INSTANCE|GROUP) "(?P<name>.*)" (?P<state>[A-Z_]+)(?: (?P<prio>\d+))?$'
)
_SERVER = re.compile(rf"RS {RS} {VS} (?P<state>UP|DOWN)$")
_SERVICE = re.compile(rf"VS {VS} (?P<state>UP|DOWN)$")
_LOOK_FOR_READERS_S = 60.0
_RELOAD_S = 3.0
_CHUNK = 1 << 16


def parse_line(line: bytes) -> Fact | None:
    """One line of a VRRP or LVS notify fifo; None for anything unknown."""
    # Up to 2.0.x and on unreleased versions a NUL follows each newline.
    text = plain(line.strip(b"\0 \r\n"))
    try:
        if match := _VRRP.match(text):
            return _vrrp(match)
        if match := _SERVER.match(text):
            server = server_of(match["rs"], match["rsport"])
            if server is None:
                return None
            service, name = service_of(match["vs"], match["rsproto"] or "", server.family)
            return ServerChanged(service, server, match["state"] == "UP", "fifo", "fifo", name)
        if match := _SERVICE.match(text):
            service, name = service_of(match["vs"])
            return QuorumChanged(service, match["state"] == "UP", text, "fifo", name)
    except ValueError:
        # It names no virtual server.
        return None
    return None


def _vrrp(match: re.Match[str]) -> Fact | None:
    name, state = match["name"], match["state"]
    priority = number(match["prio"] or "0", 255)
    if priority is None:
        return None
    if match["kind"] == "GROUP":
        return GroupChanged(name, state)
    if state.endswith("_PRIORITY"):
        return PriorityChanged(name, None, priority)
    if state == "MASTER_RX_LOWER_PRI":
        text = f"({name}) received an advertisement with lower priority while MASTER"
        return DaemonSaid("election", text, "Keepalived_vrrp", 0, name)
    return InstanceChanged(name, state, priority, "fifo")


def other_readers(path: str) -> tuple[int, ...]:
    """Processes other than keepalived and this one that hold a fifo open for reading.

    Needs root to see other users' processes; what may not be seen counts as absent.
    """
    try:
        wanted = os.stat(path)
    except OSError:
        return ()
    name = os.path.basename(path)
    return tuple(
        pid
        for name_of_process in os.listdir(PROC)
        if (pid := number(name_of_process, PIDS)) is not None
        and pid != os.getpid()
        and _reads(pid, name, wanted)
        and not is_keepalived(pid)
    )


def _reads(pid: int, name: str, wanted: os.stat_result) -> bool:
    folder = f"{PROC}/{pid}/fd"
    try:
        numbers = os.listdir(folder)
    except OSError:
        return False
    return any(_is_reader(pid, number, name, wanted) for number in numbers)


def _is_reader(pid: int, number: str, name: str, wanted: os.stat_result) -> bool:
    try:
        # The name first: a stat of every descriptor could hang on a dead network share.
        target = os.readlink(f"{PROC}/{pid}/fd/{number}")
        if os.path.basename(target) != name:
            return False
        if not os.path.samestat(os.stat(f"{PROC}/{pid}/fd/{number}"), wanted):
            return False
        with open(f"{PROC}/{pid}/fdinfo/{number}", encoding="ascii") as file:
            flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags:"))
    except (OSError, StopIteration, ValueError):
        return False
    return flags & os.O_ACCMODE != os.O_WRONLY


def _missing(what: str, remedy: str, covered_by: str = "") -> Missing:
    return Missing("fifo", what, remedy, covered_by)


class _Fifo:
    """One fifo: opened when it may be, given up when it ends, opened again."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.fd = -1
        self.complaint: Missing | None = None
        self._rest = b""
        self._opened: os.stat_result | None = None
        self._next_readers = 0.0
        self._opened_before = False
        self._contested = False
        self._absent_since = 0.0
        self.fresh = False
        """Just opened for the first time: what lies in the pipe may have waited for long."""

    def open(self) -> None:
        """Open it, or say in `complaint` why not."""
        if self._contested and time.monotonic() < self._next_readers:
            return
        try:
            info = os.stat(self.path)
        except FileNotFoundError:
            now = time.monotonic()
            if self._absent_since == 0.0:
                self._absent_since = now
            if self._opened_before and now - self._absent_since < _RELOAD_S:
                return
            self.complaint = _missing(
                f"the notify fifo {plain(self.path)} is not there",
                "keepalived makes it when it starts or reloads; see its log if it does not",
            )
            return
        except PermissionError:
            self.complaint = self._forbidden()
            return
        if not stat.S_ISFIFO(info.st_mode):
            self.complaint = _missing(f"{plain(self.path)} is no fifo", "remove that file")
            return
        if not self._free():
            return
        try:
            self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except PermissionError:
            self.complaint = self._forbidden()
            return
        except OSError:
            # It is being made anew at this moment.
            return
        self._opened = os.fstat(self.fd)
        self._absent_since = 0.0
        self.complaint = None
        self.fresh = not self._opened_before
        self._opened_before = True
        self._rest = b""

    def _forbidden(self) -> Missing:
        what = f"no permission to read the notify fifo {plain(self.path)}"
        return _missing(what, "run lvstui as root")

    def _free(self) -> bool:
        self._next_readers = time.monotonic() + _LOOK_FOR_READERS_S
        readers = other_readers(self.path)
        self._contested = bool(readers)
        if readers:
            self.complaint = _missing(
                f"the notify fifo {plain(self.path)} is read by process {readers[0]} already",
                "two readers would steal from each other; end the other one, or see to the log",
                covered_by="log",
            )
        return not readers

    def check(self) -> None:
        """Give it up when its name means another fifo now, or when somebody else reads it."""
        assert self._opened is not None
        try:
            same = os.path.samestat(os.stat(self.path), self._opened)
        except OSError:
            same = False
        if not same or (time.monotonic() >= self._next_readers and not self._free()):
            self.close()

    def lines(self) -> list[bytes]:
        """Whole lines that have come; closes itself when the writer is gone."""
        data = b""
        try:
            while len(data) < 16 * _CHUNK:
                chunk = os.read(self.fd, _CHUNK)
                if not chunk:
                    self.close()
                    break
                data += chunk
        except BlockingIOError:
            pass
        *whole, self._rest = (self._rest + data).split(b"\n")
        # A line longer than any name can be is not keepalived's.
        self._rest = self._rest[-4096:]
        return whole

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class FifoSource(Source):
    """Pushes what keepalived writes to its notify fifos.

    `paths` gives the configured fifos and is asked again and again, because the configuration
    may be read later or change.
    """

    name = "fifo"

    def __init__(self, paths: Callable[[], tuple[str, ...]]) -> None:
        self._paths = paths
        self._said: Missing | None = None
        self._works = False

    def run(self, context: Context) -> None:
        fifos: dict[str, _Fifo] = {}
        hurry_until = 0.0
        next_try = 0.0
        # A failure of the last run has taken back what was said in it.
        self._works, self._said = False, None
        try:
            while not context.stop.is_set():
                now = time.monotonic()
                if now >= next_try:
                    self._arrange(context, fifos)
                    next_try = now + (0.05 if now < hurry_until else 0.45)
                poll = select.poll()
                for fifo in fifos.values():
                    if fifo.fd >= 0:
                        poll.register(fifo.fd, select.POLLIN)
                ready = {fd for fd, _ in poll.poll(max(1, int((next_try - now) * 1000) + 1))}
                at = time.time()
                for fifo in fifos.values():
                    if fifo.fd in ready:
                        for line in fifo.lines():
                            if fact := parse_line(line):
                                context.emit(self.name, fact, at)
                        if fifo.fd < 0:
                            # A reload: the new one is there within moments.
                            hurry_until = time.monotonic() + _RELOAD_S
                            next_try = 0.0
        finally:
            for fifo in fifos.values():
                fifo.close()

    def _push_last(self, context: Context, lines: list[bytes]) -> None:
        """What lay in the pipe before we came: written nobody knows when, hours ago maybe. Only
        the last state of each instance is worth anything, and gives way to any dated word."""
        last = {
            fact.instance: fact
            for line in lines
            if isinstance(fact := parse_line(line), InstanceChanged)
        }
        for fact in last.values():
            context.emit(self.name, fact, UNDATED, past=True)

    def _arrange(self, context: Context, fifos: dict[str, _Fifo]) -> None:
        """Open and close what the configuration wants, and say what is missing."""
        wanted = dict.fromkeys(path for path in self._paths() if path)
        for path in list(fifos):
            if path not in wanted:
                fifos.pop(path).close()
        if wanted and readonly.active():
            # Whoever reads a line takes it from all others.
            what = "keepalived's notify fifos are left unread: this session is read-only"
            remedy = "see to keepalived's log: changes come from there"
            self._say(context, _missing(what, remedy, covered_by="log"))
            return
        for path in wanted:
            fifo = fifos.setdefault(path, _Fifo(path))
            if fifo.fd >= 0:
                fifo.check()
            if fifo.fd < 0:
                fifo.open()
            if fifo.fresh:
                fifo.fresh = False
                self._push_last(context, fifo.lines())
        complaints = [f.complaint for f in fifos.values() if f.complaint is not None]
        if complaints:
            self._say(context, complaints[0])
        elif fifos and all(f.fd >= 0 for f in fifos.values()) and not self._works:
            self._works, self._said = True, None
            context.emit(self.name, Available(self.name))

    def _say(self, context: Context, missing: Missing) -> None:
        self._works = False
        # Only the reason counts: the same one with another number is no news.
        if self._said is None or self._said.remedy != missing.remedy:
            self._said = missing
            context.emit(self.name, missing)
