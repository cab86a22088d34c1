"""Each guest of this user gets a CPU of its own as long as there are enough."""

from __future__ import annotations

import os
import subprocess
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
    assert cpu.choose(asked[2]) == chosen[2]
    # Who asks again does not count itself.
    assert cpu.choose(asked[2]) == chosen[2]


def test_nothing_to_choose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mark,) = marks(tmp_path, 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {4})
    assert cpu.choose(mark) is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {4, 5})
    # Where it cannot be written down, the host's scheduler decides as before.
    assert cpu.choose(tmp_path / "gone" / "lab" / "console.cpu") is None


@pytest.mark.parametrize(
    ("waited", "idle", "to"),
    [
        (0.3, {0: 0.0, 1: 0.9, 2: 0.6}, 1),
        (0.05, {0: 0.0, 1: 0.9}, None),
        (0.3, {0: 0.0, 1: 0.3}, None),
        (0.3, {0: 0.7, 1: 0.6}, None),
        (0.3, {}, None),
    ],
)
def test_who_waits_goes_where_there_is_room(
    waited: float, idle: dict[int, float], to: int | None
) -> None:
    assert cpu.better_place(0, waited, idle) == to


def test_a_whole_session_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        pytest.skip("one CPU only")
    (mark,) = marks(tmp_path, 1)
    (tmp_path / "cpu.lock").touch()
    os.utime(tmp_path / "cpu.lock", (0, 0))
    kernel = subprocess.Popen(
        ["sh", "-c", "sleep 60 & echo $!; wait"], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert kernel.stdout is not None
        stub = int(kernel.stdout.readline())
        berth = cpu.Placement(kernel, mark, allowed[0])
        monkeypatch.setattr(cpu, "LOOK_S", 0.0)
        monkeypatch.setattr(cpu, "better_place", lambda own, waited, idle: allowed[1])
        berth.look_after()
        assert os.sched_getaffinity(kernel.pid) == os.sched_getaffinity(stub) == {allowed[1]}
        assert mark.read_text() == f"{allowed[1]}\n"
        # Just after a move nobody moves.
        monkeypatch.setattr(cpu, "better_place", lambda own, waited, idle: allowed[0])
        berth.look_after()
        assert os.sched_getaffinity(stub) == {allowed[1]}
    finally:
        os.killpg(kernel.pid, 9)
        kernel.wait()
        kernel.stdout.close()  # type: ignore[union-attr]
