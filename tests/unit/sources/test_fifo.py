"""Notify fifos: lines of all versions, and the life of a fifo across reloads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lvstui.model.facts import (
    UNDATED,
    Available,
    DaemonSaid,
    Fact,
    GroupChanged,
    InstanceChanged,
    Missing,
    Observation,
    PriorityChanged,
    QuorumChanged,
    ServerChanged,
)
from lvstui.model.keys import ServerKey, ServiceKey
from lvstui.sources.base import Context
from lvstui.sources.fifo import FifoSource, other_readers, parse_line

DATA = Path(__file__).parents[2] / "data" / "keepalived-log"
VS = ServiceKey("tcp", "10.10.0.20", 80)
RS = ServerKey("10.10.0.4", 80)


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (b'INSTANCE "LB_1" MASTER 150', InstanceChanged("LB_1", "MASTER", 150, "fifo")),
        (b'INSTANCE "LB_1" STOP 150\n\0', InstanceChanged("LB_1", "STOP", 150, "fifo")),
        (b'\0INSTANCE "a "b" c" FAULT 1', InstanceChanged('a "b" c', "FAULT", 1, "fifo")),
        (b'INSTANCE "VI_3" MASTER_PRIORITY 90', PriorityChanged("VI_3", None, 90)),
        (b'INSTANCE "VI_3" BACKUP_PRIORITY 150', PriorityChanged("VI_3", None, 150)),
        (b'GROUP "G1" BACKUP 0', GroupChanged("G1", "BACKUP")),
        (
            b"VS [10.10.0.20]:tcp:80 UP",
            QuorumChanged(VS, True, "VS [10.10.0.20]:tcp:80 UP", "fifo"),
        ),
        (b"VS FWM 7 DOWN", QuorumChanged(ServiceKey.mark(7), False, "VS FWM 7 DOWN", "fifo")),
        (
            b"RS [10.10.0.4]:tcp:80 [10.10.0.20]:tcp:80 DOWN",
            ServerChanged(VS, RS, False, "fifo", "fifo"),
        ),
        (
            b"RS [fd00::4]:udp:53 [dns]:2 UP",
            ServerChanged(
                ServiceKey("udp", "", 0, 0, 6),
                ServerKey("fd00::4", 53),
                True,
                "fifo",
                "fifo",
                "dns",
            ),
        ),
        (b"", None),
        (b"nonsense", None),
        (b'INSTANCE "x', None),
    ],
)
def test_lines(line: bytes, fact: Fact | None) -> None:
    assert parse_line(line) == fact


def test_a_lower_advert_is_an_election() -> None:
    fact = parse_line(b'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 150')
    assert isinstance(fact, DaemonSaid)
    assert (fact.kind, fact.instance) == ("election", "VI_1")


@pytest.mark.parametrize("side", ["A", "B"])
def test_the_recorded_lines_are_understood(side: str) -> None:
    text = (DATA / f"vrrp-fifo-2.2.7-{side}.txt").read_text()
    chunks = re.findall(r"b'(.*)'", text)
    lines = [line for chunk in chunks for line in chunk.split("\\n") if line]
    assert len(lines) > 8
    assert all(parse_line(line.encode()) is not None for line in lines)


class Run:
    """The source in a thread."""

    def __init__(self, paths: Callable[[], tuple[str, ...]]) -> None:
        self.seen: list[tuple[float, Observation]] = []
        self.context = Context("lb1", lambda o: self.seen.append((time.time(), o)))
        source = FifoSource(paths)
        self.thread = threading.Thread(target=source.run, args=(self.context,))
        self.thread.start()

    def facts(self) -> list[Fact]:
        return [o.fact for _, o in self.seen]

    def wait_for(self, what: Callable[[Fact], bool], seconds: float = 20.0) -> float:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for at, observation in self.seen:
                if what(observation.fact):
                    return at
            time.sleep(0.002)
        raise AssertionError(self.seen)

    def stop(self) -> None:
        self.context.stop.set()
        self.thread.join(20)
        assert not self.thread.is_alive()


class Writer:
    """A fifo as keepalived has it: made, opened for reading and writing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path, 0o600)
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def say(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def end(self) -> None:
        os.close(self.fd)
        self.path.unlink()


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    # The writer of these tests is this very process, which is never counted as a reader.
    return Writer(tmp_path / "vrrp.fifo")


def master(name: str) -> Callable[[Fact], bool]:
    return lambda fact: fact == InstanceChanged(name, "MASTER", 1, "fifo")


def test_across_a_reload(writer: Writer) -> None:
    writer.say('RS [10.10.0.3]:tcp:80 [10.10.0.20]:tcp:80 DOWN\nINSTANCE "old" BACKUP 1\n')
    writer.say('INSTANCE "old" MASTER 1\n')
    run = Run(lambda: (str(writer.path), ""))
    try:
        run.wait_for(master("old"))
        # Written nobody knows when: the last state only.
        (old,) = [o for _, o in run.seen if isinstance(o.fact, InstanceChanged | ServerChanged)]
        assert (old.past, old.at) == (True, UNDATED)
        run.wait_for(lambda f: isinstance(f, Available))
        writer.say('INSTANCE "a" MAS')
        time.sleep(0.05)
        writer.say('TER 1\nINSTANCE "b" MASTER 1\n')
        run.wait_for(master("b"))
        run.wait_for(master("a"))
        writer.say('INSTANCE "c" MASTER 1\n')
        writer.end()
        run.wait_for(master("c"))
        time.sleep(0.3)
        again = Writer(writer.path)
        again.say('INSTANCE "d" MASTER 1\n')
        run.wait_for(master("d"))
        assert not run.seen[-1][1].past
        assert not any(isinstance(f, Missing) for f in run.facts())
        again.end()
    finally:
        run.stop()


def test_nothing_is_configured_then_something(tmp_path: Path) -> None:
    paths: list[str] = []
    run = Run(lambda: tuple(paths))
    try:
        writer = Writer(tmp_path / "late.fifo")
        paths.append(str(writer.path))
        run.wait_for(lambda f: isinstance(f, Available))
        assert len(run.facts()) == 1
        writer.end()
    finally:
        run.stop()


def test_a_missing_fifo_is_said_once(tmp_path: Path) -> None:
    run = Run(lambda: (str(tmp_path / "none"),))
    try:
        run.wait_for(lambda f: isinstance(f, Missing))
        time.sleep(1.2)
        assert len(run.facts()) == 1
    finally:
        run.stop()


def test_another_reader_keeps_its_fifo(writer: Writer) -> None:
    code = "import sys,time; f=open(sys.argv[1]); print('x',flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(writer.path)], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        assert other_readers(str(writer.path)) == (process.pid,)
        run = Run(lambda: (str(writer.path),))
        try:
            run.wait_for(lambda f: isinstance(f, Missing))
            assert "process" in repr(run.facts())
        finally:
            run.stop()
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        writer.end()
