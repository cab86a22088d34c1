"""A screen whose code runs only while its widgets are there.

Textual delivers messages, timers and keys to a screen from the moment it is pushed until it is
gone. On a busy host that is seconds before the widgets exist; and when a dialog is left at once,
or the app ends, a screen is mounted without ever having had them. Whoever asks for a widget then
gets NoMatches, which ends the console. So the question is answered here, once for all screens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar, cast

from textual import events
from textual.await_complete import AwaitComplete
from textual.message import Message
from textual.screen import Screen

from lvstui.tui.host import ConsoleHost
from lvstui.tui.widgets.format import cut

Result = TypeVar("Result")


class LiveScreen(Screen[Result]):
    """Base of every screen and dialog. What calls a screen from outside its messages (a session
    with news, the end of a thread) asks `whole` first, the app with a picture or a second `ready`.
    """

    _has_widgets = False

    @property
    def console(self) -> ConsoleHost:
        """The app, as what it is."""
        return cast(ConsoleHost, self.app)

    def tell(self, text: str, *, bad: bool = False) -> None:
        """One line to the operator, never parsed as markup."""
        self.notify(text, severity="warning" if bad else "information", markup=False)

    def copy(self, text: str, what: str = "") -> None:
        """To the terminal's clipboard (OSC 52); said to be `what`, or in full."""
        self.app.copy_to_clipboard(text)
        self.tell(f"Copied: {what or cut(text, 120)}")

    @property
    def whole(self) -> bool:
        """Its widgets are all there: it was composed and is not being taken down."""
        return self._has_widgets and not (self._pruning or self._closing or self._closed)

    @property
    def ready(self) -> bool:
        """Whole, and its own start (`on_mount`) is done: the app may call it."""
        return self.whole and self.is_mounted

    async def _compose(self) -> None:
        await super()._compose()
        self._has_widgets = True

    def _get_dispatch_methods(
        self, method_name: str, message: Message
    ) -> Iterable[tuple[type, Callable[[Message], Any]]]:
        """Textual's own handlers always; ours while there is something to handle. The end of a
        screen is told to everybody: that is where it stops listening to others."""
        for cls, method in super()._get_dispatch_methods(method_name, message):
            if self.whole or isinstance(message, events.Unmount) or not _is_ours(cls):
                yield cls, method

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close this one, once. Textual's takes away what is on top, whoever calls it: the end of
        a thread, or a second press of a button, would close another dialog."""
        if self.is_active:
            return super().dismiss(result)
        return AwaitComplete()

    def call_after_refresh(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
        """As Textual's; ours is forgotten when the screen is gone by then."""
        if _is_ours(callback):
            return super().call_after_refresh(self._if_whole, partial(callback, *args, **kwargs))
        return super().call_after_refresh(callback, *args, **kwargs)

    def _if_whole(self, callback: Callable[[], object]) -> None:
        if self.whole:
            callback()


def _is_ours(what: object) -> bool:
    module = getattr(what, "__module__", None) or ""
    return bool(module.partition(".")[0] == __name__.partition(".")[0])
