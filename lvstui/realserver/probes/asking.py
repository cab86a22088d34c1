"""Who answers ARP (or neighbour discovery) for an address.

For a VIP: in Direct Routing every real server holds it and only the director may answer for it. An
answer by a real server takes traffic past the director, now or when some client's entry expires.
Neighbour tables cannot show it (they keep one winner), asking can. What cannot be seen: hosts
behind a filter that answers ARP itself (EVPN suppression, cloud fabrics), private VLANs.

For a real server: its MAC, and whether it is on the director's own link at all.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import TypeVar

from lvstui.kernel.rtnetlink import Link
from lvstui.model.text import plain
from lvstui.model.vrrp import is_virtual_router
from lvstui.realserver.probes.frames import (
    ADVERTISEMENT,
    ETH_P_ARP,
    ETH_P_IPV6,
    REPLY,
    Arp,
    Neighbour,
    family,
    who_has,
)
from lvstui.realserver.probes.links import (
    Network,
    address_of,
    asking_link,
    reach,
    read_network,
    usable,
)
from lvstui.realserver.probes.raw import ADVERTISEMENTS, Heard, Wire
from lvstui.realserver.probes.results import CannotProbe, Unavailable

TRIES = 3
WAIT_S = 0.25
"""How long to collect after each question; answers come within a millisecond, hosts that sleep or
rate-limit take longer."""
MACS = 64
"""Most MACs kept for one address: more is a flood, not a finding."""
_GAP_S = 0.002
"""Between two questions of one round: 500 broadcasts a second is what a quiet LAN shrugs off."""

Result = TypeVar("Result")
Pairs = Sequence[tuple[str, str]]
"""Addresses of one family, each as it was given and in its one written form."""


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """One MAC that answered for an address."""

    mac: str
    """The sender's MAC inside the message: that is what neighbour tables learn."""
    frame_mac: str
    """The frame's own source; another one points to a bond, a proxy or a forgery."""
    times: int
    after_ms: float
    """From the question to its first answer, milliseconds."""

    @property
    def words(self) -> str:
        """`3 times, first after 0.4 ms`."""
        return f"{self.times} times, first after {self.after_ms:.1f} ms"


# Asking for VIPs


@dataclass(frozen=True, slots=True)
class ArpAnswers:
    """Who answered for a VIP."""

    vip: str
    answers: tuple[ProbeAnswer, ...]
    """Everybody but this host's own interfaces, in order of arrival."""
    evidence: tuple[str, ...]


def ask_all(
    vips: Sequence[str],
    interface: str = "",
    *,
    servers: Mapping[str, str] | None = None,
    directors: Mapping[str, str] | None = None,
) -> dict[str, ArpAnswers | Unavailable]:
    """Ask the link who has each VIP, and say who must not have answered; keyed as given.

    interface: where to ask; found out for each when empty. A VMAC link stands for its base.
    servers, directors: address → name of the real servers and of the other directors. When
    somebody answers, each is asked for its own address to find out whose MAC that is.

    Where this host holds the VIP every answer offends. Elsewhere one answer is expected, by a
    director's MAC if any is known, else by one that is no real server's. Blocks `TRIES` times
    `WAIT_S` for each interface, twice that when hosts have to be told apart. Needs CAP_NET_RAW;
    never raises for what the host or the link lacks.
    """

    def place(vip: str, network: Network, what: str) -> Link | ArpAnswers:
        return asking_link(vip, network, interface, what)

    def ask(network: Network, link: Link, pairs: Pairs) -> dict[str, ArpAnswers]:
        return _ask_vips(network, link, pairs, (directors or {}, servers or {}))

    return _on_links(vips, "nobody can be asked for {}", place, ask)


def _ask_vips(
    network: Network, link: Link, pairs: Pairs, hosts: tuple[Mapping[str, str], Mapping[str, str]]
) -> dict[str, ArpAnswers]:
    """hosts: directors, servers."""
    what = f"nobody on {link.name} can be asked for a VIP"
    vips = [vip for _, vip in pairs]
    how, found = exchange(network, link, vips, what)
    own = network.macs()
    answers = {vip: tuple(answer for answer in found[vip] if answer.mac not in own) for vip in vips}
    names: list[dict[str, str]] = [{}, {}]
    same = [one for some in hosts for one in some if family(one) == family(vips[0])]
    if same and any(answers.values()):
        _, replies = exchange(network, link, same, what)
        names = [
            {a.mac: f"{some[one]} {one}" for one in some for a in replies.get(one, ())}
            for some in hosts
        ]
    return {
        given: judge(vip, how, answers[vip], Expectation(network.owns(vip), own, *names), network)
        for given, vip in pairs
    }


def judge(
    vip: str, how: str, answers: tuple[ProbeAnswer, ...], expectation: Expectation, network: Network
) -> ArpAnswers:
    """What the answers mean. Pure."""
    verdicts = {answer.mac: expectation.offends(answer.mac) for answer in answers}
    owner_answers = False in verdicts.values()
    lines = [f"who has {vip}: {how}"]
    if expectation.owned:
        places = ", ".join(f"{link.name} ({link.mac})" for link in network.holders(vip))
        lines.append(f"this host holds it on {places}: nobody else may answer")
    for answer in answers:
        line = f"answered by {expectation.long_label(answer.mac)} {answer.words}"
        if answer.frame_mac != answer.mac:
            line += f", in frames from {answer.frame_mac}"
        wrong = verdicts[answer.mac]
        # One legitimate owner is enough: whoever else answers is not it.
        if wrong is None:
            wrong = owner_answers
        lines.append(line + (": it must not" if wrong else ""))
    if not answers:
        lines.append("no answer")
    return ArpAnswers(vip, answers, tuple(lines))


@dataclass(frozen=True, slots=True)
class Expectation:
    """Who may speak for a VIP."""

    owned: bool
    """This host holds it: nobody else may."""
    own: frozenset[str]
    """This host's MACs."""
    expected: Mapping[str, str]
    """MAC → name of hosts that may hold it (the other directors)."""
    servers: Mapping[str, str]
    """MAC → name of hosts that must not speak for it (the real servers)."""

    def offends(self, mac: str) -> bool | None:
        """Whether a claim by this MAC is wrong; None when it cannot be told.

        A virtual router's MAC is some VRRP MASTER's, unless this host is the MASTER. On a host
        that does not hold the VIP an unknown MAC may be the owner's. This host's own interfaces
        may all answer for what it holds.
        """
        if mac in self.own:
            return False
        if self.owned:
            return True
        if mac in self.expected or (is_virtual_router(mac) and mac not in self.servers):
            return False
        return True if mac in self.servers or self.expected else None

    def label(self, mac: str) -> str:
        """A name for it: the real server's, the director's or the MAC itself."""
        return self.servers.get(mac) or self.expected.get(mac) or mac

    def long_label(self, mac: str) -> str:
        """`02:… (rs3 10.10.0.5)`, the bare MAC when nothing is known of it."""
        label = self.label(mac)
        return mac if label == mac else f"{mac} ({label})"


# Asking for real servers


class MacState(str, Enum):
    """Where an address was found."""

    FOUND = "found"
    """One MAC answers: it is on this link."""
    DUPLICATE = "duplicate"
    """Several MACs answer for one address."""
    SILENT = "silent"
    """It should be on this link and does not answer."""
    ROUTED = "routed"
    """It is behind a gateway: Direct Routing cannot reach it."""
    NO_ROUTE = "no-route"
    """This host knows no way to it."""
    OWN = "own"
    """It is this host's own."""


@dataclass(frozen=True, slots=True)
class MacAnswers:
    """The MAC of one address."""

    state: MacState
    text: str
    evidence: tuple[str, ...]
    macs: tuple[str, ...] = ()


def macs_of(addresses: Sequence[str]) -> dict[str, MacAnswers | Unavailable]:
    """The MACs of real servers, all asked in the same rounds; keyed as they were given.

    Says for each whether it is on the same link, behind a gateway, silent, or answered for by
    several. Blocks `TRIES` times `WAIT_S` for each interface. Never raises for what the host or
    the link lacks.
    """
    return _on_links(addresses, "{} can not be asked for its MAC", _where, _ask_macs)


def _where(address: str, network: Network, what: str) -> Link | MacAnswers:
    """The interface to ask on, or what is known without asking."""
    way = reach(address, network)
    if way is None:
        return MacAnswers(MacState.NO_ROUTE, "no route", (f"no route to {address}",))
    if way.local:
        return MacAnswers(MacState.OWN, "this host", (f"{address} is an address of this host",))
    if way.gateway:
        lines = (
            f"the way to {address} is by {way.gateway} on {way.interface}",
            "Direct Routing needs the real server on the director's own link",
        )
        return MacAnswers(MacState.ROUTED, f"behind {way.gateway}", lines)
    base = network.wire(usable(network, way.interface, what))
    return usable(network, base.name, what)


def _ask_macs(network: Network, link: Link, pairs: Pairs) -> dict[str, MacAnswers]:
    what = f"nobody on {link.name} can be asked for a MAC"
    how, found = exchange(network, link, [address for _, address in pairs], what)
    return {given: _seen(address, how, found[address]) for given, address in pairs}


def _seen(address: str, how: str, answers: tuple[ProbeAnswer, ...]) -> MacAnswers:
    macs = tuple(answer.mac for answer in answers)
    lines = [f"who has {address}: {how}"]
    lines += [f"answered by {answer.mac} {answer.words}" for answer in answers]
    if not macs:
        state, text = MacState.SILENT, "no answer"
        lines.append("no answer: the host is off, or not on this link")
    elif len(macs) == 1:
        state, text = MacState.FOUND, macs[0]
    else:
        state, text = MacState.DUPLICATE, f"{len(macs)} MACs answer"
        lines.append("the address is used twice, or one host has two interfaces on this link")
    return MacAnswers(state, text, tuple(lines), macs)


# The question on the wire


def _on_links(
    asked: Sequence[str],
    what: str,
    place: Callable[[str, Network, str], Link | Result],
    ask: Callable[[Network, Link, Pairs], Mapping[str, Result]],
) -> dict[str, Result | Unavailable]:
    """Find out for each address where to ask for it, or what is known without asking (`place`),
    and ask on one link after the other. what: for errors, with room for the address."""
    result: dict[str, Result | Unavailable] = {}
    batches: dict[tuple[str, int], tuple[Network, Link, list[tuple[str, str]]]] = {}
    network: Network | None = None
    for given in asked:
        why = what.format(plain(given, 60))
        try:
            network = network or read_network()
            address = address_of(given, why)
            found = place(address, network, why)
        except CannotProbe as error:
            result[given] = error.result
            continue
        if isinstance(found, Link):
            batch = batches.setdefault((found.name, family(address)), (network, found, []))
            batch[2].append((given, address))
        else:
            result[given] = found
    for network, link, pairs in batches.values():
        try:
            result.update(ask(network, link, pairs))
        except CannotProbe as error:
            result.update((given, error.result) for given, _ in pairs)
    return {given: result[given] for given in asked}


def exchange(
    network: Network, link: Link, targets: Sequence[str], what: str
) -> tuple[str, dict[str, tuple[ProbeAnswer, ...]]]:
    """Ask for addresses (of one family) on a link: how it was done, in words; who answered for
    each, in order of arrival.

    Takes `TRIES` times `WAIT_S` and 2 ms for each address. What this host itself answers or sends
    is not heard. Side effect on this host only: where its neighbour table has an entry for the
    address, the kernel takes the answer into it. Raises CannotProbe.
    """
    found: dict[str, dict[str, ProbeAnswer]] = {target: {} for target in targets}
    six = any(family(target) == socket.AF_INET6 for target in targets)
    source = network.asking_address(link) if six else "0.0.0.0"
    if not source:
        raise CannotProbe(
            what, f"{link.name} has no IPv6 address", "take disable_ipv6 off the interface"
        )
    if not link.mac:
        raise CannotProbe(what, f"{link.name} has no MAC")
    with Wire(
        what, link.name, ETH_P_IPV6 if six else ETH_P_ARP, ADVERTISEMENTS if six else ()
    ) as wire:
        for _ in range(TRIES):
            sent: dict[str, float] = {}
            for target in found:
                sent[target] = time.monotonic()
                wire.send(who_has(target, link.mac, source))
                _collect(wire, sent[target] + _GAP_S, sent, found)
            _collect(wire, time.monotonic() + WAIT_S, sent, found)
    how = f"asked {TRIES} times on {link.name} from {source}, {WAIT_S * 1000:.0f} ms each"
    return how, {target: tuple(by_mac.values()) for target, by_mac in found.items()}


def claim(heard: Heard, replies_only: bool = True) -> tuple[str, str] | None:
    """(address, MAC) that a frame claims to belong together; None when it claims nothing.

    `replies_only` leaves out ARP requests, which claim their sender's address, too.
    """
    frame = heard.frame
    if frame.kind == ETH_P_ARP:
        arp = Arp.parse(frame.payload)
        if arp is None or (replies_only and arp.operation != REPLY):
            return None
        return arp.sender, arp.sender_mac
    if frame.kind == ETH_P_IPV6:
        message = Neighbour.parse(frame.payload)
        if message is None or message.kind != ADVERTISEMENT:
            return None
        # RFC 4861, section 4.4: the option may be left out of an answer to a unicast question.
        return message.target, message.mac or frame.source
    return None


def _collect(
    wire: Wire, until: float, sent: Mapping[str, float], found: dict[str, dict[str, ProbeAnswer]]
) -> None:
    while (heard := wire.receive(until)) is not None:
        claimed = claim(heard)
        if claimed is None or claimed[0] not in sent:
            continue
        address, mac = claimed
        before = found[address].get(mac)
        if before is not None:
            found[address][mac] = replace(before, times=before.times + 1)
        elif len(found[address]) < MACS:
            after_ms = (heard.at - sent[address]) * 1000
            found[address][mac] = ProbeAnswer(mac, heard.frame.source, 1, after_ms)
