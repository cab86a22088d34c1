"""Editing one file as text: within lvstui, or in the operator's own editor.

What either of them gets to see holds placeholders in place of secrets.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static, TextArea

from lvstui.model.text import plain
from lvstui.process.readonly import forbid
from lvstui.tui.config.placeholder import LostSecret, Redacted, unveil
from lvstui.tui.dialog import Dialog

_TAKE_A_LINE = ("vi", "vim", "nvim", "nano", "emacs", "sensible-editor")


class EditorScreen(Dialog[bytes]):
    """The text of a file; gives its new bytes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Into the draft", show=False, priority=True),
        Binding("escape", "leave", "Leave", show=False, priority=True),
    ]
    KEYS = (("Ctrl+S", "into the draft"), ("Esc", "leave"), ("Ctrl+Z", "undo here"))
    AUTO_FOCUS = "#editor"

    def __init__(self, path: str, veiled: Redacted, line: int) -> None:
        """line: where to begin, from 1."""
        super().__init__()
        self.title, self._veiled, self._line = plain(path), veiled, line
        text = veiled.text.decode("utf-8")
        self._crlf = "\r\n" in text
        self._text = text.replace("\r\n", "\n")
        self._warned = False

    def body(self) -> ComposeResult:
        if self._veiled.secrets:
            yield Static(
                Content(
                    "Passwords are placeholders like <secret-1>: keep one, or write a new "
                    "password in its place."
                ),
                classes="prose",
            )
        yield TextArea(
            self._text, id="editor", show_line_numbers=True, soft_wrap=False, tab_behavior="indent"
        )

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        # Over a slow line nothing should be sent while nothing happens.
        area.cursor_blink = False
        area.move_cursor((self._line - 1, 0))
        area.scroll_cursor_visible(center=True, animate=False)

    @property
    def _now(self) -> str:
        return self.query_one(TextArea).text

    def action_save(self) -> None:
        """Give it back, secrets in their places."""
        text = self._now.replace("\n", "\r\n") if self._crlf else self._now
        try:
            self.dismiss(unveil(text.encode("utf-8"), self._veiled))
        except LostSecret as problem:
            self.tell(str(problem), bad=True)

    def action_leave(self) -> None:
        """Without a change; what was typed is named once."""
        if self._now != self._text and not self._warned:
            self._warned = True
            said = "What you typed is not in the draft: Ctrl+S puts it there, Esc again leaves it."
            self.tell(said, bad=True)
        else:
            self.dismiss(None)


def editor_command() -> list[str]:
    """The operator's editor; empty when there is none."""
    for name in ("VISUAL", "EDITOR"):
        words = shlex.split(os.environ.get(name, ""))
        if words and shutil.which(words[0]):
            return words
    found = next(
        (name for name in ("sensible-editor", "vim", "vi", "nano") if shutil.which(name)), ""
    )
    return [found] if found else []


def edit_outside(command: list[str], path: str, veiled: Redacted, line: int) -> bytes:
    """Run an editor on a private copy of `veiled` and give its new bytes, secrets in their places.

    The terminal must be free. Raises OSError when it cannot be run or fails, LostSecret when a
    placeholder was changed.
    """
    forbid()
    folder = Path(tempfile.mkdtemp(prefix="lvstui-"))
    try:
        copy = folder / os.path.basename(path)
        handle = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file:
            file.write(veiled.text)
        place = [f"+{line}"] if os.path.basename(command[0]) in _TAKE_A_LINE else []
        status = subprocess.run([*command, *place, str(copy)], check=False).returncode
        if status:
            raise OSError(f"{command[0]} ended with status {status}: nothing was taken over")
        return unveil(copy.read_bytes(), veiled)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
