"""Everything that one look saw of a host and what it means, on one page."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvstui.model.realserver import Look
from lvstui.model.say import moment
from lvstui.tui.dialog import Dialog
from lvstui.tui.realservers.text import host_bits


class EvidenceScreen(Dialog[None]):
    """A page that scrolls."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "Copy the page", show=False)]
    KEYS = (("j k", "scroll"), ("y", "copy"), ("Esc", "close"))
    SCROLLS = "#evidence"

    def __init__(self, look: Look) -> None:
        super().__init__()
        self._look = look

    def heading(self) -> str:
        """Which host, seen when."""
        look = self._look
        at = moment(look.at, self.console.settings.clock())
        where = f" ({look.address})" if look.name else ""
        return f"{look.label}{where}, looked at {at}"

    def body(self) -> ComposeResult:
        """The page."""
        with VerticalScroll(id="evidence"):
            yield Static(id="evidence-text", markup=False)

    def on_mount(self) -> None:
        """Keys scroll."""
        self.query_one("#evidence").focus()

    def on_resize(self) -> None:
        """Wrap anew."""
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        width = max(self.query_one("#evidence").size.width - 2, 40)
        bits = host_bits(self._look, width, self.console.glyphs)
        self.query_one("#evidence-text", Static).update(Content.assemble(*bits).rstrip())
        self.fit_height()

    def action_copy(self) -> None:
        """To the terminal's clipboard."""
        bits = host_bits(self._look, 100, self.console.glyphs)
        self.app.copy_to_clipboard("".join(text for text, _ in bits))
        self.notify("Copied: the page", markup=False)
