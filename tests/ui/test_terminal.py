"""A real terminal (pty): start, quit, and a terminal that goes away."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


FAKES = ("-m", "tests.ui.fakes")
CRASHING = """
from lvstui.tui.app import LvstuiApp
from tests.ui import fakes

class Crashing(LvstuiApp):
    def on_picture_changed(self, event):
        super().on_picture_changed(event)
        if len(self.feed.picture.services) and self.feed.picture.at > first:
            raise KeyError("s3cret")

import sys, time, lvstui.tui.app
first = time.time() + 1
lvstui.tui.app.LvstuiApp = Crashing
sys.argv = ["crashing"]
fakes.main()
"""


class Session:
    """The console in a child process on a pseudo-terminal of its own."""

    def __init__(self, program: tuple[str, ...] = FAKES, **environment: str) -> None:
        self.master, slave = pty.openpty()
        os.set_inheritable(slave, True)
        self.child = subprocess.Popen(
            [sys.executable, *program],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=ROOT,
            env={
                **os.environ,
                "TERM": "xterm-256color",
                "LINES": "24",
                "COLUMNS": "80",
                "PYTHONUTF8": "1",
                **environment,
            },
            start_new_session=True,
        )
        os.close(slave)
        self.seen = b""

    def until(self, text: bytes, seconds: float = 20) -> None:
        """Read what it draws until `text` is among it."""
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, self.seen[-2000:]
            ready, _, _ = select.select([self.master], [], [], 0.2)
            if ready:
                self.seen += os.read(self.master, 65536)

    def drain(self, seconds: float) -> int | None:
        """Read on until it ends; its exit status."""
        end = time.monotonic() + seconds
        while self.child.poll() is None and time.monotonic() < end:
            ready, _, _ = select.select([self.master], [], [], 0.1)
            if ready:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.master, 65536)
        return self.child.poll()

    def close(self) -> None:
        """End it, if it did not end."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        with contextlib.suppress(OSError):
            os.close(self.master)


@pytest.fixture
def session() -> Iterator[Session]:
    """Started and shown."""
    one = Session()
    try:
        one.until(b"10.10.0.20:53")
        yield one
    finally:
        one.close()


def test_q_ends_it_with_status_zero(session: Session) -> None:
    os.write(session.master, b"q")
    assert session.drain(10) == 0


def test_hang_up_ends_it_cleanly(session: Session) -> None:
    session.child.send_signal(signal.SIGHUP)
    assert session.drain(10) == 128 + signal.SIGHUP


def test_a_terminal_that_is_gone_leaves_no_orphan(session: Session) -> None:
    os.close(session.master)
    session.master = os.open(os.devnull, os.O_RDONLY)
    assert session.child.wait(15) != 0


def test_terminate_ends_it_cleanly(session: Session) -> None:
    session.child.send_signal(signal.SIGTERM)
    assert session.drain(10) == 128 + signal.SIGTERM
    assert b"\x1b[?1049l" in session.seen


def test_a_crash_leaves_the_alternate_screen_and_says_where_it_was() -> None:
    session = Session(("-c", CRASHING))
    try:
        assert session.drain(30) == 1
    finally:
        os.close(session.master)
    assert session.seen.count(b"\x1b[?1049l") == 1
    after = session.seen.rpartition(b"\x1b[?1049l")[2].decode()
    assert "lvstui stopped: internal error (KeyError)" in after
    assert "on_picture_changed" in after
    assert "s3cret" not in after
    # Modes are reset; nothing of the console is drawn over the shell's screen.
    assert set(re.findall(r"\x1b\[[^a-zA-Z]*([a-zA-Z])", after)) <= {"h", "l", "m", "u"}
    assert "Services" not in after


def test_after_suspend_and_resume_everything_is_drawn_again(session: Session) -> None:
    whole = (b"Services", b"10.10.0.20:53", b"EVENTS", b"drain")
    for keys, shown in ((b"", whole), (b"?", (b"help: services", b"close"))):
        os.write(session.master, keys)
        session.until(shown[0])
        session.drain(1)
        session.child.send_signal(signal.SIGTSTP)
        session.until(b"\x1b[?1049l")
        session.seen = b""
        session.drain(1)
        session.child.send_signal(signal.SIGCONT)
        for text in (b"\x1b[?1049h", *shown):
            session.until(text)
        session.seen = b""


def test_ctrl_l_draws_everything_again(session: Session) -> None:
    session.drain(1)
    session.seen = b""
    os.write(session.master, b"\x0c")
    for text in (b"Services", b"10.10.0.20:53", b"EVENTS", b"drain"):
        session.until(text)
