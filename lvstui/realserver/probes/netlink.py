"""Just enough rtnetlink to know links, addresses and one route (linux/rtnetlink.h).

Three questions do not justify loading a netlink library, which takes longer than any probe.
"""

from __future__ import annotations

import os
import socket
import struct
import time
from collections.abc import Iterator

GETLINK, GETADDR, GETROUTE = 18, 22, 26
_ERROR, _DONE = 2, 3
_REQUEST, _DUMP, _DUMP_INTR = 0x1, 0x300, 0x10
_HEAD = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ROUTE = struct.Struct("=BBBBBBBBI")
_RTA_DST, _RTA_OIF = 1, 4
_WITHIN_S = 3.0
_TRIES = 4


def attributes(data: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes of a message, by number; a broken one ends them."""
    found: dict[int, bytes] = {}
    while offset + _ATTRIBUTE.size <= len(data):
        size, kind = _ATTRIBUTE.unpack_from(data, offset)
        if size < _ATTRIBUTE.size or offset + size > len(data):
            break
        found[kind & 0x3FFF] = data[offset + _ATTRIBUTE.size : offset + size]
        offset += (size + 3) & ~3
    return found


def parts(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, flags, payload) of the messages in one datagram."""
    offset = 0
    while offset + _HEAD.size <= len(data):
        size, kind, flags, _, _ = _HEAD.unpack_from(data, offset)
        if size < _HEAD.size or offset + size > len(data):
            return
        yield kind, flags, data[offset + _HEAD.size : offset + size]
        offset += (size + 3) & ~3


def dump(kind: int) -> list[bytes]:
    """The payload of every link (GETLINK) or address (GETADDR). Raises OSError.

    When something changed meanwhile the kernel says so, and it is asked again.
    """
    for _ in range(_TRIES):
        whole, found = _ask(kind, _REQUEST | _DUMP, bytes(16))
        if whole:
            break
    return found


def route(address: str, interface_index: int = 0) -> bytes:
    """The payload of the route that the kernel would take. Raises OSError (ENETUNREACH: none)."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.inet_pton(family, address)
    body = _ROUTE.pack(family, len(raw) * 8, 0, 0, 0, 0, 0, 0, 0)
    body += _ATTRIBUTE.pack(4 + len(raw), _RTA_DST) + raw
    if interface_index:
        body += _ATTRIBUTE.pack(8, _RTA_OIF) + struct.pack("=I", interface_index)
    return _ask(GETROUTE, _REQUEST, body)[1][0]


def _ask(kind: int, flags: int, body: bytes) -> tuple[bool, list[bytes]]:
    """Send one request; (nothing changed while it was answered, payloads)."""
    deadline = time.monotonic() + _WITHIN_S
    whole = True
    found: list[bytes] = []
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    ) as sock:
        sock.bind((0, 0))
        sock.send(_HEAD.pack(_HEAD.size + len(body), kind, flags, 1, 0) + body)
        while True:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            for answer, answer_flags, payload in parts(sock.recv(1 << 17)):
                if answer_flags & _DUMP_INTR:
                    whole = False
                if answer == _DONE:
                    return whole, found
                if answer == _ERROR:
                    code = -int(struct.unpack_from("=i", payload)[0])
                    raise OSError(code, os.strerror(code))
                found.append(payload)
                if not flags & _DUMP:
                    return True, found
