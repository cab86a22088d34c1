"""The client: a steady stream of requests through the VIPs, each written to /var/log/client.log.

A line: `<epoch ms> <service> <real server or -> <ms> <ok | error word>`, for example
`1795370715123 web rs2 4.1 ok` or `1795370715170 dns - 1000.0 timeout`.  Long downloads are written
when they end, with the word `download` at the end.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

from lvstui.lab.inside.servers import Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LOG = "/var/log/client.log"
MAX_LOG_BYTES = 32 << 20
TIMEOUT_SECONDS = 1.5
DOWNLOAD_TIMEOUT_SECONDS = 40.0


def _open_log() -> int:
    return os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)


class Client:
    """Targets: {"name", "protocol", "address", "port", "per_second", "downloads"}."""

    def __init__(self, targets: list[dict[str, Any]]) -> None:
        self.loop = Loop()
        self._log = _open_log()
        self._count = 0
        start = 0.0
        for target in targets:
            rate = float(target["per_second"])
            if rate > 0:
                self._tick(target, 1 / rate, time.monotonic() + start)
            for number in range(int(target.get("downloads", 0))):
                # Spread over the time of one, so that some always start and some always end.
                self.loop.later(1 + 20.0 / target["downloads"] * number, self._starter(target))
            start += 0.013

    def _starter(self, target: dict[str, Any]) -> Any:
        return lambda: self._http(target, "/slow")

    def _tick(self, target: dict[str, Any], interval: float, due: float) -> None:
        def go() -> None:
            if target["protocol"] == "udp":
                self._dns(target)
            else:
                self._http(target, "/")
            # A guest that was held up does not make up for it in one burst.
            self._tick(target, interval, max(due + interval, time.monotonic()))

        self.loop.later(max(0.0, due - time.monotonic()), go)

    def _write(self, target: dict[str, Any], start: float, who: str, word: str) -> None:
        took = (time.time() - start) * 1000
        line = f"{int(start * 1000)} {target['name']} {who or '-'} {took:.1f} {word}\n"
        os.write(self._log, line.encode())
        self._count += 1
        if self._count % 5000 == 0 and os.fstat(self._log).st_size > MAX_LOG_BYTES:
            os.rename(LOG, LOG + ".1")
            os.close(self._log)
            self._log = _open_log()

    def _http(self, target: dict[str, Any], path: str) -> None:
        _Http(self.loop, target, path, self._write, self._http)

    def _dns(self, target: dict[str, Any]) -> None:
        start = time.time()
        family = socket.AF_INET6 if ":" in target["address"] else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setblocking(False)
        done = False

        def end(who: str, word: str) -> None:
            nonlocal done
            if not done:
                done = True
                self.loop.remove(sock.fileno())
                sock.close()
                self._write(target, start, who, word)

        def readable() -> None:
            try:
                data = sock.recv(2048)
            except OSError as error:
                end("", _word(error))
                return
            size = data[41] if len(data) > 41 else 0
            end(data[42 : 42 + size].decode("ascii", "replace"), "ok")

        # example.lab, TXT
        query = struct.pack("!HHHHHH", os.getpid() & 0xFFFF, 0x100, 1, 0, 0, 0)
        query += b"\x07example\x03lab\0" + struct.pack("!HH", 16, 1)
        self.loop.add(sock.fileno(), readable)
        try:
            sock.connect((target["address"], int(target["port"])))
            sock.send(query)
        except OSError as error:
            end("", _word(error))
            return
        self.loop.later(TIMEOUT_SECONDS, lambda: end("", "timeout"))


class _Http:
    """One request; `/slow` requests follow one another for ever."""

    def __init__(
        self, loop: Loop, target: dict[str, Any], path: str, write: Any, again: Any
    ) -> None:
        self._loop, self._target, self._path = loop, target, path
        self._write, self._again = write, again
        self._slow = path != "/"
        self._data = b""
        self._size = 0
        self._done = False
        self._start = time.time()
        family = socket.AF_INET6 if ":" in target["address"] else socket.AF_INET
        number = socket.IPPROTO_SCTP if target["protocol"] == "sctp" else 0
        self._socket = socket.socket(family, socket.SOCK_STREAM, number)
        self._socket.setblocking(False)
        code = self._socket.connect_ex((target["address"], int(target["port"])))
        if code not in (0, errno.EINPROGRESS):
            self._end(errno.errorcode.get(code, str(code)).lower())
            return
        # The request goes out when the handshake is done; sending early is refused by the kernel,
        # so readiness for reading (also on errors) is joined by a poll for writing.
        loop.poll_write(self._socket.fileno(), self._connected)
        limit = DOWNLOAD_TIMEOUT_SECONDS if self._slow else TIMEOUT_SECONDS
        loop.later(limit, lambda: self._end("timeout"))

    def _connected(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._end(_word(OSError(code, "")))
            return
        try:
            self._socket.send(f"GET {self._path} HTTP/1.0\r\nHost: lab\r\n\r\n".encode())
        except OSError as error:
            self._end(_word(error))
            return
        self._loop.add(self._socket.fileno(), self._readable)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(65536)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(_word(error))
            return
        self._size += len(data)
        self._data = (self._data + data)[:1024]
        if not data:
            self._end("ok" if b"\r\n\r\n" in self._data else "empty")

    def _end(self, word: str) -> None:
        if self._done:
            return
        self._done = True
        self._loop.remove(self._socket.fileno())
        self._socket.close()
        _, _, body = self._data.partition(b"\r\n\r\n")
        if word == "ok" and self._slow and self._size < 20000:
            word = "cut"
        who = body.split(b"\n", 1)[0].decode("ascii", "replace")
        self._write(self._target, self._start, who, word + (" download" if self._slow else ""))
        if self._slow:
            again = lambda: self._again(self._target, self._path)  # noqa: E731
            self._loop.later(0.5 if word == "ok" else 2.0, again)


def _word(error: OSError) -> str:
    words = {errno.ECONNREFUSED: "refused", errno.ECONNRESET: "reset", errno.EPIPE: "reset"}
    words |= {errno.EHOSTUNREACH: "unreachable", errno.ENETUNREACH: "unreachable"}
    code = error.errno or 0
    return words.get(code, errno.errorcode.get(code, "error").lower())


def serve(targets: list[dict[str, Any]]) -> None:
    """Never returns."""
    Client(targets).loop.run()
