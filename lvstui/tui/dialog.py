"""What all dialogs have in common: a framed box over the screen, a way out, no markup."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from lvstui.tui.live import LiveScreen, Result
from lvstui.tui.widgets.format import cut, width_of
from lvstui.tui.widgets.line import Bit

_FRAME = 3
"""Lines of a box beside its content: its border and the padding on top."""
_SHARE, _SIDES, _WIDEST = 0.96, 6, 110
"""Of the terminal's width that a box may take, what its border and padding take of that, and the
most that is left, as the stylesheet has it."""


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


class Dialog(ModalScreen[Result], LiveScreen[Result]):
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
    _keys_height = 1

    def compose(self) -> ComposeResult:
        """The box; `body` fills it."""
        with Vertical(id="box") as box:
            box.border_title = self.framed_heading()
            yield from self.body()
            yield Static(id="dialog-keys", markup=False)

    def heading(self) -> str:
        """On the frame: its title, unless that changes with what is shown."""
        return self.title or ""

    def framed_heading(self) -> Content:
        return Content(cut(self.heading(), 90))

    def body(self) -> ComposeResult:
        """What is in the box."""
        yield from ()

    def keys(self) -> Sequence[tuple[str, str]]:
        """What can be pressed now, and what it does."""
        return self.KEYS

    def on_resize(self) -> None:
        """Keep the frame and the keys on the screen: what scrolls gives way."""
        self.show_keys()

    def show_keys(self) -> None:
        """The keys as they are now, on as many lines as they need."""
        room = min(int(self.size.width * _SHARE) - _SIDES, _WIDEST)
        lines = keys_lines(self.keys(), room)
        self._keys_height = len(lines)
        self.query_one("#dialog-keys", Static).update(Content("\n").join(lines))
        self.fit_height()

    def take_key(self, event: Key, calm: bool) -> bool:
        """A key came while this is on top, before anything else looks at it; True: it was meant
        for the dialog itself. calm: no other printable key came shortly before."""
        return False

    def take_text(self, text: str) -> bool:
        """Text was pasted; True: it has its place."""
        return False

    def fit_height(self) -> None:
        """Limit what scrolls to the lines that the rest of the box leaves."""
        if not self.SCROLLS:
            return
        most = max(self.size.height - 2, 8)
        box = self.query_one("#box")
        others = sum(
            child.styles.margin.height + (self._keys_height if child.id == "dialog-keys" else 1)
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


class PageDialog(Dialog[None]):
    """One text that scrolls, laid out anew for each width."""

    KEYS: ClassVar[tuple[tuple[str, str], ...]] = (("j k", "scroll"), ("Esc", "close"))
    SCROLLS = "#page"

    def content(self, width: int) -> Content:
        """The text in `width` cells."""
        raise NotImplementedError

    def body(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(id="page-text", markup=False)

    def on_mount(self) -> None:
        self.query_one("#page").focus()

    def on_resize(self) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Show what is true now."""
        width = max(self.query_one("#page").size.width - 2, 40)
        self.query_one("#page-text", Static).update(self.content(width))
        self.fit_height()


def ask(app: App[Any], dialog: Dialog[Result], then: Callable[[Result], object]) -> None:
    """Open a dialog; `then` hears what it gives, when it gives something."""

    def answered(result: Result | None) -> None:
        if result is not None:
            then(result)

    app.push_screen(dialog, answered)


def keys_lines(keys: Sequence[tuple[str, str]], room: int) -> list[Content]:
    """` Esc  close   y  copy`, on lines of at most `room` cells: the way out comes first."""
    lines: list[list[Bit]] = [[]]
    taken = 0
    for key, what in sorted(keys, key=lambda pair: "Esc" not in pair[0]):
        wide = width_of(key) + width_of(what) + 3
        if lines[-1] and taken + wide > room:
            lines.append([])
            taken = 0
        lines[-1] += [(f" {key} ", "$lv-chip-text on $lv-chip"), (f" {what}   ", "$lv-dim")]
        taken += wide + 3
    return [Content.assemble(*bits) for bits in lines]
