"""The user's terminal joined to a command's terminal in a node: keys in, screen out, size along."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator

from lvstui.lab.api import Lab
from lvstui.lab.control import Command
from lvstui.lab.errors import LabError
from lvstui.lab.keeper import LEAVE_ALL, LEAVE_MODES


class TerminalEnded(Exception):
    """SIGTERM or SIGHUP came."""


def size_of(fd: int) -> tuple[int, int]:
    """(rows, columns) of a terminal; 24 by 80 when it does not say."""
    try:
        columns, rows = os.get_terminal_size(fd)
    except OSError:
        return 24, 80
    return (rows, columns) if rows and columns else (24, 80)


@contextlib.contextmanager
def _raw(fd: int) -> Iterator[None]:
    before = termios.tcgetattr(fd)
    tty.setraw(fd)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextlib.contextmanager
def ending_by_signal() -> Iterator[None]:
    """SIGTERM and SIGHUP raise Ended, so that everything is cleared up on the way out."""

    def end(number: int, frame: object) -> None:
        raise TerminalEnded(signal.Signals(number).name)

    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, end) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


class AlternateScreen:
    """Whether what was written has left a terminal on its alternate screen."""

    _ENTER, _LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"

    def __init__(self) -> None:
        self.on = False
        self._tail = b""

    def saw(self, data: bytes) -> None:
        """More was written; a sequence may be cut anywhere."""
        data = self._tail + data
        entered, left = data.rfind(self._ENTER), data.rfind(self._LEAVE)
        if entered != left:
            self.on = entered > left
        self._tail = data[1 - len(self._ENTER) :]


def join(
    lab: Lab,
    node: str,
    command: Command,
    env: dict[str, str] | None = None,
    full_screen: bool = False,
) -> int:
    """Run a command on this process's terminal until it ends; its exit status.

    Raises LabError when standard input or output is no terminal.
    """
    stdin, stdout = 0, 1
    if not (os.isatty(stdin) and os.isatty(stdout)):
        raise LabError(
            "standard input and output must be a terminal",
            "",
            "use --exec 'COMMAND' (or `lvstui lab exec NODE -- COMMAND`) where there is none",
        )
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.signal(signal.SIGWINCH, lambda number, frame: os.write(wake_write, b"w"))

    screen = AlternateScreen()

    def show(data: bytes, is_err: bool) -> None:
        screen.saw(data)
        view = memoryview(data)
        with contextlib.suppress(OSError):  # a terminal that is gone ends us by SIGHUP
            while view:
                view = view[os.write(stdout, view) :]

    sys.stderr.flush()
    try:
        with _raw(stdin):
            rows, columns = size_of(stdout)
            process = lab.spawn(node, command, env=env, pty=(rows, columns), on_output=show)
            process.on_end(lambda: os.write(wake_write, b"e"))
            while process.status is None:
                ready, _, _ = select.select([stdin, wake_read], [], [])
                if wake_read in ready:
                    os.read(wake_read, 64)
                    process.resize(*size_of(stdout))
                if stdin in ready:
                    data = os.read(stdin, 4096)
                    if not data:
                        process.kill(signal.SIGHUP)
                        break
                    process.write(data)
            return process.wait(5.0)
    finally:
        signal.signal(signal.SIGWINCH, before)
        os.close(wake_read)
        if full_screen:
            with contextlib.suppress(OSError):
                os.write(stdout, LEAVE_ALL if screen.on else LEAVE_MODES)
