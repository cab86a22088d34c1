"""Work that takes its time: one piece at a time, beside what the operator does, and who wants to
hear of its progress and its end.

It runs in threads that end with the process: closing a dialog or leaving a screen cuts nothing,
and leaving lvstui waits for no host that hangs (a thread of Textual's workers is waited for).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from lvstui.model.text import plain
from lvstui.operations.change import Progress, TrackedChange
from lvstui.process.newfile import create_saved

T = TypeVar("T")
C = TypeVar("C", bound=TrackedChange)
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
        self.under_way = ""
        """What is being done, in words; empty: nothing."""
        self.stopping = False
        """What is under way was asked to stop."""
        self.watchers: list[Callable[[], None]] = []
        """Called when anything here is new."""
        self.tell: Callable[[str, bool], None] = lambda text, bad: None
        """Says something to the operator."""

    @property
    def wait(self) -> str:
        """Why nothing else can begin now; empty: it can."""
        return f"Wait for this: {self.under_way}." if self.under_way else ""

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
        to the operator. Refused while another piece is under way. Without `words` it needs no
        turn, and is done beside whatever is under way."""
        if words and self.under_way:
            (failed or self._bad)(f"wait for this: {self.under_way}")
            return
        if words:
            self.under_way, self.stopping = words, False

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
            if words:
                self.under_way, self.stopping = "", False
            then()
            self.changed()

        self._begin(run)
        if words:
            self.changed()

    def words_of(self, error: Exception) -> str:
        """What went wrong, in one line."""
        return plain(f"{type(error).__name__}: {error}")

    def _bad(self, text: str) -> None:
        self.tell(text, True)


class ChangeJobs(Jobs, Generic[C]):
    """Jobs that make changes, of which a dialog shows one at a time."""

    def __init__(self, later: Later = at_once, begin: Begin = in_thread) -> None:
        super().__init__(later, begin)
        self.looked_at: C | None = None
        """What a dialog shows now."""
        self.tell_end: Callable[[C], None] = lambda change: None
        """Says what came of a change."""

    def apply(self, change: C, reason: str) -> None:
        """Carry a planned change out."""
        raise NotImplementedError

    def decide(self, change: C, *, keep: bool) -> None:
        """Keep what waits, or undo it now."""

    def told(self, change: C, progress: Progress) -> None:
        """How far it is, from its thread."""

        def show() -> None:
            change.stages.append(str(progress))
            self.changed()

        self.later(show)
