"""Observations: what was seen, when, on which host, by which source.

A fact is a small frozen dataclass. Every one of them can be written as one JSON line
(`lvstui.model.wire`), which serves the live view, a remote director, a recording and test data.
Text in facts has been made harmless by the source that produced it (`lvstui.model.text`).
"""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.model.config import Configuration
from lvstui.model.connections import ConnectionSlice
from lvstui.model.files import ConfigFiles
from lvstui.model.ipvs import KernelTable, ServiceCounters
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.looking import ClockStepped as ClockStepped
from lvstui.model.looking import Overrun as Overrun
from lvstui.model.looking import SourceSilent as SourceSilent
from lvstui.model.realserver import Look
from lvstui.model.vrrp import Advert, InstanceSeen
from lvstui.model.waiting import ChangeStands

STAMP_S = 1.0
"""Many logs stamp whole seconds: what was said at a moment may be dated this much before it."""
UNDATED = 0.0
"""The time of a fact that happened nobody knows when, before lvstui started."""


@dataclass(frozen=True, slots=True)
class TableSeen:
    """The whole IPVS table."""

    table: KernelTable


@dataclass(frozen=True, slots=True)
class CountersSeen:
    """Counters of some services, all read within one moment."""

    services: tuple[ServiceCounters, ...]


@dataclass(frozen=True, slots=True)
class ConnectionsSeen:
    """A part of the connection table."""

    seen: ConnectionSlice


@dataclass(frozen=True, slots=True)
class LocalSeen:
    """Whether packets for an address are for this host, as its routes say: (address, yes)."""

    addresses: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class ConfigurationSeen:
    """A configuration: the file's, or the one that the daemon has loaded."""

    configuration: Configuration
    loaded: bool = False
    """False: what is on disk. True: the daemon's own copy (memfd, keepalived >= 2.2.0)."""


@dataclass(frozen=True, slots=True)
class NamesSeen:
    """Names for addresses: (canonical address, name), from hosts files and lvstui's own file."""

    names: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SysctlsSeen:
    """Kernel settings that decide what a drain or a failover does: (name, value)."""

    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DaemonSeen:
    """keepalived itself on this host."""

    running: bool
    version: str = ""
    """`2.2.7`; empty when unknown."""
    pid: int = 0
    """Of the parent process."""
    children: tuple[tuple[str, int], ...] = ()
    """(vrrp|checkers|bfd, pid)."""
    started: float | None = None
    """Epoch seconds."""
    children_started: tuple[tuple[str, float], ...] = ()
    """(vrrp|checkers|bfd, epoch seconds): a child that died is started anew by its parent."""
    handles: tuple[int, ...] = ()
    """Signals the parent handles (SigBlk and SigCgt of /proc/PID/status)."""
    installed: bool = True
    """The program was found on this host."""
    config_file: str = ""

    def began(self, role: str) -> float | None:
        """Epoch at which the process of that role began; what was said of its matters before was
        said by one that is gone. None when unknown or when it does not run."""
        return dict(self.children_started).get(role, self.started) if self.running else None


@dataclass(frozen=True, slots=True)
class OtherDaemons:
    """Daemons of keepalived beside the one that is looked at, by the pid of their parent."""

    here: tuple[int, ...] = ()
    """In the same network namespace: they work on the same table."""
    elsewhere: tuple[int, ...] = ()
    """In other network namespaces, with tables of their own."""


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One process of keepalived's as the kernel has it."""

    role: str
    """parent, vrrp, checkers or bfd."""
    pid: int
    state: str = ""
    """Letter of /proc/PID/stat when it does nothing: T stopped, t held by a debugger, D waits for
    the kernel, Z zombie; empty: it runs or sleeps as it should."""
    since: float | None = None
    """Epoch since when that state was seen; None: it was there at the first look."""


@dataclass(frozen=True, slots=True)
class ProcessesSeen:
    """Whether keepalived's processes can do anything."""

    processes: tuple[ProcessState, ...]


@dataclass(frozen=True, slots=True)
class InstancesSeen:
    """VRRP instances from a dump of the daemon."""

    instances: tuple[InstanceSeen, ...]


@dataclass(frozen=True, slots=True)
class InstanceChanged:
    """An instance changed its state (notify fifo, D-Bus or log)."""

    instance: str
    state: str
    priority: int | None = None
    """Effective priority, when the source says it."""
    via: str = "log"
    """fifo, dbus or log."""


@dataclass(frozen=True, slots=True)
class GroupChanged:
    """A sync group changed its state."""

    group: str
    state: str


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """An instance's effective priority changed (log or fifo)."""

    instance: str
    before: int | None
    after: int


@dataclass(frozen=True, slots=True)
class AddressesSeen:
    """All addresses of this host (rtnetlink): (interface, address, prefix length)."""

    addresses: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """One address came or went (RTM_NEWADDR, RTM_DELADDR)."""

    interface: str
    address: str
    prefix: int
    added: bool


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """An interface's carrier or administrative state changed."""

    interface: str
    up: bool


@dataclass(frozen=True, slots=True)
class AdvertSeen:
    """A VRRP advertisement passed."""

    advert: Advert


@dataclass(frozen=True, slots=True)
class AddressClaimed:
    """Somebody else said on the wire that a virtual address of ours is his."""

    address: str
    mac: str
    interface: str
    how: str
    """`announces`, `answers 10.10.0.9`, `asks for 10.10.0.9` or `advertises`."""
    hosts: tuple[str, ...] = ()
    """Other addresses of that MAC, as this host's neighbour table has them."""


@dataclass(frozen=True, slots=True)
class OwnersSeen:
    """Who answered when this host asked on a link who has a virtual address."""

    address: str
    interface: str
    owners: tuple[AddressOwner, ...] = ()
    """Everybody but this host itself."""
    trouble: str = ""
    """Why nobody could be asked; empty: it was asked."""


@dataclass(frozen=True, slots=True)
class AddressOwner:
    """One MAC that answered for an address."""

    mac: str
    hosts: tuple[str, ...] = ()
    """As in `AddressClaimed`."""


@dataclass(frozen=True, slots=True)
class StraysSeen:
    """Packets for a virtual address that came to this host, which does not hold it."""

    address: str
    interface: str
    clients: tuple[str, ...]
    """Who sent them, some of them."""
    packets: int
    """Of a sample: at least so many since the fact before."""
    mac: str = ""
    """The sender's of the last one: a client on this link, a router, or the director that
    forwards to this host."""


@dataclass(frozen=True, slots=True)
class WireHears:
    """Whether what this host itself sends is heard."""

    own: bool


@dataclass(frozen=True, slots=True)
class CheckSeen:
    """A checker spoke in the log: one verdict about a real server, not yet a removal."""

    ok: bool
    checker: str
    """TCP_CHECK, HTTP_GET …; empty when the line does not tell."""
    message: str
    """keepalived's words."""
    server: ServerKey | None = None
    service: ServiceKey | None = None
    """Only some lines name the virtual service."""


@dataclass(frozen=True, slots=True)
class ServerChanged:
    """keepalived put a real server in or took it out."""

    service: ServiceKey
    server: ServerKey
    up: bool
    how: str
    """added, removed, stopped (keepalived ended), enabled, disabled (inhibit), or fifo."""
    via: str = "log"
    service_name: str = ""
    """Group name, when the service is a member of a virtual_server_group."""


@dataclass(frozen=True, slots=True)
class WeightChanged:
    """keepalived changed a weight (log)."""

    service: ServiceKey
    server: ServerKey
    before: int
    after: int
    service_name: str = ""
    """Group name, when the service is a member of a virtual_server_group."""


@dataclass(frozen=True, slots=True)
class QuorumChanged:
    """A virtual service gained or lost its quorum."""

    service: ServiceKey
    up: bool
    message: str = ""
    via: str = "log"
    service_name: str = ""
    """Group name, when the service is a member of a virtual_server_group."""


@dataclass(frozen=True, slots=True)
class DaemonSaid:
    """Any other line of keepalived's log worth an event: lifecycle, reload, fatal, config."""

    kind: str
    """start, stop, reload, reloaded, fatal, config, script, vip, link, election, mismatch or
    other."""
    text: str
    ident: str = "Keepalived"
    pid: int = 0
    instance: str = ""


@dataclass(frozen=True, slots=True)
class ChecksSeen:
    """Health of real servers from keepalived_check.data (written when someone signalled)."""

    servers: tuple[CheckState, ...]


@dataclass(frozen=True, slots=True)
class CheckState:
    """One real server in keepalived_check.data."""

    service: ServiceKey
    server: ServerKey
    alive: bool
    weight: int
    effective_weight: int
    failed_checkers: tuple[str, ...] = ()
    verified: bool = True
    """False when a checker has not run yet."""
    service_name: str = ""
    """Group name, when the service is a member of a virtual_server_group."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something this source cannot see here: said once, with the way to get it."""

    source: str
    what: str
    remedy: str = ""
    covered_by: str = ""
    """The source that tells the same while it works: then nothing is missing."""


@dataclass(frozen=True, slots=True)
class Available:
    """A source works (again): takes back its `Missing`."""

    source: str


@dataclass(frozen=True, slots=True)
class Done:
    """An operation of lvstui on this host, from its audit log (ours or another session's)."""

    operation: str
    who: str
    text: str
    service: ServiceKey | None = None
    server: ServerKey | None = None
    before: int | None = None
    after: int | None = None
    reason: str = ""
    id: str = ""
    ok: bool = True


@dataclass(frozen=True, slots=True)
class ChangesSeen:
    """How lvstui's changes of this host's configuration stand, as far back as it remembers them."""

    changes: tuple[ChangeStands, ...]
    """The newest first."""


@dataclass(frozen=True, slots=True)
class FilesSeen:
    """The files that make up the configuration on disk, and what is wrong with them."""

    files: ConfigFiles


@dataclass(frozen=True, slots=True)
class RealServerSeen:
    """A look at a real server, whoever asked for it."""

    look: Look


OfHost = TableSeen | CountersSeen | SysctlsSeen | AddressesSeen | AddressChanged | LinkChanged
OfPackets = ConnectionsSeen | LocalSeen
OfFiles = ConfigurationSeen | NamesSeen | FilesSeen | ChangesSeen | Done
OfVrrp = InstancesSeen | InstanceChanged | GroupChanged | PriorityChanged | AdvertSeen
OfLink = AddressClaimed | OwnersSeen | StraysSeen | WireHears
OfServers = CheckSeen | ChecksSeen | ServerChanged | WeightChanged | QuorumChanged | RealServerSeen
OfDaemon = DaemonSeen | OtherDaemons | ProcessesSeen | DaemonSaid | Missing | Available
OfLooking = SourceSilent | Overrun | ClockStepped
Fact = OfHost | OfPackets | OfFiles | OfVrrp | OfLink | OfServers | OfDaemon | OfLooking


@dataclass(frozen=True, slots=True)
class Observation:
    """One fact with its origin."""

    at: float
    """Epoch seconds, as precise as the source is."""
    host: str
    source: str
    """proc, netlink, connections, routes, rtnetlink, wire, arp, strays, fifo, log, file, memfd,
    daemon, dump, audit, changes, looks."""
    fact: Fact
    past: bool = False
    """True for what was read back from before lvstui started: fills in, rings no bell."""
