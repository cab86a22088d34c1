"""VRRP advertisements: a recorded capture of keepalived 2.2.7, and hand-made packets."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lvstui.model.vrrp import Advert
from lvstui.sources.pace import MOST_KNOWN, MOST_PER_S, NEW_PER_S, Pace
from lvstui.sources.wire import _FILTER, parse_advert

CAPTURE = Path(__file__).parents[2] / "data" / "wire" / "vrrp-2.2.7.pcap"


def packets() -> Iterator[bytes]:
    """The IP packets of the capture (classic pcap, Ethernet)."""
    data = CAPTURE.read_bytes()
    magic = struct.unpack_from("<I", data)[0]
    order = "<" if magic in (0xA1B2C3D4, 0xA1B23C4D) else ">"
    (link,) = struct.unpack_from(order + "I", data, 20)
    assert link == 1
    offset = 24
    while offset < len(data):
        (length,) = struct.unpack_from(order + "I", data, offset + 8)
        frame = data[offset + 16 : offset + 16 + length]
        offset += 16 + length
        if frame[12:14] in (b"\x08\x00", b"\x86\xdd"):
            yield frame[14:]


def filtered(packet: bytes) -> bool:
    """What the kernel's filter would say: a small interpreter of its four kinds of step."""
    a = x = at = 0
    while True:
        code, yes, no, k = _FILTER[at]
        at += 1
        if code == 0x30:
            if k >= len(packet):
                return False
            a = packet[k]
        elif code == 0x50:
            if x + k >= len(packet):
                return False
            a = packet[x + k]
        elif code == 0xB1:
            x = (packet[k] & 0xF) * 4
        elif code == 0x74:
            a >>= k
        elif code == 0x15:
            at += yes if a == k else no
        else:
            assert code == 0x06
            return k > 0


def test_the_capture_is_understood() -> None:
    adverts = [a for a in map(parse_advert, packets()) if a is not None]
    seen = Counter((a.source, a.vrid, a.version, a.priority) for a in adverts)
    assert len(adverts) > 50
    assert {a.version for a in adverts} == {2, 3}
    assert any(":" in a.source for a in adverts)
    assert all(a.vips and 0 < a.interval_s <= 1 for a in adverts)
    assert ("10.9.0.1", 51, 2, 150) in seen


def test_the_filter_takes_adverts_only() -> None:
    taken = Counter((filtered(p), parse_advert(p) is not None) for p in packets())
    assert taken[(True, True)] > 50
    assert taken[(False, True)] == 0
    for other in (b"", b"\x45" + bytes(8) + b"\x06" + bytes(30), b"\x60" + bytes(60)):
        assert not filtered(other)


V2 = bytes.fromhex("2133 96 01 01 01 0000 0a090064") + b"s3cr3t\0\0"


def ip4(body: bytes, protocol: int = 112, padding: bytes = b"") -> bytes:
    head = struct.pack(
        "!BBHHHBBH4s4s",
        0x45,
        0xC0,
        20 + len(body),
        1,
        0,
        255,
        protocol,
        0,
        bytes((10, 9, 0, 1)),
        bytes((224, 0, 0, 18)),
    )
    return head + body + padding


EXPECTED = Advert("10.9.0.1", "eth0", 51, 150, 2, 1.0, ("10.9.0.100",))


def test_version_2_and_what_follows_it() -> None:
    assert parse_advert(ip4(V2), "eth0") == EXPECTED
    assert parse_advert(ip4(V2, padding=bytes(6)), "eth0") == EXPECTED
    assert parse_advert(ip4(V2 + b"\x01\x01" + bytes(26)), "eth0") == EXPECTED
    assert parse_advert(ip4(V2), "eth0", True) == replace(EXPECTED, outgoing=True)
    assert "s3cr3t" not in repr(parse_advert(ip4(V2)))


def test_an_authentication_header_is_stepped_over() -> None:
    header = bytes((112, 4, 0, 0)) + bytes(20)
    packet = ip4(header + V2, protocol=51)
    assert parse_advert(packet, "eth0") == EXPECTED
    assert filtered(packet)
    assert not filtered(ip4(bytes((6, 4, 0, 0)) + bytes(20) + V2, protocol=51))


def test_version_3_and_ipv6() -> None:
    body = bytes.fromhex("313d 64 01 0032 0000") + bytes.fromhex("fe80" + "00" * 13 + "64")
    packet = struct.pack("!IHBB", 0x60000000, len(body), 112, 255)
    packet += bytes.fromhex("fe80" + "00" * 13 + "01") + bytes.fromhex("ff02" + "00" * 13 + "12")
    advert = parse_advert(packet + body + bytes(4), "eth1")
    assert advert == Advert("fe80::1", "eth1", 61, 100, 3, 0.5, ("fe80::64",))
    assert filtered(packet + body)


def test_broken_packets_are_refused() -> None:
    whole = ip4(V2)
    for end in range(len(whole)):
        assert parse_advert(whole[:end]) is None
    assert parse_advert(ip4(b"\x41" + V2[1:])) is None
    assert parse_advert(ip4(b"\x22" + V2[1:])) is None
    assert parse_advert(ip4(V2[:3] + b"\xff" + V2[4:])) is None
    assert parse_advert(ip4(V2, protocol=6)) is None


def test_the_pace() -> None:
    pace = Pace()
    assert pace.allows(EXPECTED, 10.0)
    assert not pace.allows(EXPECTED, 10.001)  # its copy to another peer
    assert pace.allows(replace(EXPECTED, interface="eth0.7"), 10.001)  # where an instance may be
    assert pace.allows(replace(EXPECTED, priority=0), 10.002)  # it leaves: always news
    assert pace.allows(EXPECTED, 10.003)
    assert pace.allows(EXPECTED, 11.003)
    many = [replace(EXPECTED, vrid=n) for n in range(1, 256)]
    passed = Counter(a.vrid for tick in range(100) for a in many if pace.allows(a, 20 + tick / 10))
    # Each instance is heard, about once a second when it is known.
    assert set(passed) == set(range(1, 256))
    assert all(8 <= n <= 15 for n in passed.values())


def flood(count: int, seed: int = 0) -> list[Advert]:
    """Forged adverts for the VRID of a real peer, each from another address."""
    numbers = range(seed, seed + count)
    return [replace(EXPECTED, source=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}") for n in numbers]


def test_a_flood_from_ever_new_addresses_passes_by_its_own_budget_only() -> None:
    pace = Pace()
    peer = replace(EXPECTED, source="192.0.2.3", vrid=52)
    passed: Counter[str] = Counter()
    for second in range(10):
        forged = flood(5000, second * 5000)
        for number, advert in enumerate((*forged[:2500], peer, *forged[2500:])):
            now = 100.0 + second + number / 5001
            passed[f"{second} {advert.source}" if advert is peer else str(second)] += pace.allows(
                advert, now
            )
    assert [passed[f"{second} 192.0.2.3"] for second in range(4, 10)] == [1] * 6
    assert all(passed[str(second)] <= NEW_PER_S for second in range(4, 10))
    assert passed["0"] <= MOST_PER_S
    assert pace.left_out > 40_000


def test_a_peer_that_was_there_before_is_heard_though_forgers_become_known() -> None:
    pace = Pace()
    for second in range(5):
        assert pace.allows(EXPECTED, 100.0 + second)
    forged = flood(MOST_KNOWN * 2)
    for tick in range(50):
        now = 105.0 + tick / 10
        # Another priority each time: always news.
        allowed = sum(pace.allows(replace(one, priority=tick + 1), now) for one in forged)
        assert allowed <= MOST_PER_S + MOST_KNOWN
        if tick % 10 == 5:
            assert pace.allows(EXPECTED, now)
