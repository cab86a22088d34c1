"""Frames of the probes: built, parsed, cut off, and let through the kernel filters."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvstui.realserver.probes import frames, raw
from lvstui.realserver.probes.frames import ACK, RST, SYN, Arp, Ethernet, IcmpError, Neighbour, Tcp
from lvstui.realserver.probes.garp import announcements
from lvstui.realserver.probes.raw import Heard
from lvstui.realserver.probes.vip_path import SynAnswerKind, understand

RS, LB = "02:00:0a:0a:00:05", "02:00:0a:0a:00:02"
macs = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))
fours = st.binary(min_size=4, max_size=4).map(socket.inet_ntoa)
sixes = st.binary(min_size=16, max_size=16).map(lambda b: socket.inet_ntop(socket.AF_INET6, b))
ports = st.integers(0, 0xFFFF)
numbers = st.integers(0, 0xFFFFFFFF)
arps = st.builds(Arp, st.sampled_from([1, 2]), macs, fours, macs, fours)
adverts = st.builds(
    Neighbour, st.just(136), sixes, sixes, sixes, macs | st.just(""), st.booleans(), st.booleans()
)
solicitations = st.builds(Neighbour, st.just(135), sixes, sixes, sixes, macs | st.just(""))


@st.composite
def segments(draw: st.DrawFn) -> Tcp:
    address = draw(st.sampled_from([fours, sixes]))
    return Tcp(
        draw(address),
        draw(ports),
        draw(address),
        draw(ports),
        draw(st.integers(0, 63)),
        draw(numbers),
        draw(numbers),
        draw(ports),
        draw(st.integers(1, 255)),
    )


@given(arps, st.binary(max_size=18))
def test_arp_comes_back(arp: Arp, padding: bytes) -> None:
    assert Arp.parse(arp.pack() + padding) == arp


@given(adverts | solicitations)
def test_neighbour_messages_come_back(message: Neighbour) -> None:
    packet = message.pack()
    assert Neighbour.parse(packet) == message
    assert (
        frames.checksum(
            frames.pseudo_header(packet[8:24], packet[24:40], 58, len(packet) - 40) + packet[40:]
        )
        == 0
    )


@given(segments(), st.binary(max_size=6))
def test_segments_come_back(segment: Tcp, padding: bytes) -> None:
    packet = segment.pack()
    assert Tcp.parse(packet + padding) == segment
    four = packet[0] >> 4 == 4
    ends, body = (packet[12:20], packet[20:]) if four else (packet[8:40], packet[40:])
    half = len(ends) // 2
    pseudo = frames.pseudo_header(ends[:half], ends[half:], 6, len(body))
    assert frames.checksum(pseudo + body) == 0
    if four:
        assert frames.checksum(packet[:20]) == 0


@given(st.binary(max_size=120))
def test_noise_never_raises(data: bytes) -> None:
    for parse in (Ethernet.parse, Arp.parse, Neighbour.parse, Tcp.parse, IcmpError.parse):
        parse(data)


@given(arps | adverts | segments(), st.data())
def test_cut_off_never_raises(message: Arp | Neighbour | Tcp, data: st.DataObject) -> None:
    packet = message.pack()
    cut = packet[: data.draw(st.integers(0, len(packet) - 1))]
    for parse in (Arp.parse, Neighbour.parse, Tcp.parse, IcmpError.parse):
        assert parse(cut) is None


def test_a_known_arp_probe() -> None:
    expected = (
        "ffffffffffff02000a0a00020806000108000604000102000a0a0002000000000000000000000a0a0014"
    )
    assert frames.who_has("10.10.0.20", LB).hex() == expected


def test_a_known_solicitation() -> None:
    frame = Ethernet.parse(frames.who_has("fd00:10:10::20", LB, "fe80::1"))
    assert frame is not None
    assert frame.destination == "33:33:ff:00:00:20"
    message = Neighbour.parse(frame.payload)
    assert message == Neighbour(135, "fe80::1", "ff02::1:ff00:20", "fd00:10:10::20", LB)
    assert Neighbour.parse(frame.payload[:7] + b"\x40" + frame.payload[8:]) is None, "hop limit"


def test_announcements_are_what_linux_takes_for_gratuitous() -> None:
    first, second = [Ethernet.parse(frame) for frame in announcements("10.10.0.20", LB)]
    assert first is not None
    assert second is not None
    assert first.destination == second.destination == frames.BROADCAST
    request, reply = Arp.parse(first.payload), Arp.parse(second.payload)
    assert request == Arp(1, LB, "10.10.0.20", frames.NO_MAC, "10.10.0.20")
    assert reply == Arp(2, LB, "10.10.0.20", LB, "10.10.0.20")
    assert request.announces
    (six,) = [Ethernet.parse(frame) for frame in announcements("fd00::20", LB, router=True)]
    assert six is not None
    assert six.destination == "33:33:00:00:00:01"
    advert = Neighbour.parse(six.payload)
    assert advert is not None
    assert (advert.override, advert.router) == (True, True)


@pytest.mark.parametrize("text", ["", "02:00", "zz:00:00:00:00:00", "02:00:00:00:00:00:00"])
def test_no_mac(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        frames.mac_bytes(text)


SYN4 = Tcp("10.10.0.2", 50000, "10.10.0.20", 80, SYN, 0xFFFFFFFF, hops=1)
SYN6 = Tcp("fd00::2", 50000, "fd00::20", 80, SYN, 7, hops=1)


def heard(packet: bytes, source: str = RS, kind: int = 0) -> Heard:
    kind = kind or (frames.ETH_P_IP if packet[0] >> 4 == 4 else frames.ETH_P_IPV6)
    return Heard(Ethernet(LB, source, kind, packet), "eth0", 1.0)


def reply(syn: Tcp, flags: int, **changes: int) -> bytes:
    back = Tcp(
        syn.destination,
        syn.destination_port,
        syn.source,
        syn.source_port,
        flags,
        5,
        (syn.sequence + 1) & 0xFFFFFFFF,
    )
    return replace(back, **changes).pack()  # type: ignore[arg-type]


def icmp(syn: Tcp, kind: int, code: int, reporter: str) -> bytes:
    """An ICMP error with the IP header and 8 bytes of what it is about."""
    quoted = syn.pack()
    body = struct.pack("!BBHI", kind, code, 0, 0) + quoted[: 28 if quoted[0] >> 4 == 4 else 48]
    source, destination = frames.packed(reporter), frames.packed(syn.source)
    if len(source) == 4:
        total = 20 + len(body)
        return (
            struct.pack("!BBHHHBBH", 0x45, 0, total, 0, 0, 64, 1, 0) + source + destination + body
        )
    return struct.pack("!IHBB", 6 << 28, len(body), 58, 64) + source + destination + body


@pytest.mark.parametrize("syn", [SYN4, SYN6])
def test_what_answers_mean(syn: Tcp) -> None:
    reporter = "10.10.0.5" if syn is SYN4 else "fd00::5"
    exceeded, refused = ((11, 0), (3, 13)) if syn is SYN4 else ((3, 0), (1, 1))
    cases = [
        (reply(syn, SYN | ACK), SynAnswerKind.SYN_ACK),
        (reply(syn, RST | ACK), SynAnswerKind.RST),
        (icmp(syn, *exceeded, reporter), SynAnswerKind.EXCEEDED),
        (icmp(syn, *refused, reporter), SynAnswerKind.ERROR),
        (syn.pack(), SynAnswerKind.RETURNED),
        (reply(syn, SYN | ACK, acknowledgement=1), None),
        (reply(syn, ACK), None),
        (reply(syn, SYN | ACK, destination_port=4), None),
        (icmp(replace(syn, source_port=3), *refused, reporter), None),
        (icmp(syn, 8 if syn is SYN4 else 128, 0, reporter), None),
    ]
    for packet, kind in cases:
        told = understand(heard(packet), syn, RS)
        assert (told.kind if told else None) is kind, (packet, told)


def test_arp_as_the_vip_is_a_leak() -> None:
    leak = Arp(1, RS, "10.10.0.20", frames.NO_MAC, "10.10.0.2").pack()
    told = understand(heard(leak, kind=frames.ETH_P_ARP), SYN4, RS)
    assert told is not None
    assert told.kind is SynAnswerKind.LEAK
    decent = Arp(1, RS, "10.10.0.5", frames.NO_MAC, "10.10.0.2").pack()
    assert understand(heard(decent, kind=frames.ETH_P_ARP), SYN4, RS) is None
    assert understand(heard(leak, kind=frames.ETH_P_ARP), SYN4, LB) is None, "another's"


def passes(program: tuple[tuple[int, int, int, int], ...], frame: bytes) -> bool:
    """What the kernel's filter machine says (a load beyond the end rejects)."""
    a = x = at = 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        if code == 0x06:
            return k > 0
        if code in (0x15, 0x35, 0x45):
            true = a == k if code == 0x15 else a >= k if code == 0x35 else bool(a & k)
            at += yes if true else no
            continue
        offset = k + (x if code in (0x48, 0x50) else 0)
        size = 2 if code in (0x28, 0x48) else 1
        if offset + size > len(frame):
            return False
        value = int.from_bytes(frame[offset : offset + size], "big")
        if code == 0xB1:
            x = (value & 0xF) * 4
        else:
            a = value


def test_the_filter_of_a_conversation() -> None:
    program = raw.assemble(raw.conversation(50000))
    assert all(0 <= yes < 256 and 0 <= no < 256 for _, yes, no, _ in program)
    other4, other6 = (replace(syn, source_port=4) for syn in (SYN4, SYN6))
    advert = Neighbour(136, "fe80::5", "fe80::2", "fd00::20", RS).pack()
    wanted = [
        reply(SYN4, SYN | ACK),
        reply(SYN6, RST | ACK),
        SYN4.pack(),
        SYN6.pack(),
        advert,
        icmp(SYN4, 11, 0, "10.10.0.5"),
        icmp(SYN4, 3, 1, "10.10.0.5"),
        icmp(SYN6, 1, 0, "fd00::5"),
        icmp(SYN4, 5, 1, "10.10.0.5"),
        icmp(SYN6, 3, 0, "fd00::5"),
    ]
    unwanted = [
        reply(other4, SYN | ACK),
        reply(other6, SYN | ACK),
        icmp(SYN4, 8, 0, "10.10.0.5"),
        icmp(SYN6, 128, 0, "fd00::5"),
        Neighbour(135, "fe80::5", "ff02::1", "fd00::20", RS).pack(),
    ]
    for packets, expected in ((wanted, True), (unwanted, False)):
        for packet in packets:
            frame = heard(packet).frame.pack()
            assert passes(program, frame) is expected, packet.hex()
    assert passes(program, frames.who_has("10.10.0.20", LB))
    fragment = bytearray(heard(reply(SYN4, SYN | ACK)).frame.pack())
    fragment[21] = 1
    assert not passes(program, bytes(fragment))


def test_the_filter_for_advertisements() -> None:
    program = raw.assemble(raw.ADVERTISEMENTS)
    advert = Neighbour(136, "fe80::5", "fe80::2", "fd00::20", RS).pack()
    assert passes(program, heard(advert).frame.pack())
    assert not passes(program, frames.who_has("fd00::20", LB, "fe80::1"))
    assert not passes(program, frames.who_has("10.10.0.20", LB))
    assert not passes(program, heard(SYN6.pack()).frame.pack())
