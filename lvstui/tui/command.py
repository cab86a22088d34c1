"""What every command is."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from textual.binding import Binding, BindingType

if TYPE_CHECKING:
    from lvstui.tui.console import ConsoleScreen

S = TypeVar("S", bound="ConsoleScreen")

_SHOWN_KEYS = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "exclamation_mark": "!",
    "asterisk": "*",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "plus": "+",
    "minus": "-",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
}


def shown_key(key: str) -> str:
    """A key as people write it: `/`, `Ctrl+P`, `g`."""
    if key in _SHOWN_KEYS:
        return _SHOWN_KEYS[key]
    *held, last = key.split("+")
    last = _SHOWN_KEYS.get(last, last)
    return "+".join([*(part.capitalize() for part in held), last.upper() if held else last])


class Command(Generic[S]):
    """One thing an operator can do on one screen. The docstring is the help line."""

    id: ClassVar[str]
    """Stable name; also the id of the key binding."""
    keys: ClassVar[str] = ""
    """Textual's key names, comma between alternatives; empty: palette only."""
    label: ClassVar[str] = ""
    """Word in the footer; empty: not in the footer."""
    title: ClassVar[str] = ""
    """Line in the palette."""
    group: ClassVar[str] = "View"
    """Heading in the help."""
    changes: ClassVar[bool] = True
    """Changes the world, or writes a file: refused in a read-only session. Whatever does neither
    says so."""
    priority: ClassVar[bool] = False
    """The key works wherever the focus is."""
    in_palette: ClassVar[bool] = True
    """Whether the palette offers it (every key that does something by itself does)."""

    @property
    def summary(self) -> str:
        """What it does, in one or two sentences."""
        return " ".join((inspect.getdoc(type(self)) or self.title).split())

    @property
    def shown_keys(self) -> str:
        """Its keys as people write them."""
        return " ".join(shown_key(key) for key in self.keys.split(",") if key)

    @property
    def first_key(self) -> str:
        """The key for the footer."""
        return shown_key(self.keys.split(",")[0])

    def why_not(self, screen: S) -> str:
        """Why it can not be used now; empty when it can."""
        return ""

    def shell(self, screen: S) -> str:
        """The same on the command line; empty when there is no such thing."""
        return ""

    def run(self, screen: S) -> None:
        """Do it."""
        raise NotImplementedError


def bindings(commands: Iterable[Command[Any]]) -> list[BindingType]:
    """The key bindings of these commands."""
    return [
        Binding(
            command.keys,
            f"command('{command.id}')",
            command.label or command.title,
            show=bool(command.label),
            tooltip=command.summary,
            id=command.id,
            priority=command.priority,
        )
        for command in commands
        if command.keys
    ]
