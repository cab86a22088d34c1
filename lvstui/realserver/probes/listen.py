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
from collections.abc import Mapping, Sequence

from lvstui.model.text import plain
from lvstui.realserver.probes.asking import Expectation, claim, macs_of
from lvstui.realserver.probes.frames import ETH_P_ARP, ETH_P_IPV6, REPLY, Arp
from lvstui.realserver.probes.links import address_of, read_network
from lvstui.realserver.probes.raw import ADVERTISEMENTS, Heard, Wire
from lvstui.realserver.probes.results import CannotProbe

KEPT = 1000
"""Different offences that are told."""
_LOOK_S = 0.25
_FRESH_S = 1.0


class ArpListener:
    """Listens on all interfaces, in a thread of its own, as long as the `with` block lasts: nobody
    but the master may speak for a VIP. Needs CAP_NET_RAW; never raises for the lack of it.

    Who holds a VIP is looked at again while listening, so a failover does not make an offender of
    the new MASTER.
    """

    def __init__(self, vips: Sequence[str], servers: Mapping[str, str]) -> None:
        """servers: address → name of the real servers."""
        self._vips, self._servers = vips, servers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="arp-ear", daemon=True)
        self._names: dict[str, str] = {}
        self._wrong: dict[str, None] = {}
        self._speakers: set[str] = set()
        self._heard = 0
        self.words = ""
        """How well was listened, once it is over; empty when it was not."""

    def __enter__(self) -> ArpListener:
        if self._vips:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._vips:
            self._thread.join(10)

    @property
    def wrong(self) -> tuple[str, ...]:
        """Who spoke and should not have: `rs3 asks for 10.10.0.9 as 10.10.0.20 on eth0`."""
        return tuple(self._wrong)

    def _run(self) -> None:
        found = macs_of(list(self._servers))
        self._names = {
            mac: name
            for address, name in self._servers.items()
            for mac in getattr(found[address], "macs", ())
        }
        what = "nobody can listen for ARP"
        try:
            vips = frozenset(address_of(vip, what) for vip in self._vips)
            with contextlib.ExitStack() as stack:
                wires = [stack.enter_context(Wire(what, "", ETH_P_ARP))]
                if any(":" in vip for vip in vips):
                    wires.append(stack.enter_context(Wire(what, "", ETH_P_IPV6, ADVERTISEMENTS)))
                seconds = self._listen(wires, vips)
        except CannotProbe as error:
            self.words = error.result.text
            return
        who = f"{', '.join(sorted(self._speakers))} speaks for the VIP" if self._wrong else "quiet"
        self.words = f"{self._heard} ARP packets heard in {seconds:.0f} s: {who}"

    def _listen(self, wires: Sequence[Wire], vips: frozenset[str]) -> float:
        """Until it is stopped; for how many seconds. Raises CannotProbe."""
        network = read_network()
        start = read_at = time.monotonic()
        with selectors.DefaultSelector() as ready:
            for wire in wires:
                ready.register(wire, selectors.EVENT_READ, wire)
            while not self._stop.is_set():
                for key, _ in ready.select(_LOOK_S):
                    heard = receive(key.data)
                    claimed = claim(heard, replies_only=False) if heard is not None else None
                    if heard is None or claimed is None:
                        continue
                    self._heard += 1
                    vip, mac = claimed
                    if vip not in vips:
                        continue
                    if time.monotonic() - read_at > _FRESH_S:
                        read_at = time.monotonic()
                        with contextlib.suppress(CannotProbe):
                            network = read_network()
                    judge = Expectation(network.owns(vip), network.macs(), {}, self._names)
                    if judge.offends(mac) and len(self._wrong) < KEPT:
                        who = judge.label(mac)
                        self._speakers.add(who.partition(" ")[0])
                        said = f"{who} {how(heard)} as {vip} on {heard.interface}"
                        self._wrong[plain(said)] = None
        return time.monotonic() - start


def receive(wire: Wire) -> Heard | None:
    """What is there now; None also where a link goes down meanwhile."""
    try:
        return wire.receive(time.monotonic() + 0.001)
    except CannotProbe:
        # An interface that goes down reports itself on every socket; the others go on.
        return None


def how(heard: Heard) -> str:
    """`asks for 10.10.0.9`, `answers 10.10.0.9`, `announces`, `advertises`."""
    arp = Arp.parse(heard.frame.payload) if heard.frame.kind == ETH_P_ARP else None
    if arp is None:
        return "advertises"
    if arp.announces:
        return "announces"
    return f"answers {arp.target}" if arp.operation == REPLY else f"asks for {arp.target}"
