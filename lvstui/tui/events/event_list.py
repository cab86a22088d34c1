"""Events, newest first: drawn line by line, only what is visible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lvstui.model.picture import Event, Severity
from lvstui.model.say import clock_ms, moment
from lvstui.tui.widgets.format import cut, fit, width_of
from lvstui.tui.widgets.glyphs import UNICODE, Glyphs

_MEANINGS = (
    "plain",
    "time",
    "host",
    "text",
    "past",
    "cursor",
    "pointer",
    *(s.value for s in Severity),
)


def event_matches(event: Event, pattern: str) -> bool:
    """Whether all words of `pattern` are in the event; `!` in front turns it round."""
    words = pattern.strip().lower()
    inverse = words.startswith("!")
    wanted = words.lstrip("!").split()
    if not wanted:
        return True
    line = f"{event.host} {event.kind} {event.severity.value} {event.text}".lower()
    line += f" {event.service or ''} {event.server or ''}"
    return all(word in line for word in wanted) != inverse


class EventList(ScrollView, can_focus=True):
    """`14:03:19.120  lb1  ▎ rs3 down: …`, newest at the top."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"event-list--{name}" for name in _MEANINGS}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, key_display="j ↓"),
        Binding("k,up", "move(-1)", "Up", show=False, key_display="k ↑"),
        Binding("g,home", "move(-1000000)", "To the newest", show=False, key_display="g Home"),
        Binding("G,end", "move(1000000)", "To the oldest", show=False, key_display="G End"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "A page down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "A page up", show=False),
    ]

    class Moved(Message):
        """Another event is under the cursor."""

    class Opened(Message):
        """An event was opened: double click."""

        def __init__(self, event: Event) -> None:
            super().__init__()
            self.event = event

    def __init__(
        self, glyphs: Glyphs = UNICODE, *, cursor: bool = True, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.glyphs = glyphs
        self.can_focus = cursor
        self._with_cursor = cursor
        self._source: Sequence[Event] = ()
        self._pattern = ""
        self._now = 0.0
        self._rows: list[Event] = []
        self._at = 0
        self._hosts = 3
        self._styles_of: dict[tuple[str, bool], Style] = {}

    def show_events(self, found: Sequence[Event], now: float, pattern: str = "") -> None:
        """Show these (oldest first, as the picture holds them)."""
        if found is self._source and pattern == self._pattern:
            return
        at = self.event_at
        self._source, self._pattern, self._now = found, pattern, now
        rows = [event for event in reversed(found) if event_matches(event, pattern)]
        same = len(rows) == len(self._rows) and all(
            a is b for a, b in zip(rows, self._rows, strict=True)
        )
        if same:
            return
        old_at = self._at
        self._rows = rows
        self._hosts = max((width_of(event.host) for event in rows), default=3)
        if self.virtual_size.height != len(rows):
            self.virtual_size = Size(self.scrollable_content_region.width, len(rows))
        if at is not None and (old_at or self.scroll_offset.y):
            # Someone reads further down: keep that event where it is.
            self._at = next((i for i, event in enumerate(rows) if event is at), 0)
            moved = self._at - old_at
            if moved:
                self.scroll_to(y=self.scroll_offset.y + moved, animate=False, immediate=True)
        else:
            self._at = 0
        self._at = min(self._at, max(len(rows) - 1, 0))
        if self.event_at is not at and self._with_cursor:
            self.post_message(self.Moved())
        self.refresh()

    @property
    def shown(self) -> Sequence[Event]:
        """What passes the filter, newest first."""
        return self._rows

    @property
    def event_at(self) -> Event | None:
        """The event under the cursor."""
        return self._rows[self._at] if self._at < len(self._rows) else None

    def _style(self, meaning: str, cursor: bool) -> Style:
        key = (meaning, cursor)
        style = self._styles_of.get(key)
        if style is None:
            style = self.get_component_rich_style(f"event-list--{meaning}")
            if cursor:
                over = self.get_component_rich_style("event-list--cursor", partial=True)
                if over.reverse:
                    style = self._style("plain", False)
                style += over
            self._styles_of[key] = style
        return style

    def notify_style_update(self) -> None:
        """The theme changed."""
        self._styles_of.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One event."""
        width = self.scrollable_content_region.width
        at = self.scroll_offset.y + y
        if at >= len(self._rows):
            return Strip.blank(width, self._style("plain", False))
        event = self._rows[at]
        cursor = self._with_cursor and at == self._at and self.has_focus
        stamp = clock_ms(event.at)
        day = moment(event.at, self._now)
        if len(day) > len("00:00:00"):
            stamp = f"{day[5:10]} {stamp}"
        head = [
            (self.glyphs.cursor if cursor else " ", "pointer"),
            (stamp + "  ", "time"),
            (fit(event.host, min(self._hosts, 16)) + "  ", "past" if event.past else "host"),
            (self.glyphs.severity + " ", event.severity.value),
        ]
        room = width - sum(width_of(text) for text, _ in head)
        text = cut(event.text, room, ellipsis=self.glyphs.ellipsis)
        meaning = "past" if event.past else "text"
        pieces = [*head, (fit(text, room), meaning)]
        return Strip([Segment(text, self._style(name, cursor)) for text, name in pieces], width)

    def action_move(self, by: int) -> None:
        """Cursor down or up."""
        self._at = min(max(self._at + by, 0), max(len(self._rows) - 1, 0))
        self.post_message(self.Moved())
        page = max(self.size.height, 1)
        top = self.scroll_offset.y
        if self._at < top:
            self.scroll_to(y=self._at, animate=False, immediate=True)
        elif self._at >= top + page:
            self.scroll_to(y=self._at - page + 1, animate=False, immediate=True)
        self.refresh()

    def action_page(self, pages: float) -> None:
        """Cursor by pages."""
        self.action_move(int(max(self.size.height - 1, 1) * pages))

    def on_click(self, event: events.Click) -> None:
        """Select; twice opens."""
        if not self._with_cursor:
            return
        at = self.scroll_offset.y + event.y
        if at < len(self._rows):
            self.action_move(at - self._at)
            if event.chain == 2:
                self.post_message(self.Opened(self._rows[at]))

    def on_resize(self) -> None:
        """Another width."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
