"""The command palette: every command of the screen, and inside the lab every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from lvstui.tui.console import ConsoleScreen
from lvstui.tui.faults import fault_entries
from lvstui.tui.live import LiveScreen


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """One line of the palette."""

    title: str
    help: str
    """Escaped: the palette reads this one as markup."""
    run: Callable[[], None]
    discovered: bool = True
    """Shown before anything is typed."""


class Palette(CommandPalette, LiveScreen[None]):
    """Textual's, closed once however often Enter was pressed."""


class CommandProvider(Provider):
    """What the palette offers on a screen of the console."""

    def _entries(self) -> Iterator[PaletteEntry]:
        screen = self.screen
        if not isinstance(screen, ConsoleScreen):
            return
        console = screen.console
        offered = [
            (command, screen.why_not(command))
            for command in screen.commands
            if command.in_palette and not (command.changes and console.operator.read_only)
        ]
        # What cannot be used now stays visible, below what can.
        for command, reason in sorted(offered, key=lambda pair: bool(pair[1])):
            keys = f"{command.names.first_key}  " if command.names.keys else ""
            text = f"{keys}{'not now: ' + reason if reason else command.help}"
            yield PaletteEntry(
                command.names.title, escape(text), partial(screen.action_command, command.id)
            )
        if console.lab is not None and not console.operator.read_only:
            for title, text, run in fault_entries(screen, console.lab):
                yield PaletteEntry(title, escape(text), run, discovered=False)

    async def discover(self) -> Hits:
        """Everything, before the first letter."""
        for entry in self._entries():
            if entry.discovered:
                yield DiscoveryHit(
                    Content(entry.title), entry.run, text=entry.title, help=entry.help
                )

    async def search(self, query: str) -> Hits:
        """What matches, best first."""
        matcher = self.matcher(query)
        for entry in self._entries():
            score = matcher.match(entry.title)
            if score > 0:
                yield Hit(
                    score,
                    matcher.highlight(entry.title),
                    entry.run,
                    text=entry.title,
                    help=entry.help,
                )
