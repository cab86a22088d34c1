"""Who answers for an address: the question on the wire, and what an answer means."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lvstui.kernel.rtnetlink import Link
from lvstui.realserver.probes.frames import (
    ADVERTISEMENT,
    ETH_P_ARP,
    ETH_P_IPV6,
    REPLY,
    Arp,
    Neighbour,
    family,
    is_virtual_router,
    who_has,
)
from lvstui.realserver.probes.links import Network
from lvstui.realserver.probes.raw import ADVERTISEMENTS, Heard, Wire
from lvstui.realserver.probes.results import CannotProbe

TRIES = 3
WAIT_S = 0.25
"""How long to collect after each question; answers come within a millisecond, hosts that sleep or
rate-limit take longer."""
MACS = 64
"""Most MACs kept for one address: more is a flood, not a finding."""
_GAP_S = 0.002
"""Between two questions of one round: 500 broadcasts a second is what a quiet LAN shrugs off."""


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


@dataclass(frozen=True, slots=True)
class Asked:
    """How a question was put, for the evidence."""

    interface: str
    source: str
    tries: int
    wait_s: float

    def words(self) -> str:
        """`asked 3 times on eth0 from 0.0.0.0, 250 ms each`."""
        times = "once" if self.tries == 1 else f"{self.tries} times"
        each = f"{self.wait_s * 1000:.0f} ms" + (" each" if self.tries > 1 else "")
        return f"asked {times} on {self.interface} from {self.source}, {each}"


def exchange(
    network: Network,
    link: Link,
    targets: Sequence[str],
    tries: int = TRIES,
    wait_s: float = WAIT_S,
    what: str = "no address can be asked for",
) -> tuple[Asked, dict[str, tuple[ProbeAnswer, ...]]]:
    """Ask for addresses (of one family) on a link; who answered for each, in order of arrival.

    Takes `tries` times `wait_s` and 2 ms for each address. What this host itself answers or sends
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
        for _ in range(tries):
            sent: dict[str, float] = {}
            for target in found:
                sent[target] = time.monotonic()
                wire.send(who_has(target, link.mac, source))
                _collect(wire, sent[target] + _GAP_S, sent, found)
            _collect(wire, time.monotonic() + wait_s, sent, found)
    answers = {target: tuple(by_mac.values()) for target, by_mac in found.items()}
    return Asked(link.name, source, tries, wait_s), answers


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
        if before is None and len(found[address]) >= MACS:
            continue
        if before is None:
            after_ms = (heard.at - sent[address]) * 1000
            found[address][mac] = ProbeAnswer(mac, heard.frame.source, 1, after_ms)
        else:
            found[address][mac] = ProbeAnswer(
                mac, before.frame_mac, before.times + 1, before.after_ms
            )


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
