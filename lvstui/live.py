"""The set of sources that look at this host."""

from __future__ import annotations

from collections.abc import Callable

from lvstui.model.facts import Observation
from lvstui.sources.addresses import AddressSource
from lvstui.sources.audit import AuditTrail
from lvstui.sources.base import Source
from lvstui.sources.changes import ChangeMarks
from lvstui.sources.config import ConfigurationFiles
from lvstui.sources.counters import NetlinkCounters
from lvstui.sources.daemon import DaemonSource
from lvstui.sources.dbus import DbusSource
from lvstui.sources.dumps import DumpSource
from lvstui.sources.fifo import FifoSource
from lvstui.sources.log import LogSource
from lvstui.sources.proc import ProcTable
from lvstui.sources.recording import Recording
from lvstui.sources.sysctls import Sysctls
from lvstui.sources.wire import WireSource
from lvstui.watch import Watcher


def local_watcher(
    *,
    config: str = "",
    interval_s: float = 1.0,
    recorder: Callable[[Observation], None] | None = None,
) -> Watcher:
    """A watcher over everything that this host can tell; not started yet."""
    daemon = DaemonSource()
    files = ConfigurationFiles(daemon.pid, config)
    sources: list[Source] = [
        ProcTable(),
        daemon,
        files,
        AddressSource(),
        LogSource(daemon.pid),
        FifoSource(files.fifos),
        DumpSource(daemon.pid),
        WireSource(),
        DbusSource(files.uses_dbus),
        Sysctls(),
        AuditTrail(),
        ChangeMarks(),
        NetlinkCounters(),
    ]
    return Watcher(sources, interval_s=interval_s, recorder=recorder)


def replay_watcher(recording: Recording) -> Watcher:
    """A watcher over a recording."""
    return Watcher([recording], host=recording.host, clock=recording.clock)
