"""The picture: file, keepalived and kernel merged, every disagreement named.

All of it is immutable. Objects that did not change keep their identity from one picture to the
next (`eq=False`), so a screen finds what to redraw by comparing with `is`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from lvstui.model.config import ConfiguredServer, ConfiguredService
from lvstui.model.facts import ProcessState
from lvstui.model.files import ConfigFiles
from lvstui.model.ipvs import Counters, KernelService, Rates, ServerDetail, unfinished
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.packets import PacketView
from lvstui.model.realserver import Look
from lvstui.model.vrrp import InstanceStats
from lvstui.model.waiting import ChangeStands


class State(str, Enum):
    """One word for the state of a real server, the same in TUI, JSON and docs."""

    UP = "up"
    DOWN = "down"
    DRAINING = "draining"
    DRAINED = "drained"
    DISABLED = "disabled"
    OVERLOADED = "overloaded"
    STANDBY = "standby"
    UNVERIFIED = "unverified"
    FOREIGN = "foreign"


GLYPHS = dict(zip(State, "●✖◐○⊘▲◎◌◇", strict=True))
"""One glyph for each state: colour never carries meaning alone."""

ASCII_GLYPHS = dict(zip(State, "*x~o-^=?+", strict=True))
"""For terminals without Unicode."""


class Severity(str, Enum):
    """How bad a warning or event is."""

    INFO = "info"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Weights:
    """The three weights side by side; None where that place does not know the server."""

    file: int | None = None
    keepalived: int | None = None
    kernel: int | None = None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing in which the file, keepalived and the kernel disagree."""

    what: str
    """weight, forwarding, check, entry (in one table only), file (not reloaded); of a service
    also scheduler, persistence, netmask, one-packet."""
    text: str
    """What each of them says: `kernel weight 3, configured 10`."""
    by: str = ""
    """Who made it, as far as that is known: `alice`, with lvstui; `somebody`, by other means;
    empty: nobody in particular."""

    def __str__(self) -> str:
        # Who, first: a narrow column cuts the rest, which the weights beside it tell as well.
        return f"{self.by}: {self.text}" if self.by else self.text


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The last word of one checker about one real server."""

    checker: str
    ok: bool
    message: str
    at: float


@dataclass(frozen=True, slots=True, eq=False)
class ServerView:
    """One real server of one virtual service."""

    service: ServiceKey
    key: ServerKey
    name: str
    state: State
    since: float | None
    """Epoch seconds of the last change of `state`; None when it began before we looked."""
    reason: str
    """Why it is not plainly up, in one line: `TCP_CHECK connection refused`; else empty."""
    checker: str
    """The check that said so, `TCP_CHECK`; for a server that is up, the kinds it has."""
    weights: Weights
    forwarding: str
    active: int
    inactive: int
    rates: Rates | None
    """None while nothing is known (no root, not on screen yet)."""
    history: tuple[float, ...]
    """Connections per second, oldest first, one a tick, at most 60."""
    share_of_weight: float | None
    """0..1 of the service's kernel weight."""
    share_of_traffic: float | None
    """0..1 of the service's new connections (bytes when there are none)."""
    in_kernel: bool
    configured: ConfiguredServer | None = None
    detail: ServerDetail | None = None
    checks: tuple[CheckResult, ...] = ()
    """Newest first, a few."""
    sorry: bool = False
    """It is the sorry server."""
    differs: tuple[Disagreement, ...] = ()
    """In what file, keepalived and kernel disagree about it."""
    drain_left_s: float | None = None
    """Estimated seconds until a draining server has no connection left."""

    @property
    def id(self) -> tuple[ServiceKey, ServerKey]:
        """Its identity in every picture."""
        return self.service, self.key

    @property
    def differs_only(self) -> bool:
        """It takes traffic as it should, and yet something disagrees."""
        return bool(self.differs) and self.state in (State.UP, State.UNVERIFIED)

    @property
    def connections(self) -> int:
        """Connections that a drain has to wait for (`ipvs.unfinished`)."""
        return unfinished(self.service.protocol, self.active, self.inactive)

    @property
    def label(self) -> str:
        """Name or address, for prose."""
        return self.name or str(self.key)


def weight_mark(server: ServerView) -> str:
    """What stands behind the mark of a disagreement: the weight that nobody configured."""
    odd = any(one.what == "weight" for one in server.differs)
    return str(server.weights.kernel) if odd else ""


@dataclass(frozen=True, slots=True, eq=False)
class ServiceView:
    """One virtual service with its real servers."""

    key: ServiceKey
    name: str
    scheduler: str
    forwarding: str
    """The method of its servers, `mixed` when they differ."""
    persistence_s: int | None
    one_packet: bool
    servers: tuple[ServerView, ...]
    up: int
    """Real servers whose state is `up`; those in another state may take connections as well."""
    quorum: int
    quorum_ok: bool
    severity: Severity
    reason: str
    """What is wrong, in a few words; empty when all is well."""
    active: int
    inactive: int
    rates: Rates | None
    history: tuple[float, ...]
    in_kernel: bool
    configured: ConfiguredService | None = None
    kernel: KernelService | None = None
    counters: Counters | None = None
    sorry_active: bool = False
    """The sorry server is answering."""
    differs: tuple[Disagreement, ...] = ()
    """In what the file and the kernel disagree about the service itself."""
    vip_here: bool | None = None
    """Its address is on an interface of this host; None when unknown (firewall mark)."""

    @property
    def pool(self) -> int:
        """Real servers that are meant to serve: all but the sorry server."""
        return sum(not server.sorry for server in self.servers)


@dataclass(frozen=True, slots=True)
class VridClash:
    """Somebody sends adverts with the VRID of an instance and other addresses than its."""

    address: str
    priority: int
    vips: tuple[str, ...]
    peer: bool = False
    """It is known as a director of this very instance: their lists of addresses differ."""


@dataclass(frozen=True, slots=True)
class RivalView:
    """Somebody else who speaks for a virtual address and must not."""

    address: str
    mac: str
    host: str
    """Name or address of who has that MAC; empty: nobody knows."""
    how: str
    """What he did last, as in `AddressClaimed`."""
    first: float
    last: float
    here: bool
    """The address is on this host."""
    server: bool = False
    """It is a real server."""


@dataclass(frozen=True, slots=True)
class StrayView:
    """Packets for a virtual address that arrive at this host, which does not hold it."""

    address: str
    clients: tuple[str, ...]
    more: bool
    """There are other clients, too."""
    since: float
    last: float


@dataclass(frozen=True, slots=True)
class OwnersView:
    """Who answered for a virtual address when this host asked."""

    address: str
    at: float
    here: bool
    owners: tuple[tuple[str, str], ...]
    """(MAC, name or address of the host; empty: not known), without this host."""
    trouble: str = ""
    """Why nobody could be asked; empty: it was asked."""


@dataclass(frozen=True, slots=True)
class InstanceView:
    """One VRRP instance of this host, and whom it hears."""

    name: str
    state: str
    """MASTER, BACKUP, FAULT, INIT, STOP or `unknown`."""
    source: str
    """What says so: fifo, dbus, log, dump, address (the VIP is here), wire."""
    interface: str
    vrid: int
    priority: int | None
    """Effective."""
    base_priority: int | None
    vips: tuple[str, ...]
    vips_here: tuple[str, ...]
    """Those that are on an interface of this host."""
    since: float | None
    sync_group: str = ""
    version: int = 2
    advert_interval_s: float = 1.0
    master_address: str = ""
    """Who was heard as MASTER last (this host's own address when it is)."""
    master_priority: int | None = None
    last_advert: float | None = None
    """Epoch seconds of the last advert seen on the wire."""
    adverts_ok: bool | None = None
    """True: on time; False: none within the master-down interval; None: not listening."""
    others: tuple[tuple[str, int], ...] = ()
    """(address, priority) of every other sender heard lately: split brain when we are MASTER."""
    clashes: tuple[VridClash, ...] = ()
    """Adverts with its VRID for other addresses: nobody's word about this instance."""
    own_heard: bool = True
    """False: it is MASTER, what this host sends is heard, and there is no advert of its own."""
    stats: InstanceStats | None = None
    meant: str = ""
    """Its state in the file; empty: not known."""


@dataclass(frozen=True, slots=True)
class DaemonView:
    """keepalived on this host in a few words."""

    installed: bool | None = None
    running: bool | None = None
    version: str = ""
    pid: int = 0
    started: float | None = None
    loaded_is_file: bool | None = None
    """The configuration it runs is the one on disk; None when that cannot be known."""
    config_file: str = ""
    beside: tuple[int, ...] = ()
    """Parents of other daemons that work on the same table."""
    elsewhere: tuple[int, ...] = ()
    """Parents of daemons in other network namespaces."""
    processes: tuple[ProcessState, ...] = ()
    """Its parent and children; empty: not looked at."""


@dataclass(frozen=True, slots=True)
class Warning:
    """Something that an operator should know now."""

    severity: Severity
    text: str
    service: ServiceKey | None = None
    server: ServerKey | None = None
    id: str = ""
    """Stable while it lasts."""
    ends: str = ""
    """What is said when it is over. With it, its begin and its end are events."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the events pane."""

    at: float
    host: str
    severity: Severity
    text: str
    kind: str = ""
    """server, service, vrrp, address, daemon, operation, config."""
    service: ServiceKey | None = None
    server: ServerKey | None = None
    past: bool = False
    """Read back from before lvstui started."""


@dataclass(frozen=True, slots=True)
class Gap:
    """What cannot be seen here, said once."""

    source: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Cost:
    """What lvstui itself costs this host."""

    cpu_share: float | None = None
    """0..1 of one core, over the last ticks; None: not measured yet."""
    resident_bytes: int = 0
    """0: not measured yet."""
    tick_ms: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Everything that is known about one director at one moment."""

    at: float
    host: str
    services: tuple[ServiceView, ...] = ()
    instances: tuple[InstanceView, ...] = ()
    daemon: DaemonView = field(default_factory=DaemonView)
    warnings: tuple[Warning, ...] = ()
    events: tuple[Event, ...] = ()
    """Oldest first, bounded."""
    gaps: tuple[Gap, ...] = ()
    cost: Cost = field(default_factory=Cost)
    ready: bool = False
    """The first read of the kernel table has come (or is known to be impossible)."""
    table_readable: bool = False
    interval_s: float = 1.0
    sysctls: tuple[tuple[str, str], ...] = ()
    """Kernel settings that matter here: (name, value)."""
    changes: tuple[ChangeStands, ...] = ()
    """What lvstui changed in keepalived.conf, as this host remembers it, newest first."""
    files: ConfigFiles | None = None
    """The files of the configuration on disk; None: not judged yet, or not readable."""
    silent: Mapping[str, float] = field(default_factory=dict)
    """Sources that have not ended a look for too long: epoch of the last one."""
    lag_s: float = 0.0
    """Age of the oldest observation that is not in this picture yet; `at` is as old."""
    overruns: tuple[tuple[str, int], ...] = ()
    """What was left out lately because too much came, and how many."""
    rivals: tuple[RivalView, ...] = ()
    """Who else speaks for a virtual address, by ARP and neighbour discovery."""
    owners: tuple[OwnersView, ...] = ()
    """What came of the last question who has each virtual address; only when somebody asked."""
    strays: tuple[StrayView, ...] = ()
    looks: Mapping[str, Look] = field(default_factory=dict)
    """The last look at each real server, by address; nothing here looks by itself."""
    packets: PacketView = field(default_factory=PacketView)
    """The way that packets take."""

    def sysctl(self, name: str) -> str:
        """The value of `net.ipv4.vs.…`; empty when it is not known."""
        return dict(self.sysctls).get(name, "")

    def service(self, key: ServiceKey) -> ServiceView | None:
        return next((s for s in self.services if s.key == key), None)

    def server(self, service: ServiceKey, key: ServerKey) -> ServerView | None:
        found = self.service(service)
        return next((r for r in found.servers if r.key == key), None) if found else None
