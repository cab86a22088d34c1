"""Source "wire": VRRP advertisements as they pass, without taking part.

A packet socket with a kernel filter, so that nothing but advertisements wakes us. It sees both
directions, multicast and unicast, also what keepalived itself sends. Parsed are VRRP version 2
(RFC 3768, with its plain and AH authentication) and 3 (RFC 9568), over IPv4 and IPv6, with
padding and keepalived's HMAC trailer behind it. Authentication data is never read out.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import select
import socket
import struct
import time

from lvstui.kernel import rtnetlink
from lvstui.kernel.rtnetlink import parse_link
from lvstui.model.facts import AdvertSeen, Available, Overrun, WireHears
from lvstui.model.text import plain
from lvstui.model.vrrp import Advert, is_virtual_router
from lvstui.sources.base import Context, Source
from lvstui.sources.pace import Pace

_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_SOL_PACKET, _PACKET_IGNORE_OUTGOING, _PACKET_STATISTICS = 263, 23, 6
_SO_ATTACH_FILTER = 26
_VRRP, _AH = 112, 51
_LEFT_OUT_EVERY_S = 5.0
_BUSY_PPS = 100_000

# Offsets count from the IP header: the socket is of type SOCK_DGRAM. (code, jt, jf, k)
_FILTER = (
    (0x30, 0, 0, 0),  # 0: A = first byte
    (0x74, 0, 0, 4),  # 1: A >>= 4, the IP version
    (0x15, 0, 6, 4),  # 2: 4, or go to 9
    (0x30, 0, 0, 9),  # 3: A = protocol
    (0x15, 10, 0, _VRRP),  # 4: VRRP: take it (15)
    (0x15, 0, 10, _AH),  # 5: AH, or leave it (16)
    (0xB1, 0, 0, 0),  # 6: X = length of the IP header
    (0x50, 0, 0, 0),  # 7: A = byte at X, AH's next header
    (0x15, 6, 7, _VRRP),  # 8: VRRP: take it, or leave it
    (0x15, 0, 6, 6),  # 9: 6, or leave it
    (0x30, 0, 0, 6),  # 10: A = next header
    (0x15, 3, 0, _VRRP),  # 11: VRRP: take it
    (0x15, 0, 3, _AH),  # 12: AH, or leave it
    (0x30, 0, 0, 40),  # 13: A = AH's next header
    (0x15, 0, 1, _VRRP),  # 14: VRRP, or leave it
    (0x06, 0, 0, 0xFFFF),  # 15: take it whole
    (0x06, 0, 0, 0),  # 16: leave it
)


def parse_advert(
    packet: bytes, interface: str = "", outgoing: bool = False, sender: bytes = b""
) -> Advert | None:
    """An IP packet as an advertisement; None when it is none or is cut off. sender: the MAC.

    Checksums are not verified: with offloading they are not yet there on outgoing packets.
    """
    if len(packet) < 20:
        return None
    if packet[0] >> 4 == 4:
        header = (packet[0] & 0xF) * 4
        (total,) = struct.unpack_from("!H", packet, 2)
        protocol, family = packet[9], socket.AF_INET
        source = packet[12:16]
        # Ethernet pads short frames.
        body = packet[header:total] if header <= total <= len(packet) else b""
        if struct.unpack_from("!H", packet, 6)[0] & 0x1FFF:
            return None  # a later fragment
    elif packet[0] >> 4 == 6 and len(packet) >= 40:
        (length,) = struct.unpack_from("!H", packet, 4)
        protocol, family = packet[6], socket.AF_INET6
        source = packet[8:24]
        body = packet[40 : 40 + length] if 40 + length <= len(packet) else b""
    else:
        return None
    if protocol == _AH and len(body) >= 12:
        protocol = body[0]
        body = body[(body[1] + 2) * 4 :]
    if protocol != _VRRP or len(body) < 8:
        return None
    mac = sender.hex(":") if len(sender) == 6 else ""
    return _parse_vrrp(body, family, socket.inet_ntop(family, source), (interface, outgoing, mac))


def _parse_vrrp(
    body: bytes, family: socket.AddressFamily, source: str, frame: tuple[str, bool, str]
) -> Advert | None:
    version, kind = body[0] >> 4, body[0] & 0xF
    if version not in (2, 3) or kind != 1:
        return None
    if version == 2:
        interval = float(body[5])
    else:
        interval = (struct.unpack_from("!H", body, 4)[0] & 0xFFF) / 100
    size = 4 if family == socket.AF_INET else 16
    count = body[3]
    if len(body) < 8 + count * size:
        return None
    vips = tuple(
        socket.inet_ntop(family, body[8 + i * size : 8 + (i + 1) * size]) for i in range(count)
    )
    interface, outgoing, mac = frame
    return Advert(source, interface, body[1], body[2], version, interval, vips, outgoing, mac)


def open_socket() -> socket.socket:
    """A packet socket that gets advertisements only. Raises OSError (EPERM without CAP_NET_RAW).

    It is bound after the filter is in place: nothing else ever gets in.
    """
    sock = socket.socket(
        socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK, 0
    )
    try:
        code = b"".join(struct.pack("=HBBI", *step) for step in _FILTER)
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("@HP", len(_FILTER), ctypes.addressof(buffer))
        sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        _bind_everywhere(sock)
    except OSError:
        sock.close()
        raise
    return sock


def _bind_everywhere(sock: socket.socket) -> None:
    """Bind to all interfaces; Python's own bind asks for the name of one."""
    # struct sockaddr_ll (linux/if_packet.h); index 0 means any.
    address = struct.pack("=HHiHBB8s", socket.AF_PACKET, socket.htons(_ETH_P_ALL), 0, 0, 0, 0, b"")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.bind(sock.fileno(), address, len(address)) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class WireSource(Source):
    """Pushes `AdvertSeen`, at the pace of `Pace`.

    Copies of one advertisement to several unicast peers within 20 ms count once, and so do those on
    a VMAC link and on the interface it sits on: both are that interface's. A VLAN and its base, a
    bond and its member are heard each for itself.

    Hearing what this host sends makes the kernel clone each outgoing packet, so above 100,000
    packets a second only foreign advertisements are listened to; our own state is known from
    other sources.
    """

    name = "wire"

    def run(self, context: Context) -> None:
        try:
            sock = open_socket()
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES):
                raise
            remedy = "run lvstui as root, or give it CAP_NET_RAW"
            context.missing(self.name, "VRRP advertisements can not be heard", remedy)
            return
        context.emit(self.name, Available(self.name))
        with sock:
            self._listen(sock, context)

    def _listen(self, sock: socket.socket, context: Context) -> None:
        pace = Pace()
        load = _Load(sock)
        bases = _Bases()
        heard: bool | None = None
        next_word = 0.0
        while not context.stop.is_set():
            ready = select.select([sock], [], [], 0.45)[0]
            load.look()
            if load.hears_own != heard:
                heard = load.hears_own
                context.emit(self.name, WireHears(heard))
            if time.monotonic() >= next_word:
                next_word = time.monotonic() + _LEFT_OUT_EVERY_S
                missed, pace.left_out = pace.left_out + _overflowed(sock), 0
                if missed:
                    context.emit(self.name, Overrun("adverts", missed))
            if not ready:
                continue
            try:
                packet, address = sock.recvfrom(2048)
            except BlockingIOError:
                continue
            except OSError as error:
                # An interface that goes down reports itself here; the socket goes on.
                if error.errno == errno.ENETDOWN:
                    continue
                raise
            at = time.time()
            outgoing = address[2] == _PACKET_OUTGOING
            interface = bases.of(plain(str(address[0]), 32))
            advert = parse_advert(packet, interface, outgoing, bytes(address[4]))
            if advert is not None and pace.allows(advert, time.monotonic()):
                context.emit(self.name, AdvertSeen(advert), at)


def _overflowed(sock: socket.socket) -> int:
    """Packets for which the socket had no room since it was asked last."""
    try:
        return int(struct.unpack("=II", sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))[1])
    except (OSError, struct.error):
        return 0


class _Bases:
    """The interface that keepalived is configured with, for the VMAC link on which it sends: one
    by the name of the other would be another interface for whoever compares it with the file."""

    _HOLDS_S = 5.0

    def __init__(self) -> None:
        self._until = 0.0
        self._base: dict[str, str] = {}

    def of(self, interface: str) -> str:
        """The interface below a VMAC link, any other one itself."""
        now = time.monotonic()
        if now >= self._until:
            self._base.clear()
        if interface not in self._base:
            self._until = now + self._HOLDS_S
            self._base.update(_vmac_links())
            self._base.setdefault(interface, interface)
        return self._base[interface]


def _vmac_links() -> dict[str, str]:
    """What each link with a virtual router's MAC is on; empty where netlink is forbidden."""
    try:
        links = [link for link in map(parse_link, rtnetlink.dump(rtnetlink.GETLINK)) if link]
    except OSError:
        return {}
    names = {link.index: link.name for link in links}
    return {
        link.name: names.get(link.base, link.name)
        for link in links
        if link.kind == "macvlan" and is_virtual_router(link.mac)
    }


class _Load:
    """Stops listening to our own packets while there are very many of them."""

    _EVERY_S = 10.0

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._next = 0.0
        self._count: tuple[float, int] | None = None
        self._ignoring = False

    @property
    def hears_own(self) -> bool:
        return not self._ignoring

    def look(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._EVERY_S
        count = _sent_packets()
        before, self._count = self._count, (now, count)
        if before is None:
            return
        per_s = (count - before[1]) / max(now - before[0], 0.001)
        ignore = per_s > (_BUSY_PPS / 2 if self._ignoring else _BUSY_PPS)
        if ignore != self._ignoring:
            # Linux before 4.20 does not know the option, and goes on cloning.
            with contextlib.suppress(OSError):
                self._sock.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, int(ignore))
                self._ignoring = ignore


def _sent_packets() -> int:
    """Packets sent by all interfaces since they exist (/proc/net/dev of our namespace)."""
    total = 0
    try:
        with open("/proc/net/dev", encoding="ascii", errors="replace") as file:
            for line in file:
                name, colon, rest = line.partition(":")
                words = rest.split()
                if colon and name.strip() != "lo" and len(words) > 9:
                    total += int(words[9])
    except (OSError, ValueError):
        return 0
    return total
