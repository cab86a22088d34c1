"""When things end badly: one clear line, a trace without secrets, and no orphan.

Textual's own crash output prints local variables (passwords among them), and a terminal that
goes away either kills the process on the spot or leaves it spinning.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from lvstui import newfile
from lvstui.model.text import plain
from lvstui.readonly import ReadOnlyError

if TYPE_CHECKING:
    from textual.app import App

_WATCH_S = 1.0
_HANGUP_STATUS = 128 + signal.SIGHUP


class Crash:
    """Writes a trace to a file and says so in one line."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.reported: Path | None = None
        """Where the last trace was written."""

    def report(self, error: BaseException | None) -> Text:
        """What is printed after the screen was given back."""
        error = error or sys.exc_info()[1]
        if error is None:
            return Text("lvstui ended unexpectedly.")
        # Textual wraps what a worker raised; the inside is what matters.
        inner = getattr(error, "error", None)
        if isinstance(inner, BaseException):
            error = inner
        kind = type(error).__name__
        # Frames and lines only: capture_locals stays off, values may be secrets.
        lines = traceback.TracebackException.from_exception(error, capture_locals=False).format()
        trace = ""
        try:
            where = f"the trace is in {self._write(lines)}"
        except ReadOnlyError:
            # A session that writes no file leaves it on the terminal.
            where, trace = "the trace is above", plain_lines(lines)
        except OSError as problem:
            where = f"no trace could be written ({problem.strerror})"
        return Text(
            f"{trace}lvstui stopped: internal error ({kind}); {where}. "
            "Nothing on this host was changed by the crash."
        )

    def _write(self, lines: Iterable[str]) -> Path:
        path, file = newfile.create_saved(self._folder, "crash", "txt", time.time())
        with file:
            file.writelines(lines)
        self.reported = path
        return path


def plain_lines(lines: Iterable[str]) -> str:
    """The lines of a trace, harmless on a terminal."""
    return "".join(f"{plain(line)}\n" for line in "".join(lines).splitlines())


class TerminalWatch:
    """Ends the app cleanly when its terminal is gone (SIGHUP, or a tty that is none any more)."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._was_terminal = False

    def start(self) -> None:
        """Watch from now on. Call it when the app's loop runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            # Not the main thread (tests), or a platform without: nothing to watch.
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self._signalled, number)
        self._was_terminal = _is_terminal()
        self._app.set_interval(_WATCH_S, self._look)

    def _signalled(self, number: signal.Signals) -> None:
        if number == signal.SIGHUP:
            self._lost()
        else:
            self._app.exit(return_code=128 + number)

    def _look(self) -> None:
        if self._was_terminal and not _is_terminal():
            self._lost()

    def _lost(self) -> None:
        """Nobody can see us: point the terminal's files at nothing, so that leaving cannot
        block or raise, then leave."""
        self._was_terminal = False
        with contextlib.suppress(OSError):
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
                if stream is not None:
                    os.dup2(nothing, stream.fileno())
            os.close(nothing)
        self._app.exit(return_code=_HANGUP_STATUS)


def _is_terminal() -> bool:
    stream = sys.__stdin__
    try:
        # Asks the terminal itself, which answers no more after a hang-up.
        return stream is not None and os.isatty(stream.fileno())
    except (OSError, ValueError):
        return False
