"""Source "arp": who else says that a virtual address is his, and who answers when he is asked.

Two packet sockets, one for ARP and one for neighbour advertisements, each with a kernel filter that
lets in only what is said of our virtual addresses. What this host says itself is not heard. Adverts
may be blocked or forged: with whom the clients' packets arrive is decided by these messages.
"""

from __future__ import annotations

import contextlib
import queue
import select
import time
from collections.abc import Mapping, Sequence

from lvstui.model.facts import AddressClaimed, AddressOwner, Available, OwnersSeen
from lvstui.model.vrrp import HeldAddress, is_virtual_router
from lvstui.realserver.probes.asking import claim, exchange
from lvstui.realserver.probes.frames import ETH_P_ARP, ETH_P_IPV6, family, packed
from lvstui.realserver.probes.links import Network, asking_link, neighbours, read_network
from lvstui.realserver.probes.listen import how, receive
from lvstui.realserver.probes.raw import ADVERTISEMENTS, Step, Wire
from lvstui.realserver.probes.results import CannotProbe
from lvstui.sources.base import Context, Source

_WAIT_S = 0.1
"""How long a question may wait for its turn."""
_FRESH_S = 1.0
"""How old what is known of this host's interfaces and neighbours may be when a stranger speaks."""
_ALIKE_S = 1.0
"""The same claim again within this time is no news."""
_PER_S = 50
"""Claims a second that are told, so that a forged flood stays small."""
_REMEMBERED = 4096
_IN_FILTER = 1000
"""Addresses that a filter of the kernel compares (it takes 4096 steps)."""
_WHAT = "ARP can not be heard"


def spoken_of(vips: Sequence[str]) -> tuple[Step | str, ...]:
    """ARP whose sender is one of these addresses; all ARP when they are too many. Pure."""
    if len(vips) > _IN_FILTER:
        return ()
    return (("ld_word", 28), *_one_of(vips), ("return", 0))


def advertised(vips: Sequence[str]) -> tuple[Step | str, ...]:
    """Neighbour advertisements whose target ends like one of these addresses. Pure."""
    if len(vips) > _IN_FILTER:
        return ADVERTISEMENTS
    # A label behind a long list is out of reach: a jump goes 255 steps at most.
    return (
        ("ld_half", 12),
        ("equal", ETH_P_IPV6, "", "not"),
        ("ld_byte", 20),  # next header
        ("equal", 58, "", "not"),
        ("ld_byte", 54),  # ICMPv6 type
        ("equal", 136, "advertisement", "not"),
        "not",
        ("return", 0),
        "advertisement",
        ("ld_word", 74),  # the end of its target
        *_one_of(vips),
        ("return", 0),
    )


def _one_of(vips: Sequence[str]) -> list[Step | str]:
    steps: list[Step | str] = []
    words = dict.fromkeys(int.from_bytes(packed(vip)[-4:], "big") for vip in vips)
    for number, word in enumerate(words):
        steps += [("equal", word, "", f"next {number}"), ("return", 0xFFFF), f"next {number}"]
    return steps


class ClaimPace:
    """Which claims are worth a fact."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], float] = {}
        self._second = 0.0
        self._count = 0

    def allows(self, address: str, mac: str, now: float) -> bool:
        """Whether to tell it at `now` (monotonic seconds)."""
        if now - self._second >= 1.0:
            self._second, self._count = now, 0
        if self._count >= _PER_S or now - self._last.get((address, mac), -_ALIKE_S) < _ALIKE_S:
            return False
        if len(self._last) >= _REMEMBERED:
            self._last.clear()
        self._last[address, mac] = now
        self._count += 1
        return True


class ClaimsSource(Source):
    """Pushes `AddressClaimed` as it is heard, and `OwnersSeen` when it was told to ask."""

    name = "arp"

    def __init__(self) -> None:
        self._addresses: tuple[str, ...] = ()
        self._questions: queue.SimpleQueue[tuple[str, ...]] = queue.SimpleQueue()
        self._pace = ClaimPace()
        self._network: Network | None = None
        self._neighbours: Mapping[str, tuple[str, ...]] = {}
        self._read_at = 0.0

    def virtual(self, vips: tuple[HeldAddress, ...]) -> None:
        self._addresses = tuple(dict.fromkeys(vip.address for vip in vips))

    def ask_owners(self, vips: tuple[str, ...]) -> bool:
        self._questions.put(vips)
        return True

    def run(self, context: Context) -> None:
        """Opens its sockets anew whenever the addresses changed."""
        while not context.stop.is_set():
            addresses = self._addresses
            if not addresses:
                context.wait(0.1)
                continue
            try:
                with contextlib.ExitStack() as stack:
                    wires = [stack.enter_context(wire) for wire in _wires(addresses)]
                    self._read_network()
                    context.emit(self.name, Available(self.name))
                    self._listen(wires, addresses, context)
            except CannotProbe as error:
                context.missing(self.name, error.result.what, error.result.todo)
                return

    def _listen(self, wires: Sequence[Wire], addresses: tuple[str, ...], context: Context) -> None:
        ours = frozenset(addresses)
        while not context.stop.is_set() and self._addresses is addresses:
            for wire in select.select(wires, [], [], _WAIT_S)[0]:
                self._hear(wire, ours, context)
            with contextlib.suppress(queue.Empty):
                self._ask(self._questions.get_nowait(), context)

    def _hear(self, wire: Wire, ours: frozenset[str], context: Context) -> None:
        heard = receive(wire)
        claimed = claim(heard, replies_only=False) if heard is not None else None
        if heard is None or claimed is None or claimed[0] not in ours:
            return
        address, mac = claimed
        now = time.monotonic()
        if self._is_own(mac) or not self._pace.allows(address, mac, now):
            return
        if now - self._read_at > _FRESH_S:
            # A new interface of this host is no stranger.
            self._read_network()
            if self._is_own(mac):
                return
        hosts = self._hosts(mac, ours)
        context.emit(self.name, AddressClaimed(address, mac, heard.interface, how(heard), hosts))

    def _is_own(self, mac: str) -> bool:
        """Two masters with `use_vmac` have the same virtual MAC: what comes in from it was not sent
        by this host."""
        own = self._network.macs() if self._network is not None else frozenset()
        return mac in own and not is_virtual_router(mac)

    def _hosts(self, mac: str, ours: frozenset[str]) -> tuple[str, ...]:
        return tuple(a for a in self._neighbours.get(mac, ()) if a not in ours)

    def _read_network(self) -> None:
        self._read_at = time.monotonic()
        with contextlib.suppress(CannotProbe):
            self._network = read_network()
        self._neighbours = neighbours()

    def _ask(self, vips: tuple[str, ...], context: Context) -> None:
        """Ask each link for its addresses; takes a second for each."""
        places: dict[tuple[str, int], list[str]] = {}
        self._read_network()
        network = self._network
        for vip in vips:
            try:
                if network is None:
                    network = read_network()
                link = asking_link(vip, network, "", f"nobody can be asked for {vip}")
                places.setdefault((link.name, family(vip)), []).append(vip)
            except CannotProbe as error:
                context.emit(self.name, OwnersSeen(vip, "", trouble=error.result.text))
        for (name, _), asked in places.items():
            on = network.link(name) if network is not None else None
            if network is None or on is None:
                continue
            try:
                _, answers = exchange(network, on, asked, f"nobody can be asked on {name}")
            except CannotProbe as error:
                for vip in asked:
                    context.emit(self.name, OwnersSeen(vip, name, trouble=error.result.text))
                continue
            self._neighbours = neighbours()
            ours = frozenset(self._addresses)
            for vip in asked:
                macs = [answer.mac for answer in answers[vip] if not self._is_own(answer.mac)]
                owners = tuple(AddressOwner(mac, self._hosts(mac, ours)) for mac in macs)
                context.emit(self.name, OwnersSeen(vip, name, owners))


def _wires(addresses: Sequence[str]) -> list[Wire]:
    """One socket for each family that there is. Raises CannotProbe."""
    four = [address for address in addresses if ":" not in address]
    six = [address for address in addresses if ":" in address]
    wires = [Wire(_WHAT, "", ETH_P_ARP, spoken_of(four))] if four else []
    if six:
        wires.append(Wire(_WHAT, "", ETH_P_IPV6, advertised(six)))
    return wires
