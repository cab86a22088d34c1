"""What is known of the configuration and what is under way there, for the screen and its dialogs.

Reading and judging run in threads of their own; everything here is called on the UI's thread,
except what is handed to `_later`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from lvstui.keepalived.tree import Tree
from lvstui.model.picture import Picture
from lvstui.model.text import plain
from lvstui.widgets.config_document import Document, Lint, document

Later = Callable[[Callable[[], None]], object]
"""Runs something on the UI's thread; callable from any thread, never blocks."""
_REST_S = 2.0
"""Between two looks at the files while the screen is shown."""


class ConfigFiles(Protocol):
    """The configuration files of this host."""

    def read(self, pid: int = 0, daemon_file: str = "") -> Tree:
        """The tree of the main file. Blocks. Raises OSError."""
        ...

    def stamp(self, paths: Sequence[str]) -> object:
        """Equal as long as the files did not change. Blocks."""
        ...


class ConfigDesk:
    """One for the console; the screen of the configuration holds it."""

    def __init__(
        self, files: ConfigFiles | None, later: Later, clock: Callable[[], float],
        lint: Lint | None = None,
    ) -> None:  # fmt: skip
        """`files` None: this console shows no host whose files can be read."""
        self._files, self._later, self._clock, self._lint = files, later, clock, lint
        self._stamp: object = None
        self._looked = float("-inf")
        self._busy = False
        self.document: Document | None = None
        """What was read last."""
        self.trouble = ""
        """Why it can not be read now."""
        self.watchers: list[Callable[[], None]] = []
        """Called when anything here is new."""

    @property
    def possible(self) -> bool:
        """There are files to read."""
        return self._files is not None

    @property
    def reading(self) -> bool:
        """It is being read for the first time."""
        return self._busy and self.document is None

    def changed(self) -> None:
        """Tell everybody."""
        for watcher in list(self.watchers):
            watcher()

    def follow(self, picture: Picture, *, now: bool = False) -> None:
        """Look whether the files changed, when that was not done just before (`now`: even so),
        and read them again if they did."""
        files = self._files
        if files is None or self._busy or not picture.ready:
            return
        if not now and self._clock() - self._looked < _REST_S:
            return
        self._busy, self._looked = True, self._clock()
        known = self.document
        pid, main = picture.daemon.pid, picture.daemon.config_file

        def work() -> None:
            found: Document | None = None
            trouble = ""
            stamp: object = None
            try:
                if known is not None:
                    stamp = (pid, main, files.stamp(tuple(known.pages)))
                    if stamp == self._stamp and not now:
                        self._later(self._idle)
                        return
                tree = files.read(pid, main)
                stamp = (pid, main, files.stamp([file.path for file in tree.files]))
                found = document(tree, self._lint)
            except PermissionError as error:
                trouble = (
                    f"{error.filename or 'keepalived.conf'} may not be read: run lvstui as root"
                )
            except OSError as error:
                name = f"{error.filename}: " if error.filename else ""
                trouble = f"{name}{error.strerror or error}"
            except Exception as error:
                # Whatever it was, the screen goes on and says so; its text may hold a secret.
                trouble = f"the configuration could not be shown ({type(error).__name__})"
            self._later(lambda: self._read(found, stamp, plain(trouble)))

        threading.Thread(target=work, name="config", daemon=True).start()

    def _idle(self) -> None:
        self._busy = False

    def _read(self, found: Document | None, stamp: object, trouble: str) -> None:
        self._busy = False
        self.trouble = trouble
        if found is not None:
            self.document, self._stamp = found, stamp
        elif self.document is None:
            self._stamp = None
        self.changed()
