"""Everything known about one service or one real server, on one page that stays live."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from lvstui.model.picture import Picture, ServerView, ServiceView
from lvstui.tui.dialog import Dialog
from lvstui.tui.services.detail_text import DetailPage, server_page, service_page
from lvstui.tui.services.rows import RowId


class DetailsScreen(Dialog[None]):
    """Follows its row from picture to picture."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy('address')", "Copy the address", show=False),
        Binding("c", "copy('place')", "Copy the place in the file", show=False),
        Binding("p", "copy('page')", "Copy the page", show=False),
    ]
    KEYS = (
        ("j k", "scroll"),
        ("y", "copy address"),
        ("c", "copy file:line"),
        ("p", "copy page"),
        ("Esc", "close"),
    )

    SCROLLS = "#details"

    def __init__(self, wanted: RowId) -> None:
        super().__init__()
        self._wanted = wanted
        self._page = DetailPage("")
        self._last: ServiceView | ServerView | None = None

    def heading(self) -> str:
        """What it is about, and on which host."""
        service, server = self._wanted
        what = f"{server} in {service}" if server is not None else str(service)
        return f"{what}  on {self.console.picture.host}"

    def body(self) -> ComposeResult:
        """One page that scrolls."""
        with VerticalScroll(id="details"):
            yield Static(id="details-text", markup=False)

    def on_mount(self) -> None:
        """Show what is true now, and ask for counters every tick."""
        self.query_one("#details").focus()
        self.console.feed.watch_closely((self._wanted[0],))
        self.show_picture(self.console.picture)

    def on_resize(self) -> None:
        """The graph is as wide as the page."""
        self._last = None
        self.call_after_refresh(self.show_picture, self.console.picture)

    def show_picture(self, picture: Picture) -> None:
        """Show what is true now."""
        service, server = self._wanted
        text = self.query_one("#details-text", Static)
        view: ServiceView | ServerView | None
        view = picture.server(service, server) if server else picture.service(service)
        if view is None:
            gone = "It is gone: neither the file nor keepalived nor the kernel has it any more.\n\n"
            text.update(Content.assemble((gone, "bold $sev-warn")))
            return
        width = max(min(self.size.width - 12, 92), 40)
        now = self.console.settings.clock()
        if isinstance(view, ServerView):
            self._page = server_page(view, picture, now, width, self.console.glyphs)
        else:
            self._page = service_page(view, picture, now, width, self.console.glyphs)
        self._last = view
        text.update(Content.assemble(*self._page.bits))

    def action_copy(self, what: str) -> None:
        """To the terminal's clipboard."""
        page = self._page
        text = {"address": page.address, "place": page.place, "page": page.text}[what]
        if not text:
            self.notify("It is in no file.", severity="warning", markup=False)
            return
        self.app.copy_to_clipboard(text)
        said = "the page" if what == "page" else text
        self.notify(f"Copied: {said}", markup=False)
