"""A look at a real server is known to every lvstui of the host, and never an old one again."""

from __future__ import annotations

import stat
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lvstui.model.facts import Observation, RealServerSeen
from lvstui.model.realserver import Check, Look, Verdict
from lvstui.operations import looks
from lvstui.process import readonly
from lvstui.sources.base import Context
from lvstui.sources.looks import KeptLooks

NOW = float(int(time.time()))
LOUD = Check("arp_silent", Verdict.BAD, "no", "it answers ARP")
RS1 = Look("fd00::3", "rs1", NOW, (("fd00::20", (LOUD,)),), about=(("login", "root"),))
RS2 = replace(RS1, address="10.10.0.4", name="rs2")


class Listener:
    """The source, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.said: list[Observation] = []
        self._stop = threading.Event()
        context = Context("lb1", self.said.append, self._stop, 0.02)
        source = KeptLooks(folder)
        self._thread = threading.Thread(target=source.run, args=(context,), daemon=True)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)

    @property
    def looks(self) -> list[tuple[Look, bool]]:
        """Each look, and whether it was from before."""
        return [
            (one.fact.look, one.past) for one in self.said if isinstance(one.fact, RealServerSeen)
        ]

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for something to be said."""
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)


def test_what_another_session_saw_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "looks"
    looks.keep(RS1, folder)
    with Listener(folder) as listener:
        listener.until(lambda: listener.looks)
        later = replace(RS1, at=NOW + 1)
        looks.keep(later, folder)
        looks.keep(RS2, folder)
        listener.until(lambda: len(listener.looks) == 3)
    assert listener.looks[0] == (RS1, True)
    assert set(listener.looks[1:]) == {(later, False), (RS2, False)}
    assert all(one.at == one.fact.look.at for one in listener.said)  # type: ignore[union-attr]


def test_nobody_else_reads_them(tmp_path: Path) -> None:
    folder = tmp_path / "looks"
    looks.keep(RS1, folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


def test_what_is_no_look_or_too_old_is_passed_over(tmp_path: Path) -> None:
    folder = tmp_path / "looks"
    looks.keep(replace(RS1, at=NOW - 8 * 86400), folder)
    (folder / "nonsense").write_bytes(b"\xff{")
    (folder / ".half").write_text("{")
    looks.keep(RS2, folder)
    with Listener(folder) as listener:
        listener.until(lambda: listener.looks)
    assert listener.looks == [(RS2, True)]


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    folder = tmp_path / "looks"
    looks.keep(replace(RS1, address="../../etc/x"), folder)
    assert [path.name for path in folder.iterdir()] == ["..%2F..%2Fetc%2Fx"]


def test_a_read_only_session_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readonly, "active", lambda: True)
    looks.keep(RS1, tmp_path / "looks")
    assert not list(tmp_path.iterdir())
