"""A list of lines, one of them under the cursor: what every list of the console has in common.

Drawn line by line (Textual's Line API), only what is visible. A list says what is on each line; the
cursor, paging, clicks, the focus and styles are here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lvstui.tui.widgets.glyphs import UNICODE, Glyphs


def moves(top: str = "To the top", bottom: str = "To the bottom") -> list[BindingType]:
    """The keys of a list, and what they say of its ends."""
    return [
        Binding("j,down", "move(1)", "Down", show=False, key_display="j ↓"),
        Binding("k,up", "move(-1)", "Up", show=False, key_display="k ↑"),
        Binding("g,home", "move(-100000000)", top, show=False, key_display="g Home"),
        Binding("G,end", "move(100000000)", bottom, show=False, key_display="G End"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "A page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "A page up", show=False),
    ]


def classes_of(prefix: str, words: str, more: Iterable[Enum] = ()) -> set[str]:
    """The component classes of a list: its meanings, in one text and out of an enumeration."""
    return {f"{prefix}--{word}" for word in (*words.split(), *(one.value for one in more))}


Line = TypeVar("Line")


class LineList(ScrollView, Generic[Line], can_focus=True):
    """Subclasses say how many lines there are and what is on each."""

    BINDINGS: ClassVar[list[BindingType]] = moves()
    PREFIX: ClassVar[str]
    """Of its component classes; `plain` and `cursor` are among them."""
    APART: ClassVar[frozenset[str]] = frozenset()
    """Meanings that look the same on the cursor's line."""
    OVER: ClassVar[tuple[str, ...]] = ("cursor",)
    """Component classes laid over a line: of the cursor, of what stands out on it. Each has a
    dimmer one, `-idle`, for while keys go elsewhere."""
    HEAD: ClassVar[int] = 0
    """Lines at the top that do not scroll."""

    class Moved(Message):
        """Another line is under the cursor, by the operator's hand."""

        def __init__(self, view: LineList[Any]) -> None:
            super().__init__()
            self.view = view

    class Opened(Message):
        """A line was clicked twice."""

    def __init__(self, glyphs: Glyphs = UNICODE, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.rows: Sequence[Line] = ()
        """What is on the lines, top to bottom."""
        self._at = 0
        """The line under the cursor, from 0."""
        self._styles_of: dict[tuple[str, int, bool, bool], Style] = {}

    # What is on the lines

    @property
    def count(self) -> int:
        """Lines in all, without the head."""
        return len(self.rows)

    @property
    def here(self) -> Line | None:
        """What is under the cursor."""
        return self.rows[self._at] if self._at < len(self.rows) else None

    def segments(self, at: int, over: int) -> list[Segment]:
        """Line `at` (from 0); `over` is 1 on the cursor's line."""
        raise NotImplementedError

    def is_marked(self, at: int) -> bool:
        return False

    def head(self) -> Strip:
        """The line that does not scroll, when there is one."""
        raise NotImplementedError

    def style(self, meaning: str, over: int = 0, marked: bool = False) -> Style:
        """The style of a component class; `over`: that many of `OVER`, 0 off the cursor's line."""
        key = (meaning, over, marked, self.has_focus)
        style = self._styles_of.get(key)
        if style is None:
            style = self.get_component_rich_style(f"{self.PREFIX}--{meaning}")
            if marked:
                style += self.get_component_rich_style(f"{self.PREFIX}--marked", partial=True)
            if over and meaning not in self.APART:
                word = self.OVER[over - 1] + ("" if self.has_focus else "-idle")
                top = self.get_component_rich_style(f"{self.PREFIX}--{word}", partial=True)
                if top.reverse:
                    # One even bar: colours turned round would be a patchwork.
                    style = self.get_component_rich_style(f"{self.PREFIX}--plain")
                style += top
            self._styles_of[key] = style
        return style

    def notify_style_update(self) -> None:
        self._styles_of.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        if y < self.HEAD:
            return self.head()
        width = self.scrollable_content_region.width
        at = self.scroll_offset.y + y - self.HEAD
        if at >= self.count:
            return Strip.blank(width, self.style("plain"))
        over = int(at == self._at and self.can_focus)
        plain = self.style("plain", over, self.is_marked(at))
        return Strip(self.segments(at, over)).adjust_cell_length(width, plain)

    # Moving

    @property
    def room(self) -> int:
        """Lines that are visible at once."""
        return max(self.size.height - self.HEAD, 1)

    def fit_lines(self) -> None:
        """As high as there are lines; call it when their number has changed."""
        self._at = min(self._at, max(self.count - 1, 0))
        size = Size(self.scrollable_content_region.width, self.count + self.HEAD)
        if self.virtual_size != size:
            self.virtual_size = size

    def set_cursor(self, at: int) -> None:
        """Onto line `at`, or the last one; nothing is scrolled or drawn."""
        self._at = min(max(at, 0), max(self.count - 1, 0))

    def scroll_to_cursor(self, *, middle: bool = False) -> None:
        """Make the cursor's line visible; `middle`: with room around it when it was not."""
        top = self.scroll_offset.y
        if top <= self._at < top + self.room:
            return
        if middle:
            y = max(self._at - self.room // 3, 0)
        else:
            y = self._at if self._at < top else self._at - self.room + 1
        self.scroll_to(y=y, animate=False, immediate=True)

    def put_cursor(self, at: int, *, middle: bool = False) -> None:
        """Onto line `at`, visible, without a message."""
        self.set_cursor(at)
        self.scroll_to_cursor(middle=middle)
        self.redraw()

    def redraw(self) -> None:
        """Draw what differs from what is on the screen."""
        self.refresh()

    def repaint(self) -> None:
        """Draw everything: it looks different now."""
        self.refresh()

    def action_move(self, by: int) -> None:
        self.put_cursor(self._at + by)
        self.post_message(self.Moved(self))

    def action_page(self, pages: float) -> None:
        self.action_move(int(max(self.room - 1, 1) * pages) or (1 if pages > 0 else -1))

    def clicked(self, at: int, x: int) -> None:
        """Line `at` was clicked once, in column `x` of the view."""

    def head_clicked(self, x: int) -> None:
        """The head was clicked."""

    def on_click(self, event: events.Click) -> None:
        """Select; twice opens."""
        if not self.can_focus:
            return
        event.stop()
        at = self.scroll_offset.y + event.y - self.HEAD
        if event.y < self.HEAD:
            self.head_clicked(event.x)
        elif at < self.count:
            self.action_move(at - self._at)
            if event.chain == 2:
                self.post_message(self.Opened())
            else:
                self.clicked(at, event.x)

    def on_focus(self) -> None:
        """The cursor is bright while keys come here."""
        self.repaint()

    def on_blur(self) -> None:
        """And dim while they go elsewhere."""
        self.repaint()

    def on_resize(self) -> None:
        self.fit_lines()
        if self.can_focus:
            self.put_cursor(self._at)
