"""The sources that look at this host: a new one is its module and a line here."""

from __future__ import annotations

from lvstui.sources.addresses import AddressSource
from lvstui.sources.audit import AuditTrail
from lvstui.sources.base import Source
from lvstui.sources.changes import ChangeMarks
from lvstui.sources.claims import ClaimsSource
from lvstui.sources.config import ConfigurationFiles
from lvstui.sources.connections import ConnectionSamples
from lvstui.sources.counters import NetlinkCounters
from lvstui.sources.daemon import DaemonSource
from lvstui.sources.dbus import DbusSource
from lvstui.sources.dumps import DumpSource
from lvstui.sources.fifo import FifoSource
from lvstui.sources.local_routes import LocalRoutes
from lvstui.sources.log import LogSource
from lvstui.sources.looks import KeptLooks
from lvstui.sources.proc import ProcTable
from lvstui.sources.strays import StraySource
from lvstui.sources.sysctls import Sysctls
from lvstui.sources.wire import WireSource


def local_sources(config: str = "") -> list[Source]:
    """All of them; `config` names keepalived's file where it does not run with it."""
    daemon = DaemonSource()
    files = ConfigurationFiles(daemon.pid, config)
    return [
        ProcTable(),
        daemon,
        files,
        AddressSource(),
        LogSource(daemon.pid),
        FifoSource(files.fifos),
        DumpSource(daemon.pid),
        WireSource(),
        ClaimsSource(),
        StraySource(),
        DbusSource(files.uses_dbus),
        Sysctls(),
        AuditTrail(),
        ChangeMarks(),
        KeptLooks(),
        NetlinkCounters(),
        ConnectionSamples(),
        LocalRoutes(),
    ]
