"""Messages about links, addresses and routes, by hand."""

from __future__ import annotations

import socket
import struct

from lvstui.kernel.rtnetlink import (
    Link,
    attributes,
    messages,
    parse_address,
    parse_link,
    parse_route,
)


def attribute(kind: int, value: bytes) -> bytes:
    raw = struct.pack("=HH", 4 + len(value), kind) + value
    return raw + bytes(-len(raw) % 4)


def test_messages_are_cut_apart() -> None:
    one = struct.pack("=IHHII", 19, 20, 0, 7, 0) + b"abc" + b"\0"
    two = struct.pack("=IHHII", 16, 3, 2, 7, 0)
    found = list(messages(one + two))
    assert [(m.kind, m.sequence, m.payload) for m in found] == [(20, 7, b"abc"), (3, 7, b"")]
    assert list(messages(one[:10])) == []
    assert list(messages(struct.pack("=IHHII", 4, 1, 1, 1, 1))) == []
    assert attributes(b"\1\0\3\0") == {}


def test_links() -> None:
    body = struct.pack("=BxHiII", 0, 1, 5, 0x41, 0) + attribute(3, b"eth0\0")
    assert parse_link(body) == Link(5, "eth0", up=True)
    down = struct.pack("=BxHiII", 0, 1, 5, 0x1, 0) + attribute(3, b"eth0\0")
    assert parse_link(down) == Link(5, "eth0", up=False)
    assert parse_link(b"") is None
    assert parse_link(struct.pack("=BxHiII", 0, 1, 5, 0x1, 0)) is None


def test_addresses() -> None:
    head = struct.pack("=BBBBI", socket.AF_INET, 32, 0, 0, 5)
    local = attribute(2, bytes((10, 0, 0, 1)))
    peer = attribute(1, bytes((10, 0, 0, 2)))
    assert parse_address(head + peer + local) == (5, "10.0.0.1", 32)
    assert parse_address(head + peer) == (5, "10.0.0.2", 32)
    six = struct.pack("=BBBBI", socket.AF_INET6, 64, 0, 0, 5)
    assert parse_address(six + attribute(1, bytes(15) + b"\1")) == (5, "::1", 64)
    assert parse_address(head) is None
    assert parse_address(b"\2") is None


def test_what_a_link_sits_on() -> None:
    head = struct.pack("=BxHiII", 0, 1, 5, 0x41, 0)
    info = attribute(18, attribute(1, b"macvlan\0"))
    body = head + attribute(3, b"vrrp.51\0") + attribute(1, bytes.fromhex("00005e000133"))
    found = parse_link(body + attribute(5, struct.pack("=I", 2)) + info)
    assert found == Link(5, "vrrp.51", "00:00:5e:00:01:33", kind="macvlan", base=2)
    elsewhere = attribute(5, struct.pack("=I", 2)) + attribute(37, struct.pack("=I", 0)) + info
    assert parse_link(body + elsewhere) == Link(5, "vrrp.51", "00:00:5e:00:01:33", kind="macvlan")
    assert parse_link(b"") is None
    assert parse_link(head) is None


def test_routes() -> None:
    head = struct.pack("=BBBBBBBBI", socket.AF_INET, 32, 0, 0, 254, 0, 0, 1, 0)
    body = head + attribute(4, struct.pack("=I", 2)) + attribute(7, bytes((10, 10, 0, 2)))
    assert parse_route(body) == (1, 2, "10.10.0.2", "")
    assert parse_route(body + attribute(5, bytes((10, 10, 0, 1))))[3] == "10.10.0.1"
    via = struct.pack("=H", socket.AF_INET6) + socket.inet_pton(socket.AF_INET6, "fe80::1")
    assert parse_route(body + attribute(18, via))[3] == "fe80::1"
