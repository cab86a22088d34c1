"""The lab's small parts that need no guest."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest

from lvstui.cli import build_parser
from lvstui.lab import protocol
from lvstui.lab.cli import FAILED
from lvstui.lab.errors import LabError
from lvstui.lab.faults import FAULTS, available, inject
from lvstui.lab.inside.director import format_line, read_table
from lvstui.lab.inside.servers import dns_reply


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


def test_faults_strike_whom_there_is() -> None:
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS)
    assert {fault.role for fault in FAULTS} == {"", "any", "director", "realserver"}


def test_no_lab_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LVSTUI_LAB", raising=False)
    assert not available()
    with pytest.raises(LabError, match="this is no lab"):
        inject("heal")
    monkeypatch.setenv("LVSTUI_LAB", str(tmp_path / "none.sock"))
    with pytest.raises(LabError, match="does not answer"):
        inject("heal")


class _Lab:
    """Remembers what the command line asks of a lab."""

    def __init__(self, name: str | None) -> None:
        self.name = name

    def fault(self, *asked: str | None) -> str:
        return repr((self.name, *asked))

    def __enter__(self) -> _Lab:
        return self

    def __exit__(self, *_: object) -> None:
        """As in Lab."""


class _Asked:
    """Stands for what runs a command on a node."""

    def __init__(self) -> None:
        self.commands: list[tuple[str | None, str, str]] = []

    def __call__(self, lab: _Lab, node: str, command: str) -> int:
        self.commands.append((lab.name, node, command))
        return 0


@pytest.mark.parametrize(
    "words",
    [
        "exec --lab X rs1 -- uname -a",
        "exec rs1 --lab X -- uname -a",
        "exec rs1 --lab=X uname -a",
        "exec --lab X rs1 uname -a",
    ],
)
def test_the_labs_name_may_stand_before_and_behind_the_node(
    words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _Asked()
    monkeypatch.setattr("lvstui.lab.cli.Lab.attach", _Lab)
    monkeypatch.setattr("lvstui.lab.cli._live", asked)
    args = build_parser().parse_args(["lab", *words.split()])
    assert args.run(args) == 0
    assert asked.commands == [("X", "rs1", "uname -a")]


def test_a_commands_own_options_stay_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _Asked()
    monkeypatch.setattr("lvstui.lab.cli.Lab.attach", _Lab)
    monkeypatch.setattr("lvstui.lab.cli._live", asked)
    args = build_parser().parse_args(["lab", "exec", "rs1", "--", "lvstui", "--lab", "Y"])
    assert args.run(args) == 0
    assert asked.commands == [(None, "rs1", "lvstui --lab Y")]


@pytest.mark.parametrize("words", ["shell --lab X rs1", "shell rs1 --lab X"])
def test_shell_takes_the_labs_name_anywhere(words: str) -> None:
    args = build_parser().parse_args(["lab", *words.split()])
    assert (args.lab, args.node_name) == ("X", "rs1")


@pytest.mark.parametrize(
    "words",
    [
        "fault --lab X slow rs1 900",
        "fault slow --lab X rs1 900",
        "fault slow rs1 --lab X 900",
        "fault slow rs1 900 --lab X",
    ],
)
def test_fault_takes_the_labs_name_anywhere(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lvstui.lab.cli.Lab.attach", _Lab)
    args = build_parser().parse_args(["lab", *words.split()])
    assert args.run(args) == 0
    assert capsys.readouterr().out.strip() == repr(("X", "slow", "rs1", "900"))


def test_fault_with_too_much_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lvstui.lab.cli.Lab.attach", _Lab)
    args = build_parser().parse_args(["lab", "fault", "slow", "rs1", "1", "2"])
    assert args.run(args) == FAILED
    assert "too many words" in capsys.readouterr().err
