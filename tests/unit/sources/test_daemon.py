"""Finding keepalived: options, processes, signals. Uses stand-ins, never a real daemon."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lvstui.model.facts import DaemonSeen, Observation
from lvstui.sources import daemon, processes
from lvstui.sources.base import Context
from tests import stand_ins
from tests.stand_ins import we_are_root

__all__ = ["we_are_root"]

pytestmark = pytest.mark.xdist_group("stand-in")
"""One worker: all processes of this host are looked at, and each test wants its own found."""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("keepalived -D", {"D": ""}),
        (
            "keepalived -nlDf /a/k.conf -i lb1",
            {"n": "", "l": "", "D": "", "f": "/a/k.conf", "i": "lb1"},
        ),
        ("keepalived -f/a/k.conf -p/run/x.pid", {"f": "/a/k.conf", "p": "/run/x.pid"}),
        ("keepalived --use-file=/b --dont-fork", {"f": "/b", "n": ""}),
        ("keepalived --use-f /b --config-id lb2", {"f": "/b", "i": "lb2"}),
        ("keepalived -g/var/log/k.log --flush-log-file", {"g": "/var/log/k.log", "flush": ""}),
        ("keepalived -g -D", {"g": "", "D": ""}),
        ("keepalived --vrrp_pid=/r -- -f /x", {"r": "/r"}),
        ("keepalived -f", {"f": ""}),
    ],
)
def test_options(words: str, expected: dict[str, str]) -> None:
    assert processes.options_of(tuple(words.split())) == expected


STAND_IN = """
import signal, sys, time
signal.pthread_sigmask(signal.SIG_BLOCK, {1, 10, 12, 36})
print('ready', flush=True)
time.sleep(60)
"""


@pytest.fixture
def stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, we_are_root: None
) -> Iterator[subprocess.Popen[bytes]]:
    with stand_ins.own_folder() as folder:
        monkeypatch.setattr(daemon, "PID_DIRS", (str(folder),))
        program, env = stand_ins.pythons_keepalived(folder)
        words = [str(program), "-c", STAND_IN, "-f", "/etc/k.conf", "-i", "lb9"]
        env = {**env, "TMPDIR": "/var/tmp"}
        with stand_ins.running(words, env=env, ready=True) as process:
            (folder / "keepalived.pid").write_text(f"{process.pid}\n")
            yield process


def test_a_daemon_is_described(stand_in: subprocess.Popen[bytes]) -> None:
    seen = daemon.find_daemon()
    assert seen.running
    assert seen.pid == stand_in.pid
    assert {1, 10, 12, 36} <= set(seen.handles)
    assert seen.started is not None
    assert abs(seen.started - time.time()) < 30
    assert processes.start_time(seen.pid) == seen.started
    assert processes.tmp_dir(stand_in.pid) == "/var/tmp"
    assert processes.read_loaded(stand_in.pid) is None


def test_children_are_no_daemon(stand_in: subprocess.Popen[bytes]) -> None:
    (folder,) = map(Path, daemon.PID_DIRS)
    (folder / "keepalived.pid").unlink()
    assert daemon.find_pid() == stand_in.pid
    assert daemon.find_pid(frozenset((stand_in.pid,))) == 0
    (folder / "vrrp.pid").write_text(f"{stand_in.pid}\n")
    assert daemon.find_pid() == 0


def test_its_end_is_told_at_once(
    stand_in: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(daemon, "find_pid", lambda *_: _alive(stand_in))
    seen: list[tuple[float, Observation]] = []

    def push(observation: Observation) -> None:
        if isinstance(observation.fact, DaemonSeen):
            seen.append((time.monotonic(), observation))

    context = Context("lb1", push)
    thread = threading.Thread(target=daemon.DaemonSource().run, args=(context,))
    thread.start()
    try:
        _until(lambda: bool(seen))
        assert len(seen) == 1
        killed = time.monotonic()
        stand_in.send_signal(signal.SIGKILL)
        stand_in.wait()
        _until(lambda: len(seen) == 2)
        at, observation = seen[1]
        assert isinstance(observation.fact, DaemonSeen)
        assert not observation.fact.running
        assert at - killed < 0.5
    finally:
        context.stop.set()
        thread.join(20)
        assert not thread.is_alive()


def _alive(process: subprocess.Popen[bytes]) -> int:
    return process.pid if processes.is_keepalived(process.pid) else 0


def _until(condition: object, seconds: float = 20.0) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "timed out"
        time.sleep(0.005)


@pytest.mark.usefixtures("we_are_root")
def test_a_version_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with stand_ins.own_folder() as folder:
        program = folder / "keepalived"
        program.write_text(
            "#!/bin/sh\n"
            f"echo x >> {tmp_path}/calls\n"
            "echo 'Keepalived v2.2.7 (01/16,2022)' >&2\n"
            "echo 'Config options:  LVS VRRP JSON DBUS' >&2\n"
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        for _ in range(3):
            assert daemon.binary_of() == daemon.Binary("2.2.7", ("LVS", "VRRP", "JSON", "DBUS"))
        assert (tmp_path / "calls").read_text() == "x\n"


def test_the_running_program_is_asked_though_it_was_replaced(
    stand_in: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = map(Path, daemon.PID_DIRS)
    env = stand_ins.PYTHONS
    (folder / "keepalived").unlink()
    asked: list[bytes] = []

    def ask(path: str, *descriptors: int) -> daemon.Binary:
        words = [path, "-c", "print('it runs')"]
        asked.append(subprocess.check_output(words, pass_fds=descriptors, env=env))
        return daemon.Binary("1")

    monkeypatch.setattr(daemon, "_ask_version", ask)
    assert daemon.binary_of(stand_in.pid) == daemon.Binary("1")
    assert asked == [b"it runs\n"]


def test_nothing_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(daemon, "BINARIES", ())
    monkeypatch.setattr(daemon, "find_pid", lambda *_: 0)
    assert daemon.find_daemon() == DaemonSeen(False, installed=False)
