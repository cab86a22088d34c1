"""Source "dump": what keepalived wrote about itself when someone signalled it.

The source never signals on a timer: each dump costs the VRRP process some milliseconds in which
it sends no advertisement, and a line in its log. It reads the files that lie there at the start
and those that appear later; `DumpSource.request` signals once, when the operator wishes it.

keepalived 2.0.10 to 2.4.3 renames the file into place before it fills it, so a change is read
again until it is whole.
"""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Callable
from dataclasses import replace

from lvstui.model.facts import Available, ChecksSeen, InstancesSeen
from lvstui.model.vrrp import InstanceSeen, InstanceStats
from lvstui.process import trust
from lvstui.process.privileges import sees_all
from lvstui.process.readonly import forbid
from lvstui.sources.base import Context, Source
from lvstui.sources.daemon import find_pid
from lvstui.sources.dump_text import parse_checks, parse_data, parse_json, parse_stats
from lvstui.sources.processes import handled_signals, is_keepalived, start_time, tmp_dir

JSON, DATA, STATS, CHECKS = "json", "data", "stats", "checks"
FILES = {
    JSON: "keepalived.json",
    DATA: "keepalived.data",
    STATS: "keepalived.stats",
    CHECKS: "keepalived_check.data",
}
_SIGNALS = {DATA: signal.SIGUSR1, STATS: signal.SIGUSR2}
_MAX_BYTES = 64 * 1024 * 1024
_WHOLE_WITHIN_S = 1.0
_SAME_DUMP_S = 5.0


def read_safely(path: str) -> tuple[str, os.stat_result] | None:
    """Text and stat of a dump; None when there is none that may be trusted.

    The names in /tmp are predictable, so only a regular file that belongs to root is read, and
    never through a symbolic link.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(fd, "rb") as file:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode) or info.st_uid not in trust.ROOT:
            return None
        return file.read(_MAX_BYTES).decode("utf-8", "backslashreplace"), info


def request(pid: int, kind: str) -> bool:
    """Ask the daemon (its parent's pid) once for a dump; True when it was signalled.

    `kind`: DATA (brings keepalived_check.data as well) or STATS. Only a signal that the process
    handles is sent: an unhandled one ends old daemons. False without the right to signal, too.
    Raises ReadOnlyError.
    """
    number = _SIGNALS[kind]
    if number not in handled_signals(pid):
        return False
    forbid()
    try:
        # Looked at behind the descriptor: no process that gets the number later is signalled.
        fd = os.pidfd_open(pid)
    except OSError:
        # Linux before 5.3 has none.
        fd = -1
    try:
        if not is_keepalived(pid):
            return False
        if fd >= 0:
            signal.pidfd_send_signal(fd, number)
        else:
            os.kill(pid, number)
    except OSError:
        return False
    finally:
        if fd >= 0:
            os.close(fd)
    return True


def merged(
    newest: tuple[InstanceSeen, ...], other: tuple[InstanceSeen, ...], same_moment: bool
) -> tuple[InstanceSeen, ...]:
    """`newest` with what only the other kind of dump tells.

    The sync group is configuration and may be older; the master's address and the counters are
    taken only when both were written in the same moment.
    """
    known = {instance.name: instance for instance in other}
    result = []
    for instance in newest:
        more = known.get(instance.name)
        if more is not None:
            if not instance.sync_group:
                instance = replace(instance, sync_group=more.sync_group)
            if same_moment:
                instance = replace(
                    instance,
                    stats=instance.stats or more.stats,
                    master_address=instance.master_address or more.master_address,
                )
        result.append(instance)
    return tuple(result)


class DumpSource(Source):
    """Pushes `InstancesSeen` and `ChecksSeen` from dumps that exist or appear.

    `pid` gives the daemon's parent process (0: it does not run); `folder` is for tests.
    """

    name = "dump"

    def __init__(self, pid: Callable[[], int] = find_pid, folder: str | None = None) -> None:
        self._pid = pid
        self._folder = folder
        self._marks: dict[str, object] = {}
        """Which version of each file was read."""
        self._instances: dict[str, tuple[float, tuple[InstanceSeen, ...]]] = {}
        self._stats: tuple[float, dict[str, InstanceStats]] | None = None
        self._pending: dict[str, float] = {}

    def ask_daemon(self) -> bool:
        """Two dumps: state and checks in one, counters in the other."""
        pid = self._pid()
        data, stats = request(pid, DATA), request(pid, STATS)
        return data or stats

    def run(self, context: Context) -> None:
        began = time.time()
        pid, folder, oldest = 0, self._folder, 0.0
        next_look = 0.0
        said = looked = False
        while not context.stop.is_set():
            now = time.monotonic()
            if self._folder is None and now >= next_look:
                next_look = now + 5.0
                found = self._pid()
                if found != pid:
                    pid = found
                    self._marks.clear()
                    self._instances.clear()
                    folder = tmp_dir(pid) if pid else None
                    # What an earlier run of the daemon left behind says nothing.
                    oldest = (start_time(pid) or 0.0) if pid else 0.0
            if folder is not None:
                if not said and not sees_all() and not self._may_read(folder):
                    said = True
                    what = "keepalived's dumps are readable by root only"
                    context.missing(self.name, what, "run lvstui as root (sudo lvstui)")
                for kind, name in FILES.items():
                    self._look(context, kind, os.path.join(folder, name), oldest, began)
            if not looked and not self._pending:
                # There may be no dump at all: who waits for a first word gets one.
                looked = True
                if not said:
                    context.emit(self.name, Available(self.name))
            context.wait(0.05 if self._pending else max(0.5, min(1.0, context.interval_s)))

    @staticmethod
    def _may_read(folder: str) -> bool:
        return any(os.access(os.path.join(folder, name), os.R_OK) for name in FILES.values())

    def _look(self, context: Context, kind: str, path: str, oldest: float, began: float) -> None:
        try:
            info = os.lstat(path)
        except OSError:
            self._pending.pop(kind, None)
            return
        mark = (info.st_ino, info.st_mtime_ns, info.st_size)
        if mark == self._marks.get(kind) and kind not in self._pending:
            return
        if info.st_mtime < oldest - 1.0:
            self._marks[kind] = mark
            return
        read = read_safely(path)
        fact = self._understand(kind, *read) if read else None
        now = time.monotonic()
        partial = fact is None and read is not None
        if partial and now < self._pending.setdefault(kind, now + _WHOLE_WITHIN_S):
            # Still being written, most likely.
            return
        if kind in (DATA, CHECKS) and fact is not None and mark != self._marks.get(kind):
            # Text dumps have no end mark: whole when two looks agree.
            self._marks[kind] = mark
            self._pending.setdefault(kind, now + _WHOLE_WITHIN_S)
            return
        self._pending.pop(kind, None)
        self._marks[kind] = mark
        if fact is not None:
            context.emit(self.name, fact, info.st_mtime, past=info.st_mtime < began)

    def _understand(
        self, kind: str, text: str, info: os.stat_result
    ) -> InstancesSeen | ChecksSeen | None:
        if kind == CHECKS:
            checks = parse_checks(text)
            return None if checks is None else ChecksSeen(checks)
        if kind == STATS:
            return self._with_stats(text, info.st_mtime)
        instances = parse_json(text) if kind == JSON else parse_data(text)
        if instances is None:
            return None
        self._instances[kind] = (info.st_mtime, instances)
        other = self._instances.get(DATA if kind == JSON else JSON)
        if other:
            near = abs(other[0] - info.st_mtime) < _SAME_DUMP_S
            if other[0] > info.st_mtime + _SAME_DUMP_S:
                # The other kind is newer: this one only fills in.
                return InstancesSeen(merged(other[1], instances, near))
            instances = merged(instances, other[1], near)
        if self._stats and abs(self._stats[0] - info.st_mtime) < _SAME_DUMP_S:
            # The counters were written, and read, first.
            counted = self._stats[1]
            instances = tuple(replace(i, stats=i.stats or counted.get(i.name)) for i in instances)
        return InstancesSeen(instances)

    def _with_stats(self, text: str, modified: float) -> InstancesSeen | None:
        stats = parse_stats(text)
        if stats is None:
            return None
        self._stats = (modified, stats)
        if not self._instances:
            return None
        written, instances = max(self._instances.values(), key=lambda pair: pair[0])
        if modified < written - _SAME_DUMP_S:
            return None
        return InstancesSeen(tuple(replace(i, stats=stats.get(i.name, i.stats)) for i in instances))
