"""Source "strays": packets for virtual addresses that arrive at a director without them.

Whoever did not hear that an address moved sends on to the MAC he knows, and his packets are lost
here. A packet socket with a kernel filter lets in only what is for one of those addresses and for
this host's own MAC, cut to its head. It is open only while this host has virtual addresses that it
does not hold, and read for some packets a second only: the kernel drops what is beyond.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import select
import socket
import struct
import time
from collections.abc import Sequence

from lvstui.model.facts import Available, StraysSeen
from lvstui.model.text import plain
from lvstui.model.vrrp import HeldAddress
from lvstui.realserver.probes.frames import ETH_P_IP, ETH_P_IPV6, packed
from lvstui.realserver.probes.raw import Step, assemble
from lvstui.sources.base import Context, Source

SAMPLE = 100
"""Packets that are looked at in one second."""
CLIENTS = 8
"""Clients that are named in one fact."""
_FIRST_S = 0.3
_IN_FILTER = 500
"""Addresses of one family that the filter compares (it takes 4096 steps)."""
_HEAD = 54
"""Bytes of a frame that are needed: Ethernet and IP headers."""
_SO_ATTACH_FILTER, _SO_RCVBUF = 26, 1 << 16
_TO_US = 0
_PACKET_TYPE = 0xFFFFF000 + 4
"""Where a filter reads whom a frame is for (SKF_AD_OFF + SKF_AD_PKTTYPE of linux/filter.h)."""


def for_addresses(vips: Sequence[str], kind: int) -> tuple[Step | str, ...]:
    """IP packets of one family (its EtherType) to one of these addresses and to this host's MAC;
    offsets count from the Ethernet header. Pure."""
    steps: list[Step | str] = [
        ("ld_word", _PACKET_TYPE),
        ("equal", _TO_US, "ours", ""),
        ("return", 0),
        "ours",
        ("ld_half", 12),
        ("equal", kind, "ip", ""),
        ("return", 0),
        "ip",
        # The end of the destination's address tells enough: whoever reads compares all of it.
        ("ld_word", 30 if kind == ETH_P_IP else 50),
    ]
    words = dict.fromkeys(int.from_bytes(packed(vip)[-4:], "big") for vip in vips)
    for number, word in enumerate(words):
        steps += [("equal", word, "", f"next {number}"), ("return", _HEAD), f"next {number}"]
    return (*steps, ("return", 0))


def ends_of(frame: bytes) -> tuple[str, str] | None:
    """(source, destination) of the IP packet in a frame that may be cut; None for anything else.
    Total."""
    if len(frame) < 34:
        return None
    kind = int.from_bytes(frame[12:14], "big")
    if kind == ETH_P_IP and frame[14] >> 4 == 4:
        return socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    if kind == ETH_P_IPV6 and frame[14] >> 4 == 6 and len(frame) >= _HEAD:
        six = socket.AF_INET6
        return socket.inet_ntop(six, frame[22:38]), socket.inet_ntop(six, frame[38:54])
    return None


class StraySource(Source):
    """Pushes `StraysSeen`, one a second for each address at most."""

    name = "strays"

    def __init__(self) -> None:
        self._elsewhere: tuple[str, ...] = ()
        """Addresses that this host does not hold, not even as a real server."""

    def virtual(self, vips: tuple[HeldAddress, ...]) -> None:
        found = (v.address for v in vips if not v.here and not v.on_loopback)
        self._elsewhere = tuple(dict.fromkeys(found))

    def run(self, context: Context) -> None:
        while not context.stop.is_set():
            addresses = self._elsewhere
            if not addresses:
                context.wait(0.2)
                continue
            try:
                with contextlib.ExitStack() as stack:
                    sockets = [stack.enter_context(one) for one in _sockets(addresses)]
                    context.emit(self.name, Available(self.name))
                    self._listen(sockets, addresses, context)
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.EACCES):
                    raise
                remedy = "run lvstui as root, or give it CAP_NET_RAW"
                context.missing(self.name, "packets for a VIP that left can not be seen", remedy)
                return

    def _listen(
        self, sockets: Sequence[socket.socket], addresses: tuple[str, ...], context: Context
    ) -> None:
        wanted = frozenset(addresses)
        # The first word soon: somebody may look only once.
        sample = _Sample(time.monotonic() + _FIRST_S)
        while not context.stop.is_set() and self._elsewhere is addresses:
            now = time.monotonic()
            if now >= sample.until:
                sample.tell(self.name, context)
                sample = _Sample(now + 1.0)
            if sample.left <= 0:
                context.wait(min(sample.until - now, 0.45))
                continue
            for one in select.select(sockets, [], [], 0.2)[0]:
                with contextlib.suppress(OSError):
                    frame, address = one.recvfrom(_HEAD)
                    ends = ends_of(frame)
                    if ends is not None and ends[1] in wanted:
                        where = plain(str(address[0]), 32)
                        sample.add(ends[1], where, ends[0], frame[6:12].hex(":"))


class _Sample:
    """What came within one second."""

    def __init__(self, until: float) -> None:
        self.until = until
        self.left = SAMPLE
        self._seen: dict[tuple[str, str, str], tuple[int, dict[str, None]]] = {}

    def add(self, vip: str, interface: str, client: str, mac: str) -> None:
        self.left -= 1
        count, clients = self._seen.get((vip, interface, mac), (0, {}))
        if len(clients) < CLIENTS:
            clients[client] = None
        self._seen[vip, interface, mac] = count + 1, clients

    def tell(self, name: str, context: Context) -> None:
        for (vip, interface, mac), (count, clients) in self._seen.items():
            context.emit(name, StraysSeen(vip, interface, tuple(clients), count, mac))


def _sockets(addresses: Sequence[str]) -> list[socket.socket]:
    """One for each family that there is. Raises OSError (EPERM without CAP_NET_RAW)."""
    four = [a for a in addresses if ":" not in a][:_IN_FILTER]
    six = [a for a in addresses if ":" in a][:_IN_FILTER]
    found: list[socket.socket] = []
    try:
        for vips, kind in ((four, ETH_P_IP), (six, ETH_P_IPV6)):
            if vips:
                found.append(_socket(vips, kind))
    except OSError:
        for one in found:
            one.close()
        raise
    return found


def _socket(vips: Sequence[str], kind: int) -> socket.socket:
    flags = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
    one = socket.socket(socket.AF_PACKET, flags, socket.htons(kind))
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SO_RCVBUF)
        code = b"".join(struct.pack("=HBBI", *step) for step in assemble(for_addresses(vips, kind)))
        buffer = ctypes.create_string_buffer(code)
        program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
        one.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
        # What came before the filter.
        with contextlib.suppress(BlockingIOError):
            for _ in range(1000):
                one.recv(1)
    except OSError:
        one.close()
        raise
    return one
