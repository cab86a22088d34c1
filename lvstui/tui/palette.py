"""The command palette: every command of the screen, and inside the lab every fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from lvstui.model.text import plain
from lvstui.tui.choice import AskScreen
from lvstui.tui.console import ConsoleScreen
from lvstui.tui.dialog import ask
from lvstui.tui.live import LiveScreen

if TYPE_CHECKING:
    from lvstui.lab.faults import Fault, LabLink
    from lvstui.tui.host import PageHost


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
            yield from _faults(screen, console.lab)

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


def _faults(screen: PageHost, lab: LabLink) -> Iterator[PaletteEntry]:
    """`fault: stop rs3`, one for each fault and node that it can act on."""
    for fault in lab.faults:
        for node in lab.targets(fault):
            title = f"fault: {fault.name} {node}".rstrip()
            run = partial(_start_fault, screen, lab, fault, node)
            yield PaletteEntry(title, escape(fault.summary), run, discovered=False)


def _start_fault(screen: PageHost, lab: LabLink, fault: Fault, node: str) -> None:
    """Ask for the argument when it needs one, then inject it in a thread."""
    if "argument" not in fault.needs:
        _inject(screen, lab, fault, node, None)
        return
    title = f"fault: {fault.name} {node}"
    question = AskScreen(title, fault.summary, "argument, may be empty")
    ask(screen.app, question, lambda given: _inject(screen, lab, fault, node, given or None))


def _inject(screen: PageHost, lab: LabLink, fault: Fault, node: str, argument: str | None) -> None:
    app = screen.app
    what = f"fault: {fault.name} {node}".rstrip()

    def work() -> None:
        try:
            text, bad = plain(lab.inject(fault.name, node, argument)), False
        except Exception as problem:
            # Whatever goes wrong in the lab is news for the operator, not the console's end.
            text, bad = plain(f"failed: {problem}"), True
        app.call_from_thread(
            app.notify,
            text or what,
            title=what,
            severity="error" if bad else "information",
            markup=False,
        )

    screen.tell(f"{what} …")
    app.run_worker(work, thread=True, exit_on_error=False, group="faults")
