"""TCP segments in IPv4 and IPv6 packets, and ICMP errors about them, as bytes and back. Pure.

Formats: RFC 791, RFC 8200, RFC 9293, RFC 792, RFC 4443. Parsing never raises. IPv6 extension
headers are not walked: nothing that answers a bare SYN puts one in.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from lvstui.realserver.probes.frames import checksum, packed, pseudo_header

FIN, SYN, RST, PUSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_ICMP, _TCP, _ICMPV6 = 1, 6, 58
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_TCP_HEAD = struct.Struct("!HHIIBBHHH")
_DONT_FRAGMENT, _LATER_FRAGMENT = 0x4000, 0x1FFF
_MSS = bytes((2, 4)) + struct.pack("!H", 1220)  # what fits into any IPv6 link


@dataclass(frozen=True, slots=True)
class Tcp:
    """One TCP segment without data, with the addresses of its packet."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    flags: int
    sequence: int = 0
    acknowledgement: int = 0
    window: int = 64240
    hops: int = 64
    """Time to live or hop limit."""

    def pack(self) -> bytes:
        """An IP packet; a SYN gets a maximum segment size, as every real one has it."""
        source, destination = packed(self.source), packed(self.destination)
        options = _MSS if self.flags & SYN else b""
        length = _TCP_HEAD.size + len(options)
        head = (
            self.source_port,
            self.destination_port,
            self.sequence,
            self.acknowledgement,
            (length // 4) << 4,
            self.flags,
            self.window,
        )
        bare = _TCP_HEAD.pack(*head, 0, 0) + options
        total = checksum(pseudo_header(source, destination, _TCP, length) + bare)
        segment = _TCP_HEAD.pack(*head, total, 0) + options
        if len(source) == 16:
            return _IPV6.pack(6 << 28, length, _TCP, self.hops, source, destination) + segment
        fields = (0x45, 0, 20 + length, 0, _DONT_FRAGMENT, self.hops, _TCP)
        total = checksum(_IPV4.pack(*fields, 0, source, destination))
        return _IPV4.pack(*fields, total, source, destination) + segment

    @classmethod
    def parse(cls, packet: bytes) -> Tcp | None:
        """The segment in an IP packet; its options and data are passed over."""
        found = _ip(packet)
        if found is None:
            return None
        source, destination, protocol, hops, body = found
        if protocol != _TCP or len(body) < _TCP_HEAD.size:
            return None
        source_port, port, sequence, acknowledgement, size, flags, window, _, _ = (
            _TCP_HEAD.unpack_from(body)
        )
        if (size >> 4) < 5:
            return None
        return cls(
            source, source_port, destination, port, flags, sequence, acknowledgement, window, hops
        )


@dataclass(frozen=True, slots=True)
class IcmpError:
    """One ICMP error (or redirect) about a TCP segment that somebody sent."""

    reporter: str
    """Who sent it."""
    what: str
    """In words: `time exceeded`, `host unreachable` …"""
    exceeded: bool
    """The hop limit ended: the reporter would have passed the packet on."""
    source: str
    source_port: int
    destination: str
    destination_port: int

    @classmethod
    def parse(cls, packet: bytes) -> IcmpError | None:
        """The error in an IP packet; None when it is none or is not about TCP."""
        found = _ip(packet)
        if found is None:
            return None
        reporter, _, protocol, _, body = found
        if len(body) < 8:
            return None
        kind, code = body[0], body[1]
        if protocol == _ICMP:
            what = _WORDS_4.get(kind, "")
            if kind == 3:
                what = _UNREACHABLE_4.get(code, what)
            exceeded = kind == 11
        elif protocol == _ICMPV6:
            what = _WORDS_6.get(kind, "")
            if kind == 1:
                what = _UNREACHABLE_6.get(code, what)
            exceeded = kind == 3
        else:
            return None
        # An IPv6 redirect quotes the packet in an option; its addresses are enough to know it by,
        # but nothing is won by it that the forwarded packet itself does not show.
        quoted = _ip(body[8:], cut=True) if what else None
        if quoted is None:
            return None
        source, destination, inner, _, rest = quoted
        if inner != _TCP or len(rest) < 4:
            return None
        source_port, port = struct.unpack_from("!HH", rest)
        return cls(reporter, what, exceeded, source, source_port, destination, port)


_WORDS_4 = {3: "destination unreachable", 5: "redirect", 11: "time exceeded"}
_UNREACHABLE_4 = {
    0: "network unreachable",
    1: "host unreachable",
    3: "port unreachable",
    9: "network forbidden",
    10: "host forbidden",
    13: "forbidden by a filter",
}
_WORDS_6 = {1: "destination unreachable", 3: "time exceeded"}
_UNREACHABLE_6 = {
    0: "no route",
    1: "forbidden by a filter",
    3: "address unreachable",
    4: "port unreachable",
    5: "forbidden by a filter",
}


def _ip(packet: bytes, cut: bool = False) -> tuple[str, str, int, int, bytes] | None:
    """(source, destination, protocol, hops, body) of an IP packet; `cut`: it may be a quotation."""
    if not packet:
        return None
    if packet[0] >> 4 == 4 and len(packet) >= _IPV4.size:
        first, _, total, _, fragment, hops, protocol, _, source, destination = _IPV4.unpack_from(
            packet
        )
        head = (first & 0xF) * 4
        whole = head <= total <= len(packet)
        if head < _IPV4.size or fragment & _LATER_FRAGMENT or not (whole or cut):
            return None
        # Ethernet pads short frames: the header's length counts.
        body = packet[head:total] if whole else packet[head:]
        kind = socket.AF_INET
    elif packet[0] >> 4 == 6 and len(packet) >= _IPV6.size:
        _, length, protocol, hops, source, destination = _IPV6.unpack_from(packet)
        body = packet[_IPV6.size : _IPV6.size + length]
        if len(body) < length and not cut:
            return None
        kind = socket.AF_INET6
    else:
        return None
    ends = socket.inet_ntop(kind, source), socket.inet_ntop(kind, destination)
    return (*ends, protocol, hops, body)
