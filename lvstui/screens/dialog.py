"""What all dialogs have in common: a framed box over the screen, a way out, no markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from lvstui.widgets.format import cut
from lvstui.widgets.line import Bit

if TYPE_CHECKING:
    from lvstui.app import LvstuiApp

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A box with a title on its frame and its keys below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close", id="leave"),
        Binding("ctrl+q,ctrl+c", "app.exit_now", "Quit", show=False),
    ]
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (("Esc", "close"),)
    """Shown below: key and what it does."""

    @property
    def console(self) -> LvstuiApp:
        """The app, as what it is."""
        return cast("LvstuiApp", self.app)

    def compose(self) -> ComposeResult:
        """The box; `body` fills it."""
        with Vertical(id="box") as box:
            box.border_title = Content(cut(self.heading(), 90))
            yield from self.body()
            yield Static(keys_line(self.KEYS), id="dialog-keys", markup=False)

    def heading(self) -> str:
        """On the frame."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        """What is in the box."""
        yield from ()

    def action_leave(self) -> None:
        """Close without doing anything."""
        self.dismiss(None)


def keys_line(keys: Iterable[tuple[str, str]]) -> Content:
    """` Esc  close   y  copy`."""
    bits: list[Bit] = []
    for key, what in keys:
        bits += [(f" {key} ", "$lv-chip-text on $lv-chip"), (f" {what}   ", "$lv-dim")]
    return Content.assemble(*bits)
