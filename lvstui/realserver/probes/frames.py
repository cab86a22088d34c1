"""Ethernet, ARP, IPv6 neighbour discovery, TCP segments and ICMP errors about them, as bytes and
back. Pure.

Formats: ARP in RFC 826, probes and announcements in RFC 5227, neighbour messages in RFC 4861; RFC
791, RFC 8200, RFC 9293, RFC 792, RFC 4443. Parsing never raises: what is cut off or something else
gives None. Checksums are made but not checked, because with offloading a frame between virtual
interfaces does not have its yet. IPv6 extension headers are not walked: nothing that answers a bare
SYN puts one in.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

BROADCAST = "ff:ff:ff:ff:ff:ff"
NO_MAC = "00:00:00:00:00:00"
ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0800, 0x0806, 0x86DD
REQUEST, REPLY = 1, 2
SOLICITATION, ADVERTISEMENT = 135, 136
SYN, RST, ACK = 0x02, 0x04, 0x10
_ICMP, _TCP, _ICMPV6 = 1, 6, 58
_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_IPV4 = struct.Struct("!BBHHHBBH4s4s")
_IPV6 = struct.Struct("!IHBB16s16s")
_TCP_HEAD = struct.Struct("!HHIIBBHHH")
_DONT_FRAGMENT, _LATER_FRAGMENT = 0x4000, 0x1FFF
_MSS = bytes((2, 4)) + struct.pack("!H", 1220)  # what fits into any IPv6 link
_SOURCE_OPTION, _TARGET_OPTION = 1, 2
_ROUTER, _OVERRIDE = 0x80000000, 0x20000000


def mac_bytes(text: str) -> bytes:
    """The six bytes of a MAC address; ValueError when it is none."""
    raw = bytes.fromhex(text.replace(":", "").replace("-", ""))
    if len(raw) != 6:
        raise ValueError(f"no MAC address: {text!r}")
    return raw


def family(address: str) -> socket.AddressFamily:
    """AF_INET or AF_INET6, by the look of the address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def packed(address: str) -> bytes:
    """An IPv4 or IPv6 address in network order; OSError when it is none."""
    return socket.inet_pton(family(address), address)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of `data`, ready to be put in place."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo_header(source: bytes, destination: bytes, protocol: int, length: int) -> bytes:
    """What TCP and ICMPv6 checksums cover besides their own bytes (RFC 9293, RFC 8200)."""
    if len(source) == 4:
        return source + destination + struct.pack("!BBH", 0, protocol, length)
    return source + destination + struct.pack("!IxxxB", length, protocol)


@dataclass(frozen=True, slots=True)
class Ethernet:
    """One frame without its check sequence; VLAN tags are the interface's business."""

    destination: str
    source: str
    kind: int
    """EtherType."""
    payload: bytes

    def pack(self) -> bytes:
        """The bytes for a packet socket; the driver pads short frames."""
        head = _ETHERNET.pack(mac_bytes(self.destination), mac_bytes(self.source), self.kind)
        return head + self.payload

    @classmethod
    def parse(cls, frame: bytes) -> Ethernet | None:
        """A frame as a packet socket gives it."""
        if len(frame) < _ETHERNET.size:
            return None
        destination, source, kind = _ETHERNET.unpack_from(frame)
        return cls(destination.hex(":"), source.hex(":"), kind, frame[_ETHERNET.size :])


@dataclass(frozen=True, slots=True)
class Arp:
    """One ARP packet for IPv4 over Ethernet."""

    operation: int
    """REQUEST or REPLY."""
    sender_mac: str
    sender: str
    """`0.0.0.0` in a probe: whoever hears it learns nothing about the sender."""
    target_mac: str
    target: str

    @property
    def announces(self) -> bool:
        """Gratuitous: it says who has the sender's address and asks for nothing."""
        return self.sender == self.target and self.sender != "0.0.0.0"

    def pack(self) -> bytes:
        """The payload of an ETH_P_ARP frame."""
        macs = mac_bytes(self.sender_mac), mac_bytes(self.target_mac)
        ips = packed(self.sender), packed(self.target)
        return _ARP.pack(1, ETH_P_IP, 6, 4, self.operation, macs[0], ips[0], macs[1], ips[1])

    @classmethod
    def parse(cls, payload: bytes) -> Arp | None:
        """The payload of an ETH_P_ARP frame; padding behind it is ignored."""
        if len(payload) < _ARP.size:
            return None
        hardware, protocol, mac_size, ip_size, operation, *rest = _ARP.unpack_from(payload)
        if (hardware, protocol, mac_size, ip_size) != (1, ETH_P_IP, 6, 4):
            return None
        sender_mac, sender, target_mac, target = rest
        ips = socket.inet_ntoa(sender), socket.inet_ntoa(target)
        return cls(operation, sender_mac.hex(":"), ips[0], target_mac.hex(":"), ips[1])


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One neighbour solicitation or advertisement, with the IPv6 header it came in."""

    kind: int
    """SOLICITATION or ADVERTISEMENT."""
    source: str
    destination: str
    target: str
    mac: str = ""
    """The link-layer address option of this kind of message; empty when it has none."""
    router: bool = False
    override: bool = False

    def pack(self) -> bytes:
        """An IPv6 packet; its hop limit of 255 proves to receivers that no router passed it on."""
        flags = (_ROUTER if self.router else 0) | (_OVERRIDE if self.override else 0)
        option = b""
        if self.mac:
            number = _SOURCE_OPTION if self.kind == SOLICITATION else _TARGET_OPTION
            option = bytes((number, 1)) + mac_bytes(self.mac)
        rest = struct.pack("!I", flags) + packed(self.target) + option
        source, destination = packed(self.source), packed(self.destination)
        body = struct.pack("!BBH", self.kind, 0, 0) + rest
        covered = pseudo_header(source, destination, _ICMPV6, len(body)) + body
        body = struct.pack("!BBH", self.kind, 0, checksum(covered)) + rest
        head = _IPV6.pack(6 << 28, len(body), _ICMPV6, 255, source, destination)
        return head + body

    @classmethod
    def parse(cls, packet: bytes) -> Neighbour | None:
        """An IPv6 packet; None also for one that RFC 4861, section 7.1, says to throw away."""
        if len(packet) < _IPV6.size + 24:
            return None
        first, length, protocol, hops, source, destination = _IPV6.unpack_from(packet)
        body = packet[_IPV6.size : _IPV6.size + length]
        if first >> 28 != 6 or protocol != _ICMPV6 or hops != 255 or len(body) < max(24, length):
            return None
        kind, code = body[0], body[1]
        if kind not in (SOLICITATION, ADVERTISEMENT) or code:
            return None
        (flags,) = struct.unpack_from("!I", body, 4)
        wanted = _SOURCE_OPTION if kind == SOLICITATION else _TARGET_OPTION
        mac = _option(body, 24, wanted)
        if mac is None:
            return None
        if kind == SOLICITATION:
            flags = 0
        return cls(
            kind,
            socket.inet_ntop(socket.AF_INET6, source),
            socket.inet_ntop(socket.AF_INET6, destination),
            socket.inet_ntop(socket.AF_INET6, body[8:24]),
            mac,
            bool(flags & _ROUTER),
            bool(flags & _OVERRIDE),
        )


def _option(body: bytes, offset: int, wanted: int) -> str | None:
    """The MAC in an option of that number, "" without one, None when the options are broken."""
    found = ""
    while offset < len(body):
        if offset + 2 > len(body):
            return None
        number, size = body[offset], body[offset + 1] * 8
        if size == 0 or offset + size > len(body):
            return None
        if number == wanted and size == 8:
            found = body[offset + 2 : offset + 8].hex(":")
        offset += size
    return found


def solicited_node(address: str) -> tuple[str, str]:
    """(multicast address, its MAC) where the holder of an IPv6 address listens (RFC 4291, 2464)."""
    tail = packed(address)[-3:]
    group = bytes.fromhex("ff0200000000000000000001ff") + tail
    return socket.inet_ntop(socket.AF_INET6, group), "33:33:ff:" + tail.hex(":")


ALL_NODES = ("ff02::1", "33:33:00:00:00:01")
"""(multicast address, its MAC) of every IPv6 node on the link."""


def arp_frame(arp: Arp, destination: str = BROADCAST) -> bytes:
    """A whole frame with an ARP packet, sent from the MAC that the packet names."""
    return Ethernet(destination, arp.sender_mac, ETH_P_ARP, arp.pack()).pack()


def who_has(target: str, mac: str, source: str = "") -> bytes:
    """The broadcast (IPv4) or multicast (IPv6) question for an address, as a whole frame.

    For IPv4 it is a probe: sender `0.0.0.0` leaves no entry behind at whoever hears it, and a
    real server that holds the VIP does not mistake it for its own address. For IPv6 `source` must
    be an address of the asking interface, link-local when there is one: `::` would mean duplicate
    address detection, which makes a host that is just about to take the address give it up.
    """
    if family(target) == socket.AF_INET:
        return arp_frame(Arp(REQUEST, mac, "0.0.0.0", NO_MAC, target))
    group, group_mac = solicited_node(target)
    question = Neighbour(SOLICITATION, source, group, target, mac)
    return Ethernet(group_mac, mac, ETH_P_IPV6, question.pack()).pack()


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
        words = _ERRORS.get(protocol, {})
        what = words.get((kind, code)) or words.get(kind, "")
        # An IPv6 redirect quotes the packet in an option; its addresses are enough to know it by,
        # but nothing is won by it that the forwarded packet itself does not show.
        quoted = _ip(body[8:], cut=True) if what else None
        if quoted is None:
            return None
        source, destination, inner, _, rest = quoted
        if inner != _TCP or len(rest) < 4:
            return None
        source_port, port = struct.unpack_from("!HH", rest)
        exceeded = what == _EXCEEDED
        return cls(reporter, what, exceeded, source, source_port, destination, port)


_EXCEEDED = "time exceeded"
_ERRORS: dict[int, dict[int | tuple[int, int], str]] = {
    _ICMP: {
        3: "destination unreachable",
        (3, 0): "network unreachable",
        (3, 1): "host unreachable",
        (3, 3): "port unreachable",
        (3, 9): "network forbidden",
        (3, 10): "host forbidden",
        (3, 13): "forbidden by a filter",
        5: "redirect",
        11: _EXCEEDED,
    },
    _ICMPV6: {
        1: "destination unreachable",
        (1, 0): "no route",
        (1, 1): "forbidden by a filter",
        (1, 3): "address unreachable",
        (1, 4): "port unreachable",
        (1, 5): "forbidden by a filter",
        3: _EXCEEDED,
    },
}
"""By protocol: in words, by the type of the message, and by type and code."""


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
