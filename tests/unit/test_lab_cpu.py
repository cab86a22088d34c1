"""Each guest of this user gets a CPU of its own as long as there are enough."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lvstui.lab import cpu


def marks(home: Path, count: int) -> list[Path]:
    found = []
    for number in range(count):
        folder = home / f"lab{number}"
        folder.mkdir()
        found.append(folder / "console.cpu")
    return found


def test_guests_spread_over_the_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 9})
    asked = marks(tmp_path, 6)
    with ThreadPoolExecutor(6) as pool:
        chosen = list(pool.map(cpu.choose, asked))
    assert sorted(filter(None, chosen)) == [3, 3, 5, 5, 9, 9]
    assert [int(mark.read_text()) for mark in asked] == chosen
    asked[2].unlink()
    assert cpu.choose(tmp_path / "lab2" / "rs1.cpu") == chosen[2]
    # A machine that boots again does not count itself.
    assert cpu.choose(tmp_path / "lab2" / "rs1.cpu") == chosen[2]


def test_nothing_to_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mark,) = marks(tmp_path, 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {4})
    assert cpu.choose(mark) is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {4, 5})
    # Where it can not be written down, the host's scheduler decides as before.
    assert cpu.choose(tmp_path / "gone" / "lab" / "console.cpu") is None
