"""What all dialogs have in common: a framed box over the screen, a way out, no markup."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from lvstui.screens.host import Host
from lvstui.widgets.format import cut
from lvstui.widgets.line import Bit

Result = TypeVar("Result")
_FRAME = 3
"""Lines of a box beside its content: its border and the padding on top."""


BUTTON_KEYS: tuple[Binding, ...] = (
    Binding("left,h", "app.focus_previous", "Previous button", show=False),
    Binding("right,l", "app.focus_next", "Next button", show=False),
)
"""From one button to the next."""
PAGE_KEYS: tuple[Binding, ...] = (
    Binding("space,pagedown", "page(1)", "A page down", show=False),
    Binding("pageup", "page(-1)", "A page up", show=False),
)
"""For `action_page`."""


class Dialog(ModalScreen[Result]):
    """A box with a title on its frame and its keys below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", "Close", id="leave"),
        Binding("ctrl+q,ctrl+c", "app.exit_now", "Quit", show=False),
        Binding("j", "scroll_body(1)", "Scroll down", show=False),
        Binding("k", "scroll_body(-1)", "Scroll up", show=False),
    ]
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (("Esc", "close"),)
    """Shown below: key and what it does."""
    SCROLLS: ClassVar[str] = ""
    """What in the body scrolls when the terminal is too small for all of it."""

    @property
    def console(self) -> Host:
        """The app, as what it is."""
        return cast(Host, self.app)

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

    def on_resize(self) -> None:
        """Keep the frame and the keys on the screen: what scrolls gives way."""
        self.fit_height()

    def fit_height(self) -> None:
        """Limit what scrolls to the lines that the rest of the box leaves."""
        if not self.SCROLLS:
            return
        most = max(self.size.height - 2, 8)
        box = self.query_one("#box")
        others = sum(
            child.styles.margin.height + 1
            for child in box.children
            if child.display and child.id != self.SCROLLS.removeprefix("#")
        )
        box.styles.max_height = most
        self.query_one(self.SCROLLS).styles.max_height = max(most - others - _FRAME, 3)

    def action_scroll_body(self, lines: int) -> None:
        """For hands that live on j and k; arrows and the wheel work too."""
        if self.SCROLLS:
            body = self.query_one(self.SCROLLS)
            body.scroll_to(y=body.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        """The same by pages, for dialogs that bind keys to it."""
        if self.SCROLLS:
            body = self.query_one(self.SCROLLS)
            self.action_scroll_body(pages * max(body.size.height - 2, 1))

    def action_leave(self) -> None:
        """Close without doing anything."""
        self.dismiss(None)


def plan_form() -> ComposeResult:
    """What every plan is confirmed with: its text, then reason and typed confirmation as needed,
    then the buttons."""
    with VerticalScroll(id="plan-scroll", can_focus=False):
        yield Static(id="plan-text", markup=False)
    with Horizontal(id="reason-line", classes="field"):
        yield Static("Reason ", markup=False)
        yield Input(placeholder="optional, for the audit log", id="reason")
    with Horizontal(id="typed-line", classes="field"):
        yield Static("", id="typed-label", markup=False)
        yield Input(id="typed")
    with Horizontal(id="buttons"):
        yield Button("Cancel", id="cancel", compact=True)
        yield Button("Apply", id="apply", compact=True)


def keys_line(keys: Iterable[tuple[str, str]]) -> Content:
    """` Esc  close   y  copy`."""
    bits: list[Bit] = []
    for key, what in keys:
        bits += [(f" {key} ", "$lv-chip-text on $lv-chip"), (f" {what}   ", "$lv-dim")]
    return Content.assemble(*bits)
