"""This host's interfaces and addresses, and the way from it to another address.

A probe must leave by the interface whose link the other host is on, with this host's own address,
and must know which MACs are legitimate because they are this host's. keepalived with `use_vmac`
puts VIPs on macvlan links `vrrp.N`; probes leave by the base interface, because ARP with the
director's address from a VMAC link moves that address to the VMAC in other hosts' tables.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from lvstui.kernel import rtnetlink
from lvstui.kernel.rtnetlink import Link, parse_address, parse_link, parse_route
from lvstui.model.text import plain
from lvstui.realserver.probes.results import CannotProbe, cannot

_SOME = 4


@dataclass(frozen=True, slots=True)
class Network:
    """What this host's network namespace had when it was read."""

    links: tuple[Link, ...]
    held: tuple[tuple[str, str], ...]
    """(interface, address) of every address."""

    def link(self, name: str) -> Link | None:
        return next((link for link in self.links if link.name == name), None)

    def holders(self, address: str) -> tuple[Link, ...]:
        """Interfaces with that address that others can see; the loopback does not count."""
        names = {name for name, held in self.held if held == address}
        return tuple(
            link
            for link in self.links
            if link.name in names and link.ethernet and link.kind != "dummy"
        )

    def owns(self, address: str) -> bool:
        """Whether this host is the one that should answer for the address."""
        return bool(self.holders(address))

    def macs(self) -> frozenset[str]:
        """All MACs of this host, VMACs among them."""
        return frozenset(link.mac for link in self.links if link.mac and not link.loopback)

    def wire(self, link: Link) -> Link:
        """The interface to probe from: what a macvlan sits on, else the interface itself."""
        if link.kind == "macvlan":
            return next((other for other in self.links if other.index == link.base), link)
        return link

    def addresses(self, interface: str, family: socket.AddressFamily) -> tuple[str, ...]:
        """The addresses of that family on an interface, in the kernel's order."""
        six = family == socket.AF_INET6
        return tuple(held for name, held in self.held if name == interface and (":" in held) == six)

    def asking_address(self, link: Link) -> str:
        """The IPv6 address to ask neighbours from: link-local if there is one; may be empty."""
        found = self.addresses(link.name, socket.AF_INET6)
        return next((held for held in found if held.startswith("fe80:")), found[0] if found else "")


@dataclass(frozen=True, slots=True)
class Reach:
    """The way to an address that the kernel would take."""

    interface: str
    source: str
    """The address that packets on that way get; may be empty."""
    gateway: str = ""
    """Empty: the address is on the link itself."""
    local: bool = False
    """The address is this host's own."""


def address_of(text: str, what: str) -> str:
    """An address in its one written form. Raises CannotProbe."""
    try:
        raw = ipaddress.ip_address(text).packed
    except ValueError:
        raise CannotProbe(what, f"{plain(text, 60)} is no IP address") from None
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)


def read_network() -> Network:
    """Read links and addresses now. Raises CannotProbe where netlink is forbidden."""
    try:
        links = [link for link in map(parse_link, rtnetlink.dump(rtnetlink.GETLINK)) if link]
        held = [pair for pair in map(parse_address, rtnetlink.dump(rtnetlink.GETADDR)) if pair]
    except OSError as error:
        raise cannot("interfaces can not be read", error) from error
    names = {link.index: link.name for link in links}
    return Network(
        tuple(links), tuple((names[index], text) for index, text, _ in held if index in names)
    )


def neighbours() -> dict[str, tuple[str, ...]]:
    """MAC → addresses of this host's neighbour table, some for each; empty where netlink is
    forbidden."""
    found: dict[str, list[str]] = {}
    try:
        payloads = rtnetlink.dump(rtnetlink.GETNEIGH)
    except OSError:
        return {}
    for pair in map(rtnetlink.parse_neighbour, payloads):
        if pair is not None and len(known := found.setdefault(pair[1], [])) < _SOME:
            known.append(pair[0])
    return {mac: tuple(addresses) for mac, addresses in found.items()}


def reach(address: str, network: Network) -> Reach | None:
    """How the kernel reaches an address; None without a route. Raises CannotProbe when it cannot be
    asked."""
    try:
        kind, out, source, gateway = parse_route(rtnetlink.route(address))
    except OSError as error:
        if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EINVAL, errno.EACCES):
            return None
        raise cannot(f"the way to {address} is not known", error) from error
    link = next((link for link in network.links if link.index == out), None)
    if link is None or kind not in (rtnetlink.UNICAST, rtnetlink.LOCAL):
        return None
    return Reach(link.name, source, gateway, kind == rtnetlink.LOCAL)


def usable(network: Network, interface: str, what: str) -> Link:
    """An interface on which frames can be sent. Raises CannotProbe with the reason."""
    link = network.link(interface)
    if link is None:
        raise CannotProbe(
            what, f"there is no interface {plain(interface, 32)}", "choose another interface"
        )
    if not link.ethernet:
        raise CannotProbe(what, f"{link.name} does not speak ARP", "choose an Ethernet interface")
    if not link.up:
        raise CannotProbe(what, f"{link.name} is down", "bring the link up, look at its cable")
    return link


def asking_link(address: str, network: Network, interface: str, what: str) -> Link:
    """The interface to ask for a VIP on: the given one, the one that holds it, or the one that
    reaches it without a gateway. Raises CannotProbe."""
    found = next(iter(network.holders(address)), None)
    if interface:
        found = usable(network, interface, what)
    if found is None:
        way = reach(address, network)
        if way is None or way.local or way.gateway:
            why = f"{address} is on no link of this host"
            if way is not None and way.gateway:
                why = f"{address} is behind {way.gateway}, not on a link of this host"
            raise CannotProbe(what, why, "name the interface whose network has it")
        found = usable(network, way.interface, what)
    return usable(network, network.wire(found).name, what)
