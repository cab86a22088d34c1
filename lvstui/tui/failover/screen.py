"""VRRP on this host: its instances, whom it hears, what changed hands and when."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvstui.model.picture import Picture
from lvstui.tui.command import Command
from lvstui.tui.console import ConsoleScreen
from lvstui.tui.failover.text import failover_bits


class FailoverScreen(ConsoleScreen):
    """VRRP instances."""

    MODE = "failover"
    OWN: ClassVar[tuple[Command[Any], ...]] = ()
    FOOTER = "refresh warnings"

    def body(self) -> ComposeResult:
        with VerticalScroll(id="main"):
            yield Static(id="failover-text", markup=False)

    def show_picture(self, picture: Picture) -> None:
        super().show_picture(picture)
        console = self.console
        width = max(self.size.width - 6, 40)
        bits = failover_bits(picture, console.settings.clock(), width, console.glyphs)
        self.query_one("#failover-text", Static).update(Content.assemble(*bits).rstrip())

    def on_resize(self) -> None:
        self.call_after_refresh(self.show_picture, self.console.picture)
