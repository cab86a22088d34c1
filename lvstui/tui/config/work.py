"""Work in threads of its own, one piece at a time, and who wants to hear of its end.

The threads end with the process: closing a dialog or leaving a screen cuts nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from lvstui.keepalived.edit.change import RefusedEdit
from lvstui.model.text import plain
from lvstui.operations.change import Phase
from lvstui.remote.runner import RemoteError
from lvstui.tui.change.config_change import ConfigChange

Later = Callable[[Callable[[], None]], object]
"""Runs something on the UI's thread; callable from any thread, never blocks."""


class Work:
    """Everything here is called on the UI's thread, except what is handed to `later`."""

    def __init__(self, later: Later) -> None:
        self.later = later
        """Back to the UI's thread."""
        self._job = ""
        self.looked_at: ConfigChange | None = None
        """The change that a dialog shows now."""
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
        work: Callable[[], Any],
        done: Callable[[Any], None],
        change: ConfigChange | None,
        refused: Callable[[str], None] | None = None,
    ) -> None:
        """Do `work` in a thread and hand what it gives to `done`. What goes wrong ends `change`,
        is told to `refused`, or else to the operator."""
        if self._job:
            self._failed(f"wait for this: {self._job}", change, refused)
            return
        self._job = words

        def run() -> None:
            value: Any = None
            trouble = ""
            try:
                value = work()
            except Exception as error:
                # Whatever it was, the operator has to hear of it, and the screen goes on.
                trouble = said(error)
            self.later(lambda: ended(value, trouble))

        def ended(value: Any, trouble: str) -> None:
            self._job = ""
            if trouble:
                self._failed(trouble, change, refused)
            else:
                done(value)
            self.changed()

        in_thread(run)
        self.changed()

    def _failed(
        self, trouble: str, change: ConfigChange | None, refused: Callable[[str], None] | None
    ) -> None:
        if change is not None:
            change.problem, change.phase = trouble, Phase.ENDED
            change.stages.clear()
        if refused is not None:
            refused(trouble)
        elif change is None or self.looked_at is not change:
            self.tell(trouble, True)


def said(error: Exception) -> str:
    """An exception in one line. Only those whose text is known to hold no secret are quoted."""
    if isinstance(error, PermissionError):
        return plain(f"{error.filename or 'keepalived.conf'} may not be read: run lvstui as root")
    if isinstance(error, OSError):
        name = f"{error.filename}: " if error.filename else ""
        return plain(f"{name}{error.strerror or type(error).__name__}")
    if isinstance(error, (RefusedEdit, RemoteError)):
        return plain(str(error))
    if isinstance(error, KeyError):
        return "the history does not know that change (any more)"
    return f"an error within lvstui ({type(error).__name__}): nothing more is known"


def in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="config", daemon=True).start()
