"""Source "rtnetlink": the host's addresses and links, by event.

A VIP on an interface is the kernel's own word for MASTER, and it is there before keepalived logs
anything.

Lost messages (ENOBUFS) lead to a new dump, so what was pushed is right again at once.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time

from lvstui.kernel import rtnetlink
from lvstui.model.facts import AddressChanged, AddressesSeen, LinkChanged
from lvstui.model.text import plain
from lvstui.sources.base import Context, Source

_RECEIVE_BUFFER = 1 << 20
_DUMP_WITHIN_S = 5.0

Address = tuple[str, str, int]
"""(interface, address, prefix length)."""


class AddressSource(Source):
    """Pushes `AddressesSeen` at the start, then each change within a moment of its event."""

    name = "rtnetlink"

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._up: dict[int, bool] = {}
        self._addresses: dict[Address, None] = {}
        self._sequence = 0

    def run(self, context: Context) -> None:
        try:
            sock = rtnetlink.connect(rtnetlink.EVENTS)
        except OSError as error:
            what = f"no events about addresses: {plain(str(error))}"
            context.missing(self.name, what, "allow AF_NETLINK sockets (a sandbox forbids them)")
            return
        with sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
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
                for message in rtnetlink.messages(data):
                    self._take(message, context, at)

    def _load(self, sock: socket.socket, context: Context, first: bool) -> None:
        """Read everything, then push; again while messages get lost meanwhile."""
        before_up = {self._names.get(i, ""): up for i, up in self._up.items()}
        while not context.stop.is_set():
            self._names, self._up, self._addresses = {}, {}, {}
            kinds = (rtnetlink.GETLINK, rtnetlink.GETADDR)
            if all(self._dump(sock, context, kind) for kind in kinds):
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
        sock.send(rtnetlink.request(kind, sequence=self._sequence))
        deadline = time.monotonic() + _DUMP_WITHIN_S
        while not context.stop.is_set() and time.monotonic() < deadline:
            if not select.select([sock], [], [], 0.2)[0]:
                continue
            data = _receive(sock)
            if data is None:
                return False
            for message in rtnetlink.messages(data):
                if message.sequence == self._sequence:
                    if message.flags & rtnetlink.DUMP_INTR or message.kind == rtnetlink.ERROR:
                        return False
                    if message.kind == rtnetlink.DONE:
                        return True
                self._take(message, None, 0.0)
        return False

    def _take(self, message: rtnetlink.Message, context: Context | None, at: float) -> None:
        """Remember one message, and push what it changed (no context: push nothing)."""
        if message.kind in (rtnetlink.NEWLINK, rtnetlink.DELLINK):
            link = rtnetlink.parse_link(message.payload)
            if link is not None:
                self._take_link(link, message.kind == rtnetlink.DELLINK, context, at)
        elif message.kind in (rtnetlink.NEWADDR, rtnetlink.DELADDR):
            parsed = rtnetlink.parse_address(message.payload)
            if parsed is None:
                return
            index, address, prefix = parsed
            added = message.kind == rtnetlink.NEWADDR
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

    def _take_link(
        self, link: rtnetlink.Link, gone: bool, context: Context | None, at: float
    ) -> None:
        before = self._up.get(link.index)
        old_name = self._names.get(link.index)
        if gone:
            # A bridge port that leaves its bridge gives RTM_DELLINK as well, and goes on.
            if _name_of(link.index):
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
        return self._names.get(index) or _name_of(index) or f"if{index}"


def _name_of(index: int) -> str:
    """The name of an interface now; empty when there is none of that index."""
    try:
        return plain(socket.if_indextoname(index), 32)
    except OSError:
        return ""


def _receive(sock: socket.socket) -> bytes | None:
    """One datagram; None when the kernel dropped some for us."""
    try:
        return sock.recv(rtnetlink.MOST)
    except BlockingIOError:
        return b""
    except OSError as error:
        if error.errno == errno.ENOBUFS:
            return None
        raise OSError(error.errno, os.strerror(error.errno or 0)) from error
