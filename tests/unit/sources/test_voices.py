"""Whose words a line of the log is."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from lvstui.model import facts as f
from lvstui.sources import voices
from lvstui.sources.base import Context
from lvstui.sources.log import _Sink
from lvstui.sources.voices import Voices

PARENT, VRRP, INSIDE = 100, 102, 7


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /proc with keepalived in a container, and another program."""
    for pid, numbers in ((PARENT, "100\t1"), (VRRP, f"102\t{INSIDE}"), (200, "200")):
        (tmp_path / str(pid) / "task" / str(pid)).mkdir(parents=True)
        (tmp_path / str(pid) / "status").write_text(f"Name:\tx\nNSpid:\t{numbers}\n")
        (tmp_path / str(pid) / "task" / str(pid) / "children").write_text("")
    (tmp_path / "100/task/100/children").write_text("102 ")
    monkeypatch.setattr(voices, "PROC", tmp_path)
    monkeypatch.setattr(voices, "is_keepalived", lambda pid: pid in (PARENT, VRRP, 103))
    monkeypatch.setattr(voices, "in_our_network", lambda pid: True)
    monkeypatch.setattr(voices, "start_time", lambda pid: 1000.0)
    return tmp_path


def test_the_daemons_processes_are_believed_by_all_their_numbers(host: Path) -> None:
    heard = Voices(lambda: PARENT)
    assert all(heard.believes(number, 2000.0) for number in (PARENT, VRRP, 1, INSIDE))
    assert not heard.believes(200, 2000.0)
    assert not heard.believes(0, 2000.0)


def test_an_earlier_daemon_spoke_before_this_one_began(host: Path) -> None:
    heard = Voices(lambda: PARENT)
    assert heard.believes(55, 900.0)
    assert not heard.believes(55, 1100.0)


def test_a_process_that_has_just_begun_is_believed_before_it_was_found(host: Path) -> None:
    heard = Voices(lambda: PARENT)
    heard.believes(PARENT, 2000.0)
    assert heard.believes(103, 2000.0)


def test_a_flood_of_made_up_numbers_costs_little(
    host: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def ask(pid: int) -> bool:
        asked.append(pid)
        return False

    monkeypatch.setattr(voices, "is_keepalived", ask)
    heard = Voices(lambda: PARENT)
    assert not any(heard.believes(number, 2000.0) for number in range(1000, 6000))
    assert len(asked) < 500


def test_a_forged_line_changes_no_state_and_is_said(host: Path) -> None:
    said: list[f.Observation] = []
    sink = _Sink(Context("lb1", said.append), "log", Voices(lambda: PARENT))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    forged = f"{stamp} lb1 Keepalived_vrrp[200]: (VI_1) Entering FAULT STATE"
    sink.file_line(forged.encode(), False)
    assert [type(one.fact) for one in said] == [f.Missing]
    sink.file_line(forged.encode(), False)
    assert len(said) == 1
    sink.file_line(forged.replace("[200]", f"[{VRRP}]").encode(), False)
    assert said[-1].fact == f.InstanceChanged("VI_1", "FAULT")
    assert not said[-1].past


@pytest.mark.parametrize(
    ("fields", "believed"),
    [
        ({"_COMM": "keepalived", "_EXE": "/usr/sbin/keepalived", "_PID": "102"}, True),
        ({"_COMM": "keepalived_vrrp"}, True),
        ({"_SYSTEMD_UNIT": "keepalived.service", "_COMM": "x"}, True),
        ({"_PID": "31"}, True),  # it has ended: journald could not look
        ({"_COMM": "logger", "_EXE": "/usr/bin/logger", "_PID": "200"}, False),
        ({"_COMM": "x", "_EXE": "/home/keepalived/x", "_PID": "200"}, False),
        ({"_COMM": "x", "_PID": str(VRRP)}, True),
    ],
)
def test_the_journal_tells_who_wrote(host: Path, fields: dict[str, str], believed: bool) -> None:
    said: list[f.Observation] = []
    sink = _Sink(Context("lb1", said.append), "log", Voices(lambda: PARENT))
    entry = {
        "MESSAGE": "(VI_1) Entering FAULT STATE",
        "SYSLOG_IDENTIFIER": "Keepalived_vrrp",
        "__REALTIME_TIMESTAMP": str(int(time.time() * 1e6)),
        **fields,
    }
    sink.journal_line(json.dumps(entry).encode())
    assert any(isinstance(one.fact, f.InstanceChanged) for one in said) is believed
