"""keepalived itself: is it there, which version, which processes, what it can be asked.

Everything is read from /proc and pid files; nothing is ever signalled here. It looks every tick, so
it does without the processes that a Runner would cost (`keepalived.daemon.look`); which child is
what is decided in one place for both. What another user can
write (a pid file) or be (a process of that name) is passed over, see `processes.held`. Pid files
moved from /var/run to /run (2.0.17) and lie in /run/keepalived with `use_pid_dir`, `instance` or
`net_namespace`.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
from dataclasses import dataclass

from lvstui.keepalived.daemon.facts import Process, roles
from lvstui.model.facts import Available, DaemonSeen, Missing, OtherDaemons, ProcessesSeen
from lvstui.model.text import plain
from lvstui.process import trust
from lvstui.sources.base import Context, Source
from lvstui.sources.process_states import ProcessStates
from lvstui.sources.processes import (
    PROC,
    command_line,
    config_file,
    handled_signals,
    held,
    in_our_network,
    inside,
    is_keepalived,
    options_of,
    parent_of,
    program,
    start_time,
    why_not_believed,
)

PID_DIRS = ("/run", "/run/keepalived", "/var/run", "/var/run/keepalived")
BINARIES = ("/usr/sbin/keepalived", "/usr/local/sbin/keepalived", "/sbin/keepalived")

_ROLES = (("r", "vrrp"), ("c", "checkers"), ("b", "bfd"))
_SIGUSR2 = 12
_OTHERS_EVERY_S = 60.0
_NO_DAEMON = frozenset(("t", "v", "h", "signum"))
"""Options with which the program only says something and ends."""


@dataclass(frozen=True, slots=True)
class Binary:
    """What a keepalived program says about itself."""

    version: str = ""
    """`2.2.7`; empty when it did not say."""
    options: tuple[str, ...] = ()
    """Build options (`WITH_DBUS`, `JSON` …), as `--version` prints them."""


def _read_pid(path: str) -> int:
    try:
        text = trust.read(path, 32).decode("ascii", "replace").strip()
    except OSError:
        return 0
    return int(text) if text.isdigit() else 0


def _pid_files(stem: str) -> list[str]:
    """Existing pid files of one process, plain names first (`vrrp.pid`, `vrrp_NAME.pid`)."""
    shape = re.compile(rf"(?:.+_)?{stem}(?:_.+)?\.pid$")
    found = []
    for folder in PID_DIRS:
        try:
            names = sorted(os.listdir(folder), key=lambda name: (name != f"{stem}.pid", name))
        except OSError:
            continue
        found += [os.path.join(folder, name) for name in names if shape.match(name)]
    return found


def find_pid(children: frozenset[int] = frozenset()) -> int:
    """The parent process of the keepalived in our network namespace; 0 when there is none.

    Pid files first, then all processes. Without the right to see a process's namespace (not
    root) the one named by a pid file is taken, else the only one there is. `children` are known
    not to be it: for a moment they outlive a killed parent.
    """
    for path in _pid_files("keepalived"):
        pid = _read_pid(path)
        if pid and is_keepalived(pid) and in_our_network(pid) is not False:
            return pid
    ours, unknown, _ = _parents(children)
    if ours:
        return min(ours)
    return unknown[0] if len(unknown) == 1 else 0


def _parents(children: frozenset[int]) -> tuple[list[int], list[int], list[int]]:
    """Every parent process of a keepalived: in our network namespace, in one that we may not see,
    in another one."""
    children = children.union(_read_pid(p) for _, r in _ROLES for p in _pid_files(r))
    ours: list[int] = []
    unknown: list[int] = []
    elsewhere: list[int] = []
    for name in os.listdir(PROC):
        if not name.isdigit():
            continue
        pid = int(name)
        if pid in children or not is_keepalived(pid) or is_keepalived(parent_of(pid)):
            continue
        if options_of(command_line(pid)).keys() & _NO_DAEMON:
            continue
        network = in_our_network(pid)
        (unknown if network is None else ours if network else elsewhere).append(pid)
    return ours, unknown, elsewhere


def _children_of(pid: int) -> list[int]:
    try:
        text = (PROC / str(pid) / "task" / str(pid) / "children").read_text()
        return [int(word) for word in text.split()]
    except OSError:
        # The kernel may lack CONFIG_PROC_CHILDREN.
        return [int(n) for n in os.listdir(PROC) if n.isdigit() and parent_of(int(n)) == pid]


def children_roles(pid: int) -> tuple[tuple[str, int], ...]:
    """(vrrp|checkers|bfd, pid) of a daemon's children, in this order.

    The configured pid file comes before the usual ones. Notify scripts that run at the moment are
    left out.
    """
    children = []
    for child in filter(is_keepalived, _children_of(pid)):
        with contextlib.suppress(OSError):
            comm = (PROC / str(child) / "comm").read_text().strip()
            children.append(Process(child, comm, _SIGUSR2 in handled_signals(child)))
    known = {child.pid for child in children}
    options = options_of(command_line(pid))
    named: dict[int, str] = {}
    for letter, role in _ROLES:
        files = [inside(pid, options[letter])] if options.get(letter) else []
        pids = map(_read_pid, [*files, *_pid_files(role)])
        first = next((found for found in pids if found in known), 0)
        if first:
            named.setdefault(first, role)
    found = roles(children, named)
    return tuple((role, found[role]) for _, role in _ROLES if role in found)


_binaries: dict[tuple[str, int, int], Binary] = {}


def _ask_version(path: str, *descriptors: int) -> Binary:
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=5,
            check=False,
            pass_fds=descriptors,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Binary()
    text = plain((done.stderr + done.stdout).replace(b"\n", b"\x1e"), 20000).split("\u241e")
    version = ""
    options: list[str] = []
    for line in text:
        match = re.match(r"Keepalived v(\S+)", line)
        if match:
            version = match.group(1)
        match = re.match(r"(?:Build|Config) options: *(.*)", line)
        if match:
            options = match.group(1).split()
    return Binary(version, tuple(options))


def binary_of(pid: int = 0) -> Binary:
    """What the running program says (`pid`), or the installed one (0).

    Asked once for each program file and change time, and only of a program that nobody but root
    can have put there. The running one is the open file itself: an upgrade may have replaced it
    behind the daemon's back.
    """
    if pid:
        try:
            with held(pid) as folder, program(folder) as fd:
                return _known(f"{PROC}/self/fd/{fd}", fd)
        except OSError:
            # Not root: the installed one is the best guess.
            pass
    found = installed()
    return _known(found) if found else Binary()


def _known(path: str, *descriptors: int) -> Binary:
    info = os.stat(path)
    key = (f"{info.st_dev}:{info.st_ino}", info.st_mtime_ns, info.st_size)
    if key not in _binaries:
        binary = _ask_version(path, *descriptors)
        if not binary.version:
            return binary  # a busy host: asked again at the next look
        _binaries[key] = binary
    return _binaries[key]


def installed() -> str:
    """Path of the installed program, links followed; empty when there is none of root's alone."""
    named = [f"{folder}/keepalived" for folder in os.get_exec_path() if os.path.isabs(folder)]
    for path in (*named, *BINARIES):
        with contextlib.suppress(OSError):
            found = trust.program(path)
            if "keepalived" in os.path.basename(found):
                return found
    return ""


def others(daemon: DaemonSeen) -> OtherDaemons:
    """The daemons beside the one that is looked at. Reads the name of every process."""
    children = frozenset(pid for _, pid in daemon.children)
    ours, unknown, elsewhere = (sorted(pids) for pids in _parents(children))
    beside = (pid for pid in [*ours, *unknown] if pid != daemon.pid)
    return OtherDaemons(tuple(beside), tuple(elsewhere))


def find_daemon(children: frozenset[int] = frozenset()) -> DaemonSeen:
    """What there is of keepalived in this host's (this network namespace's) world.

    `children` as for `find_pid`.
    """
    pid = find_pid(children)
    if not pid:
        path = installed()
        return DaemonSeen(False, binary_of().version if path else "", installed=bool(path))
    roles = children_roles(pid)
    began = ((role, start_time(child)) for role, child in roles)
    return DaemonSeen(
        running=True,
        version=binary_of(pid).version,
        pid=pid,
        children=roles,
        started=start_time(pid),
        children_started=tuple((role, at) for role, at in began if at is not None),
        handles=handled_signals(pid),
        installed=True,
        config_file=plain(config_file(pid)),
    )


def not_believed() -> str:
    """Why a daemon of root's that seems to run here is not believed; empty when there is none."""
    for name in os.listdir(PROC):
        why = why_not_believed(int(name)) if name.isdigit() else ""
        if why and in_our_network(int(name)) is not False:
            return f"process {name} is called keepalived and is not believed: {plain(why)}"
    return ""


class DaemonSource(Source):
    """Pushes `DaemonSeen` and `ProcessesSeen` at the start and whenever they changed.

    A pidfd for each process tells of a death at once; a stat of the pid files each tick tells of
    a start; the whole search runs only when one of them did, and now and then: every ten
    seconds while keepalived runs, four times as often while it does not.
    """

    name = "daemon"
    look_within_s = 20.0
    """A program that is asked for its version may take five seconds."""

    def __init__(self, full_every_s: float = 10.0) -> None:
        self._full_every_s = full_every_s
        self._why = ""
        self._states = ProcessStates()
        self._states_told: ProcessesSeen | None = None
        self.seen: DaemonSeen | None = None
        """The newest; for other sources of this process."""

    def pid(self) -> int:
        """The parent's pid, 0 when it does not run; for other sources of this process."""
        return self.seen.pid if self.seen else find_pid()

    def run(self, context: Context) -> None:
        watch = _Deaths()
        signature: object = None
        hurry_until = 0.0
        next_full = 0.0
        next_others = 0.0
        beside = OtherDaemons()
        try:
            while not context.stop.is_set():
                now = time.monotonic()
                new_signature = _signature()
                if watch.died or new_signature != signature or now >= next_full:
                    if watch.died or new_signature != signature:
                        # Children and pid files follow within moments.
                        hurry_until = now + 1.0
                    signature = new_signature
                    children = self.seen.children if self.seen else ()
                    seen = find_daemon(frozenset(pid for _, pid in children))
                    # A start that leaves no pid file where we look must not wait long.
                    next_full = now + self._full_every_s / (1 if seen.version else 4)
                    if seen != self.seen:
                        self.seen = seen
                        context.emit(self.name, seen)
                    self._say_why(context, "" if seen.running else not_believed())
                    if seen.pid and now >= next_others:
                        next_others = now + _OTHERS_EVERY_S
                        found = others(seen)
                        if found != beside:
                            beside = found
                            context.emit(self.name, beside)
                    watch.follow((seen.pid, *(p for _, p in seen.children)) if seen.pid else ())
                if self.seen is not None:
                    self._say_states(context, self.seen)
                if now < hurry_until:
                    next_full = now
                    watch.wait(0.1)
                else:
                    watch.wait(min(0.45, context.interval_s))
        finally:
            watch.follow(())

    def _say_states(self, context: Context, daemon: DaemonSeen) -> None:
        states = self._states.look(daemon, time.time())
        if states != self._states_told:
            self._states_told = states
            context.emit(self.name, states)

    def _say_why(self, context: Context, why: str) -> None:
        if why == self._why:
            return
        self._why = why
        remedy = "let it and the folders above it belong to root, and nobody else write there"
        fact = Missing(self.name, why, remedy) if why else Available(self.name)
        context.emit(self.name, fact)


def _signature() -> tuple[tuple[str, int, int], ...]:
    """Changes when a pid file comes, goes or is written."""
    found = []
    for folder in PID_DIRS[:2]:
        for name in ("keepalived.pid", "vrrp.pid", "checkers.pid", "bfd.pid"):
            path = f"{folder}/{name}"
            with contextlib.suppress(OSError):
                info = os.stat(path)
                found.append((path, info.st_ino, info.st_mtime_ns))
    return tuple(found)


class _Deaths:
    """Waits for the end of processes without polling them."""

    def __init__(self) -> None:
        self._fds: dict[int, int] = {}
        self.died = False

    def follow(self, pids: tuple[int, ...]) -> None:
        self.died = False
        for pid in [p for p in self._fds if p not in pids]:
            os.close(self._fds.pop(pid))
        for pid in pids:
            if pid not in self._fds:
                # Linux before 5.3 has no pidfds: the search every ten seconds has to do.
                with contextlib.suppress(OSError):
                    self._fds[pid] = os.pidfd_open(pid)

    def wait(self, seconds: float) -> None:
        if not self._fds:
            time.sleep(seconds)
            return
        poll = select.poll()
        for fd in self._fds.values():
            poll.register(fd, select.POLLIN)
        if poll.poll(int(seconds * 1000)):
            self.died = True
            for pid, fd in list(self._fds.items()):
                # A dead process's pidfd stays readable: drop it, or poll would spin.
                if select.select([fd], [], [], 0)[0]:
                    os.close(self._fds.pop(pid))
