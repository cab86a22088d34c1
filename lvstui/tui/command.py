"""What every command is: a row of data with its key, its words, its guard and what it does.

The rows of a screen stand beside it and act on a small protocol that stands with them: no command
knows a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from textual.binding import Binding, BindingType

P = TypeVar("P", contravariant=True)
"""What the commands of a screen ask of it."""

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


def _free(page: Any) -> str:
    return ""


@dataclass(frozen=True)
class Names:
    """What a command is called: in the settings, by hands, in the palette and in the footer."""

    id: str
    """Stable; also the id of the key binding."""
    keys: str
    """Textual's key names, comma between alternatives; empty: palette only."""
    title: str
    """Line in the palette."""
    label: str = ""
    """Word in the footer; empty: not in the footer."""

    @property
    def shown_keys(self) -> str:
        """The keys as people write them."""
        return " ".join(shown_key(key) for key in self.keys.split(",") if key)

    @property
    def first_key(self) -> str:
        """The key for the footer."""
        return shown_key(self.keys.split(",")[0])


@dataclass(frozen=True)
class Command(Generic[P]):
    """One thing an operator can do on one screen."""

    names: Names
    help: str
    """What it does, in one or two sentences."""
    run: Callable[[P], object]
    """Does it."""
    why_not: Callable[[P], str] = _free
    """Why it cannot be used now; empty when it can."""
    twin: str | Callable[[P], str] = ""
    """The same on the command line; empty when there is no such thing."""
    group: str = "View"
    """Heading in the help."""
    changes: bool = True
    """Changes the world, or writes a file: refused in a read-only session. Whatever does neither
    says so by being `HarmlessCommand`."""
    priority: bool = False
    """The key works wherever the focus is."""
    in_palette: bool = True
    """Whether the palette offers it (every key that does something by itself does)."""

    @property
    def id(self) -> str:
        return self.names.id

    def shell(self, page: P) -> str:
        """Its twin for what is chosen on that screen now."""
        return self.twin if isinstance(self.twin, str) else self.twin(page)


@dataclass(frozen=True)
class HarmlessCommand(Command[P]):
    """A command that changes nothing and writes no file: a read-only session has it too."""

    changes: bool = False


def needs(met: Callable[[P], object], reason: str) -> Callable[[P], str]:
    """A guard that refuses with `reason` unless something is so."""
    return lambda page: "" if met(page) else reason


def grouped(group: str, *commands: Command[P]) -> tuple[Command[P], ...]:
    """These commands under one heading of the help."""
    return tuple(replace(command, group=group) for command in commands)


def first_reason(*guards: Callable[[P], str]) -> Callable[[P], str]:
    """A guard of several: the first that refuses says why."""

    def why_not(page: P) -> str:
        return next((reason for guard in guards if (reason := guard(page))), "")

    return why_not


def bindings(commands: Iterable[Command[Any]]) -> list[BindingType]:
    """The key bindings of these commands."""
    return [
        Binding(
            command.names.keys,
            f"command('{command.id}')",
            command.names.label or command.names.title,
            show=bool(command.names.label),
            tooltip=command.help,
            id=command.id,
            priority=command.priority,
        )
        for command in commands
        if command.names.keys
    ]
