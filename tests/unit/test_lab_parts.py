"""The lab's small parts that need no guest."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from lvstui.lab import protocol
from lvstui.lab.errors import LabError
from lvstui.lab.faults import FAULTS, available, inject
from lvstui.lab.inside.director import read_table
from lvstui.lab.inside.servers import dns_reply
from lvstui.lab.inside.syslogd import format_line


def test_frames_survive_any_cut() -> None:
    frames = [(kind, kind * 7, bytes([kind]) * (kind * 31 % 200)) for kind in range(1, 60)]
    stream = b"".join(protocol.frame(kind, channel, data) for kind, channel, data in frames)
    dice = random.Random(1)
    decoder = protocol.Decoder()
    got = []
    while stream:
        size = dice.randint(1, 70)
        got += list(decoder.feed(stream[:size]))
        stream = stream[size:]
    assert got == frames


def test_a_stream_out_of_step_is_noticed() -> None:
    with pytest.raises(ValueError, match="out of step"):
        list(protocol.Decoder().feed(b"\xff" * 20))


def test_table_of_the_kernel() -> None:
    text = """IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A0A0014:0050 wrr  persistent 3000 FFFFFFFF
  -> 0A0A0003:0050      Route   10     4          59
UDP  [fd00:0010:0010:0000:0000:0000:0000:0020]:0035 sh
  -> [fd00:0010:0010:0000:0000:0000:0000:0004]:0035      Route   0     0          43
FWM  00000010 wrr
"""
    assert read_table(text) == {
        "TCP 10.10.0.20:80": ("TCP", {"10.10.0.3:80": ("Route", 10)}),
        "UDP [fd00:10:10::20]:53": ("UDP", {"[fd00:10:10::4]:53": ("Route", 0)}),
        "FWM 16": ("FWM", {}),
    }


def test_syslog_lines_are_those_of_debian_12() -> None:
    line = format_line(
        b"<30>Nov 22 17:05:15 Keepalived_vrrp[12]: (LB_1)\x1b[31m\n", "lb1", 1795367115.25
    )
    assert line == "2026-11-22T17:05:15.250000+00:00 lb1 Keepalived_vrrp[12]: (LB_1)#033[31m\n"


def test_dns_answers_with_the_name() -> None:
    query = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\x03lab\0" + struct.pack("!HH", 16, 1)
    reply = dns_reply(query, "rs2")
    assert reply is not None
    assert reply[:2] == b"\0\x07"
    assert reply.endswith(b"\x03rs2")
    assert dns_reply(b"short", "rs2") is None


def test_faults_know_their_opposites() -> None:
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS)
    assert all(fault.undo in names for fault in FAULTS if fault.name != "heal")
    assert {fault.role for fault in FAULTS} == {"", "any", "director", "realserver"}


def test_no_lab_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LVSTUI_LAB", raising=False)
    assert not available()
    with pytest.raises(LabError, match="this is no lab"):
        inject("heal")
    with pytest.raises(LabError, match="does not answer"):
        inject("heal", socket_path=tmp_path / "none.sock")
