"""Work that takes its time: one piece at a time, beside what the operator does, and who wants to
hear of its progress and its end.

It runs in threads that end with the process: closing a dialog or leaving a screen cuts nothing,
and leaving lvstui waits for no host that hangs (a thread of Textual's workers is waited for).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from lvstui.model.text import plain
from lvstui.operations.change import Outcome, Phase, Progress, Tell, TrackedChange
from lvstui.process.newfile import create_saved

T = TypeVar("T")
Later = Callable[[Callable[[], None]], object]
"""Runs something on the thread that owns the session; callable from any thread, never blocks."""
Begin = Callable[[Callable[[], None]], object]
"""Runs something that may block; returns at once, or (on the shell) when it is done."""


def in_thread(work: Callable[[], None]) -> None:
    """Beside everything else."""
    threading.Thread(target=work, name="job", daemon=True).start()


def at_once(work: Callable[[], None]) -> None:
    """Here and now: `Later` and `Begin` where nobody has to be kept waiting."""
    work()


def save(what: str, lines: Iterable[str], folder: Path, kind: str, at: float) -> tuple[str, bool]:
    """Write lines to a new file in the state folder; what came of it in words, and whether it
    failed. Blocks."""
    try:
        path, file = create_saved(folder, kind, "jsonl", at)
        with file:
            file.writelines(lines)
    except OSError as problem:
        return f"Not written: {plain(str(problem))}", True
    return f"{what} written to {plain(str(path))}", False


class Jobs:
    """Everything here is called on the thread that owns it, except what is handed to `later`."""

    def __init__(self, later: Later = at_once, begin: Begin = in_thread) -> None:
        self.later = later
        """Back to the owner's thread."""
        self._begin = begin
        self._job = ""
        self.stopping = False
        """What is under way was asked to stop."""
        self.watchers: list[Callable[[], None]] = []
        """Called when anything here is new."""
        self.tell: Callable[[str, bool], None] = lambda text, bad: None
        """Says something to the operator."""

    @property
    def under_way(self) -> str:
        """What is being done, in words; empty: nothing."""
        return self._job

    def changed(self) -> None:
        """Tell everybody."""
        for watcher in list(self.watchers):
            watcher()

    def start(
        self,
        words: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
    ) -> None:
        """Do `work` and hand what it gives to `done`; what went wrong goes to `failed`, or else
        to the operator. Refused while another piece is under way."""
        if self._job:
            (failed or self._bad)(f"wait for this: {self._job}")
            return
        self._job, self.stopping = words, False

        def over() -> None:
            self._job, self.stopping = "", False

        self.aside(work, done, failed, over)
        self.changed()

    def aside(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[str], None] | None = None,
        over: Callable[[], None] = lambda: None,
    ) -> None:
        """The same beside whatever is under way, for what needs no turn; `over` comes first."""

        def run() -> None:
            try:
                value = work()
            except Exception as error:
                # Whatever it was, the operator has to hear of it, and the screen goes on.
                trouble = self.words_of(error)
                self.later(lambda: ended(lambda: (failed or self._bad)(trouble)))
            else:
                self.later(lambda: ended(lambda: done(value)))

        def ended(then: Callable[[], None]) -> None:
            over()
            then()
            self.changed()

        self._begin(run)

    def carry_out(
        self,
        change: TrackedChange,
        work: Callable[[Tell], Outcome],
        done: Callable[[Outcome], None],
        failed: Callable[[str], None],
    ) -> None:
        """Do the `work` of a planned change, and say meanwhile how far it is."""

        def tell(progress: Progress) -> None:
            def show() -> None:
                change.stages.append(str(progress))
                self.changed()

            self.later(show)

        change.phase, change.started = Phase.RUNNING, time.monotonic()
        self.start(f"applying {change.title}", lambda: work(tell), done, failed)

    def words_of(self, error: Exception) -> str:
        """What went wrong, in one line."""
        return plain(f"{type(error).__name__}: {error}")

    def _bad(self, text: str) -> None:
        self.tell(text, True)
