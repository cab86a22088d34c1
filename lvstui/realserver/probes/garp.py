"""Telling the link who holds a VIP, to put right neighbour tables that learned a wrong MAC.

Mending a real server's ARP settings does not mend the routers and clients that it misled: their
entries stay as long as they are used. An announcement by the owner overwrites them at once, but
not static ones, nor those of hosts with drop_gratuitous_arp.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from pathlib import Path

from lvstui.realserver.probes.frames import (
    ADVERTISEMENT,
    ALL_NODES,
    BROADCAST,
    ETH_P_IPV6,
    NO_MAC,
    REPLY,
    REQUEST,
    Arp,
    Ethernet,
    Neighbour,
    arp_frame,
    family,
)
from lvstui.realserver.probes.links import Network, address_of, read_network, usable
from lvstui.realserver.probes.raw import SEND_ONLY, Wire
from lvstui.realserver.probes.results import CannotProbe

_ROUNDS = 2
_GAP_S = 0.1
"""Between two rounds, for hosts that drop the first broadcast while they are busy."""
_PACE_S = 0.001


def announcements(vip: str, mac: str, router: bool = False) -> tuple[bytes, ...]:
    """The frames that say `vip` is at `mac`. Pure.

    IPv4: as a request (RFC 5227, section 2.3) and as a reply, because some hosts and switches heed
    only one of them; in a reply Linux also wants the target's MAC to be the sender's. IPv6: an
    unsolicited advertisement to all nodes that overrides (RFC 4861, section 7.2.6). `router` must
    tell the truth: hosts drop a default router that stops saying so.
    """
    if family(vip) == socket.AF_INET:
        return (
            arp_frame(Arp(REQUEST, mac, vip, NO_MAC, vip), BROADCAST),
            arp_frame(Arp(REPLY, mac, vip, mac, vip), BROADCAST),
        )
    group, group_mac = ALL_NODES
    message = Neighbour(ADVERTISEMENT, vip, group, vip, mac, router=router, override=True)
    return (Ethernet(group_mac, mac, ETH_P_IPV6, message.pack()).pack(),)


def announce(vips: Iterable[str]) -> str:
    """Announce VIPs that this host holds, each from the interface (or VMAC link) that holds it:
    how many frames were sent, or why none, in words.

    All or none: a VIP that this host does not hold is refused, because announcing it would take
    its traffic away from the owner. Needs CAP_NET_RAW; takes 2 ms for each VIP and round.
    """
    what = "the VIP can not be announced"
    total = 0
    try:
        network = read_network()
        by_link: dict[str, list[str]] = {}
        for vip in dict.fromkeys(address_of(vip, what) for vip in vips):
            holders = network.holders(vip)
            if not holders:
                raise CannotProbe(
                    what, f"this host does not hold {vip}", "announce it from the MASTER"
                )
            for holder in holders:
                by_link.setdefault(usable(network, holder.name, what).name, []).append(vip)
        for round_ in range(_ROUNDS):
            if round_:
                time.sleep(_GAP_S)
            for name, held in by_link.items():
                total += _send(network, name, held, what)
    except CannotProbe as error:
        return error.result.text
    return f"announced, {total} frames"


def _send(network: Network, name: str, vips: list[str], what: str) -> int:
    link = usable(network, name, what)
    frames = [frame for vip in vips for frame in announcements(vip, link.mac, _forwards(name))]
    with Wire(what, name, SEND_ONLY) as wire:
        for frame in frames:
            wire.send(frame)
            time.sleep(_PACE_S)
    return len(frames)


def _forwards(interface: str) -> bool:
    """Whether this host is an IPv6 router on that interface (ip-sysctl.rst, `forwarding`)."""
    path = Path("/proc/sys/net/ipv6/conf") / interface / "forwarding"
    try:
        return path.read_text("ascii").strip() not in ("", "0")
    except OSError:
        return False
