"""What screens have in common that show only what holds the words of a filter."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.widgets import Input

from lvstui.tui.console import ConsoleScreen

FILTER_HINT = "words to find; !words to hide; Enter keeps, Esc clears"


def hidden_field(hint: str = FILTER_HINT) -> Input:
    """The line that words are typed into; not shown until it is asked for."""
    field = Input(placeholder=hint, id="filter", select_on_focus=False)
    field.display = False
    return field


class FilteredScreen(ConsoleScreen):
    """A screen with a `hidden_field` whose `#main` follows what is typed there."""

    # Screens bring theirs: what they leave out of the common ones must not come back from here.
    BINDINGS: ClassVar[list[Any]] = []

    def filter_by(self, pattern: str) -> None:
        """Show only what `pattern` lets through; empty: everything."""
        raise NotImplementedError

    @property
    def filter_open(self) -> bool:
        """Words are being typed."""
        return bool(self.query_one("#filter").display)

    def open_filter(self) -> None:
        """Type a filter; what is shown follows."""
        field = self.query_one("#filter", Input)
        field.display = True
        field.focus()

    def close_filter(self, *, clear: bool) -> None:
        """Back to what is shown."""
        field = self.query_one("#filter", Input)
        if clear:
            field.value = ""
        field.display = False
        self.query_one("#main").focus()
        self.filter_by(field.value)

    def step_back(self) -> None:
        """Undo the narrowest of what is set: here the filter is all."""
        self.close_filter(clear=True)

    @on(Input.Changed, "#filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        self.filter_by(event.value)

    @on(Input.Submitted, "#filter")
    def _filter_kept(self) -> None:
        self.close_filter(clear=False)
