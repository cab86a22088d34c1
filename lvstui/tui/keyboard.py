"""Keys go to the screen that is on top when they come, one after the other.

Textual hands a key to the widget that has the focus and looks at key bindings when nobody took
it, two queues later. A key that opens a dialog is then followed by keys that were queued for the
screen below and run as keys of the dialog, without its fields and without its having been
composed. Here a key is finished before the next one is looked at.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from textual import events

from lvstui.tui.dialog import Dialog

if TYPE_CHECKING:
    from textual.app import App
    from textual.screen import Screen

CALM_S = 0.5
"""A letter that decides something has to stand alone: no other printable key so long before."""
_PATIENCE_S = 10.0
"""Longest wait for a screen to get its widgets."""


class Keyboard:
    """What was typed last, and whose it is."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._typed = float("-inf")
        """Time of the last key that may have been part of a text."""

    async def took(self, event: events.Event) -> bool:
        """Do what a key or a paste means; False: it is for the focused widget, or no key.
        Call it for each event of the app as it comes in."""
        if not isinstance(event, (events.Key, events.Paste)) or event.is_forwarded:
            return False
        if not self._app.app_focus:
            self._app.app_focus = True
        screen = await self._top()
        if screen is None:
            return True
        if isinstance(event, events.Paste):
            self._typed = event.time
            return isinstance(screen, Dialog) and screen.take_text(event.text)
        focused = screen.focused
        calm = not 0 <= event.time - self._typed < CALM_S
        try:
            if isinstance(screen, Dialog) and screen.take_key(event, calm):
                return True
            if focused is not None and focused.check_consume_key("a", "a"):
                # A field: what is typed into it stays in one queue, Enter and Tab with it.
                return False
            return await self._bound(event.key)
        finally:
            text = event.is_printable or event.key == "enter"
            if text and not self._is_command(event, screen):
                self._typed = event.time

    def _is_command(self, event: events.Key, screen: Screen[object]) -> bool:
        """It opened or closed something, or moved the cursor: then it is no part of a text that
        the next key belongs to."""
        if self._app.screen_stack and self._app.screen is not screen:
            return True
        focused = screen.focused
        keys = focused._bindings.key_to_bindings if focused is not None else {}
        return not isinstance(screen, Dialog) and event.key in keys

    async def _bound(self, key: str) -> bool:
        check = self._app._check_bindings
        return await check(key, priority=True) or await check(key)

    async def _top(self) -> Screen[object] | None:
        """The screen that this key is for, composed; None: the app is at its end."""
        app = self._app
        while app.screen_stack and not app._exit:
            screen = app.screen
            if not screen.is_mounted:
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(screen._mounted_event.wait(), _PATIENCE_S)
            if screen is app.screen:
                return screen
        return None
