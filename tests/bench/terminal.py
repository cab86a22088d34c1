"""Runs a terminal program in a pseudo terminal and measures it from outside."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import statistics
import struct
import termios
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-9;:?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|[=>78])"
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one program cost."""

    first_paint_ms: float
    """From fork to the first useful content on the terminal."""
    cpu_share: float
    """0..1 of one core, in the steady state."""
    resident_mb: float
    bytes_per_s: float
    """To the terminal, in the steady state."""
    key_p50_ms: float | None = None
    key_p95_ms: float | None = None


class Terminal:
    """One program in a terminal of its own."""

    def __init__(self, command: Sequence[str], columns: int = 200, rows: int = 60) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", LC_ALL="C.UTF-8")
            time.sleep(0.02)  # until the parent has set the size
            os.execvp(command[0], list(command))
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._changed = threading.Condition()
        self._chunks: list[tuple[float, bytes]] = []
        self.total = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except OSError:
                return
            if not data:
                return
            with self._changed:
                self._chunks.append((time.perf_counter(), data))
                self.total += len(data)
                self._changed.notify_all()

    def wait_for(self, text: bytes, timeout_s: float, since: int = 0) -> float:
        """When `text` was first seen after chunk `since` (escape sequences left out).

        Raises TimeoutError with what was seen instead.
        """
        deadline = time.perf_counter() + timeout_s
        with self._changed:
            seen = b""
            at = since
            while True:
                while at < len(self._chunks):
                    when, data = self._chunks[at]
                    seen = (seen + data)[-(1 << 18) :]
                    at += 1
                    if text in data or text in _ESCAPES.sub(b"", seen):
                        return when
                left = deadline - time.perf_counter()
                if left <= 0 or not self._changed.wait(left):
                    shown = _ESCAPES.sub(b"", seen)[-400:]
                    raise TimeoutError(f"{text!r} did not appear; last: {shown!r}")

    def count(self) -> int:
        """Chunks so far."""
        with self._changed:
            return len(self._chunks)

    def send(self, keys: bytes) -> float:
        """Type; returns the time."""
        os.write(self._fd, keys)
        return time.perf_counter()

    def cpu_s(self) -> float:
        """CPU seconds of the program so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mb(self) -> float:
        """Resident memory now."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 1e6

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


def measure(
    command: Sequence[str],
    ready: bytes,
    *,
    settle_s: float = 4.0,
    steady_s: float = 15.0,
    keys: Sequence[tuple[bytes, bytes]] = (),
    columns: int = 200,
    rows: int = 60,
    before_keys: Callable[[], object] = lambda: None,
) -> Figures:
    """Measure one program. `ready` is what makes its first paint useful; `keys` are pairs of
    what is typed and the text that shows that it was done."""
    terminal = Terminal(command, columns, rows)
    try:
        painted = terminal.wait_for(ready, 60.0)
        time.sleep(settle_s)
        cpu, sent, began = terminal.cpu_s(), terminal.total, time.perf_counter()
        time.sleep(steady_s)
        passed = time.perf_counter() - began
        share = (terminal.cpu_s() - cpu) / passed
        rate = (terminal.total - sent) / passed
        delays: list[float] = []
        before_keys()
        for typed, shown in keys:
            mark = terminal.count()
            at = terminal.send(typed)
            delays.append((terminal.wait_for(shown, 10.0, mark) - at) * 1000)
            time.sleep(0.113)
        return Figures(
            (painted - terminal.started) * 1000,
            share,
            terminal.resident_mb(),
            rate,
            statistics.median(delays) if delays else None,
            statistics.quantiles(delays, n=20)[18] if len(delays) > 2 else None,
        )
    finally:
        terminal.close()
