"""Questions that a connection puts to the operator: is this the right host key, what is the
password. Asked from worker threads, answered in a dialog.

A secret lives in the field while it is typed and in the hand that takes it, nowhere else: not in
a dialog's result, not in a widget that is kept, not in a notification.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Button, Input, Static

from lvstui.model.text import plain
from lvstui.remote.runner import SecretAnswer, SecretRequest, UnknownKey
from lvstui.tui.dialog import BUTTON_KEYS, Dialog
from lvstui.tui.widgets.line import Bit

if TYPE_CHECKING:
    from textual.app import App

Answer = TypeVar("Answer")
_WORDS = {
    "passphrase": "passphrase of a key",
    "password": "password",
    "answer": "question of the host",
    "sudo": "password for sudo",
}


class KeyScreen(Dialog[bool]):
    """A host key that nobody has vouched for; True only when it was accepted on purpose."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "leave", "Refuse", show=False),
        *BUTTON_KEYS,
    ]
    KEYS = (("n Esc", "refuse"), ("Tab", "to Accept"), ("Enter", "press the button"))
    AUTO_FOCUS = "#refuse"

    def __init__(self, key: UnknownKey) -> None:
        super().__init__()
        self.title = f"unknown host key of {plain(key.host)}"
        self._key = key

    def body(self) -> ComposeResult:
        key = self._key
        where = key.address + (f" port {key.port}" if key.port != 22 else "")
        bits: list[Bit] = [
            ("host         ", "$lv-dim"),
            (f"{plain(key.host)}  ({plain(where)})\n", "$lv-text"),
            ("key          ", "$lv-dim"),
            (f"{key.kind}\n", "$lv-text"),
            ("fingerprint  ", "$lv-dim"),
            (f"{key.fingerprint}\n", "bold $lv-accent"),
        ]
        for index, other in enumerate(key.others):
            bits += [
                ("             " if index else "known too    ", "$lv-dim"),
                (f"{plain(other)}\n", "$lv-text"),
            ]
        bits += [
            (
                "\nNobody has vouched for this key yet. Compare it on the host's own console:\n",
                "$lv-text",
            ),
            ("  for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done\n", "$lv-accent"),
            (
                "Accepted, it is not kept: it counts for this session."
                if key.file == os.devnull
                else f"Accepted, it is added to {plain(key.file)}.",
                "$lv-text",
            ),
        ]
        yield Static(Content.assemble(*bits), classes="prose")
        with Horizontal(id="buttons"):
            yield Button("Refuse", id="refuse", compact=True)
            yield Button("Accept", id="accept", compact=True)

    def action_leave(self) -> None:
        self.dismiss(False)

    @on(Button.Pressed)
    def _chosen(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "accept")


class SecretScreen(Dialog[None]):
    """Takes a secret and hands it to `take`, once; Esc hands over None. It is for the host that
    asks, unless the button for all of those that are named is pressed."""

    KEYS = (("Enter", "answer, for this host alone"), ("Esc", "none: give this host up"))
    BINDINGS: ClassVar[list[BindingType]] = [
        # Letters are the secret's, q and j and k among them.
        Binding("escape", "leave", "Give up", show=False, priority=True),
        *BUTTON_KEYS,
    ]

    def __init__(self, request: SecretRequest, take: Callable[[SecretAnswer | None], None]) -> None:
        super().__init__()
        what = _WORDS.get(request.kind, request.kind)
        self.title = plain(f"{what}: {request.user}@{request.host}")
        self._request, self._take = request, take

    def body(self) -> ComposeResult:
        request = self._request
        bits: list[Bit] = []
        if request.again:
            bits.append(("Not accepted; once more.\n", "bold $sev-warn"))
        bits.append((plain(request.prompt), "$lv-text"))
        bits.append(("\nIt is kept in memory until lvstui ends and written nowhere.", "$lv-dim"))
        if request.hosts:
            names = ", ".join(plain(host) for host in request.hosts)
            count = len(request.hosts)
            bits.append((f"\nIt may be the same on {count} hosts: {names}", "$lv-text"))
        yield Static(Content.assemble(*bits), classes="prose")
        yield Input(password=not request.echo, id="answer")
        if request.hosts:
            with Horizontal(id="buttons"):
                yield Button(f"Only {plain(request.host, 30)}", id="here", compact=True)
                everywhere = f"All {len(request.hosts)} hosts"
                yield Button(everywhere, id="everywhere", compact=True)

    @on(Input.Submitted)
    @on(Button.Pressed)
    def _given(self, event: Input.Submitted | Button.Pressed) -> None:
        event.stop()
        everywhere = isinstance(event, Button.Pressed) and event.button.id == "everywhere"
        self._hand_over(SecretAnswer(self.query_one("#answer", Input).value, everywhere))

    def action_leave(self) -> None:
        self._hand_over(None)

    def _hand_over(self, answer: SecretAnswer | None) -> None:
        take, self._take = self._take, lambda _: None
        with self.prevent(Input.Changed):
            self.query_one("#answer", Input).value = ""
        take(answer)
        self.dismiss(None)


class ScreenAsker:
    """Asks in dialogs; called from worker threads, one question at a time."""

    def __init__(self, app: App[None]) -> None:
        self._app = app

    def accept_key(self, key: UnknownKey) -> bool:
        """Whether the operator vouches for this host key."""

        def push(take: Callable[[bool | None], None]) -> None:
            self._app.push_screen(KeyScreen(key), take)

        return bool(self._answer(push))

    def secret(self, request: SecretRequest) -> SecretAnswer | None:
        """The answer; None when the operator has none."""

        def push(take: Callable[[SecretAnswer | None], None]) -> None:
            self._app.push_screen(SecretScreen(request, take))

        return self._answer(push)

    def _answer(self, push: Callable[[Callable[[Answer | None], None]], None]) -> Answer | None:
        """Wait for what the dialog hands over; None too when there is no app any more to ask in."""
        answered = threading.Event()
        hand: list[Answer | None] = []

        def take(answer: Answer | None) -> None:
            hand.append(answer)
            answered.set()

        try:
            self._app.call_from_thread(push, take)
        except RuntimeError:
            return None
        answered.wait()
        return hand.pop()
