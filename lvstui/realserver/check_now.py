"""Asking a real server now, from this director: connect, request, what came, how long.

What keepalived's checks do in their turn is done once, at an operator's wish, and in Direct Routing
the one thing that they cannot do: a SYN for the VIP to the server's MAC (`probes.vip_path`).
"""

from __future__ import annotations

import errno
import os
import re
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from lvstui.model.keys import address_family, join_port
from lvstui.model.say import plural
from lvstui.model.text import plain
from lvstui.realserver.probes.results import Unavailable
from lvstui.realserver.probes.vip_path import PathState, try_path

T = TypeVar("T")
MOST_S = 10.0
"""For one step, whatever a check's own time-out."""
MOST_BYTES = 1 << 20
"""Of an answer: what comes behind that is not waited for."""
_POLL_S = 0.1
_PART = 1 << 16
_STATUS = re.compile(rb"HTTP/[0-9]\.[0-9] ([0-9]{3})(?![0-9])(?: ([^\r\n]{0,60}))?")
_PRINTABLE = re.compile(rb"[\x21-\x7e\x80-\xff]+")


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing to try."""

    what: str
    """In words: `connect 10.0.0.3:80`, `GET /health`."""
    address: str = ""
    port: int = 0
    within_s: float = 5.0
    path: bytes | None = None
    """Of an HTTP request; None: connect only."""
    host: bytes = b""
    tls: bool = False
    vip: str = ""
    """Send a SYN for this to the server's MAC instead; it completes no connection."""
    not_done: str = ""
    """Why it is not tried from here: only said."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of it."""

    what: str
    good: bool | None
    """None: nothing is known by it."""
    says: str
    ms: float | None = None
    """Until the last of it was there."""
    evidence: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """`connected, 0.4 ms`."""
        return self.says + (f", {self.ms:.1f} ms" if self.ms is not None else "")


class Stopped(Exception):
    """The operator stopped it."""


def check_now(
    asks: Sequence[Ask], stopped: Callable[[], bool], came: Callable[[Came], None]
) -> None:
    """Try one after the other and tell each when it is over. Blocks `MOST_S` for each at most; ends
    within a moment when `stopped`."""
    for ask in asks:
        try:
            came(_try(ask, stopped))
        except Stopped:
            came(Came(ask.what, None, "stopped"))
            return


def _try(ask: Ask, stopped: Callable[[], bool]) -> Came:
    if ask.not_done:
        return Came(ask.what, None, ask.not_done)
    if stopped():
        raise Stopped
    if ask.vip:
        return _path(ask)
    began = time.monotonic()
    waiting = _Waiting(began + min(ask.within_s, MOST_S), stopped)

    def ms() -> float:
        return (time.monotonic() - began) * 1000

    try:
        with _connected(ask, waiting) as sock:
            after = ms()
            if ask.path is None:
                return Came(ask.what, True, "connected", after)
            lines = (f"connected to {join_port(ask.address, ask.port)} after {after:.1f} ms",)
            answer, whole = _answer(ask, sock, waiting)
    except TimeoutError:
        return Came(ask.what, False, f"nothing within {min(ask.within_s, MOST_S):g} s", ms())
    except ssl.SSLError as error:
        return Came(ask.what, False, f"TLS: {plain(error.reason or 'failed', 80)}", ms())
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else plain(str(error), 80)
        return Came(ask.what, False, why.lower(), ms())
    status = _STATUS.match(answer)
    many = plural(len(answer), "byte") + ("" if whole else " and no end")
    if status is None:
        says = f"no HTTP answer: {many}" if answer else "closed without an answer"
        return Came(ask.what, False, says, ms(), lines)
    words = plain(status[2] or b"", 60)
    says = f"status {int(status[1])}{' ' + words if words else ''}, {many}"
    return Came(ask.what, whole and int(status[1]) < 400, says, ms(), lines)


def _path(ask: Ask) -> Came:
    result = try_path(ask.vip, ask.port, ask.address)
    if isinstance(result, Unavailable):
        return Came(ask.what, None, result.text, None, result.evidence)
    if result.state is PathState.ANSWERED:
        return Came(ask.what, True, "SYN-ACK", result.round_trip_ms, result.evidence)
    good = None if result.state is PathState.UNKNOWN else False
    return Came(ask.what, good, result.text, None, result.evidence)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """How long, and whether still."""

    until: float
    """time.monotonic()."""
    stopped: Callable[[], bool]

    def ready(self, sock: socket.socket, *, write: bool = False) -> None:
        """Wait until it can be read or written. Raises TimeoutError, Stopped."""
        poll = select.poll()
        poll.register(sock, select.POLLOUT if write else select.POLLIN)
        while True:
            if self.stopped():
                raise Stopped
            left = self.until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if poll.poll(min(left, _POLL_S) * 1000):
                return


@contextmanager
def _connected(ask: Ask, waiting: _Waiting) -> Iterator[socket.socket]:
    """A connection, with TLS when asked for. Raises OSError, TimeoutError, Stopped."""
    family = socket.AF_INET6 if address_family(ask.address) == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        sock.setblocking(False)
        code = sock.connect_ex((ask.address, ask.port))
        if code == errno.EINPROGRESS:
            waiting.ready(sock, write=True)
            code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        if ask.tls:
            # As keepalived does: whether anybody answers is asked, not who.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            sock = context.wrap_socket(sock, do_handshake_on_connect=False)
            _patiently(sock, waiting, sock.do_handshake)
        yield sock
    finally:
        sock.close()


def _answer(ask: Ask, sock: socket.socket, waiting: _Waiting) -> tuple[bytes, bool]:
    """Send the request: what came, and whether its end was seen."""
    assert ask.path is not None
    if not _PRINTABLE.fullmatch(ask.path) or not _PRINTABLE.fullmatch(ask.host or b"-"):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    request = b"GET %s HTTP/1.0\r\nUser-Agent: KeepAliveClient\r\nHost: %s\r\n\r\n"
    left = request % (ask.path, ask.host)
    while left:
        left = left[_patiently(sock, waiting, partial(sock.send, left), write=True) :]
    got = bytearray()
    while len(got) < MOST_BYTES:
        try:
            part = _patiently(sock, waiting, partial(sock.recv, _PART))
        except TimeoutError:
            if got:
                return bytes(got), False
            raise
        if not part:
            return bytes(got), True
        got += part
    return bytes(got), False


def _patiently(
    sock: socket.socket, waiting: _Waiting, call: Callable[[], T], *, write: bool = False
) -> T:
    """`call`, as soon as the socket lets it."""
    while True:
        try:
            return call()
        except (BlockingIOError, ssl.SSLWantReadError):
            waiting.ready(sock, write=write)
        except ssl.SSLWantWriteError:
            waiting.ready(sock, write=True)
