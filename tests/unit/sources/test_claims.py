"""What the kernel lets in of claims and strays, and what of it is told."""

from __future__ import annotations

import threading
import time

import pytest

from lvstui.model.facts import OwnersSeen
from lvstui.model.vrrp import HeldAddress
from lvstui.realserver.probes import frames, raw
from lvstui.realserver.probes.frames import ETH_P_IP, ETH_P_IPV6, REPLY, REQUEST, Arp, Ethernet
from lvstui.realserver.probes.results import CannotProbe
from lvstui.sources import claims, strays
from lvstui.sources.base import Context
from lvstui.sources.claims import ClaimPace, ClaimsSource
from lvstui.sources.strays import ends_of, for_addresses

VIP, VIP6, MAC, OWN = "10.10.0.20", "fd00::20", "02:00:00:00:00:05", "02:00:00:00:00:01"
Program = tuple[tuple[int, int, int, int], ...]


def passes(program: Program, frame: bytes, kind: int = 0) -> int:
    """How many bytes the kernel's filter machine takes of a frame of that packet type."""
    a = at = 0
    while True:
        code, yes, no, k = program[at]
        at += 1
        if code == 0x06:
            return k
        if code == 0x15:
            at += yes if a == k else no
            continue
        size = {0x20: 4, 0x28: 2, 0x30: 1}[code]
        if k == 0xFFFFF004:
            a = kind
        elif k + size > len(frame):
            return 0
        else:
            a = int.from_bytes(frame[k : k + size], "big")


def arp(sender: str, operation: int = REPLY) -> bytes:
    return frames.arp_frame(Arp(operation, MAC, sender, frames.NO_MAC, "10.10.0.9"))


def advertisement(target: str) -> bytes:
    message = frames.Neighbour(frames.ADVERTISEMENT, "fe80::5", "ff02::1", target, MAC)
    return Ethernet("33:33:00:00:00:01", MAC, ETH_P_IPV6, message.pack()).pack()


def many(count: int) -> list[str]:
    return [f"10.10.{n >> 8}.{n & 255}" for n in range(count)]


@pytest.mark.parametrize("vips", [[VIP], ["10.9.9.9", VIP], [*many(900), VIP]])
def test_arp_of_our_addresses_passes_and_no_other(vips: list[str]) -> None:
    program = raw.assemble(claims.spoken_of(vips))
    assert len(program) <= 4096
    assert all(0 <= yes < 256 and 0 <= no < 256 for _, yes, no, _ in program)
    for operation in (REQUEST, REPLY):
        assert passes(program, arp(VIP, operation))
        assert not passes(program, arp("10.20.0.21", operation))
    assert not passes(program, arp(VIP)[:30])


def test_advertisements_of_our_addresses_pass_and_no_other() -> None:
    program = raw.assemble(claims.advertised([VIP6, "fd00::21"]))
    assert passes(program, advertisement(VIP6))
    assert not passes(program, advertisement("fd00::22"))
    assert not passes(program, frames.who_has(VIP6, MAC, "fe80::5"))
    assert not passes(program, arp(VIP))


def test_a_flood_of_claims_is_told_in_part() -> None:
    pace = ClaimPace()
    assert pace.allows(VIP, MAC, 10.0)
    assert not pace.allows(VIP, MAC, 10.5)
    assert pace.allows(VIP, OWN, 10.5)
    assert pace.allows(VIP, MAC, 11.1)
    told = sum(pace.allows(VIP, f"02:{n}", 20.0 + n / 5000) for n in range(5000))
    assert told == 50
    assert pace.allows(VIP, MAC, 30.0)
    assert len(pace._last) <= 4096


def test_strays_are_packets_to_our_mac_for_our_addresses() -> None:
    syn = frames.Tcp("10.10.0.10", 4000, VIP, 80, frames.SYN).pack()
    frame = Ethernet(OWN, MAC, ETH_P_IP, syn).pack()
    program = raw.assemble(for_addresses(["10.9.9.9", VIP], ETH_P_IP))
    assert passes(program, frame) == 54
    assert not passes(program, frame, kind=3), "for another host"
    assert not passes(program, frame, kind=4), "our own"
    other = frames.Tcp("10.10.0.10", 4000, "10.10.0.21", 80, frames.SYN).pack()
    assert not passes(program, Ethernet(OWN, MAC, ETH_P_IP, other).pack())
    assert ends_of(frame[:54]) == ("10.10.0.10", VIP)


def test_strays_of_the_other_family() -> None:
    syn = frames.Tcp("fd00::10", 4000, VIP6, 80, frames.SYN).pack()
    frame = Ethernet(OWN, MAC, ETH_P_IPV6, syn).pack()
    program = raw.assemble(for_addresses([VIP6], ETH_P_IPV6))
    assert passes(program, frame) == 54
    assert not passes(raw.assemble(for_addresses([VIP], ETH_P_IP)), frame)
    assert ends_of(frame[:54]) == ("fd00::10", VIP6)


def test_nothing_is_open_while_there_is_nothing_to_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> list[object]:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(claims, "_wires", opened)
    monkeypatch.setattr(strays, "_sockets", opened)
    source = strays.StraySource()
    source.virtual((HeldAddress(VIP, "eth0", True), HeldAddress(VIP6, "eth0", False, True)))
    for one in (source, ClaimsSource()):
        context = Context("lb1", lambda seen: None)
        thread = threading.Thread(target=one.run, args=(context,))
        thread.start()
        time.sleep(0.3)
        assert thread.is_alive()
        context.stop.set()
        thread.join(5)


def test_what_a_question_found_is_a_fact_also_when_nobody_can_be_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nowhere(*_: object) -> None:
        raise CannotProbe("nobody can be asked", "it is on no link of this host")

    monkeypatch.setattr(claims, "asking_link", nowhere)
    found: list[object] = []
    source = ClaimsSource()
    source._ask((VIP,), Context("lb1", lambda seen: found.append(seen.fact)))
    assert found == [OwnersSeen(VIP, "", trouble="it is on no link of this host")]
