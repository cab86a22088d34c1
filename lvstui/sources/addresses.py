"""Source "rtnetlink": the host's addresses and links, by event.

A VIP on an interface is the kernel's own word for MASTER, and it is there before keepalived logs
anything. A raw netlink socket is used instead of pyroute2: importing that costs 150 ms and
several megabytes, and these three messages need little (linux/rtnetlink.h, linux/if_addr.h).

Lost messages (ENOBUFS) lead to a new dump, so what was pushed is right again at once.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from lvstui.model.facts import AddressChanged, AddressesSeen, LinkChanged, Missing
from lvstui.model.text import plain
from lvstui.sources.base import Context

_NLMSG_ERROR, _NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
_NLM_F_REQUEST, _NLM_F_DUMP, _NLM_F_DUMP_INTR = 0x1, 0x300, 0x10
_GROUPS = 0x1 | 0x10 | 0x100  # links, IPv4 addresses, IPv6 addresses
_IFLA_IFNAME = 3
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFF_UP, _IFF_RUNNING = 0x1, 0x40
_HEADER = struct.Struct("=IHHII")
_IFINFO = struct.Struct("=BxHiII")
_IFADDR = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_RECEIVE_BUFFER = 1 << 20
_DUMP_WITHIN_S = 5.0

Address = tuple[str, str, int]
"""(interface, address, prefix length)."""


@dataclass(frozen=True, slots=True)
class Message:
    """One netlink message, undecoded."""

    kind: int
    flags: int
    sequence: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Link:
    """One RTM_NEWLINK or RTM_DELLINK."""

    index: int
    name: str
    up: bool
    """Administratively up and operational (keepalived asks for the same two)."""


def messages(data: bytes) -> Iterator[Message]:
    """The messages of one datagram; a cut-off one ends it."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield Message(kind, flags, sequence, data[offset + _HEADER.size : offset + length])
        offset += (length + 3) & ~3


def _attributes(data: bytes, offset: int) -> dict[int, bytes]:
    found = {}
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
    _, _, index, flags, _ = _IFINFO.unpack_from(payload)
    name = _attributes(payload, _IFINFO.size).get(_IFLA_IFNAME)
    if name is None:
        return None
    up = flags & _IFF_UP and flags & _IFF_RUNNING
    return Link(index, plain(name.rstrip(b"\0"), 32), bool(up))


def parse_address(payload: bytes) -> tuple[int, str, int] | None:
    """(interface index, address, prefix length) of an address message."""
    if len(payload) < _IFADDR.size:
        return None
    family, prefix, _, _, index = _IFADDR.unpack_from(payload)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return None
    found = _attributes(payload, _IFADDR.size)
    # On point-to-point links IFA_ADDRESS is the other end.
    raw = found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS)
    if raw is None or len(raw) != (4 if family == socket.AF_INET else 16):
        return None
    return index, socket.inet_ntop(family, raw), prefix


class AddressSource:
    """Pushes `AddressesSeen` at the start, then each change within a moment of its event."""

    name = "rtnetlink"

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._up: dict[int, bool] = {}
        self._addresses: dict[Address, None] = {}
        self._sequence = 0

    def run(self, context: Context) -> None:
        """See `Source`."""
        try:
            sock = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
            )
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
            sock.bind((0, _GROUPS))
        except OSError as error:
            context.emit(
                self.name,
                Missing(
                    self.name,
                    f"no events about addresses: {plain(str(error))}",
                    "allow AF_NETLINK sockets (a sandbox forbids them)",
                ),
            )
            return
        with sock:
            sock.setblocking(False)
            self._load(sock, context, first=True)
            while not context.stop.is_set():
                if not select.select([sock], [], [], 0.45)[0]:
                    continue
                data = _receive(sock)
                at = time.time()
                if data is None:
                    self._load(sock, context, first=False)
                    continue
                for message in messages(data):
                    self._take(message, context, at)

    def _load(self, sock: socket.socket, context: Context, first: bool) -> None:
        """Read everything, then push; again while messages get lost meanwhile."""
        before_up = {self._names.get(i, ""): up for i, up in self._up.items()}
        while not context.stop.is_set():
            self._names, self._up, self._addresses = {}, {}, {}
            if all(self._dump(sock, context, kind) for kind in (RTM_GETLINK, RTM_GETADDR)):
                break
            context.wait(0.05)
        context.emit(self.name, AddressesSeen(tuple(self._addresses)))
        for index, up in self._up.items():
            name = self._names[index]
            # At the start only what is down is worth a word.
            if not up if first else before_up.get(name, True) != up:
                context.emit(self.name, LinkChanged(name, up), past=first)

    def _dump(self, sock: socket.socket, context: Context, kind: int) -> bool:
        """Ask for all links or addresses; False when the answer is not whole.

        Events that come in between are newer than what the dump said before them and older than
        nothing that follows, so taking all in order gives the truth.
        """
        self._sequence += 1
        # One zeroed family byte (any family), padded to the longer of the two headers.
        body = bytes(_IFINFO.size)
        request = _HEADER.pack(
            _HEADER.size + len(body), kind, _NLM_F_REQUEST | _NLM_F_DUMP, self._sequence, 0
        )
        sock.send(request + body)
        deadline = time.monotonic() + _DUMP_WITHIN_S
        while not context.stop.is_set() and time.monotonic() < deadline:
            if not select.select([sock], [], [], 0.2)[0]:
                continue
            data = _receive(sock)
            if data is None:
                return False
            for message in messages(data):
                if message.sequence == self._sequence:
                    if message.flags & _NLM_F_DUMP_INTR or message.kind == _NLMSG_ERROR:
                        return False
                    if message.kind == _NLMSG_DONE:
                        return True
                self._take(message, None, 0.0)
        return False

    def _take(self, message: Message, context: Context | None, at: float) -> None:
        """Remember one message, and push what it changed (no context: push nothing)."""
        if message.kind in (RTM_NEWLINK, RTM_DELLINK):
            link = parse_link(message.payload)
            if link is not None:
                self._take_link(link, message.kind == RTM_DELLINK, context, at)
        elif message.kind in (RTM_NEWADDR, RTM_DELADDR):
            parsed = parse_address(message.payload)
            if parsed is None:
                return
            index, address, prefix = parsed
            added = message.kind == RTM_NEWADDR
            key = (self._name(index), address, prefix)
            # An update of flags or lifetimes is an RTM_NEWADDR, too.
            if added == (key in self._addresses):
                return
            if added:
                self._addresses[key] = None
            else:
                del self._addresses[key]
            if context is not None:
                context.emit(self.name, AddressChanged(*key, added=added), at)

    def _take_link(self, link: Link, gone: bool, context: Context | None, at: float) -> None:
        before = self._up.get(link.index, None)
        old_name = self._names.get(link.index)
        if gone:
            # A bridge port that leaves its bridge gives RTM_DELLINK as well, and goes on.
            if _exists(link.index):
                return
            self._names.pop(link.index, None)
            self._up.pop(link.index, None)
            lost = [key for key in self._addresses if key[0] == link.name]
        else:
            self._names[link.index] = link.name
            self._up[link.index] = link.up
            lost = []
        if old_name is not None and old_name != link.name:
            moved = [key for key in self._addresses if key[0] == old_name]
            for key in moved:
                del self._addresses[key]
                self._addresses[(link.name, key[1], key[2])] = None
            if context is not None and moved:
                context.emit(self.name, AddressesSeen(tuple(self._addresses)), at)
        up = link.up and not gone
        if context is not None:
            for key in lost:
                del self._addresses[key]
                context.emit(self.name, AddressChanged(*key, added=False), at)
            if before != up:
                context.emit(self.name, LinkChanged(link.name, up), at)

    def _name(self, index: int) -> str:
        name = self._names.get(index)
        if name is None:
            try:
                name = plain(socket.if_indextoname(index), 32)
            except OSError:
                name = f"if{index}"
        return name


def _exists(index: int) -> bool:
    try:
        socket.if_indextoname(index)
    except OSError:
        return False
    return True


def _receive(sock: socket.socket) -> bytes | None:
    """One datagram; None when the kernel dropped some for us."""
    try:
        return sock.recv(1 << 17)
    except BlockingIOError:
        return b""
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            return None
        raise OSError(error.errno, os.strerror(error.errno or 0)) from error
