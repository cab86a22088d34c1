"""When things end badly: one clear line, a trace without secrets, and no orphan.

The file may lie where nobody can read it any more (the lab's guest is gone with the session), or
there is none: so the trace is printed too, by place alone. What an exception says can quote what
it choked on, a password among others; that stands in the file only.

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

from lvstui.model.text import plain
from lvstui.process import newfile
from lvstui.process.readonly import ReadOnlyError

if TYPE_CHECKING:
    from textual.app import App

_WATCH_S = 1.0
_MOST_FRAMES = 12
"""Of a trace, on the terminal: the innermost ones."""
_HANGUP_STATUS = 128 + signal.SIGHUP


class Crash:
    """Writes a trace to a file; says so in one line, and where it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

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
        try:
            where = f"the trace is in {self._write(lines)}"
        except ReadOnlyError:
            where = "read-only, so no trace is kept"
        except OSError as problem:
            where = f"no trace could be written ({problem.strerror})"
        return Text(
            f"lvstui stopped: internal error ({kind}); {where}. "
            f"Nothing on this host was changed by the crash.\n{_places(error)}"
        )

    def _write(self, lines: Iterable[str]) -> Path:
        path, file = newfile.create_saved(self._folder, "crash", "txt", time.time())
        with file:
            file.writelines(lines)
        return path


def _places(error: BaseException) -> str:
    """The innermost frames of a trace and of what led to it, a line each."""
    frames: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        frames += (
            f"  {frame.filename}:{frame.lineno} {frame.name}: {frame.line}"
            for frame in reversed(traceback.extract_tb(seen.__traceback__))
        )
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(plain(line) for line in frames[:_MOST_FRAMES])


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
