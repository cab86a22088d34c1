"""The kernel's IPVS table as it was seen at one moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeVar

from lvstui.model.keys import ServerKey, ServiceKey


def unfinished(protocol: str, active: int, inactive: int) -> int:
    """Connections that a drain has to wait for.

    For TCP and SCTP the active ones: in Direct Routing the director sees the client's half only,
    and what counts as inactive is closed or closing and merely waits for its time-out. UDP has no
    such state: every entry counts.
    """
    return active if protocol in ("tcp", "sctp") else active + inactive


FORWARDING = {"Route": "DR", "Masq": "NAT", "Tunnel": "TUN", "Local": "LOCAL", "Bypass": "BYPASS"}
"""The kernel's words for forwarding methods (ip_vs_fwd_name) and the field's."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One real server of one virtual service in the kernel."""

    key: ServerKey
    forwarding: str
    """DR, NAT, TUN, LOCAL or BYPASS."""
    weight: int
    """0 = no new connections (quiesced)."""
    active: int
    """ActiveConn: TCP connections in ESTABLISHED, SYN_RECV or SYN_SENT (ip_vs_proto_tcp.c,
    tcp_state_active_table): a client that never finished its handshake counts for a minute."""
    inactive: int
    """InActConn: every other connection entry (all UDP entries among them)."""


@dataclass(frozen=True, slots=True, eq=False)
class KernelService:
    """One virtual service in the kernel. Compared by identity: an unchanged service keeps
    its object from one read to the next, which is what makes a tick cheap."""

    key: ServiceKey
    scheduler: str
    one_packet: bool
    persistence_s: int | None
    """Persistence time-out in seconds, None when not persistent."""
    netmask: str
    """Persistence granularity: dotted mask for IPv4, `/LEN` for IPv6; empty when not persistent."""
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True, eq=False)
class KernelTable:
    """All of the kernel's table at one moment."""

    services: tuple[KernelService, ...]
    version: str = ""
    """IPVS version as the kernel prints it, e.g. 1.2.1."""
    size: int = 0
    """Connection hash buckets."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Cumulative 64-bit counters since the object was created."""

    connections: int = 0
    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


@dataclass(frozen=True, slots=True)
class ServerDetail:
    """What only netlink tells about a real server."""

    counters: Counters
    upper_threshold: int = 0
    """Most connections before the kernel stops scheduling to it; 0 = none."""
    lower_threshold: int = 0
    """Fewest connections before it schedules again; 0 = three quarters of upper."""
    persistent: int = 0
    """Persistence templates that point here."""
    tunnel: str = ""
    """ipip, gue or gre for TUN."""


@dataclass(frozen=True, slots=True, eq=False)
class ServiceCounters:
    """One virtual service as netlink showed it."""

    service: ServiceKey
    counters: Counters
    servers: tuple[tuple[ServerKey, ServerDetail], ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """Per-second rates over the last interval, never negative."""

    connections: float = 0.0
    packets_in: float = 0.0
    packets_out: float = 0.0
    bytes_in: float = 0.0
    bytes_out: float = 0.0


numbers_of = attrgetter(*Counters.__dataclass_fields__)
"""The five numbers of `Counters` or of `Rates`, which have the same names."""
_Five = TypeVar("_Five", Counters, Rates)


def summed(kind: type[_Five], many: Iterable[_Five]) -> _Five:
    """The sum of each number; of none all are zero."""
    return kind(*map(sum, zip(*map(numbers_of, many), strict=True)))
