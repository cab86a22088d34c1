"""Entries of the kernel's connection table, counted."""

from __future__ import annotations

from dataclasses import dataclass

from lvstui.model.keys import ServerKey

AGES_S = (2, 5, 10, 20, 40)
"""Edges, in seconds, of the groups that entries are counted in by the age of their last packet."""
SLICES = 8
"""Looks that make a sweep at most: what is behind them is not read."""


@dataclass(frozen=True, slots=True)
class ConnectionCount:
    """Entries of one virtual service to one real server in one state."""

    protocol: str
    """tcp, udp, sctp; ip for some templates of persistence."""
    virtual: ServerKey
    """Where clients sent it: never a firewall mark, but what was marked."""
    server: ServerKey
    state: str
    """The kernel's word: SYN_RECV, ESTABLISHED, FIN_WAIT, UDP …"""
    ages: tuple[int, ...]
    """Entries whose last packet came less than 2 s ago, less than 5 s (`AGES_S`) …; the last:
    longer ago than any of these."""
    clients: int = 0
    """Different clients among them, counted up to eight."""
    living: int = 0
    """UDP: those that had packets at several times, so that their client keeps its port."""


@dataclass(frozen=True, slots=True)
class ConnectionSlice:
    """A part of the table, as one look saw it."""

    position: int
    """In its sweep, from 0."""
    last: bool
    """The sweep ends with it: at the table's end, or at what may be read of it."""
    rows: tuple[ConnectionCount, ...]


@dataclass(frozen=True, slots=True)
class Handshakes:
    """What became of the newest TCP connections to one real server."""

    never: int
    """Half open: more than two seconds after the client's last packet still not established."""
    of: int
    """Those, and the established ones."""
    window_s: int
    """How far back their last packets lie."""
    lost: bool = False
    """They hardly ever get established, while those to its siblings do."""
    siblings: tuple[tuple[ServerKey, int, int], ...] = ()
    """The other real servers of the service: never, of."""


@dataclass(frozen=True, slots=True)
class StrandedFlows:
    """Connections whose real server is not in the kernel's table any more."""

    protocol: str
    virtual: ServerKey
    server: ServerKey
    entries: int
    """TCP: established or half open; UDP: all."""
    living: int
    """Those that had packets lately, or (UDP) whose client keeps its port."""
