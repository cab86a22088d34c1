"""The way of the packets, judged by a sample of the connection table.

In Direct Routing the director sees the client's half of a connection only: SYN_RECV after the SYN,
ESTABLISHED with the ACK that a client sends once the real server has answered. So entries that stay
half open tell of SYNs that nobody answered. A server that has lost its VIP drops all of them; a
flood of SYNs leaves as many at each server, which is why a verdict needs siblings that fare better.

Pure and bounded: the newest sweep is kept, nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lvstui.model.connections import (
    AGES_S,
    SLICES,
    ConnectionCount,
    ConnectionSlice,
    Handshakes,
    StrandedFlows,
)
from lvstui.model.ipvs import KernelService
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.model.turns import Climb

ServerId = tuple[ServiceKey, ServerKey]
Kernel = Mapping[ServiceKey, KernelService]
WINDOWS_S = AGES_S[1:]
"""How far back is looked: no further than needed for a claim."""
LEAST = 8
"""Connections that a claim needs at least."""
HARDLY = 4
"""Times as many half open as established: "hardly ever"."""
KEPT_S = 60.0
"""A slice that is older tells nothing of now."""
HOLD_S = 10.0
"""A verdict stays for so long while a sample has too few connections for another."""
STRANDED_S = 3.0
"""The table and the sample are of different moments: so long a server has to be gone."""
MOST_ROWS = 2000
"""Of one slice, whoever wrote it."""
HALF_OPEN = "SYN_RECV"
ESTABLISHED = frozenset(("ESTABLISHED", "FIN_WAIT", "TIME_WAIT", "CLOSE_WAIT", "LAST_ACK", "CLOSE"))
"""States of a connection that was established. CLOSE is that of one that was refused under NAT as
well, which the service's own check finds."""
HASHES = frozenset(("sh", "dh", "mh", "lblc", "lblcr"))
"""Schedulers by which one client's connections all go to one server."""
SEVERAL = 3
"""Clients that a claim needs where each has a server of its own."""


@dataclass(frozen=True, slots=True)
class PacketView:
    """What is known of the way that packets take, as a picture has it."""

    handshakes: Mapping[ServerId, Handshakes] = field(default_factory=dict)
    """Of real servers whose newest connections were in the sample."""
    climbs: Mapping[ServerId, Climb] = field(default_factory=dict)
    """Real servers whose active connections climb away from their siblings'."""
    stranded: tuple[StrandedFlows, ...] = ()
    """Connections that still go to servers that are gone."""
    local: Mapping[str, bool] = field(default_factory=dict)
    """Addresses of services: whether the routes say that packets for them are for this host."""


@dataclass(slots=True)
class _HandshakeTally:
    """TCP connections to one server whose last packet lies within each of `WINDOWS_S`."""

    never: list[int] = field(default_factory=lambda: [0] * len(WINDOWS_S))
    """Half open. A SYN of the last two seconds may still be on its way, and is left out."""
    made: list[int] = field(default_factory=lambda: [0] * len(WINDOWS_S))
    clients: int = 0
    """That have half-open connections."""

    def count(self, row: ConnectionCount, age_s: float) -> None:
        """Add entries that were seen `age_s` ago: to no window that is over since."""
        if row.state == HALF_OPEN:
            counts, first = self.never, 1
            self.clients = max(self.clients, row.clients)
        elif row.state in ESTABLISHED:
            counts, first = self.made, 0
        else:
            return
        for index, window in enumerate(WINDOWS_S):
            if age_s <= window:
                counts[index] += sum(max(count, 0) for count in row.ages[first : index + 2])


class PacketWays:
    """What the sample tells of every real server. One thread uses it."""

    def __init__(self) -> None:
        self._slices: dict[int, tuple[float, tuple[ConnectionCount, ...]]] = {}
        self._arrived: dict[ServerId, float] = {}
        self._lost_at: dict[ServerId, float] = {}
        """When that was seen last of servers with a verdict."""
        self._gone_since: dict[tuple[str, ServerKey, ServerKey], float] = {}
        self._new = False
        self.local: Mapping[str, bool] = {}
        """Addresses of services: whether packets for them are for this host."""
        self.handshakes: Mapping[ServerId, Handshakes] = {}
        self.stranded: tuple[StrandedFlows, ...] = ()
        self.flooded: Mapping[ServiceKey, tuple[int, int, int]] = {}
        """Services all of whose servers have mostly half-open connections: never, of, seconds."""

    # -- taking in

    def sampled(self, seen: ConnectionSlice, at: float) -> None:
        """A slice takes the place of the one that was there in the sweep before."""
        if not 0 <= seen.position < SLICES:
            return
        self._slices[seen.position] = (at, seen.rows[:MOST_ROWS])
        if seen.last:
            for position in [p for p in self._slices if p > seen.position]:
                del self._slices[position]
        self._new = True

    def routed(self, addresses: Iterable[tuple[str, bool]], living: Iterable[ServiceKey]) -> None:
        """What the routes say of some addresses."""
        known = {key.address for key in living}
        self.local = {
            **{one: yes for one, yes in self.local.items() if one in known},
            **dict(addresses),
        }

    def arrived(
        self, changed: Iterable[tuple[KernelService | None, KernelService]], at: float
    ) -> None:
        """Services (before, after) whose servers or weights changed."""
        for old, service in changed:
            before = {d.key: d.weight for d in old.destinations} if old is not None else {}
            for destination in service.destinations:
                if destination.weight and not before.get(destination.key):
                    self._arrived[service.key, destination.key] = at
        if len(self._arrived) > MOST_ROWS:
            late = at - KEPT_S
            self._arrived = {server: when for server, when in self._arrived.items() if when > late}

    # -- giving out

    def judge(self, kernel: Kernel, now: float) -> bool:
        """Bring all of it up to date; False when nothing new was sampled."""
        old = [p for p, (at, _) in self._slices.items() if not now - KEPT_S <= at <= now + KEPT_S]
        for position in old:
            del self._slices[position]
        if not self._new and not old:
            return False
        self._new = False
        tallies: dict[ServiceKey, dict[ServerKey, _HandshakeTally]] = {}
        stranded: dict[tuple[str, ServerKey, ServerKey], tuple[int, int]] = {}
        places = _Places(kernel)
        for at, rows in self._slices.values():
            for row in rows:
                service, server = places.find(row)
                if server is not None:
                    if service is not None and row.protocol == "tcp":
                        servers = tallies.setdefault(service, {})
                        servers.setdefault(server, _HandshakeTally()).count(row, now - at)
                elif (found := _stranded(row)) is not None:
                    place = (row.protocol, row.virtual, row.server)
                    entries, living = stranded.get(place, (0, 0))
                    stranded[place] = (entries + found[0], living + found[1])
        self.handshakes, self.flooded = self._handshakes(tallies, kernel, now)
        self._lost_at = {s: at for s, at in self._lost_at.items() if now - at <= HOLD_S}
        self._gone_since = {p: self._gone_since.get(p, now) for p in stranded}
        self.stranded = tuple(
            StrandedFlows(*place, entries, living)
            for place, (entries, living) in sorted(stranded.items())
            if now - self._gone_since[place] >= STRANDED_S
        )
        return True

    def _handshakes(
        self,
        tallies: Mapping[ServiceKey, Mapping[ServerKey, _HandshakeTally]],
        kernel: Kernel,
        now: float,
    ) -> tuple[dict[ServerId, Handshakes], dict[ServiceKey, tuple[int, int, int]]]:
        found: dict[ServerId, Handshakes] = {}
        flooded: dict[ServiceKey, tuple[int, int, int]] = {}
        for key, servers in tallies.items():
            service = kernel[key]
            weights = {d.key: d.weight for d in service.destinations}
            judged = {
                server: self._judge(service, server, servers, weights, now)
                for server in servers
                if weights[server]
            }
            found.update(((key, server), seen) for server, seen in judged.items() if seen)
            for server in weights:
                was, seen = self.handshakes.get((key, server)), judged.get(server)
                undecided = seen is None or seen.of < LEAST or not seen.siblings
                # A sample may have too few of them, for a moment.
                recent = now - self._lost_at.get((key, server), 0.0) <= HOLD_S
                if was is not None and was.lost and undecided and weights[server] and recent:
                    found[key, server] = was
            flood = _flood([seen for seen in judged.values() if seen])
            if flood is not None:
                flooded[key] = flood
        return found, flooded

    def _judge(
        self,
        service: KernelService,
        server: ServerKey,
        servers: Mapping[ServerKey, _HandshakeTally],
        weights: Mapping[ServerKey, int],
        now: float,
    ) -> Handshakes | None:
        """In the shortest window with enough connections; None without any."""
        steady_s = now - self._arrived.get((service.key, server), 0.0)
        own, seen = servers[server], None
        was = self.handshakes.get((service.key, server))
        split = service.persistence_s is not None or service.scheduler in HASHES
        for index, window in enumerate(WINDOWS_S):
            if window > steady_s:
                break
            never, made = own.never[index], own.made[index]
            if not never + made:
                continue
            others = {
                other: (tally.never[index], tally.made[index])
                for other, tally in servers.items()
                if other != server and weights[other]
            }
            siblings = tuple((o, half, half + full) for o, (half, full) in sorted(others.items()))
            seen = Handshakes(never, never + made, window, False, siblings)
            if never + made < LEAST or not any(full >= LEAST for _, full in others.values()):
                continue
            fares_better = any(
                full >= LEAST and full * weights[server] >= HARDLY * made * weights[other]
                for other, (_, full) in others.items()
            )
            if was is not None and was.lost:
                # Being so once, it stays so until as many get established as do not.
                lost = never >= made
            else:
                lost = never >= LEAST and never >= HARDLY * made and fares_better
            lost = lost and not (split and own.clients < SEVERAL)
            if lost:
                self._lost_at[service.key, server] = now
            return replace(seen, lost=lost)
        return seen


def _stranded(row: ConnectionCount) -> tuple[int, int] | None:
    """(entries, living) of a row whose server is gone; None when its client does not mind."""
    entries = sum(max(count, 0) for count in row.ages)
    if row.protocol == "udp":
        return entries, max(row.living, 0)
    if row.protocol == "tcp" and row.state in (HALF_OPEN, "ESTABLISHED"):
        return entries, sum(max(count, 0) for count in row.ages[: len(AGES_S)])
    return None


def _flood(servers: list[Handshakes]) -> tuple[int, int, int] | None:
    """Never, of and seconds, when most connections to every server of which something is known
    stay half open, so that it is not for one of them; None when they do not."""
    known = [seen for seen in servers if seen.of >= LEAST]
    if not known or any(seen.lost or 2 * seen.never < seen.of for seen in known):
        return None
    never = sum(seen.never for seen in known)
    if never < 2 * LEAST:
        return None
    return never, sum(seen.of for seen in known), max(seen.window_s for seen in known)


class _Places:
    """Finds the service and server of an entry in the table."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._servers: dict[ServiceKey, set[ServerKey]] = {}
        self._marked: dict[str, set[ServerId]] | None = None

    def find(self, row: ConnectionCount) -> tuple[ServiceKey | None, ServerKey | None]:
        """Either is None when there is none, or none that is certain."""
        address, port = row.virtual.address, row.virtual.port
        for each in (port, 0):
            key = ServiceKey(row.protocol, address, each, 0, row.virtual.family)
            service = self._kernel.get(key)
            if service is not None:
                servers = self._servers.get(key)
                if servers is None:
                    servers = self._servers[key] = {d.key for d in service.destinations}
                return key, next((one for one in _spellings(row.server) if one in servers), None)
        return self._by_mark(row.server)

    def _by_mark(self, server: ServerKey) -> tuple[ServiceKey | None, ServerKey | None]:
        if self._marked is None:
            self._marked = {}
            for service in self._kernel.values():
                if service.key.protocol == "fwmark":
                    for d in service.destinations:
                        self._marked.setdefault(d.key.address, set()).add((service.key, d.key))
        found = [
            pair
            for pair in self._marked.get(server.address, ())
            if pair[1].port in (server.port, 0)
        ]
        return found[0] if len(found) == 1 else (None, server if found else None)


def _spellings(server: ServerKey) -> Iterator[ServerKey]:
    """As the table may have it: with its port, or with that of every service."""
    yield server
    yield ServerKey(server.address, 0)
