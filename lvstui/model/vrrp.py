"""VRRP as it was seen: instances, adverts, transitions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstanceStats:
    """Counters of one instance since the daemon's start (keepalived.stats, JSON)."""

    adverts_received: int = 0
    adverts_sent: int = 0
    became_master: int = 0
    released_master: int = 0
    errors: tuple[tuple[str, int], ...] = ()
    """Every non-zero error counter, by keepalived's name."""


@dataclass(frozen=True, slots=True)
class InstanceSeen:
    """One VRRP instance in a dump of the daemon (JSON or keepalived.data)."""

    name: str
    state: str
    interface: str = ""
    vrid: int = 0
    version: int = 2
    base_priority: int = 0
    effective_priority: int = 0
    advert_interval_s: float = 1.0
    last_transition: float | None = None
    """Epoch seconds."""
    vips: tuple[str, ...] = ()
    """Canonical addresses without prefix."""
    sync_group: str = ""
    master_address: str = ""
    """Known on a BACKUP only (keepalived.data)."""
    master_priority: int = 0
    stats: InstanceStats | None = None


@dataclass(frozen=True, slots=True)
class Advert:
    """One VRRP advertisement on the wire (RFC 3768, RFC 9568)."""

    source: str
    """The sender's address."""
    interface: str
    vrid: int
    priority: int
    """0 = the sender leaves."""
    version: int
    interval_s: float
    vips: tuple[str, ...]
    outgoing: bool = False
    """True when this host sent it."""
    mac: str = ""
    """The frame's sender; empty when it has none of six bytes."""


@dataclass(frozen=True, slots=True)
class HeldAddress:
    """One virtual address of this host's instances, as it is now."""

    address: str
    interface: str
    """Of its instance."""
    here: bool
    """It is on an interface of this host."""
    on_loopback: bool = False
    """It is on the loopback: this host is a real server as well."""


def is_virtual_router(mac: str) -> bool:
    """Whether it is a VRRP virtual router's MAC (RFC 9568, section 7.3)."""
    return mac.startswith(("00:00:5e:00:01:", "00:00:5e:00:02:"))
