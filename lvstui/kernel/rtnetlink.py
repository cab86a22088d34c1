"""rtnetlink: links, addresses and routes of this network namespace (linux/rtnetlink.h, if_addr.h).

Taken apart by hand: these few messages do not justify loading a netlink library, which costs
150 ms and several megabytes.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.model.text import plain

ERROR, DONE = 2, 3
NEWLINK, DELLINK, GETLINK = 16, 17, 18
NEWADDR, DELADDR, GETADDR = 20, 21, 22
GETROUTE = 26
GETNEIGH = 30
REQUEST, DUMP, DUMP_INTR = 0x1, 0x300, 0x10
EVENTS = 0x1 | 0x10 | 0x100
"""Multicast groups: links, IPv4 addresses, IPv6 addresses."""
UNICAST, LOCAL = 1, 2
"""Types of a route."""
_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")
_RTMSG = struct.Struct("=BBBBBBBBI")
_IFF_UP, _IFF_LOOPBACK, _IFF_RUNNING, _IFF_NOARP = 0x1, 0x8, 0x40, 0x80
_ETHER = 1
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_LINK, _IFLA_LINKINFO, _INFO_KIND = 1, 3, 5, 18, 1
_IFLA_LINK_NETNSID = 37
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_NDMSG = struct.Struct("=BxxxiHBB")
_NDA_DST, _NDA_LLADDR = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC, _RTA_VIA = 1, 4, 5, 7, 18
_WITHIN_S = 3.0
_TRIES = 4
MOST = 1 << 17
"""Bytes of the longest datagram."""


@dataclass(frozen=True, slots=True)
class Message:
    """One netlink message, undecoded."""

    kind: int
    flags: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """One interface."""

    index: int
    name: str
    mac: str = ""
    """Empty when it has none of six bytes."""
    up: bool = True
    """Administratively up and operational (keepalived asks for the same two)."""
    ethernet: bool = True
    """It speaks ARP over Ethernet."""
    loopback: bool = False
    kind: str = ""
    """`macvlan`, `vlan`, `bond`, `dummy` …; empty for hardware."""
    base: int = 0
    """Index of the interface it sits on (VLAN, macvlan); 0 when there is none."""


def connect(groups: int = 0) -> socket.socket:
    """A socket that hears the events of `groups`. Raises OSError (a sandbox may forbid it)."""
    sock = socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    )
    try:
        sock.bind((0, groups))
    except OSError:
        sock.close()
        raise
    return sock


def request(kind: int, flags: int = REQUEST | DUMP, body: bytes = b"", sequence: int = 1) -> bytes:
    """One request; without a body for every family."""
    # A zeroed family byte, padded to the longest of the headers that may follow.
    body = body or bytes(_IFINFO.size)
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def messages(data: bytes) -> Iterator[Message]:
    """The messages of one datagram; a cut-off one ends it."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield Message(kind, flags, sequence, data[offset + _HEADER.size : offset + length])
        offset += (length + 3) & ~3


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes of a message, by number; a broken one ends them."""
    found: dict[int, bytes] = {}
    while offset + _ATTRIBUTE.size <= len(data):
        length, kind = _ATTRIBUTE.unpack_from(data, offset)
        if length < _ATTRIBUTE.size or offset + length > len(data):
            break
        found[kind & 0x3FFF] = data[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found


def parse_link(payload: bytes) -> Link | None:
    """The payload of a link message; None when it names nothing."""
    if len(payload) < _IFINFO.size:
        return None
    _, hardware, index, flags, _ = _IFINFO.unpack_from(payload)
    found = attributes(payload, _IFINFO.size)
    name = found.get(_IFLA_IFNAME, b"").rstrip(b"\0")
    if not name:
        return None
    mac, base = found.get(_IFLA_ADDRESS, b""), found.get(_IFLA_LINK, b"")
    kind = attributes(found.get(_IFLA_LINKINFO, b"")).get(_INFO_KIND, b"")
    loopback = bool(flags & _IFF_LOOPBACK)
    return Link(
        index,
        plain(name, 32),
        mac.hex(":") if len(mac) == 6 else "",
        bool(flags & _IFF_UP and flags & _IFF_RUNNING),
        hardware == _ETHER and not loopback and not flags & _IFF_NOARP,
        loopback,
        plain(kind.rstrip(b"\0"), 32),
        # In another namespace the same index would be another interface.
        struct.unpack("=I", base)[0] if len(base) == 4 and _IFLA_LINK_NETNSID not in found else 0,
    )


def parse_address(payload: bytes) -> tuple[int, str, int] | None:
    """(interface index, address, prefix length) of an address message."""
    if len(payload) < _IFADDR.size:
        return None
    family, prefix, _, _, index = _IFADDR.unpack_from(payload)
    found = attributes(payload, _IFADDR.size)
    # On point-to-point links IFA_ADDRESS is the other end.
    text = _address(family, found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS) or b"")
    return (index, text, prefix) if text else None


def parse_neighbour(payload: bytes) -> tuple[str, str] | None:
    """(address, MAC) of an entry of the neighbour table; None when it has none of six bytes."""
    if len(payload) < _NDMSG.size:
        return None
    found = attributes(payload, _NDMSG.size)
    text = _address(payload[0], found.get(_NDA_DST, b""))
    mac = found.get(_NDA_LLADDR, b"")
    return (text, mac.hex(":")) if text and len(mac) == 6 else None


def parse_route(payload: bytes) -> tuple[int, int, str, str]:
    """(type, interface index, source, gateway) of one route message."""
    family, _, _, _, _, _, _, kind, _ = _RTMSG.unpack_from(payload)
    found = attributes(payload, _RTMSG.size)
    index = struct.unpack("=I", found[_RTA_OIF])[0] if len(found.get(_RTA_OIF, b"")) == 4 else 0
    gateway = _address(family, found.get(_RTA_GATEWAY, b""))
    via = found.get(_RTA_VIA, b"")
    if not gateway and len(via) > 2:  # an IPv6 gateway for IPv4
        gateway = _address(struct.unpack_from("=H", via)[0], via[2:])
    return kind, index, _address(family, found.get(_RTA_PREFSRC, b"")), gateway


def _address(family: int, raw: bytes) -> str:
    if (family, len(raw)) in ((socket.AF_INET, 4), (socket.AF_INET6, 16)):
        return socket.inet_ntop(family, raw)
    return ""


def dump(kind: int) -> list[bytes]:
    """The payload of every link (GETLINK), address (GETADDR) or neighbour (GETNEIGH). Raises
    OSError.

    When something changed meanwhile the kernel says so, and it is asked again.
    """
    for _ in range(_TRIES):
        whole, found = _ask(request(kind), dumping=True)
        if whole:
            break
    return found


def route(address: str) -> bytes:
    """The payload of the route that the kernel would take. Raises OSError (ENETUNREACH: none)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    body = _RTMSG.pack(family, len(raw) * 8, 0, 0, 0, 0, 0, 0, 0)
    body += _ATTRIBUTE.pack(4 + len(raw), _RTA_DST) + raw
    return _ask(request(GETROUTE, REQUEST, body), dumping=False)[1][0]


def _ask(asked: bytes, dumping: bool) -> tuple[bool, list[bytes]]:
    """Send one request; (nothing changed while it was answered, payloads)."""
    deadline = time.monotonic() + _WITHIN_S
    whole = True
    found: list[bytes] = []
    with connect() as sock:
        sock.send(asked)
        while True:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            for answer in messages(sock.recv(MOST)):
                whole = whole and not answer.flags & DUMP_INTR
                if answer.kind == DONE:
                    return whole, found
                if answer.kind == ERROR:
                    code = -int(struct.unpack_from("=i", answer.payload)[0])
                    raise OSError(code, os.strerror(code))
                found.append(answer.payload)
                if not dumping:
                    return True, found
