"""What the two panes of the configuration have in common: lines, one of them under the cursor."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lvstui.tui.widgets.glyphs import UNICODE, Glyphs


class LinesView(ScrollView, can_focus=True):
    """Lines drawn one by one, only those that are visible; subclasses say what is on each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, key_display="j ↓"),
        Binding("k,up", "move(-1)", "Up", show=False, key_display="k ↑"),
        Binding("g,home", "move(-100000000)", "To the top", show=False, key_display="g Home"),
        Binding("G,end", "move(100000000)", "To the bottom", show=False, key_display="G End"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "A page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "A page up", show=False),
    ]
    PREFIX: ClassVar[str]
    """Of its component classes."""
    APART: ClassVar[frozenset[str]] = frozenset()
    """Meanings that look the same on the cursor's line."""

    class Moved(Message):
        """Another line is under the cursor, by the operator's hand."""

        def __init__(self, view: LinesView) -> None:
            super().__init__()
            self.view = view

    class Opened(Message):
        """A line was clicked twice."""

        def __init__(self, view: LinesView) -> None:
            super().__init__()
            self.view = view

    def __init__(self, glyphs: Glyphs = UNICODE, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self._at = 0
        self._styles_of: dict[tuple[str, int], Style] = {}

    @property
    def count(self) -> int:
        """Lines in all."""
        raise NotImplementedError

    def strip_of(self, at: int, over: int) -> list[Segment]:
        """Line `at` (from 0); `over` is 1 on the cursor's line."""
        raise NotImplementedError

    def style(self, meaning: str, over: int) -> Style:
        """The style of a component class, on the cursor's line or not."""
        key = (meaning, over)
        style = self._styles_of.get(key)
        if style is None:
            style = self.get_component_rich_style(f"{self.PREFIX}--{meaning}")
            if over and meaning not in self.APART:
                word = "cursor" if self.has_focus else "cursor-idle"
                top = self.get_component_rich_style(f"{self.PREFIX}--{word}", partial=True)
                if top.reverse:
                    style = self.get_component_rich_style(f"{self.PREFIX}--plain")
                style += top
            self._styles_of[key] = style
        return style

    def notify_style_update(self) -> None:
        """The theme changed."""
        self._styles_of.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One visible line."""
        width = self.scrollable_content_region.width
        at = self.scroll_offset.y + y
        if at >= self.count:
            return Strip.blank(width, self.style("plain", 0))
        over = int(at == self._at)
        return Strip(self.strip_of(at, over)).adjust_cell_length(width, self.style("plain", over))

    # Moving

    def fit_lines(self) -> None:
        """As high as there are lines; call it when their number has changed."""
        self._at = min(self._at, max(self.count - 1, 0))
        size = Size(self.scrollable_content_region.width, self.count)
        if self.virtual_size != size:
            self.virtual_size = size

    def put_cursor(self, at: int, *, middle: bool = False) -> None:
        """Onto line `at`, without a message; `middle`: with room around it when it was not
        visible."""
        self._at = min(max(at, 0), max(self.count - 1, 0))
        page, top = max(self.size.height, 1), self.scroll_offset.y
        if top <= self._at < top + page:
            pass
        elif middle:
            self.scroll_to(y=max(self._at - page // 3, 0), animate=False, immediate=True)
        elif self._at < top:
            self.scroll_to(y=self._at, animate=False, immediate=True)
        else:
            self.scroll_to(y=self._at - page + 1, animate=False, immediate=True)
        self.refresh()

    def action_move(self, by: int) -> None:
        """Another line."""
        self.put_cursor(self._at + by)
        self.post_message(self.Moved(self))

    def action_page(self, pages: float) -> None:
        """Lines by pages."""
        by = int(max(self.size.height - 1, 1) * pages)
        self.action_move(by or (1 if pages > 0 else -1))

    def clicked(self, at: int, x: int) -> None:
        """Line `at` was clicked, in column `x` of the view; for subclasses."""

    def on_click(self, event: events.Click) -> None:
        """Select; twice opens."""
        event.stop()
        at = self.scroll_offset.y + event.y
        if at >= self.count:
            return
        self.put_cursor(at)
        self.post_message(self.Moved(self))
        if event.chain == 2:
            self.post_message(self.Opened(self))
        else:
            self.clicked(at, event.x)

    def on_focus(self) -> None:
        """The cursor is bright while keys come here."""
        self._styles_of.clear()
        self.refresh()

    def on_blur(self) -> None:
        """And dim while they go elsewhere."""
        self._styles_of.clear()
        self.refresh()

    def on_resize(self) -> None:
        """Another size."""
        self.fit_lines()
        self.put_cursor(self._at)
