"""The real servers' services: a small web server and DNS responder that can misbehave on order.

One process with one event loop serves all services of a node.  Modes of a service: `normal`;
`hang` (accepts and never answers); `slow` (answers after some ms); `stopped` (port closed).
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import select
import socket
import struct
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DOWNLOAD_SECONDS = 20.0
_DOWNLOAD_STEPS = 40


class Loop:
    """Readable descriptors and timers; nothing else is needed here."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._readers: dict[int, Callable[[], None]] = {}
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def add(self, fd: int, call: Callable[[], None]) -> None:
        """Call when fd is readable."""
        self._readers[fd] = call
        self._poll.register(fd, select.EPOLLIN)

    def poll_write(self, fd: int, call: Callable[[], None]) -> None:
        """Call once when fd is writable (a connection is there or has failed)."""

        def once() -> None:
            self.remove(fd)
            call()

        self._readers[fd] = once
        self._poll.register(fd, select.EPOLLOUT)

    def remove(self, fd: int) -> None:
        """Forget a descriptor (before it is closed)."""
        if self._readers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call once, after some seconds."""
        self._count += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._count, call))

    def run(self) -> None:
        while True:
            wait = -1.0
            if self._timers:
                wait = max(0.0, self._timers[0][0] - time.monotonic())
            for fd, _ in self._poll.poll(wait):
                reader = self._readers.get(fd)
                if reader is not None:
                    reader()
            now = time.monotonic()
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()


class ServedService:
    """What TCP and UDP services share: mode and listening socket."""

    kind: socket.SocketKind

    def __init__(
        self, loop: Loop, node: str, name: str, port: int, ipv6: bool, number: int = 0
    ) -> None:
        self.loop = loop
        self.node = node
        self.name = name
        self.port = port
        self.mode = "normal"
        self.number = number
        self.delay = 0.0
        self._family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self._socket: socket.socket | None = None
        self.clients: dict[int, socket.socket] = {}
        self.open()

    def readable(self) -> None:
        raise NotImplementedError

    def drop(self) -> None:
        """Forget the clients."""

    def open(self) -> None:
        if self._socket is not None:
            return
        sock = socket.socket(self._family, self.kind, self.number)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setblocking(False)
        sock.bind(("", self.port))
        if self.kind == socket.SOCK_STREAM:
            sock.listen(128)
        self._socket = sock
        self.loop.add(sock.fileno(), self.readable)

    def close(self) -> None:
        """Stop listening, drop the clients."""
        if self._socket is not None:
            self.loop.remove(self._socket.fileno())
            self._socket.close()
            self._socket = None
        self.drop()

    def order(self, mode: str, delay_ms: int) -> None:
        if self.mode == "hang" and mode != "hang":
            self.drop()
        self.mode, self.delay = mode, delay_ms / 1000
        if mode == "stopped":
            self.close()
        else:
            self.open()


class Web(ServedService):
    """HTTP/1.0: `/` gives the node's name, `/slow` the same over 20 s."""

    kind = socket.SOCK_STREAM

    def readable(self) -> None:
        assert self._socket is not None
        for _ in range(16):
            try:
                client, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue
            client.setblocking(False)
            fd = client.fileno()
            self.clients[fd] = client
            if self.mode != "hang":
                self.loop.add(fd, lambda fd=fd, client=client: self._request(fd, client))  # type: ignore[misc]

    def _request(self, fd: int, client: socket.socket) -> None:
        try:
            data = client.recv(4096)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._end(fd, client)
            return
        self.loop.remove(fd)
        path = [*data.split(b" ", 2), b"/", b""][1]
        if self.mode == "slow":
            self.loop.later(self.delay, lambda: self._answer(fd, client, path))
        else:
            self._answer(fd, client, path)

    def _answer(self, fd: int, client: socket.socket, path: bytes) -> None:
        if self.clients.get(fd) is not client:
            return
        body = f"{self.node}\n".encode()
        head = b"HTTP/1.0 200 OK\r\nServer: " + self.node.encode()
        head += b"\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
        if path.startswith(b"/slow"):
            block = b"." * 1023 + b"\n"
            self._send(fd, client, head % (len(body) + _DOWNLOAD_STEPS * len(block)) + body)
            self._stream(fd, client, block, _DOWNLOAD_STEPS)
        elif self._send(fd, client, head % len(body) + body):
            self._end(fd, client)

    def _stream(self, fd: int, client: socket.socket, block: bytes, left: int) -> None:
        if self.clients.get(fd) is not client:
            return
        if not left:
            self._end(fd, client)
        elif self._send(fd, client, block):
            pause = DOWNLOAD_SECONDS / _DOWNLOAD_STEPS
            self.loop.later(pause, lambda: self._stream(fd, client, block, left - 1))

    def _send(self, fd: int, client: socket.socket, data: bytes) -> bool:
        try:
            client.send(data)
        except OSError:
            self._end(fd, client)
            return False
        return True

    def _end(self, fd: int, client: socket.socket) -> None:
        if self.clients.pop(fd, None) is client:
            self.loop.remove(fd)
            client.close()

    def drop(self) -> None:
        for fd, client in list(self.clients.items()):
            self._end(fd, client)


class Dns(ServedService):
    """Answers every question: TXT with the node's name, A with 192.0.2.1 (documentation net)."""

    kind = socket.SOCK_DGRAM

    def open(self) -> None:
        super().open()
        # A reply must leave from the address that was asked, which is the VIP on lo.
        assert self._socket is not None
        self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        if self._family == socket.AF_INET6:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)

    def readable(self) -> None:
        assert self._socket is not None
        for _ in range(16):
            try:
                data, info, _, peer = self._socket.recvmsg(2048, 256)
            except OSError:
                return
            if self.mode == "slow":
                self.loop.later(self.delay, lambda d=data, i=info, p=peer: self._answer(d, i, p))  # type: ignore[misc]
            elif self.mode != "hang":
                self._answer(data, info, peer)

    def _answer(self, data: bytes, info: list[tuple[int, int, bytes]], peer: Any) -> None:
        reply = dns_reply(data, self.node)
        if reply is None or self._socket is None:
            return
        control = []
        for level, kind, raw in info:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                # struct in_pktinfo: the kernel takes the source from ipi_spec_dst.
                control.append((level, kind, struct.pack("=i4s4s", 0, raw[8:12], raw[8:12])))
            # A mapped IPv4 address as IPv6 source is refused; the IPv4 item above serves it.
            elif (
                level == socket.IPPROTO_IPV6
                and kind == socket.IPV6_PKTINFO
                and not raw.startswith(b"\0" * 10 + b"\xff\xff")
            ):
                control.append((level, kind, raw[:16] + b"\0\0\0\0"))
        with contextlib.suppress(OSError):
            self._socket.sendmsg([reply], control, 0, peer)


_IP_PKTINFO = 8


def dns_reply(query: bytes, name: str) -> bytes | None:
    """The answer to one question (RFC 1035), None when the query is malformed."""
    if len(query) < 17:
        return None
    end = 12
    while end < len(query) and query[end]:
        end += query[end] + 1
    question = query[12 : end + 5]
    if len(question) < 5:
        return None
    kind = struct.unpack("!H", question[-4:-2])[0]
    data = {16: bytes([len(name)]) + name.encode(), 1: bytes([192, 0, 2, 1])}.get(kind)
    head = query[:2] + struct.pack("!HHHHH", 0x8580, 1, 1 if data else 0, 0, 0)
    if data is None:
        return head + question
    return head + question + struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(data)) + data


def serve(node: str, services: list[dict[str, Any]], orders: socket.socket, ipv6: bool) -> None:
    """Never returns.  `orders` carries one JSON object a packet: {"service": name or "", "mode",
    "ms"}; each is answered by one packet when it is in force."""
    loop = Loop()
    running: list[ServedService] = []
    for item in services:
        kind = Dns if item["protocol"] == "udp" else Web
        number = socket.IPPROTO_SCTP if item["protocol"] == "sctp" else 0
        running.append(kind(loop, node, item["name"], int(item["port"]), ipv6, number))

    def order() -> None:
        data = orders.recv(4096)
        if not data:
            os._exit(0)
        wish = json.loads(data)
        for service in running:
            if wish["service"] in ("", service.name):
                service.order(wish["mode"], int(wish.get("ms", 0)))
        orders.send(b"ok")

    loop.add(orders.fileno(), order)
    loop.run()
