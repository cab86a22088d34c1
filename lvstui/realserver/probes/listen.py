"""Listening for hosts that speak for a VIP and must not, without asking anything.

Catches what no question provokes: a real server with arp_announce below 2 puts the VIP as sender
into its own ARP requests, and everybody who hears such a broadcast sends the VIP's traffic there.
Heard are broadcasts and what is sent to this host; an answer that a switch hands to another host
alone is not.
"""

from __future__ import annotations

import contextlib
import selectors
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from lvstui.realserver.probes.asking import Expectation, claim
from lvstui.realserver.probes.frames import ETH_P_ARP, ETH_P_IPV6, REPLY, Arp
from lvstui.realserver.probes.links import Network, address_of, read_network
from lvstui.realserver.probes.raw import ADVERTISEMENTS, Heard, Wire
from lvstui.realserver.probes.results import CannotProbe, Unavailable

KEPT = 1000
"""Sightings kept of each kind, right and wrong; later ones are still counted and told."""
_LOOK_S = 0.25
_FRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """One frame in which somebody spoke for a VIP."""

    at: float
    """Unix time, seconds."""
    interface: str
    vip: str
    mac: str
    how: str
    """`asks for 10.10.0.9`, `answers 10.10.0.9`, `announces`, `advertises`."""
    who: str
    """A known name, or the MAC."""
    wrong: bool | None
    """None: it cannot be told, the MAC may be the owner's."""

    @property
    def text(self) -> str:
        """`rs3 10.10.0.5 asks for 10.10.0.9 as 10.10.0.20`."""
        return f"{self.who} {self.how} as {self.vip} on {self.interface}"


class ListenState(str, Enum):
    """What listening brought."""

    QUIET = "quiet"
    """Nobody spoke for a VIP who must not."""
    LEAK = "leak"
    """Somebody did."""


@dataclass(frozen=True, slots=True)
class Listened:
    """What was heard in some time."""

    state: ListenState
    text: str
    evidence: tuple[str, ...]
    seconds: float
    heard: int
    """ARP packets and neighbour advertisements in all: 0 makes silence a weak proof."""
    wrong: int
    """Frames that spoke for a VIP and must not have."""
    sightings: tuple[Sighting, ...]
    """The first `KEPT` that were wrong and the first `KEPT` others, in order of time."""


def watch(
    seconds: float,
    vips: Iterable[str],
    *,
    servers: Mapping[str, str] | None = None,
    expected: Mapping[str, str] | None = None,
    stop: threading.Event | None = None,
    tell: Callable[[Sighting], None] | None = None,
) -> Listened | Unavailable:
    """Listen on all interfaces for `seconds` (inf: until `stop` is set, seen within 250 ms).

    servers: MAC → name of the real servers. expected: MAC → name of the other directors. Who
    holds a VIP is looked at again while listening, so a failover does not make an offender of
    the new MASTER. tell: called in this thread for each sighting. Needs CAP_NET_RAW.
    """
    what = "nobody can listen for ARP"
    try:
        wanted = frozenset(address_of(vip, what) for vip in vips)
        ear = _Ear(wanted, _lower(servers), _lower(expected), tell)
        with Wire(what, "", ETH_P_ARP) as four:
            if any(":" in vip for vip in wanted):
                with Wire(what, "", ETH_P_IPV6, ADVERTISEMENTS) as six:
                    ear.listen((four, six), seconds, stop or threading.Event())
            else:
                ear.listen((four,), seconds, stop or threading.Event())
    except CannotProbe as error:
        return error.result
    return ear.result()


def _lower(names: Mapping[str, str] | None) -> dict[str, str]:
    return {mac.lower(): name for mac, name in (names or {}).items()}


class _Ear:
    """Counts and judges what is heard."""

    def __init__(
        self,
        vips: frozenset[str],
        servers: Mapping[str, str],
        expected: Mapping[str, str],
        tell: Callable[[Sighting], None] | None,
    ) -> None:
        self._vips, self._servers, self._expected, self._tell = vips, servers, expected, tell
        self._network: Network = read_network()
        self._read_at = time.monotonic()
        self._offences: list[Sighting] = []
        self._others: list[Sighting] = []
        self._heard = self._wrong = 0
        self._seconds = 0.0

    def listen(self, wires: tuple[Wire, ...], seconds: float, stop: threading.Event) -> None:
        start = time.monotonic()
        with selectors.DefaultSelector() as ready:
            for wire in wires:
                ready.register(wire, selectors.EVENT_READ, wire)
            while not stop.is_set():
                left = start + seconds - time.monotonic()
                if left <= 0:
                    break
                for key, _ in ready.select(min(left, _LOOK_S)):
                    heard = self._receive(key.data)
                    if heard is not None:
                        self._take(heard)
        self._seconds = time.monotonic() - start

    @staticmethod
    def _receive(wire: Wire) -> Heard | None:
        try:
            return wire.receive(time.monotonic() + 0.001)
        except CannotProbe:
            # An interface that goes down reports itself on every socket; the others go on.
            return None

    def _take(self, heard: Heard) -> None:
        claimed = claim(heard, replies_only=False)
        if claimed is None:
            return
        self._heard += 1
        vip, mac = claimed
        if vip not in self._vips:
            return
        if time.monotonic() - self._read_at > _FRESH_S:
            self._read_at = time.monotonic()
            with contextlib.suppress(CannotProbe):
                self._network = read_network()
        judge = Expectation(
            self._network.owns(vip), self._network.macs(), self._expected, self._servers
        )
        wrong = judge.offends(mac)
        sighting = Sighting(
            time.time(), heard.interface, vip, mac, _how(heard), judge.label(mac), wrong
        )
        self._wrong += bool(wrong)
        kept = self._offences if wrong else self._others
        if len(kept) < KEPT:
            kept.append(sighting)
        if self._tell is not None:
            self._tell(sighting)

    def result(self) -> Listened:
        wrong = self._offences
        who = sorted({sighting.who.partition(" ")[0] for sighting in wrong})
        lines = [f"listened {self._seconds:.1f} s, heard {self._heard} ARP packets"]
        lines += [f"{one.text} ({one.mac})" for one in wrong[:20]]
        return Listened(
            ListenState.LEAK if wrong else ListenState.QUIET,
            f"{', '.join(who)} speaks for the VIP" if wrong else "quiet",
            tuple(lines),
            self._seconds,
            self._heard,
            self._wrong,
            tuple(sorted(wrong + self._others, key=lambda one: one.at)),
        )


def _how(heard: Heard) -> str:
    arp = Arp.parse(heard.frame.payload) if heard.frame.kind == ETH_P_ARP else None
    if arp is None:
        return "advertises"
    if arp.announces:
        return "announces"
    return f"answers {arp.target}" if arp.operation == REPLY else f"asks for {arp.target}"
